/*
 * analysis/growth/growth.h - does a row keep growing?  One series in, one verdict out.
 *
 * A leak is not a line that goes up: warm-ups, filling caches, pools and buffers go up too.  The
 * rule looks at blocks first, then at bytes; first at the counts, then at the ages of the surviving
 * blocks.  growth_shape.c and growth_ages.c measure, growth_verdict.c decides by the counts,
 * growth_weigh.c corrects it by the ages, growth_say.c writes the sentences.  Pure functions: no input
 * is changed, and equal input gives an equal judgement.
 */
#ifndef ANALYSIS_GROWTH_H
#define ANALYSIS_GROWTH_H

#include "analysis/growth/growth_confidence.h"
#include "analysis/growth/growth_series.h"

/** Judge one row.  Never fails: what cannot be judged is GROWTH_TOO_FEW or GROWTH_INCONCLUSIVE. */
void growth_judge(const struct growth_series *series, const struct growth_options *options,
		  struct growth_judgement *out);

/** The name in verdicts.def. */
const char *growth_verdict_name(enum growth_verdict verdict);

#endif
