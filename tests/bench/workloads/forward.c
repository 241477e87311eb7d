/*
 * forward.c - the floor: a preloaded library that forwards each call of the malloc family and does
 * nothing else.  What recording costs is measured from here.
 */
#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

static void *(*real_malloc)(size_t);
static void *(*real_calloc)(size_t, size_t);
static void *(*real_realloc)(void *, size_t);
static void (*real_free)(void *);

static char early[65536];
static size_t early_used;

static void *early_alloc(size_t size)
{
	void *block = early + early_used;

	early_used += (size + 15) & ~(size_t)15;
	return block;
}

__attribute__((constructor)) static void resolve(void)
{
	if (real_malloc)
		return;
	*(void **)&real_calloc = dlsym(RTLD_NEXT, "calloc");
	*(void **)&real_realloc = dlsym(RTLD_NEXT, "realloc");
	*(void **)&real_free = dlsym(RTLD_NEXT, "free");
	*(void **)&real_malloc = dlsym(RTLD_NEXT, "malloc");
}

void *malloc(size_t size)
{
	return real_malloc ? real_malloc(size) : early_alloc(size);
}

void *calloc(size_t count, size_t size)
{
	return real_malloc ? real_calloc(count, size) : early_alloc(count * size);
}

void *realloc(void *block, size_t size)
{
	return real_realloc(block, size);
}

void free(void *block)
{
	if ((char *)block >= early && (char *)block < early + sizeof(early))
		return;
	real_free(block);
}
