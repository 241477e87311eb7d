/*
 * analysis/growth/growth_decline.h - do the intervals add fewer and fewer blocks?  Private to
 * analysis/growth*.c.
 */
#ifndef ANALYSIS_GROWTH_DECLINE_H
#define ANALYSIS_GROWTH_DECLINE_H

#include <stdbool.h>
#include <stddef.h>

/** A fall that is steady and far more than chance explains, or one that is likely. */
enum growth_decline { DECLINE_STEADY, DECLINE_LIKELY };

/**
 * Interval i added `added[i]` blocks and took `length[i]`: time, or work.  The first `tail` of them are
 * the warm-up.  Do the blocks per unit of length fall, and still after the warm-up?
 */
bool growth_declines(const double *added, const double *length, size_t count, size_t tail,
		     enum growth_decline kind);

#endif
