/*
 * analysis/growth/growth_error.h - is the rise of a sampled figure more than chance?
 * Private to analysis/growth*.c.
 */
#ifndef ANALYSIS_GROWTH_ERROR_H
#define ANALYSIS_GROWTH_ERROR_H

#include "analysis/growth/growth_series.h"

/**
 * Is the rise of the bytes from the first to the last of `count` snapshots from `from` larger than
 * sampling errors can explain?  `bytes` are the series', perhaps with a control subtracted.  True for
 * figures that are exact.
 */
bool growth_error_exceeded(const struct growth_series *series, size_t from, size_t count,
			   const double *bytes);

#endif
