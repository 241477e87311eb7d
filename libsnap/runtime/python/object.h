/*
 * runtime/python/object.h - reading Python objects as they lie in memory.
 *
 * No reference is taken and no function of the interpreter's is called.  The object must be alive.
 * Its type is checked before its contents are used.
 */
#ifndef SNAP_RUNTIME_PYTHON_OBJECT_H
#define SNAP_RUNTIME_PYTHON_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/python/layout.h"

/** The word at `base` + `offset`.  Volatile: others write there. */
static inline uintptr_t snap__python_word(const void *base, size_t offset)
{
	return *(const volatile uintptr_t *)(const void *)((const char *)base + offset);
}

static inline const char *snap__python_pointer(const void *base, size_t offset)
{
	return (const char *)snap__python_word(base, offset);
}

static inline const void *snap__python_type(const void *object)
{
	return snap__python_pointer(object, SNAP__PYTHON_OBJECT_TYPE);
}

/** A str as UTF-8, cut where `size` ends; lone surrogates take three bytes.  False if `object` is
 *  no str. */
bool snap__python_text(const void *object, char *text, size_t size);

/** Bytes of a str whose characters follow it; 0: `object` is no such str.  Its type's size is for one
 * whose characters are elsewhere, and is more than a short text has. */
size_t snap__python_text_size(const void *object);

/** The contents of a bytes object; false if it is none. */
bool snap__python_bytes(const void *object, const unsigned char **data, size_t *size);

#endif
