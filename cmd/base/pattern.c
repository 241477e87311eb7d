/*
 * pattern.c - regular expressions that tell "no match" from "no memory".
 */
#include "base/pattern.h"

#include <stdio.h>

#include "base/fail.h"
#include "base/memory.h"

enum snap_status pattern_compile(regex_t *regex, const char *text, char why[PATTERN_WHY])
{
	int code = regcomp(regex, text, REG_EXTENDED | REG_NOSUB);

	if (code == 0)
		return SNAP_OK;
	if (code == REG_ESPACE) {
		snprintf(why, PATTERN_WHY, "out of memory");
		return SNAP_ENOMEM;
	}
	regerror(code, regex, why, PATTERN_WHY);
	return SNAP_EUSAGE;
}

bool pattern_matches(const regex_t *regex, const char *text)
{
	int code = regexec(regex, text, 0, NULL, 0);

	if (code == REG_ESPACE)
		memory_need(NULL, "matching a pattern");
	return code == 0;
}
