/*
 * model/wrapper.h - functions of a program that pass requests on to malloc.
 *
 * Most C programs have such functions, and all of their memory goes through these few lines.  They say
 * nothing about the code that wanted the memory.
 */
#ifndef MODEL_WRAPPER_H
#define MODEL_WRAPPER_H

#include <stdbool.h>

/** Does the function's name say that it does what malloc, calloc, realloc or strdup does:
 * `js_malloc`, `xmalloc_or_die`, `mem_alloc`, `ckrealloc`?  Not `malloc_stats`, `node_alloc`. */
bool name_is_wrapper(const char *function);

#endif
