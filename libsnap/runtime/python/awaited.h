/*
 * runtime/python/awaited.h - the coroutines that a running function waits for.
 *
 * asyncio.run(main()) keeps a function of the library on the stack.  The program's own functions, main()
 * and what it awaits, are suspended: their variables are held by coroutines.  In a frozen copy of
 * the process, before any object is found.
 */
#ifndef SNAP_RUNTIME_PYTHON_AWAITED_H
#define SNAP_RUNTIME_PYTHON_AWAITED_H

#include "runtime/python/frames.h"

/** If `object` is a task or a suspended coroutine: call `fn` with each local variable of the coroutine and of
 * those that it waits for (see snap__python_each_local). */
void snap__awaited_each_local(const char *object, snap__python_local_fn *fn, void *user);

#endif
