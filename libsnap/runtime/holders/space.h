/*
 * holders/space.h - what is mapped where in a copy of the process.
 */
#ifndef SNAP_RUNTIME_HOLDERS_SPACE_H
#define SNAP_RUNTIME_HOLDERS_SPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A line of /proc/self/maps. */
struct snap__area {
	uintptr_t low, high;
	bool readable, writable, shared, anonymous;
	const char *name; /* "" if it has none */
};

struct snap__space {
	struct snap__area *areas; /* by address */
	size_t count, capacity;
	char *text;
	size_t text_capacity;
	const struct snap__area *last; /* that was looked up */
};

/** Reserve memory for the list before the copy is made: a later mapping of the copy could fall
 * into a hole that the process left on purpose.  False: no memory. */
bool snap__space_prepare(struct snap__space *space);
void snap__space_release(struct snap__space *space);

/** In the copy: read the list, before anything is mapped. False if it cannot be read. */
bool snap__space_read(struct snap__space *space);

/** The area that holds `address`, or NULL. */
const struct snap__area *snap__space_at(struct snap__space *space, uintptr_t address);

/** May all of [low, high) be read? */
static inline bool snap__space_is_readable(struct snap__space *space, uintptr_t low, uintptr_t high)
{
	const struct snap__area *area = space->last;

	if (!area || low < area->low || low >= area->high)
		area = snap__space_at(space, low);
	return area && area->readable && high <= area->high;
}

/** Read the word at `address`; false if it may not be read. */
bool snap__space_word(void *space, uintptr_t address, uintptr_t *value);

#endif
