/*
 * runtime/heaps.h - what is free in the heaps of glibc's malloc, without a question to malloc.
 *
 * mallinfo2() goes through the lists of free memory with the heap locked.  In a program that has
 * freed many blocks this would hold up its threads.  Here the free memory is what is left: the pages
 * of the heaps that are in memory, without the recorded blocks.  So blocks that are not recorded
 * look free.
 *
 * Where heaps are: the main one ends at the break.  Any other is at a multiple of 64 MiB and begins
 * with a header, which says how large it is.
 *
 * Only the thread that writes a snapshot may call these functions.
 */
#ifndef SNAP_RUNTIME_HEAPS_H
#define SNAP_RUNTIME_HEAPS_H

#include <stdbool.h>
#include <stdint.h>

struct snap__heaps_sum {
	uint64_t
		resident; /* bytes of the heaps, and of malloc's large blocks, that are in memory */
	uint64_t in_use;  /* of these: recorded blocks, with malloc's headers and rounding, */
	uint64_t recorded; /* and without them */
};

/** Forget all blocks. */
void snap__heaps_begin(void);

/** A live block of malloc, of which `absent` bytes are not in memory. */
void snap__heaps_add(uintptr_t address, uint64_t size, uint64_t absent);

/** Between snap__resident_begin() and snap__resident_end().  False: it is not known where the heaps
 * are. */
bool snap__heaps_end(struct snap__heaps_sum *sum);

#endif
