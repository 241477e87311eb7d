/*
 * preload/mmap.c - wrappers of mmap() and its family: call the real function, and notify the
 * recorder if it records mappings.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/mman.h>

#include "preload/entry.h"
#include "preload/real.h"
#include "runtime/holders/owned.h"
#include "runtime/mappings.h"
#include "runtime/os_linux.h"
#include "runtime/python/python.h"

#define FRAME  __builtin_frame_address(0)
#define WANTED snap__mappings_wanted(__builtin_return_address(0))

/* Before the real functions are known, make the system call directly: the look-up itself may map
 * memory. */
#define REAL(function) (snap__real.function ? snap__real.function : snap__os_##function)

/* Is what maps an arena for its blocks a Python that was loaded late? */
static void look_for_python(const void *caller, size_t size)
{
	const char *path = snap__python_mapper(caller, size);
	void *library = path ? dlopen(path, RTLD_NOLOAD | RTLD_LAZY) : NULL;

	if (library)
		snap__python_loaded(library);
}

ENTRY void *mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset)
{
	void *base = REAL(mmap)(address, size, protection, flags, fd, offset);
	int saved = errno;

	if (base != MAP_FAILED)
		snap__owned_mapped((uintptr_t)base, size, __builtin_return_address(0));
	if (base != MAP_FAILED && WANTED)
		snap__mappings_added((uintptr_t)base, size, flags & MAP_ANONYMOUS, FRAME);
	if (base != MAP_FAILED)
		look_for_python(__builtin_return_address(0), size);
	errno = saved;
	return base;
}

#ifdef __GLIBC__
/* off_t has 64 bits wherever we record. */
extern __typeof__(mmap) mmap64 __attribute__((alias("mmap"), visibility("default")));
#endif

ENTRY int munmap(void *base, size_t size)
{
	snap__owned_unmapped((uintptr_t)base, size);
	if (WANTED)
		snap__mappings_removed((uintptr_t)base, size);
	return REAL(munmap)(base, size);
}

ENTRY void *mremap(void *base, size_t size, size_t new_size, int flags, ...)
{
	void *wanted = NULL, *fresh;
	va_list rest;
	bool held;
	int saved;

	va_start(rest, flags);
	if (flags & MREMAP_FIXED)
		wanted = va_arg(rest, void *);
	va_end(rest);
	held = WANTED && snap__mappings_move_begin();
	fresh = REAL(mremap)(base, size, new_size, flags, wanted);
	saved = errno;
	if (held)
		snap__mappings_move_end((uintptr_t)base, size,
					fresh == MAP_FAILED ? 0 : (uintptr_t)fresh, new_size,
					FRAME);
	errno = saved;
	return fresh;
}
