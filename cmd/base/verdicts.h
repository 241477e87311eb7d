/*
 * base/verdicts.h - the verdicts of growth: analysis/ decides which one, render/ shows them.
 */
#ifndef BASE_VERDICTS_H
#define BASE_VERDICTS_H

#include <stdbool.h>

enum growth_verdict {
#define VERDICT(verdict, ...) GROWTH_##verdict,
#include "base/verdicts.def"
#undef VERDICT
	GROWTH_VERDICTS
};

/** See verdicts.def. */
struct verdict {
	const char *name;
	bool grows;
	int harm;
	const char *terminal; /* NULL: no colour */
	const char *page;     /* "[RED,GREEN,BLUE]" */
};
extern const struct verdict verdicts[GROWTH_VERDICTS];

/** The verdict with this name; NULL: there is none. */
const struct verdict *verdict_find(const char *name);

#endif
