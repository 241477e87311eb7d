/*
 * base/utf8.h - UTF-8 that nobody has checked yet.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

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

/**
 * The length of the first character of `text`, which is not empty: 1 where it is not well-formed.
 * `*obeyed`: would a terminal do something else than show it?  Then it is a control character, or a
 * stray byte that is one in Latin-1.
 */
size_t utf8_step(const char *text, bool *obeyed);

/** Replace control characters by '?', except those in `kept`. */
void utf8_make_printable(char *text, const char *kept);

#endif
