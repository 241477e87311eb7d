/*
 * analysis/growth/growth.h - does a row keep growing?  One series in, one verdict out.
 *
 * A leak is not a line that goes up: warm-ups, filling caches, pools and buffers go up too.  The
 * rule looks at blocks first, then at bytes; first at the counts, then at the ages of the surviving
 * blocks. growth_shape.c measures, growth.c decides, growth_say.c writes the sentences.  Pure
 * functions: no input is changed, and equal input gives an equal judgement.
 */
#ifndef ANALYSIS_GROWTH_H
#define ANALYSIS_GROWTH_H

#include "analysis/growth/growth_series.h"

/** Judge one row.  Never fails: what cannot be judged is GROWTH_TOO_FEW or GROWTH_INCONCLUSIVE. */
void growth_judge(const struct growth_series *series, const struct growth_options *options,
		  struct growth_judgement *out);

/** The snapshots whose cohorts the rule needs: rising indexes into the series.  Returns how
 * many. */
size_t growth_wanted_births(const struct growth_series *series, size_t wanted[GROWTH_BIRTHS]);

/** The name in verdicts.def; "high", "medium" or "low". */
const char *growth_verdict_name(enum growth_verdict verdict);
const char *growth_confidence_name(enum growth_confidence confidence);
/** The highest confidence that a verdict from this many snapshots can have. */
enum growth_confidence growth_most_confidence(size_t count);

#endif
