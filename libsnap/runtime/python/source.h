/*
 * runtime/python/source.h - the line of a program's source that gives a name to something.
 *
 * In a frozen copy of the process.  The interpreter does not keep the line that assigned a global.
 * The source file tells it, if it was neither moved nor changed since.
 */
#ifndef SNAP_RUNTIME_PYTHON_SOURCE_H
#define SNAP_RUNTIME_PYTHON_SOURCE_H

#include <stdint.h>

/**
 * The first line of the file that assigns `name`: a global, or an attribute as `app.pool`.
 * 0: there is none, or the file cannot be read.
 */
uint32_t snap__source_line(const char *path, const char *name);

/** The first line of that class that assigns its attribute `name`, or an object's.  0: as above. */
uint32_t snap__source_line_in_class(const char *path, const char *class, const char *name);

#endif
