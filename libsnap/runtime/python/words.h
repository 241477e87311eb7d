/*
 * runtime/python/words.h - the way to an object in the words of Python.
 *
 * In a frozen copy of the process, after the objects were found.  A way begins with a place:
 * something with a name, such as a module's global, an attribute of a class or a closure.  Objects
 * in a container have no name: there the place ends, and the rest of the way is described by types.
 */
#ifndef SNAP_RUNTIME_PYTHON_WORDS_H
#define SNAP_RUNTIME_PYTHON_WORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/text.h"

/** The place of every object that is held, as the number of the object there.
 * snap__copy_need()'s. */
uint32_t *snap__places_make(void);

/** "`history` (module global, app.py:3) -> list of 4000": the way to `object`, with the object
 * itself if `to_the_end`.  Names of the program stand between backquotes, and contain none
 * themselves. */
void snap__way_in_words(struct snap__text *text, uint32_t object, const uint32_t *places,
			bool to_the_end);

#endif
