/*
 * header.c - an allocator under names of its own that takes each block from malloc, with a header.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define HEADER 16

void *je_malloc(size_t size);
void *je_calloc(size_t count, size_t size);
void *je_realloc(void *ptr, size_t size);
void je_free(void *ptr);

static void *behind_header(char *block)
{
	return block ? block + HEADER : NULL;
}

void *je_malloc(size_t size)
{
	return behind_header(malloc(size + HEADER));
}

void *je_calloc(size_t count, size_t size)
{
	return behind_header(calloc(1, count * size + HEADER));
}

void *je_realloc(void *ptr, size_t size)
{
	return behind_header(realloc(ptr ? (char *)ptr - HEADER : NULL, size + HEADER));
}

void je_free(void *ptr)
{
	if (ptr)
		free((char *)ptr - HEADER);
}
