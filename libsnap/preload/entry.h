/*
 * preload/entry.h - what every function that the host calls has in common.
 */
#ifndef SNAP_PRELOAD_ENTRY_H
#define SNAP_PRELOAD_ENTRY_H

#include <stddef.h>

/* Visible to the host, and never inlined or merged with another: its frame is where stacks begin.
 */
#ifdef __clang__
#define ENTRY __attribute__((visibility("default"), noinline))
#else
#define ENTRY __attribute__((visibility("default"), noinline, noclone))
#endif

void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void *realloc(void *ptr, size_t size);
void *reallocarray(void *ptr, size_t count, size_t size);
void free(void *ptr);
void cfree(void *ptr);
void *memalign(size_t alignment, size_t size);
void *aligned_alloc(size_t alignment, size_t size);
int posix_memalign(void **out, size_t alignment, size_t size);
void *valloc(size_t size);
void *pvalloc(size_t size);
size_t malloc_usable_size(void *ptr);
void free_sized(void *ptr, size_t size);
void free_aligned_sized(void *ptr, size_t alignment, size_t size);

/** Our own malloc, whoever answers to that name in the host. */
void *(*snap__entry_malloc(void))(size_t);

#endif
