/*
 * tracemalloc/source_lines.h - lines of source files below one directory, by the names that dumps
 * give them.
 */
#ifndef TRACEMALLOC_SOURCE_LINES_H
#define TRACEMALLOC_SOURCE_LINES_H

#include <stdbool.h>

#include "snap/records.h"
#include "snap/status.h"

struct source_lines;

/**
 * Sources below `directory`, for names numbered below `file_count`.  SNAP_EIO if that is no
 * directory, SNAP_ENOMEM; on success `*out` is yours: source_lines_free().
 */
enum snap_status source_lines_open(struct source_lines **out, const char *directory,
				   size_t file_count, struct snap_error *err);
void source_lines_free(struct source_lines *sources);

/** Was memory out for a file?  Its lines are missing then. */
bool source_lines_failed(const struct source_lines *sources);

/**
 * Line `line` (1 is the first) of the file `name`, which has number `file`, without white space
 * around it; empty if there is none.  The text is the sources'.
 *
 * A name stands for the longest end of it that is a file below the directory: /srv/app/x.py is
 * srv/app/x.py, else app/x.py, else x.py.  Names are not trusted: one with a ".." in it is no file,
 * and nothing outside the directory is looked at.
 */
struct snap_text source_line(struct source_lines *sources, size_t file, const char *name,
			     uint32_t line);

/** The same with the white space at its beginning. */
struct snap_text source_line_whole(struct source_lines *sources, size_t file, const char *name,
				   uint32_t line);

#endif
