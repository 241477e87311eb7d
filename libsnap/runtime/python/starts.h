/*
 * runtime/python/starts.h - where the search for objects begins.
 *
 * In a frozen copy of the process.  Of several ways to an object the first that is found is told, so
 * that the search begins where names are best: at modules, and at variables of the program's own
 * functions that run.  What only serves for a moment, or is not told by name, comes later.
 */
#ifndef SNAP_RUNTIME_PYTHON_STARTS_H
#define SNAP_RUNTIME_PYTHON_STARTS_H

#include <stdbool.h>

#include "runtime/holders/space.h"

/** Add the first starts to the table of objects (objects.h).  `modules` is the interpreter's dict. */
void snap__starts_first(struct snap__space *space, const char *interpreter, const char *modules);

/** After what these lead to: variables of functions of libraries, frames, context variables, and
 * signal handlers. */
void snap__starts_later(struct snap__space *space, const char *interpreter, const char *modules);

/** Where the module `re` keeps patterns, until there are too many, and `threading` the threads that run:
 * who else has one is a better answer.  Such a dict is followed last. */
bool snap__starts_is_last(const char *object);

/** The signal's name, such as "SIGUSR1"; NULL: it has none here. */
const char *snap__starts_signal_name(unsigned number);

#endif
