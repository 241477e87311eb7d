/*
 * holders/roots.h - the places outside of all blocks that keep blocks alive.
 *
 * Roots are global variables, thread-local ones, stack frames, registers, data of libc and the
 * loader, and every mapping that neither the allocator nor the recorder owns.  Not roots are the
 * allocator's own data about free memory, stacks below their stack pointer, and stacks of threads
 * that have ended.
 */
#ifndef SNAP_RUNTIME_HOLDERS_ROOTS_H
#define SNAP_RUNTIME_HOLDERS_ROOTS_H

#include "runtime/holders/copy.h"

/** Add them all, with their edges, to snap__graph. */
void snap__roots_find(struct snap__copy *copy);

#endif
