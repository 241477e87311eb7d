/*
 * growth_way.c - the way to an object, taken apart.
 */
#include "report/growth_way.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The end of a part: " -> " or ';' outside of names, or the end of the text. */
static const char *end_of(const char *text)
{
	bool in_name = false;

	for (; *text; text++) {
		if (*text == '`')
			in_name = !in_name;
		if (!in_name && (*text == ';' || strncmp(text, " -> ", 4) == 0))
			break;
	}
	return text;
}

struct way way_parse(const char *words, const char *type)
{
	const char *end = end_of(words);
	struct way way = {.place = {words, (size_t)(end - words)}};

	while (strncmp(end, " -> ", 4) == 0 && way.count < MOST_STEPS - 1) {
		const char *step = end + 4;

		end = end_of(step);
		way.steps[way.count++] = (struct part){step, (size_t)(end - step)};
	}
	if (type)
		way.steps[way.count++] = (struct part){type, strlen(type)};
	return way;
}

bool part_begins(struct part part, const char *text)
{
	return part.size >= strlen(text) && strncmp(part.text, text, strlen(text)) == 0;
}

bool part_ends(struct part part, const char *text)
{
	size_t size = strlen(text);

	return part.size >= size && strncmp(part.text + part.size - size, text, size) == 0;
}

/* "__main__.render" ends in "render". */
bool part_ends_in(struct part part, struct part name)
{
	return part.size >= name.size &&
	       memcmp(part.text + part.size - name.size, name.text, name.size) == 0 &&
	       (part.size == name.size || part.text[part.size - name.size - 1] == '.');
}

bool part_is(struct part part, const char *text)
{
	return part.size == strlen(text) && part_begins(part, text);
}

bool part_has(struct part part, const char *text)
{
	for (size_t i = 0; i + strlen(text) <= part.size; i++)
		if (strncasecmp(part.text + i, text, strlen(text)) == 0)
			return true;
	return false;
}

/* The first name in a part, with its backquotes. */
struct part part_name(struct part part)
{
	const char *first = memchr(part.text, '`', part.size), *last;

	if (!first)
		return (struct part){"", 0};
	last = memchr(first + 1, '`', part.size - (size_t)(first + 1 - part.text));
	return last ? (struct part){first, (size_t)(last + 1 - first)} : (struct part){"", 0};
}

/* What follows the name in a place: "(module global, app.py:3)". */
struct part part_kind(struct part place)
{
	struct part name = part_name(place);

	if (!name.size)
		return place;
	name.text += name.size;
	return (struct part){name.text, (size_t)(place.text + place.size - name.text)};
}

/* Where the number of "list of 400" or "deque of 57 (at most 100)" begins; NULL: it has none. */
static const char *number_in(struct part step)
{
	static const char most[] = " (at most ";
	size_t at = step.size;

	if (part_ends(step, ")"))
		for (size_t i = 0; i + sizeof(most) <= step.size; i++)
			if (memcmp(step.text + i, most, sizeof(most) - 1) == 0)
				step.size = at = i;
	while (at > 0 && isdigit((unsigned char)step.text[at - 1]))
		at--;
	return at < step.size && at >= 4 && strncmp(step.text + at - 4, " of ", 4) == 0
		       ? step.text + at
		       : NULL;
}

bool part_is_container(struct part step)
{
	return number_in(step) != NULL;
}

bool part_is_mapping(struct part step)
{
	return part_is_container(step) && part_has(step, "dict");
}

bool way_any(const struct way *way, bool (*test)(struct part))
{
	for (size_t i = 0; i < way->count; i++)
		if (test(way->steps[i]))
			return true;
	return false;
}

uint64_t part_entries(struct part step)
{
	const char *number = number_in(step);

	return number ? strtoull(number, NULL, 10) : 0;
}

uint64_t part_most(struct part step)
{
	const char *number = number_in(step), *end = step.text + step.size;

	while (number && number < end && *number != '(')
		number++;
	return number && number < end ? strtoull(number + strlen("(at most "), NULL, 10) : 0;
}
