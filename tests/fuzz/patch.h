/*
 * patch.h - inputs that are changes of a sound file: small enough for a fuzzer to mutate well.
 */
#ifndef FUZZ_PATCH_H
#define FUZZ_PATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Bytes that are taken from the front; what is beyond their end is zero. */
struct bytes {
	const uint8_t *data;
	size_t size;
};
uint64_t take(struct bytes *from, unsigned width);

/** The whole of a file; ends the program if it cannot be read.  Malloc'ed. */
uint8_t *file_content(const char *path, size_t *size);

/** Change `target` as `patches` say until they end: where (3 bytes), how many (1 byte, at most 16),
 * and those. */
void patch(uint8_t *target, size_t size, struct bytes *patches);

/** A name in memory for inputs that have to be files; removed when the program ends. */
const char *scratch_path(void);
/** Make it a file with that content. */
void scratch_write(const void *data, size_t size);

#endif
