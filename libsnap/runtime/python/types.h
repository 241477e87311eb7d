/*
 * runtime/python/types.h - types of objects, each with a number, and the sizes of objects.
 *
 * In a frozen copy of the process.
 */
#ifndef SNAP_RUNTIME_PYTHON_TYPES_H
#define SNAP_RUNTIME_PYTHON_TYPES_H

#include <stddef.h>
#include <stdint.h>

/** The number of the type object at `type`, from 0 on. */
uint32_t snap__type_number(const char *type);

/** Numbers that were given; what they stand for. */
uint32_t snap__type_count(void);
const char *snap__type_at(uint32_t number);

/** "dict", "collections.deque", "app.Client": with its module unless that is `builtins`. */
void snap__type_name(const char *type, char *name, size_t size);

/** The short name, as the type itself has it. */
const char *snap__type_short_name(const char *type);

/** The dict of a type that the program made or that keeps its own; NULL: none is known. */
const char *snap__type_dict(const char *type);

/**
 * The size of the object itself, with its header in the same block, as its type says.
 */
size_t snap__object_size(const char *object);

/** The str that names the attribute with this value, where an object has its attributes' values itself:
 *  by __slots__, or from 3.11 on.  NULL if there is none. */
const void *snap__inline_attribute(const char *object, const char *type, const char *value);

/** The value under a text in a dict of the interpreter; NULL if it has none. */
const char *snap__dict_at(const char *dict, const char *text);

#endif
