/*
 * runtime/python/cycles.h - the cycle of references that keeps an object, where nothing else does.
 */
#ifndef SNAP_RUNTIME_PYTHON_CYCLES_H
#define SNAP_RUNTIME_PYTHON_CYCLES_H

#include <stdint.h>

#include "runtime/text.h"

/** "only a cycle of objects, until a collection: Node -> list -> Node (finalizer `Node.__del__`)", of
 *  an object that is lost (objects.h). */
void snap__cycle_in_words(struct snap__text *text, uint32_t object);

#endif
