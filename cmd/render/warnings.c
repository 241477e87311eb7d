/*
 * warnings.c - equal warnings about many files are one warning with a count.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "render/formats.h"

/* A warning without its file name and numbers, which distinguish it from others of the same
 * kind. */
static char *kind_of(const char *text)
{
	const char *colon = strstr(text, ": ");
	char *kind = memory_need(strdup(colon ? colon : text), "printing warnings"), *out = kind;

	for (const char *at = kind; *at; at++) {
		bool digit = isdigit((unsigned char)*at);

		if (!digit)
			*out++ = *at;
		else if (out == kind || out[-1] != '#')
			*out++ = '#';
	}
	*out = '\0';
	/* "1 block was" is of the kind of "3 blocks were". */
	return kind;
}

static void say_kind(const char *first, size_t count, void (*say)(void *user, const char *text),
		     void *user)
{
	size_t size = strlen(first) + 64;
	char *text = memory_need(malloc(size), "printing warnings");

	snprintf(text, size, "%s (and %zu more like this; -v shows them)", first, count - 1);
	say(user, count > 1 ? text : first);
	free(text);
}

void warnings_each(const struct report *report, bool all, void (*say)(void *user, const char *text),
		   void *user)
{
	size_t count = report->warning_count;
	char **kinds = memory_need(calloc(count + 1, sizeof(*kinds)), "printing warnings");

	for (size_t i = 0; i < count; i++)
		kinds[i] = kind_of(report->warnings[i]);
	for (size_t i = 0; i < count; i++) {
		size_t same = 1;

		if (!kinds[i])
			continue; /* said with an earlier one */
		for (size_t k = i + 1; !all && k < count; k++) {
			if (!kinds[k] || strcmp(kinds[i], kinds[k]) != 0)
				continue;
			same++;
			free(kinds[k]);
			kinds[k] = NULL;
		}
		say_kind(report->warnings[i], same, say, user);
		free(kinds[i]);
		kinds[i] = NULL;
	}
	free(kinds);
}
