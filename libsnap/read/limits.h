/*
 * read/limits.h - ceilings on what a file may ask of its reader, each with its reason.
 *
 * Ceilings that belong to the format (row sizes, chunk sizes, stack depth) are in snap/format.h.
 */
#ifndef SNAP_READ_LIMITS_H
#define SNAP_READ_LIMITS_H

/**
 * Most bytes of a file.  The writer stops at 4 GiB of rows.  Four times as much leaves room, and no
 * arithmetic on offsets can overflow.
 */
#define SNAP__LIMIT_FILE_SIZE (UINT64_C(16) << 30)

/** Most bytes taken from a pipe, which has to be held in memory as a whole. */
#define SNAP__LIMIT_PIPE_SIZE (UINT64_C(1) << 30)

/**
 * Most inflated bytes that a file may announce: a fixed number, plus a multiple of its own size.
 * Equal rows may well shrink a thousandfold, but they are small: a million equal sites take 8 MB.
 * A file beyond this is treated as an attack.
 */
#define SNAP__LIMIT_INFLATED_FREE  (UINT64_C(64) << 20)
#define SNAP__LIMIT_INFLATED_RATIO UINT64_C(256)

#endif
