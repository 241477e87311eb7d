/*
 * nearest.c - suggest the word that a mistyped one probably means.
 */
#include "cli/cli.h"

#include <string.h>

enum { WORD_MAX = 32 };

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t least = a < b ? a : b;

	return least < c ? least : c;
}

/* Edits that turn `a` into `b`: insert, delete, replace, or swap two neighbours (Damerau's
 * restricted distance). */
static size_t distance(const char *a, size_t a_size, const char *b, size_t b_size)
{
	size_t rows[3][WORD_MAX + 1];
	size_t *before = rows[0], *above = rows[1], *here = rows[2];

	for (size_t j = 0; j <= b_size; j++)
		above[j] = before[j] = j;
	for (size_t i = 1; i <= a_size; i++) {
		size_t *oldest = before;

		here[0] = i;
		for (size_t j = 1; j <= b_size; j++) {
			here[j] = min3(above[j] + 1, here[j - 1] + 1,
				       above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    before[j - 2] + 1 < here[j])
				here[j] = before[j - 2] + 1;
		}
		before = above;
		above = here;
		here = oldest;
	}
	return above[b_size];
}

/* The distance from `word` to `candidate`: 1 if `word` is its beginning; NOT_NEAR if it is too
 * large. */
enum { NOT_NEAR = WORD_MAX };

static size_t edits_to(const char *word, const char *candidate)
{
	size_t size = strlen(word), other = strlen(candidate), edits;

	if (size == 0 || size > WORD_MAX || other > WORD_MAX)
		return NOT_NEAR;
	if (size > 1 && strncmp(word, candidate, size) == 0)
		return 1;
	edits = distance(word, size, candidate, other);
	return edits < size / 3 + 2 && edits < other ? edits : NOT_NEAR;
}

/* The first of the candidates at this distance from `word`, after `after` (NULL: from the first
 * on). */
static const char *next_at(const char *word, const char *const *candidates, size_t edits,
			   const char *after)
{
	bool passed = !after;

	for (; *candidates; candidates++) {
		if (passed && edits_to(word, *candidates) == edits)
			return *candidates;
		passed = passed || *candidates == after;
	}
	return NULL;
}

static size_t least_edits(const char *word, const char *const *candidates)
{
	size_t least = NOT_NEAR;

	for (; *candidates; candidates++) {
		size_t edits = edits_to(word, *candidates);

		least = edits < least ? edits : least;
	}
	return least;
}

const char *cli_nearest(const char *word, const char *const *candidates)
{
	size_t least = least_edits(word, candidates);

	return least < NOT_NEAR ? next_at(word, candidates, least, NULL) : NULL;
}

const char *cli_hint(char buffer[CLI_HINT_SIZE], const char *word, const char *const *candidates,
		     const char *prefix)
{
	size_t least = least_edits(word, candidates), used = 0;
	const char *found = NULL;

	buffer[0] = '\0';
	if (least == NOT_NEAR)
		return buffer;
	while ((found = next_at(word, candidates, least, found)) && used < CLI_HINT_SIZE)
		used += (size_t)snprintf(buffer + used, CLI_HINT_SIZE - used, "%s%s%s",
					 used ? " or " : "did you mean ", prefix, found);
	if (used < CLI_HINT_SIZE)
		snprintf(buffer + used, CLI_HINT_SIZE - used, "?");
	return buffer;
}

const char *cli_command_hint(char buffer[CLI_HINT_SIZE], const char *word)
{
	const char *names[128] = {NULL};
	size_t count = 0;

	for (const struct command *const *command = cli_commands(); *command && count < 126;
	     command++) {
		names[count++] = (*command)->name;
		if ((*command)->alias)
			names[count++] = (*command)->alias;
	}
	if (*cli_hint(buffer, word, names, "") == '\0')
		snprintf(buffer, CLI_HINT_SIZE, "snapdiff help --all lists them");
	return buffer;
}
