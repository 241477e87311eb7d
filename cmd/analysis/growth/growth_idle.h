/*
 * analysis/growth/growth_idle.h - the intervals in which the program did not work.
 *
 * A row that does not grow while the program is idle has not reached a plateau: it was not tested.
 * So the rule judges the series without its idle intervals.
 */
#ifndef ANALYSIS_GROWTH_IDLE_H
#define ANALYSIS_GROWTH_IDLE_H

#include "analysis/growth/growth_series.h"

/**
 * Mark the snapshots that end an idle interval: one in which the process allocated next to nothing,
 * compared with those in which it worked.  Needs `x` and `work`, and `run` and `seconds` where known.
 * `idle` has `count` entries.  Returns how many are marked.
 */
size_t growth_idle_mark(const struct growth_series *series, bool *idle);

/** The last snapshot that ends an interval with allocations.  Needs `work`. */
size_t growth_idle_last_work(const struct growth_series *series);

/** What `sums` adds up in the interval that ends at snapshot `i`, per second, or where times are unknown
 * per position; 0 if no time passed. */
double growth_rate(const struct growth_series *series, const double *sums, size_t i);

/** A series without its idle intervals. */
struct growth_awake {
	struct growth_series series; /* its arrays belong to this struct */
	size_t *kept;                /* per snapshot of it: the index in the whole series */
	size_t left_out;
	double *numbers; /* the arrays behind `series` */
	uint64_t *seq;
	uint32_t *run;
	struct growth_births *births;
};

/**
 * Leave out the idle intervals.  False when there is none, or when the row itself grew in them:
 * then the whole series is to be judged.  Release with growth_awake_release() after true.
 */
bool growth_awake_make(struct growth_awake *awake, const struct growth_series *series);
void growth_awake_release(struct growth_awake *awake);

#endif
