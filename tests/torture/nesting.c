/*
 * nesting.c - a library whose malloc calls other functions of the family.
 */
#include <stdlib.h>

extern void *__libc_realloc(void *ptr, size_t size);
extern void __libc_free(void *ptr);

/* aligned_alloc() and calloc() are whoever's is first in the process: ours, when recorded. */
void *malloc(size_t size)
{
	return size % 2 ? calloc(1, size) : aligned_alloc(16, size);
}

void *realloc(void *ptr, size_t size)
{
	return ptr ? __libc_realloc(ptr, size) : malloc(size);
}

void free(void *ptr)
{
	__libc_free(ptr);
}
