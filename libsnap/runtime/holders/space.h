/*
 * holders/space.h - what is mapped where in a copy of the process.
 */
#ifndef SNAP_RUNTIME_HOLDERS_SPACE_H
#define SNAP_RUNTIME_HOLDERS_SPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** For a larger area, asking which pages were touched takes long. */
#define SNAP__VAST ((uintptr_t)64 << 30)

/** A line of /proc/self/maps.  Memory: not pages of the kernel's, nor a device. */
struct snap__area {
	uintptr_t low, high;
	bool memory, readable, writable, executable, shared;
	bool anonymous;   /* private memory of no file */
	bool of_memory;   /* shared, and of no file on a disk */
	const char *name; /* "" if it has none */
};

struct snap__space {
	struct snap__area *areas; /* by address */
	size_t count, capacity;
	char *text;
	size_t text_capacity;
	bool is_second;                /* `text` is another's */
	const struct snap__area *last; /* that was looked up */
};

/** Reserve memory for the list before the copy is made: a later mapping of the copy could fall
 * into a hole that the process left on purpose.  False: no memory. */
bool snap__space_prepare(struct snap__space *space);
/** The same for a second list, which reads its text to where `other` does: names of its areas are
 * valid until `other` is read.  Release it before `other`. */
bool snap__space_prepare_second(struct snap__space *space, const struct snap__space *other);
void snap__space_release(struct snap__space *space);

/** In the copy: read the list, before anything is mapped. False if it cannot be read. */
bool snap__space_read(struct snap__space *space);

/** The area that holds `address`, or NULL. */
struct snap__area *snap__space_at(struct snap__space *space, uintptr_t address);

/** The first part of [*low, high) that no area holds: it is [*low, result); none if both are
 * equal. */
uintptr_t snap__space_hole(const struct snap__space *space, uintptr_t *low, uintptr_t high);

/** Can the program have written something into it?  Reserved memory may be as large as the address
 * space, and asking which pages were touched takes time. */
static inline bool snap__area_may_hold(const struct snap__area *area)
{
	bool reserve = !area->readable && area->high - area->low > SNAP__VAST;

	return area->memory && !reserve && (area->writable || !area->shared || area->of_memory);
}

/** In the copy, which may do so: permit reading an area that the program may not read.  False if
 * that is not possible. */
bool snap__area_open(struct snap__area *area);

/** Has the kernel pages of 4 KiB?  Some machines have larger ones. */
bool snap__space_has_pages(void);

/** In the copy: make guard pages within mappings (MADV_GUARD_INSTALL) readable. */
void snap__space_lift_guards(const struct snap__space *space);

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
