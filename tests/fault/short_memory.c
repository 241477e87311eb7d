/*
 * short_memory.c - a library to preload: memory is out at one allocation, or from one on.
 *
 * SHORT_AT=N: the Nth call of malloc, calloc or realloc fails, from 1.  SHORT_FOR=M: so do the M - 1
 * calls after it.  SHORT_COUNT=FILE: at its end the program writes there how many calls there were.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* glibc's own, which does not come by here. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);

static atomic_ulong calls;
static unsigned long first, last;

__attribute__((constructor)) static void begin(void)
{
	const char *at = getenv("SHORT_AT"), *for_how_many = getenv("SHORT_FOR");

	first = at ? strtoul(at, NULL, 10) : 0;
	last = first + (for_how_many ? strtoul(for_how_many, NULL, 10) : 1);
}

__attribute__((destructor)) static void end(void)
{
	const char *path = getenv("SHORT_COUNT");
	int fd = path ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;

	if (fd < 0)
		return;
	dprintf(fd, "%lu\n", atomic_load(&calls));
	close(fd);
}

static int is_out(void)
{
	unsigned long call = atomic_fetch_add(&calls, 1) + 1;

	if (!first || call < first || call >= last)
		return 0;
	errno = ENOMEM;
	return 1;
}

void *malloc(size_t size)
{
	return is_out() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	return is_out() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *block, size_t size)
{
	return is_out() ? NULL : __libc_realloc(block, size);
}
