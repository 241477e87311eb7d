/*
 * base/hash_table.h - a hash table from content to position: "have I seen this row, and where?".
 * The table holds positions only.  The caller keeps the rows, and says which two are equal.
 *
 * Two others stay, since they are faster where they are used most: the model's (model/model.c),
 * whose slots take half the room; and the store's (store/sqlite/intern.h), whose 128-bit keys are
 * the content, so that no row has to be compared.
 */
#ifndef BASE_HASH_TABLE_H
#define BASE_HASH_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"

struct hash_table_slot {
	uint64_t hash;
	uint32_t id; /* SNAP_NONE: free */
};

struct hash_table {
	struct hash_table_slot *slots;
	size_t capacity, count; /* capacity: a power of 2, or 0 */
};

/** True when row `id` equals the one that is looked for. */
typedef bool hash_table_equal_fn(const void *context, const void *wanted, uint32_t id);

/** The row that equals `wanted`, or SNAP_NONE. */
uint32_t hash_table_find(const struct hash_table *table, uint64_t hash, hash_table_equal_fn *equal,
			 const void *context, const void *wanted);
/** Remember row `id`, which was not found.  False when memory is out. */
bool hash_table_add(struct hash_table *table, uint64_t hash, uint32_t id);
void hash_table_release(struct hash_table *table);

#endif
