/*
 * runtime/python/mixed.h - stacks of mallocs below Python code.
 */
#ifndef SNAP_RUNTIME_PYTHON_MIXED_H
#define SNAP_RUNTIME_PYTHON_MIXED_H

#include <stdint.h>

#include "runtime/thread.h"

/**
 * The calling thread captured the native stack `native`.  If it is below Python code, returns the
 * Python stack with the native frames inside the innermost interpreter loop below it.  Otherwise
 * returns `native`.
 */
uint32_t snap__python_mixed(struct snap__thread *thread, uint32_t native);

#endif
