/*
 * runtime/python/reuse.h - freed objects whose blocks the interpreter keeps for new ones.
 *
 * An interpreter keeps some freed objects of a type and uses them for the next ones: up to 2,000
 * tuples of each small size, some hundred objects of other types.  Their blocks are never freed,
 * and no object refers to them.  Without a name of their own they would look like lost ones.
 */
#ifndef SNAP_RUNTIME_PYTHON_REUSE_H
#define SNAP_RUNTIME_PYTHON_REUSE_H

#include "runtime/heapmap.h"

/** In a frozen copy, after the objects were found: call `fn` with the type and the block of each. */
typedef void snap__reuse_fn(const char *type, const struct snap__block *block);
void snap__reuse_each(snap__reuse_fn *fn);

#endif
