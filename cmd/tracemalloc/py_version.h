/*
 * tracemalloc/py_version.h - which Pythons wrote two dumps, and what that means for comparing them.
 *
 * A dump does not carry its version; the reader notes what can be told as the snapshot's meta
 * `python_version`: "3.8", "3.6 to 3.7" or "3.9 or later".
 */
#ifndef TRACEMALLOC_PY_VERSION_H
#define TRACEMALLOC_PY_VERSION_H

#include "base/notice.h"

/**
 * Fill `notice` with why rows of two dumps may not pair, and return true, if `a` and `b` (either
 * may be NULL) are surely different versions.  `a_name` and `b_name` are the dumps' names.  All
 * four texts have to live as long as the notice.
 */
bool py_version_warning(const char *a_name, const char *a, const char *b_name, const char *b,
			struct notice *notice);

#endif
