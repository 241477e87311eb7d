/*
 * analysis/growth/growth_weigh.h - what the ages of blocks and the exit change in a verdict from the
 * counts.  Private to analysis/growth*.c.
 */
#ifndef ANALYSIS_GROWTH_WEIGH_H
#define ANALYSIS_GROWTH_WEIGH_H

#include "analysis/growth/growth_measures.h"

/** Correct the verdict from the counts of blocks by their ages. */
enum growth_verdict growth_weigh_ages(enum growth_verdict counted,
				      const struct growth_shape *blocks,
				      const struct growth_ages *ages);

/** How sure is a leak?  `counted` is the confidence from the counts, and `doubt` what lowers it; both
 * stay as they are if the ages are not known and nothing shows a cache. */
enum growth_confidence growth_weigh_confidence(enum growth_confidence counted,
					       const struct growth_shape *shape,
					       const struct growth_ages *ages, const char **doubt);

/** Correct the judgement by what is still there at the exit. */
void growth_weigh_exit(struct growth_judgement *out, const struct growth_run *run,
		       const struct growth_measures *m, const struct growth_exit *at_exit);

/** Is as good as all that was `held` still `left` at the exit? */
bool growth_was_never_freed(double left, double held);

#endif
