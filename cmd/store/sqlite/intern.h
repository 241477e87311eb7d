/*
 * intern.h - content -> row id: how the rows of one snapshot are found again in the next.
 *
 * Rows are compared by a hash of 128 bits over their content; equal hashes count as equal rows.  So
 * this is a table of its own, beside base/hash_table.h: nothing is compared but the bits.
 */
#ifndef STORE_INTERN_H
#define STORE_INTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/hash128.h"

struct intern_slot {
	struct hash128 hash;
	int64_t id; /* 0: free */
};

struct intern {
	struct intern_slot *slots;
	size_t size, used;          /* size is 0 or a power of two */
	struct intern_slot *recent; /* what was found last at each position of intern_find_at() */
	size_t recent_count;
};

/** The id kept for `hash`, or 0. */
int64_t intern_find(const struct intern *intern, struct hash128 hash);
/** The same.  `position` is that of the row in its snapshot: most rows are where they were in the
 * one before, and are found there without a look into the table. */
int64_t intern_find_at(struct intern *intern, size_t position, struct hash128 hash);
/** Keep `id` (> 0) for `hash`, which is not there yet; false when memory is out. */
bool intern_add(struct intern *intern, struct hash128 hash, int64_t id);
void intern_clear(struct intern *intern);

#endif
