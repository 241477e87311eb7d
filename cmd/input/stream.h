/*
 * input/stream.h - bytes in order, whatever they come from: a file, a pipe, memory, gzip, zstd.
 *
 * A stream has a window of bytes that were read and not yet consumed.  stream_need() widens it,
 * stream_skip() consumes from its front.
 */
#ifndef INPUT_STREAM_H
#define INPUT_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snap/status.h"

/** Where a stream's bytes come from; the stream owns `state` and closes it. */
struct stream_source {
	void *state;
	/** Read at most `room` (> 0) bytes to `out`; *got is 0 only at the end. */
	enum snap_status (*read)(void *state, char *out, size_t room, size_t *got,
				 struct snap_error *err);
	void (*close)(void *state);
};

struct stream {
	const char *data; /* the window */
	size_t size;
	bool ended;         /* nothing will be added to the window any more */
	uint64_t offset;    /* of data[0] in the whole, in bytes */
	char *name;         /* as the user named it; for messages; owned */
	char *path;         /* where a plain regular file can be opened again, or NULL; owned */
	uint64_t file_size; /* of the regular file that is read as it is, or 0: a hint */
	uint64_t
		modified_ns; /* when the regular file that this comes from was last written, or 0 */

	char *buffer; /* private: the buffer of the window, or NULL when that is the caller's
		         memory */
	size_t room;
	struct stream_source source;
};

/**
 * Open a file, a pipe or device, or standard input ("-").  Directories are refused with a hint.
 * Returns SNAP_OK, SNAP_EIO, SNAP_ENOMEM or SNAP_EUNSUPPORTED; on success `*out` is yours.
 */
enum snap_status stream_open(struct stream **out, const char *path, struct snap_error *err);

/** Bytes in memory, which must outlive the stream. */
enum snap_status stream_open_memory(struct stream **out, const void *data, size_t size,
				    const char *name, struct snap_error *err);

/** A stream over any source, which is closed even on failure.  `name` is copied. */
enum snap_status stream_open_source(struct stream **out, const struct stream_source *source,
				    const char *name, struct snap_error *err);

/** Release a stream; NULL is fine. */
void stream_close(struct stream *stream);

/** Widen the window to at least `size` bytes, or to all there is: then `ended` is set. */
enum snap_status stream_need(struct stream *stream, size_t size, struct snap_error *err);

/** Consume `size` bytes, no more than the window has. */
void stream_skip(struct stream *stream, size_t size);

/** Widen the window to the whole rest. */
enum snap_status stream_need_all(struct stream *stream, struct snap_error *err);

/**
 * If the stream begins as gzip or zstd do, replace it by its unpacked content, however deep.
 * Also after a failure it is `*stream`, perhaps NULL now, that has to be closed.
 */
enum snap_status stream_unwrap(struct stream **stream, struct snap_error *err);

/** Returns "gzip", "zstd", or NULL for anything else. */
const char *stream_wrapping(const void *data, size_t size);

#endif
