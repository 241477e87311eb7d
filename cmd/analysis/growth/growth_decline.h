/*
 * analysis/growth/growth_decline.h - do the intervals add fewer and fewer blocks?  Private to
 * analysis/growth*.c.
 */
#ifndef ANALYSIS_GROWTH_DECLINE_H
#define ANALYSIS_GROWTH_DECLINE_H

#include <stdbool.h>
#include <stddef.h>

/**
 * Interval i added `added[i]` blocks and took `length[i]`: time, or work.  Do the blocks per unit of
 * length fall steadily, far more than chance explains, and still in the second half?
 */
bool growth_declines(const double *added, const double *length, size_t count);

#endif
