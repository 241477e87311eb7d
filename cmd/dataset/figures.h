/*
 * dataset/figures.h - the figures of a call stack (base/figures.def) and their sums.
 *
 * A sum with an unknown part (SNAP_UNKNOWN) is unknown.  A variance is the square of the standard
 * error of a sampled figure; without sampling it is 0.  Variances of different stacks add up.
 */
#ifndef ANALYSIS_FIGURES_H
#define ANALYSIS_FIGURES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/choices.h"
#include "snap/records.h"

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
