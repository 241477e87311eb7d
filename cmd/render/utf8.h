/*
 * render/utf8.h - UTF-8 that nobody has checked yet.
 */
#ifndef RENDER_UTF8_H
#define RENDER_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Bytes of the character at `data` (1 to 4); 0 when it is not well-formed UTF-8 (surrogates and
 * overlong forms are not). */
size_t utf8_length(const char *data, size_t size);

/** The character itself; `length` is what utf8_length() said. */
uint32_t utf8_decode(const char *data, size_t length);

/** Does a terminal obey the character: C0, DEL, C1, and the marks that reorder what surrounds
 * them? */
bool utf8_is_control(uint32_t character);

#endif
