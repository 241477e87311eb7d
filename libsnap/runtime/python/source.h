/*
 * runtime/python/source.h - the line of a program's source that gives a name to something.
 *
 * In a frozen copy of the process.  The interpreter forgets which line assigned a global; the file
 * says it, as long as it is where it was and as it was.
 */
#ifndef SNAP_RUNTIME_PYTHON_SOURCE_H
#define SNAP_RUNTIME_PYTHON_SOURCE_H

#include <stdint.h>

/** Where an assignment stands. */
enum snap__source_place {
	SNAP__SOURCE_GLOBAL,    /* at the start of a line */
	SNAP__SOURCE_OF_OBJECT, /* behind a dot */
	SNAP__SOURCE_OF_CLASS,  /* the first word of a line, but not at its start */
};

/** The first line of the file that assigns `name`.  0: there is none, or the file cannot be read. */
uint32_t snap__source_line(const char *path, const char *name, enum snap__source_place place);

#endif
