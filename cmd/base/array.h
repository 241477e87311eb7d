/*
 * base/array.h - arrays that grow.
 *
 * `array` is the address of a pointer to items of `size` bytes, malloc'ed or NULL; `*capacity` says
 * for how many there is room.  When memory is out both stay as they are.
 */
#ifndef BASE_ARRAY_H
#define BASE_ARRAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snap/records.h"

/** An array of `count` zeros, malloc'ed; NULL only when memory is out. */
void *array_zeroed(size_t count, size_t size);

/** The same, but what the items hold is not set: every one that is read is to be written first. */
void *array_unset(size_t count, size_t size);

/** The slow way of array_room(): move the items to where there is room for `count` of them. */
bool array_grow(void *array, size_t *capacity, size_t count, size_t size);

/** Make room for `count` items in all. */
static inline bool array_room(void *array, size_t *capacity, size_t count, size_t size)
{
	return count <= *capacity || array_grow(array, capacity, count, size);
}

/** Make room for one more, in an array that holds `count`. */
static inline bool array_reserve(void *array, size_t *capacity, size_t count, size_t size)
{
	return array_room(array, capacity, count + 1, size);
}

/** Make room for `more`, in an array that holds `count` and whose items have 32-bit ids.  False
 * also when the ids have run out: SNAP_NONE is none. */
static inline bool array_id_room(void *array, size_t *capacity, uint32_t count, uint32_t more,
				 size_t size)
{
	return more < SNAP_NONE - count && array_room(array, capacity, (size_t)count + more, size);
}

#endif
