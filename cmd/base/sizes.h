/*
 * base/sizes.h - numbers, sizes and durations as people write them.
 *
 * All return false, with the result undefined, when `text` is not one or does not fit.
 */
#ifndef BASE_SIZES_H
#define BASE_SIZES_H

#include <stdbool.h>
#include <stdint.h>

/** 4096, 64KiB, 1.5MiB: bytes. */
bool size_parse(const char *text, uint64_t *bytes);
/** 500ms, 10s, 5m, 2h: nanoseconds. */
bool duration_parse(const char *text, uint64_t *nanoseconds);
/** A decimal number without sign. */
bool count_parse(const char *text, uint64_t *count);

#endif
