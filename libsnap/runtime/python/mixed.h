/*
 * runtime/python/mixed.h - stacks of mallocs below Python code.
 */
#ifndef SNAP_RUNTIME_PYTHON_MIXED_H
#define SNAP_RUNTIME_PYTHON_MIXED_H

#include <stdint.h>

#include "runtime/thread.h"

/**
 * The calling thread captured the native stack `native`.  If it is below Python code: the stack of
 * that, and below its newest frame the native frames inside the interpreter loop that runs it.
 * Otherwise `native`.
 */
uint32_t snap__python_mixed(struct snap__thread *thread, uint32_t native);

#endif
