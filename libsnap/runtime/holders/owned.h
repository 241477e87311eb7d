/*
 * holders/owned.h - mappings that an allocator made for itself.
 *
 * What lies in them are recorded blocks, free memory, and notes about both; the notes point at
 * blocks, but keep none alive.  libc's own malloc maps past libc's entry points, and its memory is
 * told by other signs (libc.h): only other allocators are listed here.
 */
#ifndef SNAP_RUNTIME_HOLDERS_OWNED_H
#define SNAP_RUNTIME_HOLDERS_OWNED_H

#include <stddef.h>
#include <stdint.h>

#include "runtime/holders/ranges.h"

/** After mmap() by code at `caller`; before munmap().  Lock-free, and cheap where libc's malloc is
 *  used. */
void snap__owned_mapped(uintptr_t address, size_t size, const void *caller);
void snap__owned_unmapped(uintptr_t address, size_t size);

/** The host's malloc is at `allocator`; NULL: it is libc's own, and nothing need be listed. */
void snap__owned_init(const void *allocator);

/** In a copy: the ranges. */
void snap__owned_ranges(struct snap__ranges *ranges);

#endif
