/*
 * runtime/python/belongings.h - blocks that are no objects, and the object that each belongs to.
 *
 * In a frozen copy of the process.  Examples are a list's items, the table of a dict, and data that
 * an extension keeps behind its object: a block belongs to the object from which fewest pointers
 * lead to it, and to one object only.
 */
#ifndef SNAP_RUNTIME_PYTHON_BELONGINGS_H
#define SNAP_RUNTIME_PYTHON_BELONGINGS_H

#include <stddef.h>
#include <stdint.h>

#include "runtime/heapmap.h"

/** A block was found that belongs to the object. */
typedef void snap__belonging_fn(uint32_t object, const struct snap__block *block);

/** Call it first: blocks of the interpreter itself belong to no object. */
void snap__belongings_begin(const char *interpreter);

/** Blocks that the object, of `size` bytes, points to itself. */
void snap__belongings_of(uint32_t object, size_t size, snap__belonging_fn *fn);

/** Call it next, for all objects together: find the blocks behind these blocks. */
void snap__belongings_behind(snap__belonging_fn *fn);

#endif
