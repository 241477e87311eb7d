/*
 * analysis/growth/growth_shape.h - what the growth rule measures on one figure (blocks or bytes) of
 * one run. Private to analysis/growth*.c.
 */
#ifndef ANALYSIS_GROWTH_SHAPE_H
#define ANALYSIS_GROWTH_SHAPE_H

#include "analysis/growth/growth_series.h"

struct growth_shape {
	const double *x, *y;
	const double *seconds; /* set by the caller after measuring, where known */
	size_t count;          /* snapshots of the run */
	bool estimated;        /* sampled: no step is exact */
	size_t tail;           /* the first snapshot that is not set aside as warm-up */

	double first, last, min, max;
	double step_x; /* median distance of neighbours on x */

	size_t same_steps, tail_steps; /* how many of the tail's steps are the same rise */
	double step;                   /* that rise, per step_x */

	double give_back;  /* largest fall below an earlier value, in the tail */
	double floor_gain; /* lowest of the tail's last two minus highest of its first two */
	size_t rise_count; /* steps of the tail that rise */

	size_t jump_at; /* the largest single rise is from jump_at - 1 to jump_at; 0: none */
	double jump;
	double before_move, after_move; /* range of the values before and after it */
	double jump_gain;               /* lowest after it minus highest before it */

	size_t drops; /* falls (neighbouring ones joined) of at least 30 % of the range */
	size_t falling_steps, rising_steps;
	double largest_drop;
	double trough_gain; /* lowest of the later troughs minus highest of the earlier ones */
	double trough_first, trough_last;
	size_t trough_count;

	size_t leaps;      /* steps of the floor that raise it by half or more */
	size_t leap_at[2]; /* snapshots that the last two of them led to, the last one first */
	double leap_rise;  /* what the last one raised it by, */
	double leap_bytes; /* and what all of them did */

	double plateau_low, plateau_high; /* range of the second half */
};

/** Measure.  `warmup` as in growth_options. */
void growth_shape_measure(struct growth_shape *shape, const double *x, const double *y,
			  size_t count, size_t warmup);

/** The same rise k > 0 in at least 80 % of the tail's steps, the last one included, and no fall. */
bool growth_shape_is_exact(const struct growth_shape *shape);
/** One step contains the growth; before and after it the figure changes far less. */
bool growth_shape_is_one_off(const struct growth_shape *shape);
bool growth_shape_is_shrinking(const struct growth_shape *shape);
/** Slow rises and sudden falls, at least two of them. */
bool growth_shape_is_sawtooth(const struct growth_shape *shape);
/** Rose, then stayed within a band much narrower than the rise. */
bool growth_shape_is_plateau(const struct growth_shape *shape);
/**
 * Grows repeatedly in jumps of half its size or more, like a table that doubles when full; and the
 * time since the last jump is not much longer than the next one may take at an even load.
 */
bool growth_shape_leaps(const struct growth_shape *shape);
/** How long ago the last of two or more leaps was, as a share of the time between the last two.
 * A table that is filled at an even pace leaps again before the share is 2. */
double growth_shape_since_leap(const struct growth_shape *shape);
/** The growth exceeds 1.5 times the largest fall. */
bool growth_shape_passes_floor(const struct growth_shape *shape);
/** Theil-Sen slopes of the tail's first and last 40 %. */
struct growth_rates {
	double early, late;
};
struct growth_rates growth_shape_rates(const struct growth_shape *shape, const double *x);
/**
 * Late rise as a share of the early rise; 1 when there was no early rise to compare with.  Per step
 * of x or per second, whichever slowed down less: intervals of different length must not look like
 * slowing.
 */
double growth_shape_late_share(const struct growth_shape *shape);

#endif
