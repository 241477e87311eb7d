/*
 * runtime/python/arenas.h - the arenas of CPython's small-object allocator, and the free memory in
 * them.
 *
 * An arena is divided into pools; a pool's blocks are of one size.  A pool's header tells how many
 * of its blocks are in use.  It has been the same in all supported versions.
 */
#ifndef SNAP_RUNTIME_PYTHON_ARENAS_H
#define SNAP_RUNTIME_PYTHON_ARENAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The interpreter took memory by the functions for arenas, or is about to give it back: false if it
 *  must not do so.  Any thread may call these. */
void snap__python_arena_came(const void *base, size_t size);
bool snap__python_arena_goes(const void *base, size_t size);

/** In a forked child, where no thread reads arenas. */
void snap__python_arenas_after_fork(void);

/** Receives one figure. */
typedef void snap__python_arena_fn(void *user, const char *key, uint64_t value);

/**
 * The figures of all arenas; between snap__resident_begin() and snap__resident_end().  The program
 * runs on, so those of pools that change meanwhile are a little off.  False: there is no arena.
 */
bool snap__python_arenas_each(snap__python_arena_fn *fn, void *user);

/** The figures of the last call by size of block, as text for the snapshot's meta (FORMAT.md). */
const char *snap__python_arenas_classes(void);

#endif
