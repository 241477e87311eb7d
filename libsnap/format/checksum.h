/*
 * format/checksum.h - XXH64, against accidents.
 *
 * Implemented from "xxHash fast digest algorithm", specification 0.1.1
 * (https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md).  It does not protect against
 * somebody who changes a file on purpose.
 */
#ifndef SNAP_FORMAT_CHECKSUM_H
#define SNAP_FORMAT_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/** XXH64 of `size` bytes at `data` (may be NULL when `size` is 0) with `seed`. */
uint64_t snap__xxh64(const void *data, size_t size, uint64_t seed);

#endif
