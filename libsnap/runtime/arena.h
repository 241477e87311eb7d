/*
 * runtime/arena.h - the recorder's own memory.
 *
 * The host's malloc is what we record, so nothing here may call it.  Small objects come
 * from a bump arena and are never given back; large tables are mappings of their own.
 * Async-signal-safe and lock-free.  Everything handed out is zeroed.
 */
#ifndef SNAP_RUNTIME_ARENA_H
#define SNAP_RUNTIME_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** `size` zeroed bytes aligned to 64, never freed; NULL when the system has no more. */
void *snap__arena_alloc(size_t size);

/** A private anonymous mapping (MAP_NORESERVE, MADV_DONTDUMP); NULL on failure. errno is preserved.
 */
void *snap__map(size_t size);

/** The same for what one snapshot needs.  See snap__reserve_forget(). */
void *snap__map_passing(size_t size);

/** The same for a table of a snapshot whose pages will all be written soon: up to 1 MiB, all pages
 * are mapped at once.  This costs less than a page fault for each page, or two if a page is read
 * first. */
void *snap__map_filled(size_t size);
void snap__unmap(void *base, size_t size);

/** The same, but shared with processes that are forked from this one. */
void *snap__map_shared(size_t size);

/** The size and base of our mapping number `index`; 0 if that entry is unused, SNAP__OWN_END after
 * the last one. */
#define SNAP__OWN_END SIZE_MAX
size_t snap__own_mappings(uint32_t index, uintptr_t *base);

/** Give the memory of a mapping back, but not its addresses: whole pages of it read as zeros again.
 */
void snap__discard(void *base, size_t size);

/**
 * Reserved address space.  When the host has used up its limit (RLIMIT_AS), a snapshot can still be
 * written: between snap__reserve_use() and snap__reserve_keep(), snap__map() of the same thread
 * takes from the reserve what the system refuses.  snap__reserve_use() is false if there is none, or
 * if another thread uses it.  snap__reserve_keep() makes it, the first time.  The host never gets it.
 */
void snap__reserve_keep(void);
bool snap__reserve_use(void);
/** Is what was mapped at `base` a part of it? */
bool snap__reserve_has(const void *base);

/**
 * The thread with this thread pointer is gone: it was killed, or a forked child does not have it.
 * NULL: the thread that used the reserve, whichever it was.  The memory that only its snapshot used
 * is free again; memory that other threads may know of stays.
 */
void snap__reserve_forget(const void *thread_pointer);

/** Set memory aside for a process that is about to be sealed (snap__os_seal()): 64 MiB of address space, or
 * less.  snap__map() of sealed threads takes from it, and snap__unmap() does nothing there. */
void snap__pool_keep(void);

/** Bytes mapped by the functions above and not returned: the recorder's own address space. */
uint64_t snap__memory_mapped(void);

#endif
