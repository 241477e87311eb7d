/*
 * holders/ranges.h - ranges of addresses that the search for roots skips.
 */
#ifndef SNAP_RUNTIME_HOLDERS_RANGES_H
#define SNAP_RUNTIME_HOLDERS_RANGES_H

#include <stddef.h>
#include <stdint.h>

struct snap__range {
	uintptr_t low, high;
};

/** Grows in the copy. */
struct snap__ranges {
	struct snap__range *all;
	size_t count, capacity;
};

void snap__ranges_add(struct snap__ranges *ranges, uintptr_t low, uintptr_t high);

/** Sort them, and join those that overlap. */
void snap__ranges_join(struct snap__ranges *ranges);

/** Find the first part of [*low, high) that is in no range.  True: it is [*low, *end). */
int snap__ranges_gap(const struct snap__ranges *ranges, uintptr_t *low, uintptr_t high,
		     uintptr_t *end);

#endif
