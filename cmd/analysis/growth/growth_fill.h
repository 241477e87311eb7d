/*
 * analysis/growth/growth_fill.h - is a container still being filled?  Private to
 * analysis/growth*.c.
 *
 * A table that doubles when it is full shows nothing between two doublings: it may grow on, or be
 * full for good.  But memory becomes resident when it is first written to.  So resident memory that
 * is not recorded falls when the table doubles, and rises while the table is filled.
 */
#ifndef ANALYSIS_GROWTH_FILL_H
#define ANALYSIS_GROWTH_FILL_H

#include "analysis/growth/growth_shape.h"

enum growth_fill {
	FILL_UNKNOWN, /* not measured, too little to be seen, or the table writes to all of it at once */
	FILL_GOES_ON,
	FILL_ENDED
};

/** `unrecorded` belongs to the same snapshots as `shape`; NULL unknown. */
enum growth_fill growth_fill_measure(const struct growth_shape *shape, const double *unrecorded);

#endif
