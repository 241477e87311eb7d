/*
 * format/frame.h - the fixed parts of a file: header, chunk headers, footer.
 *
 * Pure functions between structs and bytes; no I/O and no allocation, so that the runtime may
 * use them inside its host.  libsnap/FORMAT.md has the byte offsets.
 */
#ifndef SNAP_FORMAT_FRAME_H
#define SNAP_FORMAT_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snap/format.h"

/** What a chunk header says. */
struct snap__chunk {
	uint32_t section;     /* SNAP_SECTION_... or an unknown id */
	uint32_t flags;       /* enum snap_chunk_flags */
	uint32_t stored_size; /* bytes of payload in the file */
	uint32_t raw_size;    /* bytes of rows after inflating */
	uint32_t rows;
	uint32_t items;     /* LOCS: frames, SITE: cohorts, HPTH: steps, of all rows; else 0 */
	uint64_t raw_hash;  /* XXH64 of the rows */
	uint64_t file_hash; /* XXH64 of the header before this field and the payload */
};

/** The place of a section in a file, from 1; 0 for one that we do not know.  VARI shares SITE's. */
int snap__section_rank(uint32_t section);

/** What the file header says. */
struct snap__file_header {
	uint16_t major;
	uint16_t minor;
	uint32_t flags;
};

/** What the footer says. */
struct snap__footer {
	uint64_t toc_offset; /* of the TOCS chunk's header */
	uint64_t digest;     /* of all chunks before it, see snap__digest_add() */
};

/** True if `size` bytes at `bytes` begin as a snapshot file does. */
bool snap__magic_matches(const uint8_t *bytes, size_t size);

/** Header <-> SNAP_FORMAT_HEADER_SIZE bytes; get is false if magic or checksum do not match. */
void snap__file_header_put(uint8_t *out, const struct snap__file_header *header);
bool snap__file_header_get(const uint8_t *in, struct snap__file_header *header);

/** Chunk header <-> SNAP_FORMAT_CHUNK_HEADER_SIZE bytes.  Nothing is checked. */
void snap__chunk_put(uint8_t *out, const struct snap__chunk *chunk);
void snap__chunk_get(const uint8_t *in, struct snap__chunk *chunk);

/** The file_hash that a chunk with these header fields and this payload should have. */
uint64_t snap__chunk_file_hash(const struct snap__chunk *chunk, const void *payload);

/** Footer <-> SNAP_FORMAT_FOOTER_SIZE bytes; get is false if magic or checksum do not match. */
void snap__footer_put(uint8_t *out, const struct snap__footer *footer);
bool snap__footer_get(const uint8_t *in, struct snap__footer *footer);

/** Add a chunk to the digest of a file; begin with 0.  The digest does not depend on compression.
 */
uint64_t snap__digest_add(uint64_t digest, const struct snap__chunk *chunk);

#endif
