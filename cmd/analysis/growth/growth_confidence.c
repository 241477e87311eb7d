/*
 * growth_confidence.c - how sure a verdict is, and how sure so many snapshots can make it.
 */
#include "analysis/growth/growth_confidence.h"

const char *growth_confidence_name(enum growth_confidence confidence)
{
	static const char *const names[] = {
		[GROWTH_LOW] = "low", [GROWTH_MEDIUM] = "medium", [GROWTH_HIGH] = "high"};

	return names[confidence];
}

/* The smallest one-sided p that n snapshots can reach is 1/n!, so few snapshots never give a
 * sure verdict. */
enum growth_confidence growth_most_confidence(size_t count)
{
	if (count < GROWTH_LIKELY_SNAPSHOTS)
		return GROWTH_LOW;
	return count < GROWTH_SURE_SNAPSHOTS ? GROWTH_MEDIUM : GROWTH_HIGH;
}

enum growth_confidence growth_weaker(enum growth_confidence a, enum growth_confidence b)
{
	return a < b ? a : b;
}
