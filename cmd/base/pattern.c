/*
 * pattern.c - regular expressions that tell "no match" from "no memory"; globs that are mistakes.
 */
#include "base/pattern.h"

#include <stdio.h>
#include <string.h>
#include <wctype.h>

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

/* Is `at` a class such as "[:alpha:]", but with a name that no class has? */
static bool is_unknown_class(const char *at)
{
	char name[16];
	size_t size = at[0] == '[' && at[1] == ':' ? strcspn(at + 2, ":") : 0;

	if (size == 0 || size >= sizeof(name) || strncmp(at + 2 + size, ":]", 2) != 0)
		return false;
	memcpy(name, at + 2, size);
	name[size] = '\0';
	return wctype(name) == 0;
}

/* One member of a set: "[:alpha:]", "\\]" or a character. */
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

/* Why the set from `at` to `end` cannot match what the user meant; NULL: it can. */
static const char *set_problem(const char *at, const char *end)
{
	while (at < end) {
		const char *next = skip_member(at);

		if (is_unknown_class(at))
			return "there is no such class of characters";
		if (next == at + 1 && at[0] != '[' && at[1] == '-' && at + 2 < end &&
		    at[2] != '[' && at[2] != '\\' && (unsigned char)at[0] > (unsigned char)at[2])
			return "a range in a set goes backwards";
		at = next;
	}
	return NULL;
}

static bool is_quoted(const char *glob)
{
	size_t size = strlen(glob);

	return size >= 2 && *glob == '"' && glob[size - 1] == '"';
}

const char *glob_problem(const char *glob)
{
	const char *end, *problem;

	if (!*glob)
		return "it is empty";
	if (is_quoted(glob))
		return "the quotes are part of it; leave them out";
	for (const char *at = glob; *at; at++) {
		if (*at == '\\' && !at[1])
			return "nothing follows its last backslash";
		if (*at == '\\') {
			at++;
			continue;
		}
		if (*at != '[')
			continue;
		end = set_end(at + 1);
		if (!end && at[1] != ']') /* "operator[]" is taken as it is */
			return "a '[' is not closed (\\[ stands for the character)";
		problem = end ? set_problem(at + 1, end) : NULL;
		if (problem)
			return problem;
		at = end ? end : at;
	}
	return NULL;
}
