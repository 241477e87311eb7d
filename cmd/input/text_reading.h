/*
 * input/text_reading.h - what the files that read the text form share: text_read.c, text_holders.c.
 */
#ifndef INPUT_TEXT_READING_H
#define INPUT_TEXT_READING_H

#include "base/hash_table.h"
#include "input/formats.h"

/** A piece of the current line. */
struct field {
	const char *data;
	size_t size;
};

/** A frame's raw bytes (owned and never moved, like the model's strings) and what they mean. */
struct known_frame {
	char *raw;
	uint32_t size;
	uint32_t location;
};

struct text_reader {
	struct model *model;
	struct stream *stream;
	struct snap_error *err;

	struct field line;
	uint64_t line_number; /* from 1 */
	bool crlf, rows_begun;

	struct field *columns; /* of the current row */
	size_t column_count, column_room;
	char *scratch; /* one un-escaped field */
	size_t scratch_room;

	struct known_frame *frames;
	uint32_t frame_count;
	size_t frame_room;
	struct hash_table frame_table; /* finds the frame of some raw bytes */

	uint32_t *path, *path_nodes; /* previous row, oldest first: known frames and their nodes */
	size_t path_length, path_room;

	struct snap_cohort *cohorts;
	size_t cohort_room;
	struct field domain; /* previous row's, and its string id */
	char *domain_raw;
	uint32_t domain_id;
};

/** "FILE: line 3 (byte 57): what is wrong", with the byte offset of `at` in the current line. */
enum snap_status text_fail(struct text_reader *t, const char *at, const char *what);
enum snap_status text_memory(struct text_reader *t);

/** Cut the line into t->columns; fewer than `least` columns: `otherwise` says what is missing. */
enum snap_status text_split(struct text_reader *t, size_t least, const char *otherwise);
/** The decimal number at *at, up to `max`; *at moves behind it. */
enum snap_status text_number(struct text_reader *t, const char **at, const char *end, uint64_t max,
			     uint64_t *value);
/** A number, or - for unknown. */
enum snap_status text_figure(struct text_reader *t, struct field field, uint64_t *value);
/** The string id of a raw field. */
enum snap_status text_string(struct text_reader *t, struct field raw, uint32_t *id);
/** The module of that path; SNAP_NONE for an empty field. */
enum snap_status text_module(struct text_reader *t, struct field part, uint32_t *module);
/** The node of the newest of the frames in the columns from `first` on; SNAP_NONE without any. */
enum snap_status text_stack(struct text_reader *t, size_t first, uint32_t *node);

/** A line that begins with %: a row of the graph of holders. */
enum snap_status text_holders_line(struct text_reader *t);

#endif
