/*
 * base/lookup.h - a hash table from content to position: "have I seen this row, and where?".
 * The table holds positions only.  The caller keeps the rows, and says which two are equal.
 */
#ifndef ANALYSIS_LOOKUP_H
#define ANALYSIS_LOOKUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lookup_slot {
	uint64_t hash;
	uint32_t id; /* SNAP_NONE: free */
};

struct lookup {
	struct lookup_slot *slots;
	size_t capacity, count; /* capacity: a power of 2, or 0 */
};

/** True when row `id` equals the one that is looked for. */
typedef bool lookup_equal_fn(const void *context, const void *wanted, uint32_t id);

/** The row that equals `wanted`, or SNAP_NONE. */
uint32_t lookup_find(const struct lookup *lookup, uint64_t hash, lookup_equal_fn *equal,
		     const void *context, const void *wanted);
/** Remember row `id`, which was not found.  False when memory is out. */
bool lookup_add(struct lookup *lookup, uint64_t hash, uint32_t id);
void lookup_release(struct lookup *lookup);

/** Hash some bytes; fold a number into a hash. */
uint64_t lookup_hash(const void *data, size_t size);
uint64_t lookup_fold(uint64_t hash, uint64_t next);

#endif
