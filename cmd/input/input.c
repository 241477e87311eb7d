/*
 * input.c - recognise a file's format, and call its reader.
 */
#include "input/input.h"

#include <stdlib.h>
#include <string.h>

#include "input/formats.h"
#include "base/fail.h"
#include "model/bounds.h"
#include "snap/format.h"

/** One line per format, in the order in which they are tried. */
static const struct format *const formats[] = {
#define FORMAT(name) &format_##name,
#include "input/formats.def"
#undef FORMAT
};

static const size_t format_count = sizeof(formats) / sizeof(*formats);

static const struct format *find_format(const void *data, size_t size)
{
	for (size_t i = 0; i < format_count; i++)
		if (formats[i]->recognises(data, size))
			return formats[i];
	return NULL;
}

const char *input_recognise(const void *data, size_t size)
{
	const struct format *format = find_format(data, size);

	return format ? format->name : stream_wrapping(data, size);
}

static bool begins(const struct stream *stream, const char *magic, size_t size)
{
	return stream->size >= size && memcmp(stream->data, magic, size) == 0;
}

/** Say what a file is if it is no snapshot, and what to do if possible. */
static enum snap_status refuse(const struct stream *stream, struct snap_error *err)
{
	const char *name = stream->name;

	if (stream->size == 0)
		return fail(err, SNAP_ETRUNCATED, "%s: is empty", name);
	if (stream->size < sizeof(SNAP_FORMAT_MAGIC) - 1 &&
	    memcmp(stream->data, SNAP_FORMAT_MAGIC, stream->size) == 0)
		return fail(err, SNAP_ETRUNCATED, "%s: a snapshot that ends after %zu bytes", name,
			    stream->size);
	if (begins(stream,
		   "\x7f"
		   "ELF",
		   4))
		return fail(err, SNAP_EUNSUPPORTED,
			    "%s: is a program or library, not a snapshot; record a program with "
			    "'snapdiff run -- PROGRAM'",
			    name);
	if (begins(stream, "SQLite format 3", 16))
		return fail(err, SNAP_EUNSUPPORTED,
			    "%s: is a database, not a snapshot; name it with --db %s", name, name);
	return fail(err, SNAP_EUNSUPPORTED,
		    "%s: is not a snapshot in any known format: .snap, text, tracemalloc, "
		    "or these inside gzip or zstd",
		    name);
}

enum snap_status format_recognise(const struct format **format, struct stream *stream,
				  struct snap_error *err)
{
	enum snap_status st = stream_need(stream, FORMAT_PEEK, err);

	if (st != SNAP_OK)
		return st;
	*format = find_format(stream->data, stream->size);
	return *format ? SNAP_OK : refuse(stream, err);
}

/** Unwrap, recognise, read, and check what every format must hold. */
static enum snap_status read_stream(struct model *model, struct stream **stream,
				    const struct input_options *options, struct snap_error *err)
{
	const struct format *format = NULL;
	struct model_totals totals;
	enum snap_status st = stream_unwrap(stream, err);

	if (st == SNAP_OK)
		st = format_recognise(&format, *stream, err);
	if (st == SNAP_OK)
		st = format->read(model, *stream, options, err);
	model_end_interning(model);
	if (st == SNAP_OK)
		st = model_totals(model, &totals, err);
	if (st == SNAP_OK)
		st = model_check_stacks(model, err);
	return st;
}

/** Takes over `stream`. */
static enum snap_status read_and_close(struct model **out, struct stream *stream,
				       const struct input_options *options, struct snap_error *err)
{
	static const struct input_options defaults;
	struct model *model = model_new();
	enum snap_status st = SNAP_OK;

	if (model)
		model->source = strdup(stream->name);
	if (!model || !model->source)
		st = fail_memory(err, "reading a snapshot");
	if (st == SNAP_OK)
		st = read_stream(model, &stream, options ? options : &defaults, err);
	stream_close(stream);
	if (st != SNAP_OK) {
		model_free(model);
		model = NULL;
	}
	*out = model;
	return st;
}

enum snap_status input_read(struct model **out, const char *path,
			    const struct input_options *options, struct snap_error *err)
{
	struct stream *stream = NULL;
	enum snap_status st = stream_open(&stream, path, err);

	*out = NULL;
	return st == SNAP_OK ? read_and_close(out, stream, options, err) : st;
}

enum snap_status input_read_memory(struct model **out, const void *data, size_t size,
				   const char *name, const struct input_options *options,
				   struct snap_error *err)
{
	struct stream *stream = NULL;
	enum snap_status st = stream_open_memory(&stream, data, size, name, err);

	*out = NULL;
	return st == SNAP_OK ? read_and_close(out, stream, options, err) : st;
}
