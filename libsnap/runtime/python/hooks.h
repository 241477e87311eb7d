/*
 * runtime/python/hooks.h - our functions in front of CPython's allocators.
 *
 * The interpreter's own functions (PyMem_SetAllocator) put them there.  They are never removed;
 * while nothing is recorded they only pass calls on.
 */
#ifndef SNAP_RUNTIME_PYTHON_HOOKS_H
#define SNAP_RUNTIME_PYTHON_HOOKS_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/record.h"

/**
 * Put the hooks in front of the object and mem domains and of the arenas of the interpreter that
 * was found; of its raw domain, too, if `raw_stack` is not NULL, which is for a process whose
 * malloc is not recorded.  `stack` and `raw_stack` return the call stack of a block.
 */
void snap__python_hooks_install(snap__record_stack_fn *stack, snap__record_stack_fn *raw_stack);

/** Call it regularly, with the GIL.  If the hooks were not called since the last time, and others
 * are installed, ours are installed again. */
void snap__python_hooks_check(void);

/** How often the program or the interpreter had removed our hooks. */
unsigned snap__python_hooks_lost(void);

#endif
