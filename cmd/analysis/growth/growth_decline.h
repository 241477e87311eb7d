/*
 * analysis/growth/growth_decline.h - do the intervals leave fewer and fewer blocks?  Private to
 * analysis/growth*.c.
 */
#ifndef ANALYSIS_GROWTH_DECLINE_H
#define ANALYSIS_GROWTH_DECLINE_H

#include <stdbool.h>
#include <stddef.h>

/**
 * Interval i left `left[i]` blocks and took `length[i]`: time, or work.  Do the blocks per unit of
 * length fall steadily, far more than chance explains, and still in the second half?
 */
bool growth_declines(const double *left, const double *length, size_t count);

#endif
