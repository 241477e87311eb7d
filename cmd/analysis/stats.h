/*
 * analysis/stats.h - robust statistics on short series: medians, Theil-Sen slopes, Mann-Kendall's
 * trend.
 *
 * Pure functions over arrays of the caller.  Sources: Theil 1950; Sen 1968 (slope and its
 * interval); Mann 1945 and Kendall 1975 (trend, with Kendall's correction for ties).
 */
#ifndef ANALYSIS_STATS_H
#define ANALYSIS_STATS_H

#include <stdbool.h>
#include <stddef.h>

/** A slope with the bounds of its interval of two-sided 95 % confidence. */
struct stats_slope {
	double value, low, high;
};

struct stats_trend {
	double s; /* rising pairs minus falling pairs */
	double z; /* s in standard deviations, continuity-corrected; 0 when all values are equal */
	double p_above; /* one-sided probability of at least this s without a trend, normal
			   approximation */
};

/** Median of `values`, which it reorders; 0 when there are none. */
double stats_median(double *values, size_t count);

/**
 * The median of the slopes between all pairs of points whose x differ, and Sen's interval.  Above
 * STATS_SLOPE_POINTS points, neighbours are first merged into that many points of median x and y,
 * so that the cost stays bounded.  False when no two x differ (or memory is out): *out is then all
 * zero.
 */
enum { STATS_SLOPE_POINTS = 64 };
bool stats_theil_sen(const double *x, const double *y, size_t count, struct stats_slope *out);

/** Mann-Kendall's test on `y` in its order. */
struct stats_trend stats_mann_kendall(const double *y, size_t count);

#endif
