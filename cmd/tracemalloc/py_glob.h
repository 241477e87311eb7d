/*
 * tracemalloc/py_glob.h - file name patterns with the meaning that Python's fnmatch gives them.
 *
 * `*` matches anything, slashes and newlines included; `?` one character; `[abc]`, `[a-z]`, `[!a]`
 * sets. A backslash and `[^` have no special meaning, an unclosed `[` stands for itself, and a
 * reversed range is empty.  Source of the corner cases: CPython's Lib/fnmatch.py (3.11),
 * translate().
 */
#ifndef ANALYSIS_PY_GLOB_H
#define ANALYSIS_PY_GLOB_H

#include <stdbool.h>
#include <stddef.h>

struct py_glob;

/** Compile `pattern`, UTF-8 in which lone surrogates are three bytes; NULL when memory is out. */
struct py_glob *py_glob_new(const char *pattern);
void py_glob_free(struct py_glob *glob);

/** Does the whole of `text` match? */
bool py_glob_matches(const struct py_glob *glob, const char *text, size_t size);

#endif
