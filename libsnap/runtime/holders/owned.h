/*
 * holders/owned.h - mappings that an allocator made for itself.
 *
 * They contain recorded blocks, free memory, and the allocator's own data, which points at blocks
 * but keeps none alive. libc's malloc does not map through libc's entry points, and its memory is
 * recognised in another way (libc.h).  Only other allocators are listed here.
 */
#ifndef SNAP_RUNTIME_HOLDERS_OWNED_H
#define SNAP_RUNTIME_HOLDERS_OWNED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/holders/ranges.h"

/** Call the first after mmap() by code at `caller`, the second before munmap().  Lock-free; cheap
 * if libc's malloc is used. */
void snap__owned_mapped(uintptr_t address, size_t size, const void *caller);
void snap__owned_unmapped(uintptr_t address, size_t size);

/** The host's malloc is at `allocator`; NULL: it is libc's own, and nothing need be listed. */
void snap__owned_init(const void *allocator);

/** Code at `caller` moved the end of the heap from `low` to `high`.  If that code is no allocator,
 * the gain is memory of the program. */
void snap__owned_break(uintptr_t low, uintptr_t high, const void *caller);

/** The program asks how large the block at `ptr` really is: it may use all of it from now on. */
void snap__owned_rest_asked(const void *ptr);
/** Did the program ask that for any block?  For this one?  The second answer may be wrongly true
 * for a few blocks. */
bool snap__owned_rest_is_used(void);
bool snap__owned_rest_was_asked(uintptr_t block);

/** In a copy: the ranges. */
void snap__owned_ranges(struct snap__ranges *ranges);

/** In a copy: the part [low, high) of the heap without what is the program's. */
void snap__owned_heap(struct snap__ranges *ranges, uintptr_t low, uintptr_t high);

#endif
