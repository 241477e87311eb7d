/*
 * verdicts.c - the table of verdicts.
 */
#include "base/verdicts.h"

#include <stddef.h>
#include <string.h>

const struct verdict verdicts[] = {
#define VERDICT(verdict, ...) [GROWTH_##verdict] = {__VA_ARGS__},
#include "base/verdicts.def"
#undef VERDICT
};

const struct verdict *verdict_find(const char *name)
{
	for (int i = 0; i < GROWTH_VERDICTS; i++)
		if (strcmp(verdicts[i].name, name) == 0)
			return &verdicts[i];
	return NULL;
}
