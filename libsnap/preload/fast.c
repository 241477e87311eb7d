/*
 * preload/fast.c - fast paths of malloc, calloc, realloc and free, for calls that are not recorded.
 *
 * In a sampled program these are nearly all calls.  So no function here has a stack frame.  Each
 * function ends in a jump, to the real one or to the recorder's (recorded.h), which then looks as
 * if the host had called it directly: its frame is where stacks begin.  CMake compiles this file so
 * that calls at the end are jumps in every build.
 */
#include "preload/entry.h"

#include "preload/real.h"
#include "preload/recorded.h"
#include "runtime/record.h"

ENTRY void *malloc(size_t size)
{
	return snap__record_skips(size) ? snap__real.malloc(size) : snap__recorded_malloc(size);
}

ENTRY void *calloc(size_t count, size_t size)
{
	size_t total;

	if (!__builtin_mul_overflow(count, size, &total) && snap__record_skips(total))
		return snap__real.calloc(count, size);
	return snap__recorded_calloc(count, size);
}

ENTRY void *realloc(void *ptr, size_t size)
{
	if (snap__record_ignores(ptr) && snap__record_skips(size))
		return snap__real.realloc(ptr, size);
	return snap__recorded_realloc(ptr, size);
}

ENTRY void free(void *ptr)
{
	if (snap__record_ignores(ptr))
		snap__real.free(ptr);
	else
		snap__recorded_free(ptr);
}

/* A hidden name of our own malloc: inside libsnap.so `&malloc` may be another object's. */
extern void *malloc_of_libsnap(size_t size) __attribute__((alias("malloc"), visibility("hidden")));
void *(*snap__entry_malloc(void))(size_t)
{
	return malloc_of_libsnap;
}
