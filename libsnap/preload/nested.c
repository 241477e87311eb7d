/*
 * preload/nested.c - an allocator that itself calls malloc's family.
 *
 * A wrapper's malloc may call ours again, by memalign() for instance, or with room for a header.
 * The program made one allocation: only the outer call is recorded.  glibc, jemalloc, tcmalloc and
 * mimalloc do not do that, and are called without this.
 */
#include "preload/nested.h"

#include "preload/real.h"
#include "runtime/record.h"
#include "runtime/thread.h"

/* The functions that `snap__real` had. */
static struct snap__real inner;

/* From here on, calls of this thread are the allocator's own and not the program's. */
struct snap__outside snap__nested_enter(void)
{
	struct snap__thread *thread = snap__recording() ? snap__thread_get() : NULL;
	struct snap__outside outside = {.busy = SNAP__INTERNAL, .ahead = snap__sample_ahead};

	if (!thread || thread->transient)
		return outside;
	outside.busy = thread->busy;
	thread->busy = SNAP__INTERNAL;
	return outside;
}

/* Bytes of the inner calls are not the program's: no sampling point is to fall among them. */
void snap__nested_leave(struct snap__outside outside)
{
	if (!snap__thread_self || outside.busy == SNAP__INTERNAL)
		return;
	snap__thread_self->busy = outside.busy;
	snap__sample_ahead = outside.ahead;
}

#define NESTED(type, name, parameters, arguments)                                                  \
	static type nested_##name parameters                                                       \
	{                                                                                          \
		struct snap__outside outside = snap__nested_enter();                               \
		type result = inner.name arguments;                                                \
                                                                                                   \
		snap__nested_leave(outside);                                                       \
		return result;                                                                     \
	}

NESTED(void *, malloc, (size_t size), (size))
NESTED(void *, calloc, (size_t count, size_t size), (count, size))
NESTED(void *, realloc, (void *ptr, size_t size), (ptr, size))
NESTED(void *, memalign, (size_t alignment, size_t size), (alignment, size))
NESTED(void *, aligned_alloc, (size_t alignment, size_t size), (alignment, size))
NESTED(void *, valloc, (size_t size), (size))
NESTED(void *, pvalloc, (size_t size), (size))
NESTED(int, posix_memalign, (void **out, size_t alignment, size_t size), (out, alignment, size))

static void nested_free(void *ptr)
{
	struct snap__outside outside = snap__nested_enter();

	inner.free(ptr);
	snap__nested_leave(outside);
}

#define REPLACE(name)                                                                              \
	do {                                                                                       \
		if (inner.name)                                                                    \
			snap__real.name = nested_##name;                                           \
	} while (0)

void snap__nested_guard(void)
{
	inner = snap__real;
	REPLACE(malloc);
	REPLACE(calloc);
	REPLACE(realloc);
	REPLACE(free);
	REPLACE(memalign);
	REPLACE(aligned_alloc);
	REPLACE(valloc);
	REPLACE(pvalloc);
	REPLACE(posix_memalign);
}
