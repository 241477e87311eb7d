/*
 * analysis/growth/growth_wanted.h - which cohorts are read: those that growth_judge() looks at.
 */
#ifndef ANALYSIS_GROWTH_WANTED_H
#define ANALYSIS_GROWTH_WANTED_H

#include "analysis/growth/growth_series.h"

/** The snapshots whose cohorts the rule needs: rising indexes into the series.  Returns how
 * many. */
size_t growth_wanted_births(const struct growth_series *series, size_t wanted[GROWTH_BIRTHS]);

#endif
