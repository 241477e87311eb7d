/*
 * report/growth_way.h - the way to an object, as a census says it in words.
 *
 * libsnap's words.c writes a place, then steps, separated by " -> ", and after ';' a second way.
 * Names of the program stand between backquotes and are not interpreted.  All parts point into the
 * words.
 */
#ifndef REPORT_GROWTH_WAY_H
#define REPORT_GROWTH_WAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MOST_STEPS = 16 };

struct part {
	const char *text;
	size_t size;
};

struct way {
	struct part place;
	struct part steps[MOST_STEPS];
	size_t count;
};

/** Only the first way is taken.  `type`, the last step, may be NULL. */
struct way way_parse(const char *words, const char *type);
bool way_any(const struct way *way, bool (*test)(struct part));

bool part_begins(struct part part, const char *text);
bool part_ends(struct part part, const char *text);
bool part_is(struct part part, const char *text);
/** Upper and lower case are the same. */
bool part_has(struct part part, const char *text);
/** "__main__.render" ends in the name "render". */
bool part_ends_in(struct part part, struct part name);

/** The first name in a part, with its backquotes. */
struct part part_name(struct part part);
/** What follows the name in a place: " (module global, app.py:3)". */
struct part part_kind(struct part place);

/** "list of 400", "deque of 57 (at most 100)" */
bool part_is_container(struct part step);
bool part_is_mapping(struct part step);
/** Of "list of 400": 400. */
uint64_t part_entries(struct part step);
/** Of "deque of 57 (at most 100)": 100.  0: it has no limit. */
uint64_t part_most(struct part step);

#endif
