/*
 * read/reader_private.h - what opening a file and decoding its rows share.
 */
#ifndef SNAP_READ_READER_PRIVATE_H
#define SNAP_READ_READER_PRIVATE_H

/* zstd's one-shot interface is all that is needed; its window never outgrows a chunk. */
#include <zstd.h>

#include "read/directory.h"
#include "read/source.h"
#include "snap/reader.h"

struct snap_reader {
	char *name; /* for messages */
	struct snap__source source;
	unsigned minor; /* of the format */
	struct snap__directory directory;
	uint64_t digest;
	struct snap_error torn; /* status SNAP_OK for a whole file */
	ZSTD_DCtx *inflater;    /* made when first needed */
};

/**
 * Read the chunk at `placed` and verify it: `*payload` points at its stored bytes, in memory or in
 * `buffer`, which has room for header and payload.  SNAP_EIO, SNAP_ECORRUPT.
 */
enum snap_status snap__reader_load(const struct snap_reader *reader,
				   const struct snap__placed *placed, uint8_t *buffer,
				   const uint8_t **payload, struct snap_error *err);

#endif
