/*
 * capture/library.h - the libsnap.so that `run` preloads.
 */
#ifndef CAPTURE_LIBRARY_H
#define CAPTURE_LIBRARY_H

#include "base/fail.h"

/**
 * The libsnap.so that belongs to this executable: SNAP_LIBRARY, or beside it in the build or the
 * prefix.  *path is malloc'ed.
 */
enum snap_status library_find(char **path, struct snap_error *err);

/**
 * A name of the library at `path` that LD_PRELOAD can hold: the path itself or, if it contains what
 * the loader splits or expands (blanks, colons, dollar signs), a symbolic link to it.  The link
 * stays: processes that outlive `run` may still execute programs.  *name is malloc'ed.
 */
enum snap_status library_preloadable(const char *path, char **name, struct snap_error *err);

#endif
