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

void warnings_each(const struct report *report, bool all, void (*say)(void *user, const char *text),
		   void *user)
{
	const struct warning *warnings = report->warnings;
	size_t count = report->warning_count;
	bool *said = memory_need(calloc(count + 1, sizeof(*said)), "printing warnings");

	for (size_t i = 0; i < count; i++) {
		size_t same = 1;

		for (size_t k = i + 1; !said[i] && !all && k < count; k++)
			if (!said[k] && notice_is_like(&warnings[i].notice, &warnings[k].notice)) {
				said[k] = true;
				same++;
			}
		if (!said[i])
			say_kind(warnings[i].text, same, say, user);
	}
	free(said);
}
