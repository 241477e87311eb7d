/*
 * cookbook.c - the text of cookbook.sql, by number.
 *
 * The file is a list of entries: `-- N. question`, lines `-- ` that say what the answer means, and
 * one statement.
 */
#include "cookbook.h"

#include <stdlib.h>
#include <string.h>

#include "cookbook_embedded.h"

/* The entry that begins at `at` ends where the next one begins. */
static const char *next_entry(const char *at, const char *end)
{
	while (at < end) {
		const char *line = memchr(at, '\n', (size_t)(end - at));

		if (!line || line + 1 >= end)
			return end;
		at = line + 1;
		if (end - at > 3 && strncmp(at, "-- ", 3) == 0 && at[3] >= '1' && at[3] <= '9')
			return at;
	}
	return end;
}

bool cookbook_print(FILE *out, unsigned long number)
{
	const char *text = (const char *)cookbook_text, *end = text + sizeof(cookbook_text);
	bool found = number == 0;

	for (const char *at = next_entry(text, end), *next; at < end; at = next) {
		next = next_entry(at, end);
		if (number == 0)
			fprintf(out, "%.*s\n", (int)strcspn(at + 3, "\n"), at + 3);
		else if (strtoul(at + 3, NULL, 10) == number) {
			fprintf(out, "%.*s", (int)(next - at), at);
			found = true;
		}
	}
	return found;
}

void cookbook_print_all(FILE *out)
{
	fwrite(cookbook_text, 1, sizeof(cookbook_text), out);
}
