/*
 * runtime/text.h - build short texts without stdio.
 *
 * A text has a fixed capacity and is always NUL-terminated; text that does not fit is cut off, and
 * `cut` is then true.
 */
#ifndef SNAP_RUNTIME_TEXT_H
#define SNAP_RUNTIME_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct snap__text {
	char *data;
	size_t size, capacity; /* size does not count the NUL; capacity does */
	bool cut;
};

/** An empty text in the array `buffer`. */
#define SNAP__TEXT(buffer) snap__text_in((buffer), sizeof(buffer))

struct snap__text snap__text_in(char *buffer, size_t capacity);
void snap__text_add(struct snap__text *text, const char *s);
void snap__text_add_bytes(struct snap__text *text, const char *s, size_t size);
void snap__text_add_u64(struct snap__text *text, uint64_t value);
/** At least `digits` digits, filled up with zeros. */
void snap__text_add_padded(struct snap__text *text, uint64_t value, unsigned digits);
/** In hexadecimal, with small letters and without zeros before it. */
void snap__text_add_hex(struct snap__text *text, uint64_t value);

/** Length of a NUL-terminated string; whether two are equal; whether `s` begins with `prefix`. */
size_t snap__length(const char *s);
bool snap__equal(const char *a, const char *b);
bool snap__starts_with(const char *s, const char *prefix);

/** A decimal number at the start of `s` (after blanks); `*end` (may be NULL) is what follows. */
uint64_t snap__parse_u64(const char *s, const char **end);
/** The same in hexadecimal, with small letters, as the kernel writes it; no blanks before it. */
uint64_t snap__parse_hex(const char *s, const char **end);

#endif
