/*
 * runtime/mappings.h - anonymous mappings as a domain of their own, "mmap".
 *
 * Off unless SNAP_MMAP asks for it.  A mapping counts from mmap() to munmap(), in whole pages of
 * address space, touched or not.  If a part is unmapped, the rest keeps its call stack and age.
 * preload/ sees the calls that go through libc's entry points.  It does not see those of libc's own
 * malloc and thread stacks, and it skips those of other allocators, because their blocks are
 * recorded one by one.
 */
#ifndef SNAP_RUNTIME_MAPPINGS_H
#define SNAP_RUNTIME_MAPPINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Record mappings from now on, except those made by the host's malloc, whose code is around
 * `allocator`.  False: no memory. */
bool snap__mappings_init(const void *allocator);
/** Forget all. */
void snap__mappings_clear(void);

/** Is a call that returns to `caller` to be recorded? */
bool snap__mappings_wanted(const void *caller);

/** After a mapping was made (of `size` bytes; `frame` as in record.h). */
void snap__mappings_added(uintptr_t address, size_t size, bool is_anonymous, const void *frame);

/** Call it before [address, address + size) is unmapped. */
void snap__mappings_removed(uintptr_t address, size_t size);

/**
 * Call these around mremap(): the table stays locked while the kernel moves the mapping, so that
 * another mapping at its old place is not mistaken for it.  If begin returns false, nothing is
 * recorded, and end must not be called.  `moved_to` is 0 if the call failed.
 */
bool snap__mappings_move_begin(void);
void snap__mappings_move_end(uintptr_t address, size_t size, uintptr_t moved_to, size_t new_size,
			     const void *frame);

/** Bytes in recorded mappings. */
uint64_t snap__mappings_bytes(void);

/** Around fork. */
void snap__mappings_before_fork(void);
void snap__mappings_after_fork(void);

#endif
