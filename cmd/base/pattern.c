/*
 * pattern.c - regular expressions that tell "no match" from "no memory"; globs that are mistakes.
 */
#include "base/pattern.h"

#include <stdio.h>
#include <string.h>

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

/* What stands in a set: "[:alpha:]", "\\]" or a character. */
static const char *skip_member(const char *at)
{
	char end[] = {at[1], ']', '\0'};
	const char *class_end = NULL;

	if (at[0] == '[' && at[1] && strchr(":.=", at[1]))
		class_end = strstr(at + 2, end);
	if (class_end)
		return class_end + 2;
	return at + 1 + (at[0] == '\\' && at[1]);
}

/* The bracket that closes the set whose first character is `at`; NULL: none does. */
static const char *set_end(const char *at)
{
	at += *at == '!' || *at == '^';
	at += *at == ']';
	while (*at && *at != ']')
		at = skip_member(at);
	return *at ? at : NULL;
}

const char *glob_problem(const char *glob)
{
	if (!*glob)
		return "it is empty";
	for (const char *at = glob; *at; at++) {
		if (*at == '\\' && !at[1])
			return "nothing follows its last backslash";
		if (*at == '\\')
			at++;
		else if (*at == '[' && set_end(at + 1))
			at = set_end(at + 1);
		else if (*at == '[' && at[1] != ']') /* "operator[]" is taken as it is */
			return "a '[' is not closed (\\[ stands for the character)";
	}
	return NULL;
}
