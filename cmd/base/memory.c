/*
 * memory.c - allocation that cannot fail, for building and rendering reports.
 */
#include "base/memory.h"

#include <errno.h>
#include <limits.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/machine.h"

#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) ||                               \
	__has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define NEEDS_ALL_MEMORY true
#else
#define NEEDS_ALL_MEMORY false
#endif

static memory_failed_fn *failed;
static struct rlimit before;
static uint64_t limit; /* 0: none is set */

void memory_on_failure(memory_failed_fn *fn)
{
	failed = fn;
}

void memory_keep(void)
{
#ifdef __GLIBC__
	mallopt(M_MMAP_THRESHOLD, INT_MAX);
	mallopt(M_TRIM_THRESHOLD, INT_MAX);
	mallopt(M_ARENA_MAX, 1);
#endif
}

void *memory_need(void *memory, const char *doing)
{
	if (memory)
		return memory;
	if (failed)
		failed(doing);
	abort();
}

void memory_will_be_filled(void *block, size_t size)
{
	enum { LARGE = 8 << 20 };
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), end = (uintptr_t)block + size;
	uintptr_t first = ((uintptr_t)block + page - 1) / page * page;
	int before_errno = errno;

	if (size < LARGE)
		return;
	madvise((void *)first, end - first, MADV_HUGEPAGE); /* where it fails, pages stay small */
	errno = before_errno;
}

/* Mapped files do not count: only writable memory does. */
void memory_limit(uint64_t bytes)
{
	struct rlimit ours;

	if (!bytes)
		bytes = machine_memory() / 2;
	if (NEEDS_ALL_MEMORY || !bytes || getrlimit(RLIMIT_DATA, &before) != 0 ||
	    before.rlim_cur <= bytes)
		return;
	ours = (struct rlimit){.rlim_cur = bytes, .rlim_max = before.rlim_max};
	if (setrlimit(RLIMIT_DATA, &ours) == 0)
		limit = bytes;
}

bool memory_can_be_limited(void)
{
	return !NEEDS_ALL_MEMORY;
}

uint64_t memory_limited_to(void)
{
	return limit;
}

void memory_lift_limit(void)
{
	if (limit)
		setrlimit(RLIMIT_DATA, &before);
}
