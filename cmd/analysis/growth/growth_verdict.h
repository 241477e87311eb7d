/*
 * analysis/growth/growth_verdict.h - the verdict from the counts of blocks and bytes alone, and how
 * sure it is.  Private to analysis/growth*.c.
 */
#ifndef ANALYSIS_GROWTH_VERDICT_H
#define ANALYSIS_GROWTH_VERDICT_H

#include "analysis/growth/growth_measures.h"

enum { GROWTH_MANY_ITEMS = 8 }; /* fewer blocks are not a collection */

/** The verdict from one figure. */
enum growth_verdict growth_verdict_of_shape(const struct growth_shape *shape);

/**
 * The verdict from blocks and bytes, where `of_blocks` is the one from blocks.  The number of blocks
 * decides.  If it stays the same, bytes may grow inside the blocks.  Notes in `m` which of them
 * decided, and whether one interval has most of the growth.
 */
enum growth_verdict growth_verdict_of_both(enum growth_verdict of_blocks,
					   struct growth_measures *m);

/** How sure the verdict is.  `doubt` gets what lowers the confidence of growth. */
enum growth_confidence growth_verdict_confidence(enum growth_verdict verdict,
						 const struct growth_measures *m,
						 const char **doubt);

/** Do the bytes grow like a table that doubles when it is full? */
bool growth_in_leaps(const struct growth_measures *m);

/** Nothing shows that it grew since its last doubling, and that was long ago.  A table that is
 * filled for three quarters of the series, and then full, looks like this. */
bool growth_may_be_full(const struct growth_measures *m);

#endif
