/*
 * prefixed.c - an allocator under names of its own, as mimalloc and jemalloc can be built.
 */
#include <stddef.h>
#include <string.h>

static _Alignas(16) char pool[1 << 20];
static size_t used;

void *mi_malloc(size_t size);
void *mi_zalloc(size_t size);
void *mi_realloc(void *ptr, size_t size);
void mi_free(void *ptr);

/* Blocks are never used again: enough for a test. */
void *mi_malloc(size_t size)
{
	char *block = pool + used;

	used += (size + 15) / 16 * 16;
	return used <= sizeof(pool) ? block : NULL;
}

void *mi_zalloc(size_t size)
{
	return mi_malloc(size);
}

void *mi_realloc(void *ptr, size_t size)
{
	void *fresh = mi_malloc(size);

	if (ptr && fresh)
		memcpy(fresh, ptr, 8);
	return fresh;
}

void mi_free(void *ptr)
{
	(void)ptr;
}
