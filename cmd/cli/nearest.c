/*
 * nearest.c - what a mistyped word was probably meant to be.
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

const char *cli_nearest(const char *word, const char *const *candidates)
{
	size_t size = strlen(word), least = size / 3 + 2;
	const char *nearest = NULL;

	if (size == 0 || size > WORD_MAX)
		return NULL;
	for (; *candidates; candidates++) {
		size_t other = strlen(*candidates), edits;

		if (other > WORD_MAX)
			continue;
		if (size > 1 && strncmp(word, *candidates, size) == 0)
			edits = 1; /* an unfinished word */
		else
			edits = distance(word, size, *candidates, other);
		if (edits < least && edits < other) {
			least = edits;
			nearest = *candidates;
		}
	}
	return nearest;
}

const char *cli_nearest_command(const char *word)
{
	const char *names[128] = {NULL};
	size_t count = 0;

	for (const struct command *const *command = cli_commands(); *command && count < 126;
	     command++) {
		names[count++] = (*command)->name;
		if ((*command)->alias)
			names[count++] = (*command)->alias;
	}
	return cli_nearest(word, names);
}
