/*
 * snap/format.h - the constants of a snapshot file.
 *
 * libsnap/FORMAT.md describes the format; this is the one list of its numbers.
 * All integers in a file are little-endian.
 */
#ifndef SNAP_FORMAT_H
#define SNAP_FORMAT_H

/** First and last eight bytes of a file.  The first byte is not ASCII and the line ends are
 *  mixed, so that a transfer which mangles text is noticed at once. */
#define SNAP_FORMAT_MAGIC     "\x89SNAP\r\n\x1a"
#define SNAP_FORMAT_END_MAGIC "\x89SNAPEND"

/** A reader refuses another major version; a newer minor one only adds optional sections. */
#define SNAP_FORMAT_MAJOR 1
#define SNAP_FORMAT_MINOR 1

/** Sizes of the fixed parts, in bytes. */
#define SNAP_FORMAT_HEADER_SIZE       24
#define SNAP_FORMAT_CHUNK_HEADER_SIZE 40
#define SNAP_FORMAT_FOOTER_SIZE       32

/** Section ids are four ASCII characters, read as a little-endian integer. */
#define SNAP_FORMAT_ID(a, b, c, d)                                                                 \
	((unsigned)(a) | (unsigned)(b) << 8 | (unsigned)(c) << 16 | (unsigned)(d) << 24)

#define SNAP_SECTION_META SNAP_FORMAT_ID('M', 'E', 'T', 'A') /* keys and values */
#define SNAP_SECTION_STRS SNAP_FORMAT_ID('S', 'T', 'R', 'S') /* strings */
#define SNAP_SECTION_MODS SNAP_FORMAT_ID('M', 'O', 'D', 'S') /* modules */
#define SNAP_SECTION_LOCS SNAP_FORMAT_ID('L', 'O', 'C', 'S') /* locations and their frames */
#define SNAP_SECTION_NODE SNAP_FORMAT_ID('N', 'O', 'D', 'E') /* the tree of call stacks */
#define SNAP_SECTION_VARI SNAP_FORMAT_ID('V', 'A', 'R', 'I') /* variances of sites */
#define SNAP_SECTION_SITE SNAP_FORMAT_ID('S', 'I', 'T', 'E') /* sites and their cohorts */
#define SNAP_SECTION_OBJS SNAP_FORMAT_ID('O', 'B', 'J', 'S') /* reserved: a census of objects */
#define SNAP_SECTION_HGRP SNAP_FORMAT_ID('H', 'G', 'R', 'P') /* holders: groups of blocks */
#define SNAP_SECTION_HROT SNAP_FORMAT_ID('H', 'R', 'O', 'T') /* holders: roots */
#define SNAP_SECTION_HEDG SNAP_FORMAT_ID('H', 'E', 'D', 'G') /* holders: who refers to whom */
#define SNAP_SECTION_HPTH SNAP_FORMAT_ID('H', 'P', 'T', 'H') /* holders: example paths */
#define SNAP_SECTION_TOCS SNAP_FORMAT_ID('T', 'O', 'C', 'S') /* table of contents, always last */

enum snap_chunk_flags {
	SNAP_CHUNK_REQUIRED = 1u << 0, /* no reader may skip the section */
	SNAP_CHUNK_STORED = 1u << 1,   /* the payload is the raw bytes, not a zstd frame */
};

/** Most raw bytes of a chunk. A reader must have room for one. */
#define SNAP_CHUNK_RAW_MAX (1u << 20)

/** Most entries of the table of contents: it is itself one chunk. */
#define SNAP_CHUNK_COUNT_MAX (SNAP_CHUNK_RAW_MAX / SNAP_FORMAT_CHUNK_HEADER_SIZE)

/** Limits of single rows. They are far beyond real use, and a row of that size fits in half a
 * chunk. */
#define SNAP_META_KEY_MAX        (1u << 12) /* bytes */
#define SNAP_STRING_MAX          (1u << 18) /* bytes of a string or a meta value */
#define SNAP_LOCATION_FRAMES_MAX (1u << 12)
#define SNAP_SITE_COHORTS_MAX    (1u << 12)
#define SNAP_PATH_STEPS_MAX      64u

/** Most frames (nodes) on the way from a node to its root. */
#define SNAP_STACK_DEPTH_MAX 65535u

#endif
