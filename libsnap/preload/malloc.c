/*
 * preload/malloc.c - wrappers of the malloc family: call the real function, and notify the
 * recorder.
 *
 * A free is recorded before the allocator gets the block, and an allocation after it returned the
 * block, because in between another thread may own the address.  What the real function did to
 * errno stays.  The four that programs call most are entered by way of fast.c.
 */
#include "preload/entry.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "preload/bootstrap.h"
#include "preload/real.h"
#include "preload/recorded.h"
#include "runtime/holders/owned.h"
#include "runtime/record.h"

/* Is the real function known?  If not, look it up, unless that look-up is calling us. */
#define READY(function)                                                                            \
	(__builtin_expect(snap__real.function != NULL, 1) ||                                       \
	 (snap__real_find() && snap__real.function != NULL))

#define FRAME __builtin_frame_address(0)

/* An entry point jumps to this function, which then takes its place. */
#define RECORDED __attribute__((noinline))

static inline bool is_bootstrap(const void *ptr)
{
	return __builtin_expect(
		(uintptr_t)ptr - (uintptr_t)snap__bootstrap_pool < SNAP__BOOTSTRAP_SIZE, 0);
}

static inline void came(const void *ptr, size_t size, const void *frame)
{
	if (snap__recording() && ptr && !snap__record_skips(size))
		snap__record_alloc(ptr, size, frame);
}

static inline void goes(const void *ptr)
{
	if (snap__recording() && ptr && !snap__record_ignores(ptr))
		snap__record_free(ptr);
}

RECORDED void *snap__recorded_malloc(size_t size)
{
	void *ptr = snap__real.malloc(size);

	if (ptr)
		snap__record_alloc(ptr, size, FRAME);
	return ptr;
}

RECORDED void *snap__recorded_calloc(size_t count, size_t size)
{
	void *ptr = snap__real.calloc(count, size);

	if (ptr)
		snap__record_alloc(ptr, count * size, FRAME); /* did not overflow */
	return ptr;
}

RECORDED void snap__recorded_free(void *ptr)
{
	if (is_bootstrap(ptr))
		return;
	/* The allocator reads its header there: fetch it while the recorder waits for its slot. */
	__builtin_prefetch((const void *)((uintptr_t)ptr - 2 * sizeof(size_t)), 1);
	if (snap__recording() && ptr)
		snap__record_free(ptr);
	snap__real.free(ptr);
}

/* A block of the pool moves to the real allocator when it is resized. */
static void *leave_bootstrap(void *ptr, size_t size, const void *frame)
{
	size_t old;
	void *fresh;

	snap__bootstrap_owns(ptr, &old);
	fresh = snap__real.malloc(size);
	if (!fresh)
		return NULL;
	memcpy(fresh, ptr, old < size ? old : size);
	if (!is_bootstrap(fresh))
		came(fresh, size, frame);
	return fresh;
}

/* After the real resize of `ptr`, which `held` describes, gave `fresh`. */
static void *resized(const struct snap__held *held, void *ptr, void *fresh, size_t size,
		     const void *frame)
{
	if (fresh)
		snap__record_resized(held, fresh, size, frame);
	else if (size != 0 || errno == ENOMEM)
		snap__record_restore(held, ptr);
	else
		snap__record_gone(held); /* realloc(ptr, 0) freed it */
	return fresh;
}

/* A block that was resized past us, by a call of its allocator that we do not see, may end before the
 * words that we would keep. */
static bool has_its_words(const struct snap__held *held, void *ptr)
{
	return held->known && snap__real.malloc_usable_size &&
	       snap__real.malloc_usable_size(ptr) >= held->block.size;
}

static void *resize(void *ptr, size_t size, const void *frame)
{
	struct snap__held held;
	int before = errno;
	void *fresh;

	snap__record_forget(ptr, &held);
	if (has_its_words(&held, ptr))
		snap__record_keep_words(ptr);
	errno = 0;
	fresh = resized(&held, ptr, snap__real.realloc(ptr, size), size, frame);
	if (errno == 0)
		errno = before;
	return fresh;
}

RECORDED void *snap__recorded_realloc(void *ptr, size_t size)
{
	void *fresh;

	if (is_bootstrap(ptr))
		return leave_bootstrap(ptr, size, FRAME);
	if (snap__recording() && ptr)
		return resize(ptr, size, FRAME);
	fresh = snap__real.realloc(ptr, size);
	came(fresh, size, FRAME);
	return fresh;
}

ENTRY void *reallocarray(void *ptr, size_t count, size_t size)
{
	size_t total;
	void *fresh;

	if (__builtin_mul_overflow(count, size, &total)) {
		errno = ENOMEM;
		return NULL;
	}
	if (is_bootstrap(ptr))
		return leave_bootstrap(ptr, total, FRAME);
	if (snap__recording() && ptr)
		return resize(ptr, total, FRAME);
	fresh = snap__real.realloc(ptr, total);
	came(fresh, total, FRAME);
	return fresh;
}

ENTRY void *memalign(size_t alignment, size_t size)
{
	void *ptr;

	if (!READY(memalign))
		return snap__bootstrap_alloc(size, alignment);
	ptr = snap__real.memalign(alignment, size);
	came(ptr, size, FRAME);
	return ptr;
}

ENTRY void *aligned_alloc(size_t alignment, size_t size)
{
	void *ptr;

	if (!READY(aligned_alloc))
		return snap__bootstrap_alloc(size, alignment);
	ptr = snap__real.aligned_alloc(alignment, size);
	came(ptr, size, FRAME);
	return ptr;
}

ENTRY int posix_memalign(void **out, size_t alignment, size_t size)
{
	int error;

	if (!READY(posix_memalign)) {
		*out = snap__bootstrap_alloc(size, alignment);
		return *out ? 0 : ENOMEM;
	}
	error = snap__real.posix_memalign(out, alignment, size);
	if (error == 0)
		came(*out, size, FRAME);
	return error;
}

static size_t page_size(void)
{
	return (size_t)getauxval(AT_PAGESZ);
}

ENTRY void *valloc(size_t size)
{
	void *ptr;

	if (!READY(valloc))
		return snap__bootstrap_alloc(size, page_size());
	ptr = snap__real.valloc(size);
	came(ptr, size, FRAME);
	return ptr;
}

ENTRY void *pvalloc(size_t size)
{
	size_t page = page_size();
	void *ptr;

	if (!READY(pvalloc))
		return snap__bootstrap_alloc(size, page);
	ptr = snap__real.pvalloc(size);
	came(ptr, (size + page - 1) / page * page, FRAME);
	return ptr;
}

ENTRY size_t malloc_usable_size(void *ptr)
{
	size_t size;

	if (is_bootstrap(ptr))
		return snap__bootstrap_owns(ptr, &size) ? size : 0;
	snap__owned_rest_asked(ptr);
	return READY(malloc_usable_size) ? snap__real.malloc_usable_size(ptr) : 0;
}

/* Gone from glibc 2.26 on, but old programs still ask for it. */
ENTRY void cfree(void *ptr)
{
	if (is_bootstrap(ptr))
		return;
	goes(ptr);
	snap__real.free(ptr);
}

/* C23; plain free() is right wherever the host's allocator does not have them. */
ENTRY void free_sized(void *ptr, size_t size)
{
	if (is_bootstrap(ptr))
		return;
	goes(ptr);
	if (snap__real.free_sized)
		snap__real.free_sized(ptr, size);
	else
		snap__real.free(ptr);
}

ENTRY void free_aligned_sized(void *ptr, size_t alignment, size_t size)
{
	if (is_bootstrap(ptr))
		return;
	goes(ptr);
	if (snap__real.free_aligned_sized)
		snap__real.free_aligned_sized(ptr, alignment, size);
	else
		snap__real.free(ptr);
}
