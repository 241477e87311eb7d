/*
 * preload/foreign.h - entry points of allocators whose names are not those of malloc's family.
 *
 * jemalloc, tcmalloc and mimalloc define C++'s operator new and delete themselves and do not call
 * malloc there; they have names of their own, too (je_malloc, mi_malloc, tc_malloc).  Calls of
 * these functions from another module are recorded.  Calls within a program that an allocator is
 * linked into are direct, and cannot be recorded.
 */
#ifndef SNAP_PRELOAD_FOREIGN_H
#define SNAP_PRELOAD_FOREIGN_H

/** Once, when all that the program was started with is loaded, before recording begins.
 *  `malloc_address` is the host's malloc. */
void snap__foreign_find(const void *malloc_address);

#endif
