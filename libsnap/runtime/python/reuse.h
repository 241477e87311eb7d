/*
 * runtime/python/reuse.h - blocks of objects that the interpreter keeps for itself.
 *
 * An interpreter keeps some freed objects of a type and uses them for the next ones: up to 2,000
 * tuples of each small size, some hundred objects of other types.  Their blocks are never freed,
 * and no object refers to them.  Without a name of their own they would look like lost ones.
 *
 * It also keeps the names of attributes that were looked up last, at most 4,096 (from 3.10 on they are
 * in its own state).  Native code makes a new str for each look-up, so that more and more such names
 * are kept until the table is full.
 */
#ifndef SNAP_RUNTIME_PYTHON_REUSE_H
#define SNAP_RUNTIME_PYTHON_REUSE_H

#include "runtime/heapmap.h"
#include "runtime/holders/space.h"

/** In a frozen copy, after the objects were found: call `fn` with the type and the block of each. */
typedef void snap__reuse_fn(const char *type, const struct snap__block *block);
void snap__reuse_each(struct snap__space *space, snap__reuse_fn *fn);

#endif
