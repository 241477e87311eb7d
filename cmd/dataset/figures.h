/*
 * dataset/figures.h - the four figures of a call stack and their sums.
 *
 * SNAP_UNKNOWN is contagious: a sum with an unknown part is unknown.  Variances are squared
 * standard errors of sampled figures, 0 in exact mode; those of independent stacks add up.
 */
#ifndef ANALYSIS_FIGURES_H
#define ANALYSIS_FIGURES_H

#include <stdbool.h>
#include <stdint.h>

#include "snap/records.h"

enum figure {
	FIGURE_LIVE_BYTES,
	FIGURE_LIVE_BLOCKS,
	FIGURE_ALLOCATED_BYTES,
	FIGURE_ALLOCATED_BLOCKS,
	FIGURES
};

struct figures {
	uint64_t value[FIGURES]; /* bytes, blocks; SNAP_UNKNOWN possible */
	double variance[FIGURES];
};

/** sum += more.  Sums that do not fit become unknown. */
void figures_add(struct figures *sum, const struct figures *more);

/** sum -= part, where `part` was added to `sum` before. */
void figures_subtract(struct figures *sum, const struct figures *part);

/** The standard error of a figure. */
double figures_stderr(const struct figures *figures, enum figure figure);

/** New minus old; 0 when either is unknown. */
int64_t figures_delta(const struct figures *old, const struct figures *new, enum figure figure);

/** True when the figure is known and not 0. */
bool figures_has(const struct figures *figures, enum figure figure);

#endif
