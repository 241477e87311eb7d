/*
 * analysis/growth/growth_reasons.h - which reasons a judgement gives, and in which order.  growth_say.c has
 * most of the sentences.  Private to analysis/growth*.c.
 */
#ifndef ANALYSIS_GROWTH_REASONS_H
#define ANALYSIS_GROWTH_REASONS_H

#include "analysis/growth/growth_measures.h"

/** Why the verdict is what it is: first what decided, then the rest. */
void growth_reasons_why(struct growth_judgement *out, const struct growth_measures *m,
			const struct growth_run *run);

/** What keeps the growth from being sure: nothing is said if it is sure.  `count` snapshots were
 * judged. */
void growth_reasons_doubt(struct growth_judgement *out, const struct growth_measures *m,
			  size_t count);

/** How much was still there at the exit. */
void growth_reasons_exit(struct growth_judgement *out, const struct growth_run *run,
			 const struct growth_exit *at_exit);

#endif
