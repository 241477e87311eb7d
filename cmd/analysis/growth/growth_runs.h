/*
 * analysis/growth/growth_runs.h - a series of several processes: which run of it is judged, and do the others
 * agree?  Values are never subtracted across a restart.  Private to analysis/growth*.c.
 */
#ifndef ANALYSIS_GROWTH_RUNS_H
#define ANALYSIS_GROWTH_RUNS_H

#include "analysis/growth/growth_series.h"

/** The end of the run that begins at the snapshot `from`: the first snapshot after it. */
size_t growth_run_end(const struct growth_series *series, size_t from);

/** Judge the longest run; of equal ones, the newest. */
void growth_judge_runs(const struct growth_series *series, const struct growth_options *options,
		       struct growth_judgement *out);

#endif
