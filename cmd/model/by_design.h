/*
 * model/by_design.h - memory that every process leaves at its exit by design: caches that the C
 * library, the loader and the language's runtime fill once and never free, and the data of an
 * interpreter of scripts.
 *
 * Only this file decides what belongs to it.  A block belongs to it if these libraries allocated it
 * for themselves: its newest frames are theirs, and one of them is a function that keeps what it
 * allocates.  A block that such a library returns to its caller (getline, strdup, fopen) does not
 * belong to it.
 */
#ifndef MODEL_BY_DESIGN_H
#define MODEL_BY_DESIGN_H

#include <stdbool.h>

/** Is `module`, the base name of a file, one of the libraries that keep caches? */
bool by_design_module(const char *module);

/** Is it an interpreter, which leaves its own data to the system at its exit? */
bool by_design_interpreter(const char *module);

/** Does `function`, of such a library, keep what is allocated below it until the end? */
bool by_design_function(const char *function);

#endif
