/*
 * runtime/python/tasks.h - what asyncio's tasks and coroutines wait for, and since when.
 */
#ifndef SNAP_RUNTIME_PYTHON_TASKS_H
#define SNAP_RUNTIME_PYTHON_TASKS_H

#include "runtime/python/things.h"

/** Facts: task.N, "10 of poll (app.py): 9 wait in Queue.get (queues.py), 1 not started; the oldest
 * is there since 7 snapshots" (7 snapshots were taken since then); coroutine.N, "3 of fetch
 * (app.py): never awaited". */
void snap__tasks_each(snap__things_fn *fn, void *user);

#endif
