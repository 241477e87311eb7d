/*
 * runtime/python/guise.h - let the copy's only thread act as a thread of the interpreter.
 *
 * Functions of the interpreter that only read ask which thread has its lock, to know which
 * interpreter they belong to.  From 3.12 on the answer is in a thread-local variable.  The copy of
 * the process has the variables of all threads in memory, but its own thread is unknown to the
 * interpreter.
 */
#ifndef SNAP_RUNTIME_PYTHON_GUISE_H
#define SNAP_RUNTIME_PYTHON_GUISE_H

#include "runtime/holders/space.h"

/** In a copy of the process: act as a thread of the interpreter at `interpreter`, if possible the
 * one that has its lock.  Returns the argument for snap__guise_end(). */
void *snap__guise_begin(struct snap__space *space, void *interpreter);
void snap__guise_end(void *own);

#endif
