/*
 * symbols/paths.h - names of source files.
 */
#ifndef SYMBOLS_PATHS_H
#define SYMBOLS_PATHS_H

/**
 * `file` without a leading `directory` (where the compiler ran; may be NULL), and without `./`,
 * `//` and `x/../`.  Malloc'ed: free() it.  NULL when memory is out.
 */
char *paths_source_name(const char *file, const char *directory);

#endif
