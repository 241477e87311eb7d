/*
 * array.c - arrays grow by half, so that an item is moved a few times only.
 */
#include "base/array.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { LEAST = 16 };

void *array_zeroed(size_t count, size_t size)
{
	void *array = calloc(count ? count : 1, size);

	if (array)
		memory_will_be_filled(array, count * size);
	return array;
}

void *array_unset(size_t count, size_t size)
{
	void *array = reallocarray(NULL, count ? count : 1, size);

	if (array)
		memory_will_be_filled(array, count * size);
	return array;
}

bool array_grow(void *array, size_t *capacity, size_t count, size_t size)
{
	size_t larger = *capacity + *capacity / 2 + LEAST;
	size_t most = PTRDIFF_MAX / (size ? size : 1);
	void *old, *new;

	if (count > most)
		return false;
	if (larger < count || larger > most)
		larger = count;
	memcpy(&old, array, sizeof(old));
	new = realloc(old, larger * (size ? size : 1));
	if (!new)
		return false;
	memory_will_be_filled(new, larger * size);
	memcpy(array, &new, sizeof(new));
	*capacity = larger;
	/* cppcheck-suppress memleak; the array has it */
	return true;
}
