/*
 * analysis/growth/growth_measures.h - one run of a series, and what is measured on it.  Private to
 * analysis/growth*.c.
 */
#ifndef ANALYSIS_GROWTH_MEASURES_H
#define ANALYSIS_GROWTH_MEASURES_H

#include "analysis/growth/growth_ages.h"
#include "analysis/growth/growth_fill.h"
#include "analysis/growth/growth_shape.h"

/** One run of the series, after the control run's slope was subtracted. */
struct growth_run {
	size_t from, count;
	const double *x, *unit_x, *seconds; /* seconds NULL when unknown */
	const double *blocks, *bytes;       /* blocks NULL when unknown */
	const double *unrecorded;           /* NULL when unknown */
	double *owned;                      /* copies with the control subtracted, or NULL */
};

/** The measures of one run. */
struct growth_measures {
	struct growth_shape blocks, bytes;
	struct growth_ages ages;
	enum growth_fill fill; /* of the bytes' last doubling */
	bool by_bytes;         /* bytes decided */
	bool declines;         /* each interval adds fewer blocks than the one before */
	bool at_once;          /* one interval has most of the growth in bytes */
	bool within_error;     /* of the samples: the growth may be chance */
	const char *doubt;     /* what keeps the verdict from being sure */
};

/** Measure `run`, which is a part of `series`.  No figure is chosen yet: by_bytes is set. */
void growth_measure(struct growth_measures *m, const struct growth_series *series,
		    const struct growth_run *run, const struct growth_options *options);

/** The shape of the figure that decided. */
const struct growth_shape *growth_deciding(const struct growth_measures *m);

#endif
