/*
 * analysis/growth/growth_confidence.h - how sure a verdict is, and how sure so many snapshots can make it.
 */
#ifndef ANALYSIS_GROWTH_CONFIDENCE_H
#define ANALYSIS_GROWTH_CONFIDENCE_H

#include "analysis/growth/growth_series.h"

enum {
	GROWTH_LIKELY_SNAPSHOTS = 5, /* the fewest for medium confidence, */
	GROWTH_SURE_SNAPSHOTS = 8    /* and for high */
};

/** "high", "medium" or "low". */
const char *growth_confidence_name(enum growth_confidence confidence);
/** The highest confidence that a verdict from this many snapshots can have. */
enum growth_confidence growth_most_confidence(size_t count);
/** The lower one of the two. */
enum growth_confidence growth_weaker(enum growth_confidence a, enum growth_confidence b);

#endif
