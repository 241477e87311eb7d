/*
 * t09: a program with a malloc of its own.
 * Stands for: static jemalloc, mimalloc, Rust's rustc: the preloaded library is loaded but never
 * asked, and says so rather than pretend that the heap is empty.
 */
#include "torture.h"

#include <signal.h>
#include <sys/prctl.h>

enum { POOL = 1 << 20 };

static char *pool;
static size_t used;

/* The first call may come from the loader, or from libsnap's own start. */
static void begin(void)
{
	struct sigaction action;

	pool = sbrk(POOL);
	if (pool == (char *)-1 || sigaction(SIGUSR2, NULL, &action) != 0 ||
	    prctl(PR_GET_DUMPABLE) < 0)
		_exit(77);
}

void *malloc(size_t size)
{
	size_t at = used;

	if (!pool)
		begin();
	used += (size + 31) / 16 * 16;
	if (used > POOL)
		return NULL;
	*(size_t *)(void *)(pool + at) = size;
	return pool + at + 16;
}

void free(void *ptr)
{
	(void)ptr;
}

void *calloc(size_t count, size_t size)
{
	return malloc(count * size); /* the pool is zero and never reused */
}

void *realloc(void *ptr, size_t size)
{
	char *fresh = malloc(size);

	if (ptr && fresh) {
		size_t old = *(size_t *)(void *)((char *)ptr - 16);

		memcpy(fresh, ptr, old < size ? old : size);
	}
	return fresh;
}

int main(void)
{
	void *p = realloc(malloc(10), 20);

	NEED((char *)p >= pool && (char *)p < pool + POOL);
	free(p);
	/* Not in this family: libc's own resizes by way of realloc(). */
	p = strcpy(malloc(10), "kept");
	p = reallocarray(p, 100, 20);
	NEED((char *)p >= pool && (char *)p < pool + POOL && strcmp(p, "kept") == 0);
	free(p);
	puts("fine");
	return 0;
}
