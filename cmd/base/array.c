/*
 * array.c - arrays grow by half, so that an item is moved a few times only.
 */
#include "base/array.h"

#include <stdlib.h>
#include <string.h>

#include "snap/records.h"

enum { LEAST = 16 };

bool array_room(void *array, size_t *capacity, size_t count, size_t size)
{
	size_t larger = *capacity + *capacity / 2 + LEAST;
	size_t most = PTRDIFF_MAX / (size ? size : 1);
	void *old, *new;

	if (count <= *capacity)
		return true;
	if (count > most)
		return false;
	if (larger < count || larger > most)
		larger = count;
	memcpy(&old, array, sizeof(old));
	new = realloc(old, larger * (size ? size : 1));
	if (!new)
		return false;
	memcpy(array, &new, sizeof(new));
	*capacity = larger;
	return true;
}

bool array_reserve(void *array, size_t *capacity, size_t count, size_t size)
{
	return array_room(array, capacity, count + 1, size);
}

bool array_id_room(void *array, size_t *capacity, uint32_t count, uint32_t more, size_t size)
{
	return more < SNAP_NONE - count && array_room(array, capacity, (size_t)count + more, size);
}
