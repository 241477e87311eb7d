/*
 * forward.c - the floor: a preloaded library that forwards each call of the malloc family and does
 * nothing else.  What recording costs is measured from here.
 */
#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static void *(*real_malloc)(size_t);
static void *(*real_calloc)(size_t, size_t);
static void *(*real_realloc)(void *, size_t);
static void (*real_free)(void *);

/* What dlsym() itself allocates comes from here. */
static char early[65536];
static size_t early_used;
static int resolving;

static int is_early(const void *block)
{
	return (uintptr_t)block - (uintptr_t)early < sizeof(early);
}

static void *early_alloc(size_t size)
{
	void *block = early + early_used;

	early_used += (size + 15) & ~(size_t)15;
	return early_used <= sizeof(early) ? block : NULL;
}

/* Look up the next library's functions, at the first allocation. False: that is under way. */
__attribute__((noinline)) static int resolve(void)
{
	void *found;

	if (resolving)
		return 0;
	resolving = 1;
	*(void **)&real_calloc = dlsym(RTLD_NEXT, "calloc");
	*(void **)&real_realloc = dlsym(RTLD_NEXT, "realloc");
	*(void **)&real_free = dlsym(RTLD_NEXT, "free");
	found = dlsym(RTLD_NEXT, "malloc");
	*(void **)&real_malloc = found;
	return 1;
}

void *malloc(size_t size)
{
	if (!real_malloc && !resolve())
		return early_alloc(size);
	return real_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	if (!real_malloc && !resolve())
		return early_alloc(count * size);
	return real_calloc(count, size);
}

void *realloc(void *block, size_t size)
{
	void *fresh;
	size_t rest;

	if (!is_early(block))
		return real_malloc || resolve() ? real_realloc(block, size) : early_alloc(size);
	rest = (size_t)(early + sizeof(early) - (char *)block);
	fresh = malloc(size);
	if (fresh)
		memcpy(fresh, block, size < rest ? size : rest);
	return fresh;
}

void free(void *block)
{
	if (!is_early(block) && (real_malloc || resolve()))
		real_free(block);
}
