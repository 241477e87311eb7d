/*
 * runtime/python/things.h - objects that say much about a program: caches, tasks, threads, and the
 * collector's state.
 *
 * In a frozen copy of the process, after the objects were found.
 */
#ifndef SNAP_RUNTIME_PYTHON_THINGS_H
#define SNAP_RUNTIME_PYTHON_THINGS_H

#include "runtime/holders/space.h"
#include "runtime/text.h"

/** Facts for the snapshot's meta, without their prefix `census`: lru_cache.N, task.N, coroutine.N,
 *  container.N, thread.N, gc.*. */
typedef void snap__things_fn(void *user, const char *key, const char *value);
void snap__things_each(struct snap__space *space, snap__things_fn *fn, void *user);

/** "fetch (app.py)", of a code object. */
void snap__things_add_code(struct snap__text *text, const char *code);

#endif
