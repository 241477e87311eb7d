/*
 * reader.c - open a snapshot file: header, footer, table of contents; or, if it is torn, its chunks
 * from the front.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "format/frame.h"
#include "read/error.h"
#include "read/limits.h"
#include "read/reader_private.h"

bool snap_reader_recognises(const void *data, size_t size)
{
	return snap__magic_matches(data, size);
}

/* ---- Header ---- */

/* Less than a header: the beginning of a snapshot file, or something else? */
static enum snap_status fail_short(const struct snap_reader *reader, const uint8_t *bytes,
				   struct snap_error *err)
{
	size_t size = (size_t)reader->source.size;
	size_t compared = size < 8 ? size : 8;

	if (size == 0)
		return snap__fail_at(err, SNAP_ETRUNCATED, reader->name, 0, "the file is empty");
	if (memcmp(bytes, SNAP_FORMAT_MAGIC, compared) != 0)
		return snap__fail_at(err, SNAP_ECORRUPT, reader->name, 0, "not a snapshot file");
	return snap__fail_at(err, SNAP_ETRUNCATED, reader->name, size,
			     "the file ends inside its header");
}

static enum snap_status check_header(struct snap_reader *reader, struct snap_error *err)
{
	uint64_t size = reader->source.size;
	uint8_t buffer[SNAP_FORMAT_HEADER_SIZE];
	struct snap__file_header header;
	const uint8_t *bytes;
	enum snap_status st = snap__source_read(
		&reader->source, 0, size < sizeof(buffer) ? (size_t)size : sizeof(buffer), buffer,
		&bytes, reader->name, err);

	if (st != SNAP_OK)
		return st;
	if (size < sizeof(buffer))
		return fail_short(reader, bytes, err);
	if (!snap__magic_matches(bytes, sizeof(buffer)))
		return snap__fail_at(err, SNAP_ECORRUPT, reader->name, 0, "not a snapshot file");
	if (!snap__file_header_get(bytes, &header))
		return snap__fail_at(err, SNAP_ECORRUPT, reader->name, 0, "damaged header");
	if (header.major != SNAP_FORMAT_MAJOR)
		return snap__fail_at(err, SNAP_EVERSION, reader->name, 8,
				     "format version %u.%u; this program reads %u.x", header.major,
				     header.minor, SNAP_FORMAT_MAJOR);
	reader->minor = header.minor;
	if (header.flags != 0)
		return snap__fail_at(err, SNAP_EVERSION, reader->name, 12,
				     "header flags of a newer version (%#" PRIx32 ")",
				     header.flags);
	if (size > SNAP__LIMIT_FILE_SIZE)
		return snap__fail(err, SNAP_ECORRUPT, reader->name,
				  "larger than %" PRIu64 " bytes, the most that is read",
				  SNAP__LIMIT_FILE_SIZE);
	return SNAP_OK;
}

/* ---- Chunks ---- */

enum snap_status snap__reader_load(const struct snap_reader *reader,
				   const struct snap__placed *placed, uint8_t *buffer,
				   const uint8_t **payload, struct snap_error *err)
{
	uint8_t expected[SNAP_FORMAT_CHUNK_HEADER_SIZE];
	const uint8_t *bytes;
	char name[5];
	enum snap_status st = snap__source_read(&reader->source, placed->offset,
						sizeof(expected) + placed->chunk.stored_size,
						buffer, &bytes, reader->name, err);

	if (st != SNAP_OK)
		return st;
	snap__chunk_put(expected, &placed->chunk);
	*payload = bytes + sizeof(expected);
	if (memcmp(bytes, expected, sizeof(expected)) == 0 &&
	    snap__chunk_file_hash(&placed->chunk, *payload) == placed->chunk.file_hash)
		return SNAP_OK;
	snap__section_name(placed->chunk.section, name);
	return snap__fail_at(err, SNAP_ECORRUPT, reader->name, placed->offset,
			     "damaged %s chunk: its checksum does not match", name);
}

/* The chunk header at `offset`; there are enough bytes for it. */
static enum snap_status read_chunk_header(const struct snap_reader *reader, uint64_t offset,
					  struct snap__placed *placed, struct snap_error *err)
{
	uint8_t buffer[SNAP_FORMAT_CHUNK_HEADER_SIZE];
	const uint8_t *bytes;
	enum snap_status st = snap__source_read(&reader->source, offset, sizeof(buffer), buffer,
						&bytes, reader->name, err);

	if (st == SNAP_OK)
		snap__chunk_get(bytes, &placed->chunk);
	placed->offset = offset;
	return st;
}

/* ---- A whole file: from the end ---- */

/* SNAP_ETRUNCATED if the file does not end in a footer; the sentence is left to walk(). */
static enum snap_status read_footer(const struct snap_reader *reader, struct snap__footer *footer,
				    struct snap_error *err)
{
	uint8_t buffer[SNAP_FORMAT_FOOTER_SIZE];
	const uint8_t *bytes;
	enum snap_status st;

	if (reader->source.size < SNAP_FORMAT_HEADER_SIZE + sizeof(buffer))
		return SNAP_ETRUNCATED;
	st = snap__source_read(&reader->source, reader->source.size - sizeof(buffer),
			       sizeof(buffer), buffer, &bytes, reader->name, err);
	if (st == SNAP_OK && !snap__footer_get(bytes, footer))
		st = SNAP_ETRUNCATED;
	return st;
}

static bool toc_header_is_sound(const struct snap__placed *toc, uint64_t room)
{
	const struct snap__chunk *chunk = &toc->chunk;

	return chunk->section == SNAP_SECTION_TOCS &&
	       chunk->flags == (SNAP_CHUNK_REQUIRED | SNAP_CHUNK_STORED) &&
	       chunk->raw_size <= SNAP_CHUNK_RAW_MAX && chunk->stored_size == chunk->raw_size &&
	       (uint64_t)chunk->rows * SNAP_FORMAT_CHUNK_HEADER_SIZE == chunk->raw_size &&
	       chunk->items == 0 && SNAP_FORMAT_CHUNK_HEADER_SIZE + chunk->stored_size == room;
}

/* Add every chunk that the table of contents lists. */
static enum snap_status list_chunks(struct snap_reader *reader, const uint8_t *entries,
				    uint32_t count, struct snap_error *err)
{
	enum snap_status st = SNAP_OK;

	for (uint32_t i = 0; i < count && st == SNAP_OK; i++) {
		struct snap__chunk chunk;

		snap__chunk_get(entries + (size_t)i * SNAP_FORMAT_CHUNK_HEADER_SIZE, &chunk);
		st = snap__directory_add(&reader->directory, &chunk, err);
	}
	return st;
}

/* Checks that need the whole list. */
static enum snap_status check_list(struct snap_reader *reader, const struct snap__footer *footer,
				   struct snap_error *err)
{
	const struct snap__directory *directory = &reader->directory;

	reader->digest = snap__directory_digest(directory);
	if (directory->end != footer->toc_offset)
		return snap__fail_at(err, SNAP_ECORRUPT, reader->name, footer->toc_offset,
				     "the table of contents lists chunks up to byte %" PRIu64,
				     directory->end);
	if (snap__directory_is_half(directory))
		return snap__fail_at(err, SNAP_ECORRUPT, reader->name, footer->toc_offset,
				     "the last VARI chunk has no SITE chunk");
	if (reader->digest != footer->digest)
		return snap__fail_at(err, SNAP_ECORRUPT, reader->name,
				     reader->source.size - SNAP_FORMAT_FOOTER_SIZE,
				     "the digest does not match the table of contents");
	return SNAP_OK;
}

static enum snap_status read_toc(struct snap_reader *reader, const struct snap__footer *footer,
				 struct snap_error *err)
{
	uint64_t end = reader->source.size - SNAP_FORMAT_FOOTER_SIZE;
	struct snap__placed toc;
	const uint8_t *entries;
	uint8_t *buffer = NULL;
	enum snap_status st;

	if (footer->toc_offset < SNAP_FORMAT_HEADER_SIZE || footer->toc_offset > end ||
	    end - footer->toc_offset < SNAP_FORMAT_CHUNK_HEADER_SIZE)
		return snap__fail_at(err, SNAP_ECORRUPT, reader->name, end,
				     "the table of contents cannot be at byte %" PRIu64,
				     footer->toc_offset);
	st = read_chunk_header(reader, footer->toc_offset, &toc, err);
	if (st != SNAP_OK)
		return st;
	if (!toc_header_is_sound(&toc, end - footer->toc_offset))
		return snap__fail_at(err, SNAP_ECORRUPT, reader->name, footer->toc_offset,
				     "damaged table of contents");
	buffer = malloc(SNAP_FORMAT_CHUNK_HEADER_SIZE + toc.chunk.stored_size);
	if (!buffer)
		return snap__fail(err, SNAP_ENOMEM, reader->name, "out of memory");
	st = snap__reader_load(reader, &toc, buffer, &entries, err);
	if (st == SNAP_OK)
		st = list_chunks(reader, entries, toc.chunk.rows, err);
	if (st == SNAP_OK)
		st = check_list(reader, footer, err);
	free(buffer);
	return st;
}

/* ---- A torn file: from the front ---- */

/* The walk has come to a table of contents: the fault can only be in it or behind it. */
static enum snap_status fail_at_toc(const struct snap_reader *reader,
				    const struct snap__placed *toc, struct snap_error *err)
{
	uint64_t room = reader->source.size - toc->offset - SNAP_FORMAT_CHUNK_HEADER_SIZE;

	if (toc->chunk.stored_size > SNAP_CHUNK_RAW_MAX)
		return snap__fail_at(err, SNAP_ECORRUPT, reader->name, toc->offset,
				     "damaged table of contents");
	if (room < (uint64_t)toc->chunk.stored_size + SNAP_FORMAT_FOOTER_SIZE)
		return snap__fail_at(err, SNAP_ETRUNCATED, reader->name, reader->source.size,
				     "the file ends inside its table of contents or footer");
	return snap__fail_at(err, SNAP_ECORRUPT, reader->name, toc->offset,
			     "damaged table of contents or footer");
}

/* One step of the walk.  At the end of the file it is never SNAP_OK: a whole file would end in a
   footer. */
static enum snap_status walk_chunk(struct snap_reader *reader, uint8_t *buffer,
				   struct snap_error *err)
{
	uint64_t offset = reader->directory.end;
	uint64_t room = reader->source.size - offset;
	struct snap__placed placed;
	const uint8_t *payload;
	enum snap_status st;

	if (room < SNAP_FORMAT_CHUNK_HEADER_SIZE)
		return snap__fail_at(err, SNAP_ETRUNCATED, reader->name, reader->source.size,
				     "the file ends before its table of contents");
	st = read_chunk_header(reader, offset, &placed, err);
	if (st != SNAP_OK)
		return st;
	if (placed.chunk.section == SNAP_SECTION_TOCS)
		return fail_at_toc(reader, &placed, err);
	if (placed.chunk.section == 0)
		return snap__fail_at(err, SNAP_ETRUNCATED, reader->name, offset,
				     "the file was not written from here on");
	if (placed.chunk.stored_size <= SNAP_CHUNK_RAW_MAX &&
	    placed.chunk.stored_size > room - SNAP_FORMAT_CHUNK_HEADER_SIZE)
		return snap__fail_at(err, SNAP_ETRUNCATED, reader->name, reader->source.size,
				     "the file ends inside the chunk that begins at byte %" PRIu64,
				     offset);
	if (placed.chunk.stored_size > SNAP_CHUNK_RAW_MAX)
		return snap__fail_at(err, SNAP_ECORRUPT, reader->name, offset, "damaged chunk");
	st = snap__reader_load(reader, &placed, buffer, &payload, err);
	if (st == SNAP_OK)
		st = snap__directory_add(&reader->directory, &placed.chunk, err);
	return st;
}

/* Collect chunks from the front until something is wrong, and say what. */
static enum snap_status walk(struct snap_reader *reader, struct snap_error *err)
{
	size_t most = SNAP_FORMAT_CHUNK_HEADER_SIZE + (size_t)SNAP_CHUNK_RAW_MAX;
	uint8_t *buffer = malloc(reader->source.size < most ? (size_t)reader->source.size : most);
	enum snap_status st = SNAP_OK;

	if (!buffer)
		return snap__fail(err, SNAP_ENOMEM, reader->name, "out of memory");
	while (st == SNAP_OK)
		st = walk_chunk(reader, buffer, err);
	free(buffer);
	if (snap__directory_is_half(&reader->directory))
		snap__directory_drop_half(&reader->directory);
	reader->digest = snap__directory_digest(&reader->directory);
	return st;
}

/* ---- Opening ---- */

static bool is_damage(enum snap_status st)
{
	return st == SNAP_ECORRUPT || st == SNAP_ETRUNCATED;
}

static void restart_directory(struct snap_reader *reader)
{
	snap__directory_free(&reader->directory);
	snap__directory_init(&reader->directory, reader->name, reader->source.size);
}

static enum snap_status read_directory(struct snap_reader *reader, enum snap_reader_mode mode,
				       struct snap_error *err)
{
	struct snap__footer footer;
	enum snap_status st;
	bool has_footer;

	restart_directory(reader);
	st = read_footer(reader, &footer, err);
	has_footer = st == SNAP_OK;
	if (has_footer)
		st = read_toc(reader, &footer, err);
	if (!is_damage(st) || (has_footer && mode == SNAP_READ_WHOLE))
		return st;
	restart_directory(reader);
	st = walk(reader, &reader->torn);
	if (mode == SNAP_READ_SALVAGE && is_damage(st))
		return SNAP_OK;
	if (err)
		*err = reader->torn;
	return st;
}

static struct snap_reader *new_reader(const char *name)
{
	struct snap_reader *reader = calloc(1, sizeof(*reader));

	if (!reader)
		return NULL;
	reader->source.fd = -1;
	reader->name = strdup(name);
	if (reader->name)
		return reader;
	free(reader);
	return NULL;
}

/* The source is set: everything after that is the same for all. */
static enum snap_status finish_open(struct snap_reader **out, struct snap_reader *reader,
				    enum snap_reader_mode mode, struct snap_error *err)
{
	enum snap_status st = check_header(reader, err);

	if (st == SNAP_OK)
		st = read_directory(reader, mode, err);
	if (st == SNAP_OK)
		*out = reader;
	else
		snap_reader_close(reader);
	return st;
}

enum snap_status snap_reader_open(struct snap_reader **out, const char *path,
				  enum snap_reader_mode mode, struct snap_error *err)
{
	struct snap_reader *reader = new_reader(path);
	enum snap_status st;

	*out = NULL;
	if (!reader)
		return snap__fail(err, SNAP_ENOMEM, path, "out of memory");
	st = snap__source_open(&reader->source, path, err);
	if (st == SNAP_OK)
		return finish_open(out, reader, mode, err);
	snap_reader_close(reader);
	return st;
}

enum snap_status snap_reader_open_memory(struct snap_reader **out, const void *data, size_t size,
					 const char *name, enum snap_reader_mode mode,
					 struct snap_error *err)
{
	struct snap_reader *reader = new_reader(name);

	*out = NULL;
	if (!reader)
		return snap__fail(err, SNAP_ENOMEM, name, "out of memory");
	snap__source_memory(&reader->source, data, size);
	return finish_open(out, reader, mode, err);
}

void snap_reader_close(struct snap_reader *reader)
{
	if (!reader)
		return;
	ZSTD_freeDCtx(reader->inflater);
	snap__directory_free(&reader->directory);
	snap__source_close(&reader->source);
	free(reader->name);
	free(reader);
}

const char *snap_reader_torn(const struct snap_reader *reader)
{
	return reader->torn.status == SNAP_OK ? NULL : reader->torn.message;
}

unsigned snap_reader_minor(const struct snap_reader *reader)
{
	return reader->minor;
}

void snap_reader_counts(const struct snap_reader *reader, struct snap_counts *counts)
{
	*counts = reader->directory.counts;
}

uint64_t snap_reader_digest(const struct snap_reader *reader)
{
	return reader->digest;
}
