/*
 * preload/bootstrap.c - a pool for the first few calls.
 */
#include "preload/bootstrap.h"

#include <errno.h>
#include <stdatomic.h>

#include "runtime/heapmap.h"
#include "runtime/hidden.h"

/* The size of a block is stored in front of it. */
#define HEADER 16u

char snap__bootstrap_pool[SNAP__BOOTSTRAP_SIZE] SNAP__PAGES;
static atomic_size_t used;

void *snap__bootstrap_alloc(size_t size, size_t alignment)
{
	size_t align = alignment < HEADER ? HEADER : alignment;
	size_t need, offset, start;
	size_t *header;

	/* Far more than dlsym() has ever asked for.  Larger requests are refused. */
	if (size > SNAP__BOOTSTRAP_SIZE / 2 || align > 4096) {
		errno = ENOMEM;
		return NULL;
	}
	need = size + HEADER + align;
	offset = atomic_fetch_add(&used, need);
	if (offset == 0) /* free() and realloc() are to look at the pool's blocks twice */
		snap__heapmap_filter_mark((uintptr_t)snap__bootstrap_pool, SNAP__BOOTSTRAP_SIZE);
	if (offset + need > SNAP__BOOTSTRAP_SIZE) {
		errno = ENOMEM;
		return NULL;
	}
	start = ((uintptr_t)(snap__bootstrap_pool + offset + HEADER) + align - 1) / align * align -
		(uintptr_t)snap__bootstrap_pool;
	header = (size_t *)(void *)(snap__bootstrap_pool + start - HEADER);
	*header = size;
	return snap__bootstrap_pool + start;
}

bool snap__bootstrap_owns(const void *ptr, size_t *size)
{
	uintptr_t offset = (uintptr_t)ptr - (uintptr_t)snap__bootstrap_pool;

	if (offset >= SNAP__BOOTSTRAP_SIZE)
		return false;
	*size = *(const size_t *)(const void *)(snap__bootstrap_pool + offset - HEADER);
	return true;
}
