/*
 * runtime/python/sound.h - does an address lead to an object?
 *
 * A word of random memory passes for an object's count or for flags of a type too often: whether it
 * does may depend on where the system placed the memory.
 */
#ifndef SNAP_RUNTIME_PYTHON_SOUND_H
#define SNAP_RUNTIME_PYTHON_SOUND_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/holders/space.h"

/** Is this a type?  Its metatype is `type`, or a class of metaclasses that leads to `type`. */
bool snap__is_sound_type(struct snap__space *space, uintptr_t type);

/** Is there a readable object whose type is one? */
bool snap__is_sound(struct snap__space *space, uintptr_t object);

#endif
