/*
 * unwrap.c - gzip and zstd wrapped files, unpacked on the way.
 *
 * A few hostile bytes can unpack to terabytes: output is bounded by a multiple of what was read.
 * Formats that work line by line or chunk by chunk never hold more than their own window of it.
 */
#include "input/stream.h"

#include <stdlib.h>
#include <string.h>

#define ZLIB_CONST /* next_in is const: the window is not ours to change */
#include <zlib.h>
#include <zstd.h>

#include "base/fail.h"

enum {
	PACKED_ROOM = 64 * 1024,
	WRAPPERS_MAX = 3, /* gzip in zstd may happen by accident; deeper nesting is an attack */
	RATIO_MAX = 2000, /* text of repeated stacks packs 200 to 1; gzip cannot exceed 1032 */
};

/** Output that any input may have, however small. */
static const uint64_t UNPACKED_FREE = UINT64_C(64) << 20;

struct packed {
	struct stream *inner; /* owned */
	uint64_t unpacked;    /* bytes given so far */
	bool in_member;       /* between a member's (frame's) beginning and its end */
	union {
		z_stream gzip;
		ZSTD_DStream *zstd;
	} with;
};

const char *stream_wrapping(const void *data, size_t size)
{
	if (size >= 3 && memcmp(data, "\x1f\x8b\x08", 3) == 0)
		return "gzip";
	if (size >= 4 && memcmp(data, "\x28\xb5\x2f\xfd", 4) == 0)
		return "zstd";
	return NULL;
}

static enum snap_status packed_corrupt(const struct packed *packed, const char *what,
				       struct snap_error *err)
{
	return fail(err, SNAP_ECORRUPT, "%s: damaged compressed file: %s, near byte %llu",
		    packed->inner->name, what, (unsigned long long)packed->inner->offset);
}

/** Bound what a small file may unpack to. */
static enum snap_status packed_count(struct packed *packed, size_t got, struct snap_error *err)
{
	packed->unpacked += got;
	if (packed->unpacked > UNPACKED_FREE &&
	    packed->unpacked / RATIO_MAX > packed->inner->offset)
		return fail(err, SNAP_ECORRUPT,
			    "%s: unpacks to more than %d times its size: refused",
			    packed->inner->name, RATIO_MAX);
	return SNAP_OK;
}

/** One step of inflate(); what it consumed and gave is accounted. */
static enum snap_status gzip_step(struct packed *packed, char *out, size_t room, size_t *got,
				  struct snap_error *err)
{
	z_stream *z = &packed->with.gzip;
	struct stream *inner = packed->inner;
	size_t size = inner->size < PACKED_ROOM ? inner->size : PACKED_ROOM;
	int result;

	if (!packed->in_member) {
		if (inflateReset(z) != Z_OK)
			return packed_corrupt(packed, "gzip", err);
		packed->in_member = true;
	}
	z->next_in = (const Bytef *)inner->data;
	z->avail_in = (uInt)size;
	z->next_out = (Bytef *)out;
	z->avail_out = (uInt)(room < PACKED_ROOM ? room : PACKED_ROOM);
	result = inflate(z, Z_NO_FLUSH);
	*got = (size_t)((char *)z->next_out - out);
	stream_skip(inner, size - z->avail_in);
	if (result == Z_STREAM_END)
		packed->in_member = false;
	else if (result == Z_MEM_ERROR)
		return fail_memory(err, "unpacking gzip");
	else if (result != Z_OK && result != Z_BUF_ERROR)
		return packed_corrupt(packed, z->msg ? z->msg : "not gzip", err);
	return SNAP_OK;
}

static enum snap_status zstd_step(struct packed *packed, char *out, size_t room, size_t *got,
				  struct snap_error *err)
{
	struct stream *inner = packed->inner;
	ZSTD_inBuffer input = {.src = inner->data, .size = inner->size};
	ZSTD_outBuffer output = {.dst = out, .size = room};
	size_t result;

	result = ZSTD_decompressStream(packed->with.zstd, &output, &input);
	if (ZSTD_isError(result))
		return packed_corrupt(packed, ZSTD_getErrorName(result), err);
	packed->in_member = result != 0;
	*got = output.pos;
	stream_skip(inner, input.pos);
	return SNAP_OK;
}

typedef enum snap_status step_fn(struct packed *packed, char *out, size_t room, size_t *got,
				 struct snap_error *err);

/** Unpack at least one byte, unless the file properly ends. */
static enum snap_status packed_read(struct packed *packed, step_fn *step, char *out, size_t room,
				    size_t *got, struct snap_error *err)
{
	struct stream *inner = packed->inner;
	enum snap_status st = SNAP_OK;

	for (*got = 0; st == SNAP_OK && !*got;) {
		st = stream_need(inner, 1, err);
		if (st != SNAP_OK || (!inner->size && !packed->in_member))
			break;
		bool last = !inner->size; /* only what the decoder still holds can come */
		st = step(packed, out, room, got, err);
		if (st == SNAP_OK)
			st = packed_count(packed, *got, err);
		if (st == SNAP_OK && last && !*got && packed->in_member)
			st = fail(err, SNAP_ETRUNCATED,
				  "%s: compressed file ends early, at byte %llu", inner->name,
				  (unsigned long long)inner->offset);
	}
	return st;
}

static enum snap_status gzip_read(void *state, char *out, size_t room, size_t *got,
				  struct snap_error *err)
{
	return packed_read(state, gzip_step, out, room, got, err);
}

static enum snap_status zstd_read(void *state, char *out, size_t room, size_t *got,
				  struct snap_error *err)
{
	return packed_read(state, zstd_step, out, room, got, err);
}

static void gzip_close(void *state)
{
	struct packed *packed = state;

	inflateEnd(&packed->with.gzip);
	stream_close(packed->inner);
	free(packed);
}

static void zstd_close(void *state)
{
	struct packed *packed = state;

	ZSTD_freeDStream(packed->with.zstd);
	stream_close(packed->inner);
	free(packed);
}

/** A source that unpacks `inner`; false when memory is out, and nothing is owned then. */
static bool packed_open(struct stream_source *source, struct stream *inner, bool gzip)
{
	struct packed *packed = calloc(1, sizeof(*packed));
	bool ready;

	if (!packed)
		return false;
	packed->inner = inner;
	if (gzip) {
		ready = inflateInit2(&packed->with.gzip, 15 + 16) == Z_OK; /* 16: gzip only */
		*source = (struct stream_source){packed, gzip_read, gzip_close};
	} else {
		packed->with.zstd = ZSTD_createDStream();
		ready = packed->with.zstd != NULL;
		*source = (struct stream_source){packed, zstd_read, zstd_close};
	}
	if (!ready)
		free(packed);
	return ready;
}

enum snap_status stream_unwrap(struct stream **stream, struct snap_error *err)
{
	for (int depth = 0; depth <= WRAPPERS_MAX; depth++) {
		enum snap_status st = stream_need(*stream, 4, err);
		struct stream_source source;
		struct stream *unpacked;
		uint64_t modified_ns = (*stream)->modified_ns;
		const char *wrapping;
		char *name;

		if (st != SNAP_OK)
			return st;
		wrapping = stream_wrapping((*stream)->data, (*stream)->size);
		if (!wrapping)
			return SNAP_OK;
		name = strdup((*stream)->name);
		if (!name || !packed_open(&source, *stream, *wrapping == 'g')) {
			free(name);
			return fail_memory(err, "unpacking a file");
		}
		*stream = NULL; /* the source's now */
		st = stream_open_source(&unpacked, &source, name, err);
		free(name);
		if (st != SNAP_OK)
			return st;
		unpacked->modified_ns = modified_ns;
		*stream = unpacked;
	}
	return fail(err, SNAP_ECORRUPT, "%s: compressed more than %d times over: refused",
		    (*stream)->name, WRAPPERS_MAX);
}
