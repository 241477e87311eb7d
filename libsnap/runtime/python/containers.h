/*
 * runtime/python/containers.h - the largest containers.
 *
 * In a frozen copy of the process, after the objects were found.
 */
#ifndef SNAP_RUNTIME_PYTHON_CONTAINERS_H
#define SNAP_RUNTIME_PYTHON_CONTAINERS_H

#include <stdint.h>

#include "runtime/python/things.h"

/** Choose them.  `places` is from words.h. */
void snap__containers_make(const uint32_t *places);

/** Facts: container.N, "4000 in `history` (module global, app.py:3) -> list". */
void snap__containers_each(snap__things_fn *fn, void *user);

#endif
