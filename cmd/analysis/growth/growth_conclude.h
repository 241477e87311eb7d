/*
 * analysis/growth/growth_conclude.h - from the measures of one run to its judgement.  Private to
 * analysis/growth*.c.
 */
#ifndef ANALYSIS_GROWTH_CONCLUDE_H
#define ANALYSIS_GROWTH_CONCLUDE_H

#include "analysis/growth/growth_measures.h"

enum { GROWTH_LOOK_BACK = 16 }; /* snapshots: so many shorter series are judged, too */

/** Judge one run: the counts, the ages, the exit, the shorter series, and the reasons. */
void growth_conclude(const struct growth_series *series, const struct growth_run *run,
		     const struct growth_options *options, struct growth_judgement *out);

#endif
