/*
 * read/source.h - where a reader's bytes come from: a file, a pipe or memory.
 *
 * Regular files are read piece by piece with pread() and never mapped: one that shrinks while we
 * read it gives an error, not a signal.
 */
#ifndef SNAP_READ_SOURCE_H
#define SNAP_READ_SOURCE_H

#include <stddef.h>
#include <stdint.h>

#include "snap/status.h"

struct snap__source {
	int fd;                /* of a regular file; -1 when everything is in memory */
	const uint8_t *memory; /* all bytes, unless `fd` is used */
	uint8_t *owned;        /* `memory` again if it is the source's to free */
	uint64_t size;
};

/** Open `path`.  Release with snap__source_close(), on failure too.  SNAP_EIO, SNAP_ENOMEM. */
enum snap_status snap__source_open(struct snap__source *source, const char *path,
				   struct snap_error *err);

/** `size` bytes at `data`, which must outlive the source. */
void snap__source_memory(struct snap__source *source, const void *data, size_t size);

void snap__source_close(struct snap__source *source);

/**
 * `size` bytes at `offset`, a range inside the source: `*bytes` points into memory, or to `buffer`
 * (which has room for them).  SNAP_EIO when the file cannot be read or has shrunk.
 */
enum snap_status snap__source_read(const struct snap__source *source, uint64_t offset, size_t size,
				   uint8_t *buffer, const uint8_t **bytes, const char *name,
				   struct snap_error *err);

#endif
