/*
 * warnings.c - equal warnings about many files are one warning with a count.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "render/formats.h"

static void say_kind(const char *first, size_t count, void (*say)(void *user, const char *text),
		     void *user)
{
	char *text;

	if (count == 1) {
		say(user, first);
		return;
	}
	if (asprintf(&text, "%s (and %zu more like this; -v shows them)", first, count - 1) < 0)
		text = memory_need(NULL, "printing warnings");
	say(user, text);
	free(text);
}

/* Marks them in `said`, and counts them. */
static size_t count_alike(const struct report *report, size_t first, bool *said)
{
	size_t same = 1;

	for (size_t k = first + 1; k < report->warning_count; k++)
		if (!said[k] &&
		    notice_is_like(&report->warnings[first].notice, &report->warnings[k].notice)) {
			said[k] = true;
			same++;
		}
	return same;
}

void warnings_each(const struct report *report, enum warnings_wanted wanted,
		   void (*say)(void *user, const char *text), void *user)
{
	const struct warning *warnings = report->warnings;
	size_t count = report->warning_count;
	bool *said = memory_need(calloc(count + 1, sizeof(*said)), "printing warnings");

	for (size_t i = 0; i < count; i++) {
		if (said[i] ||
		    (wanted == WARNINGS_OF_DAMAGE && !notice_is_of_damage(&warnings[i].notice)))
			continue;
		say_kind(warnings[i].text,
			 wanted == WARNINGS_ALL ? 1 : count_alike(report, i, said), say, user);
	}
	free(said);
}
