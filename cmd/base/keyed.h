/*
 * base/keyed.h - put rows in the order of keys that are hashes.
 */
#ifndef BASE_KEYED_H
#define BASE_KEYED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct keyed_row {
	uint64_t key;
	uint32_t row;
};

/** Sort by rising key, then by rising row; the rows come by rising row.  False when memory is
 * out. */
bool keyed_sort(struct keyed_row *rows, size_t count);

#endif
