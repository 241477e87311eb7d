/*
 * text_read.c - the text form of a snapshot -> model.
 *
 *   #snaptext 1
 *   @ key<TAB>value
 *   live_bytes<TAB>live_blocks<TAB>allocated_bytes<TAB>allocated_blocks<TAB>domain<TAB>cohorts<TAB>frames...
 *   1024<TAB>2<TAB>-<TAB>-<TAB>malloc<TAB>3:2:1024<TAB>put|cache.c|88|server<TAB>main|main.c|9|server
 *
 * Behind live_bytes, `~` and a number say by how much it may be off (a standard error; baselines have
 * them).
 *
 * Fields are tab-separated and escape \t \n \\ \|.  Blank lines and lines that begin with # are
 * skipped.  Lines end in LF, or in CRLF when the first one does.
 *
 * Most of a big file are frames that were seen before.  A frame is therefore looked up by its raw
 * bytes, before any un-escaping; and as long as a row's oldest frames are those of the row before,
 * their nodes are used again without any look-up.
 */
#include "input/text_reading.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "format/checksum.h"
#include "base/fail.h"
#include "base/seed.h"
#include "snap/format.h"

static const char text_magic[] = "#snaptext";
static const char text_columns[] =
	"live_bytes\tlive_blocks\tallocated_bytes\tallocated_blocks\tdomain\tcohorts";

enum {
	LEADING_COLUMNS = 6,
	LINE_READ = 1 << 16,
	LINE_MAX_BYTES = 1 << 26, /* 65,535 frames of 1 KiB each; no snapshot has more */
};

/* Messages. */

/** "FILE: line 3 (byte 57): what is wrong", with the byte offset of `at` in the current line. */
enum snap_status text_fail(struct text_reader *t, const char *at, const char *what)
{
	uint64_t offset = t->stream->offset + (uint64_t)(at - t->line.data);

	return fail(t->err, SNAP_ECORRUPT, "%s: line %llu (byte %llu): %s", t->stream->name,
		    (unsigned long long)t->line_number, (unsigned long long)offset, what);
}

enum snap_status text_memory(struct text_reader *t)
{
	return fail(t->err, SNAP_ENOMEM, "%s: out of memory at line %llu", t->stream->name,
		    (unsigned long long)t->line_number);
}

/* Fields. */

/** Resolve the escapes of a field into t->scratch, or leave a field without any where it is. */
static enum snap_status unescape(struct text_reader *t, struct field *field)
{
	const char *end = field->data + field->size;
	const char *in = memchr(field->data, '\\', field->size);
	char *out;

	if (!in)
		return SNAP_OK;
	if (!array_room(&t->scratch, &t->scratch_room, field->size, 1))
		return text_memory(t);
	out = t->scratch;
	for (in = field->data; in < end; in++) {
		if (*in != '\\') {
			*out++ = *in;
			continue;
		}
		in++;
		if (in < end && *in == 't')
			*out++ = '\t';
		else if (in < end && *in == 'n')
			*out++ = '\n';
		else if (in < end && (*in == '\\' || *in == '|'))
			*out++ = *in;
		else
			return text_fail(t, in - 1, "a backslash is followed by t, n, \\ or |");
	}
	*field = (struct field){t->scratch, (size_t)(out - t->scratch)};
	return SNAP_OK;
}

/** The string id of a raw field. */
enum snap_status text_string(struct text_reader *t, struct field raw, uint32_t *id)
{
	struct field field = raw;
	enum snap_status st = unescape(t, &field);

	if (st != SNAP_OK)
		return st;
	if (field.size > SNAP_STRING_MAX)
		return text_fail(t, raw.data, "this text is longer than 262144 bytes");
	*id = model_string(t->model, field.data, field.size);
	return *id == SNAP_NONE ? text_memory(t) : SNAP_OK;
}

/** The decimal number at *at, up to `max`; *at moves behind it. */
enum snap_status text_number(struct text_reader *t, const char **at, const char *end, uint64_t max,
			     uint64_t *value)
{
	const char *begin = *at;
	const char *in = begin;

	for (*value = 0; in < end && *in >= '0' && *in <= '9'; in++) {
		uint64_t digit = (uint64_t)(*in - '0');

		if (*value > (max - digit) / 10)
			return text_fail(t, begin, "this number is too large");
		*value = *value * 10 + digit;
	}
	if (in == begin)
		return text_fail(t, begin,
				 in < end && *in == '-' ? "a number cannot be negative"
							: "a decimal number is expected here");
	*at = in;
	return SNAP_OK;
}

/** One of the four figures: a number, or - for unknown. */
enum snap_status text_figure(struct text_reader *t, struct field field, uint64_t *value)
{
	const char *at = field.data;
	const char *end = field.data + field.size;
	enum snap_status st;

	if (field.size == 1 && *at == '-') {
		*value = SNAP_UNKNOWN;
		return SNAP_OK;
	}
	st = text_number(t, &at, end, SNAP_UNKNOWN - 1, value);
	if (st == SNAP_OK && at != end)
		st = text_fail(t, at, "a decimal number is expected, or - where it is unknown");
	return st;
}

/* Frames. */

/** Take the next of the four parts off `rest`: up to a | that is not escaped. */
static bool next_part(struct field *rest, struct field *part)
{
	size_t i = 0;

	while (i < rest->size && rest->data[i] != '|')
		i += rest->data[i] == '\\' && i + 1 < rest->size ? 2 : 1;
	*part = (struct field){rest->data, i};
	if (i == rest->size)
		return false;
	rest->data += i + 1;
	rest->size -= i + 1;
	return true;
}

static enum snap_status frame_line(struct text_reader *t, struct field part, uint32_t *line)
{
	const char *at = part.data;
	uint64_t value = 0;
	enum snap_status st = SNAP_OK;

	if (part.size)
		st = text_number(t, &at, part.data + part.size, UINT32_MAX, &value);
	if (st == SNAP_OK && at != part.data + part.size)
		st = text_fail(t, at, "the line of a frame is a decimal number, or empty");
	*line = (uint32_t)value;
	return st;
}

enum snap_status text_module(struct text_reader *t, struct field part, uint32_t *module)
{
	struct snap_module row = {0};
	enum snap_status st = text_string(t, part, &row.path);

	*module = SNAP_NONE;
	if (st != SNAP_OK || !part.size)
		return st;
	*module = model_module_intern(t->model, &row);
	return *module == SNAP_NONE ? text_memory(t) : SNAP_OK;
}

/** `function|file|line|module` -> location. */
static enum snap_status parse_frame(struct text_reader *t, struct field raw, uint32_t *location)
{
	struct snap_frame frame = {0};
	struct field rest = raw;
	struct field part[4];
	uint32_t module = SNAP_NONE;
	enum snap_status st;

	if (!next_part(&rest, &part[0]) || !next_part(&rest, &part[1]) ||
	    !next_part(&rest, &part[2]) || next_part(&rest, &part[3]))
		return text_fail(
			t, raw.data,
			"a frame is written function|file|line|module (parts may be empty)");
	st = text_string(t, part[0], &frame.function);
	if (st == SNAP_OK)
		st = text_string(t, part[1], &frame.file);
	if (st == SNAP_OK)
		st = frame_line(t, part[2], &frame.line);
	if (st == SNAP_OK)
		st = text_module(t, part[3], &module);
	if (st != SNAP_OK)
		return st;
	*location = model_symbolic_location(t->model, module, &frame);
	return *location == SNAP_NONE ? text_memory(t) : SNAP_OK;
}

static bool same_bytes(const struct known_frame *known, struct field raw)
{
	return known->size == raw.size && memcmp(known->raw, raw.data, raw.size) == 0;
}

static bool is_frame_of(const void *context, const void *wanted, uint32_t frame)
{
	const struct text_reader *t = context;
	const struct field *raw = wanted;

	return same_bytes(&t->frames[frame], *raw);
}

/** A frame that is new: parse and remember it. */
static enum snap_status learn_frame(struct text_reader *t, struct field raw, uint64_t hash,
				    uint32_t *frame)
{
	struct known_frame known = {.size = (uint32_t)raw.size};
	enum snap_status st = parse_frame(t, raw, &known.location);

	if (st != SNAP_OK)
		return st;
	if (!array_room(&t->frames, &t->frame_room, (size_t)t->frame_count + 1, sizeof(*t->frames)))
		return text_memory(t);
	known.raw = malloc(raw.size);
	if (!known.raw)
		return text_memory(t);
	memcpy(known.raw, raw.data, raw.size);
	*frame = t->frame_count++;
	t->frames[*frame] = known;
	return hash_table_add(&t->frame_table, hash, *frame) ? SNAP_OK : text_memory(t);
}

static enum snap_status find_frame(struct text_reader *t, struct field raw, uint32_t *frame)
{
	uint64_t hash = snap__xxh64(raw.data, raw.size, hash_seed());

	*frame = hash_table_find(&t->frame_table, hash, is_frame_of, t, &raw);
	return *frame != SNAP_NONE ? SNAP_OK : learn_frame(t, raw, hash, frame);
}

enum snap_status text_stack(struct text_reader *t, size_t first, uint32_t *node)
{
	size_t depth = t->column_count - first;
	const struct field *oldest = t->columns + t->column_count - 1;
	size_t shared = 0;
	uint32_t parent;

	if (depth > SNAP_STACK_DEPTH_MAX)
		return text_fail(t, t->columns[first].data, "more than 65535 frames");
	if (depth > t->path_room) {
		size_t room = t->path_room;

		if (!array_room(&t->path, &room, depth, sizeof(*t->path)) ||
		    !array_room(&t->path_nodes, &t->path_room, depth, sizeof(*t->path_nodes)))
			return text_memory(t);
	}
	while (shared < depth && shared < t->path_length &&
	       same_bytes(&t->frames[t->path[shared]], oldest[-(ptrdiff_t)shared]))
		shared++;
	t->path_length = shared;
	parent = shared ? t->path_nodes[shared - 1] : SNAP_NONE;
	for (; t->path_length < depth; t->path_length++) {
		uint32_t *frame = &t->path[t->path_length];
		enum snap_status st = find_frame(t, oldest[-(ptrdiff_t)t->path_length], frame);

		if (st != SNAP_OK)
			return st;
		parent = model_node_intern(t->model, parent, t->frames[*frame].location);
		if (parent == SNAP_NONE)
			return text_memory(t);
		t->path_nodes[t->path_length] = parent;
	}
	*node = parent;
	return SNAP_OK;
}

/* Rows. */

enum snap_status text_split(struct text_reader *t, size_t least, const char *otherwise)
{
	const char *at = t->line.data;
	const char *end = at + t->line.size;

	for (t->column_count = 0;; t->column_count++) {
		const char *tab = memchr(at, '\t', (size_t)(end - at));

		if (!array_room(&t->columns, &t->column_room, t->column_count + 1,
				sizeof(*t->columns)))
			return text_memory(t);
		t->columns[t->column_count] = (struct field){at, (size_t)((tab ? tab : end) - at)};
		if (!tab)
			break;
		at = tab + 1;
	}
	t->column_count++;
	if (t->column_count < least)
		return text_fail(t, end, otherwise);
	return SNAP_OK;
}

/** `birth:blocks:bytes` at *at. */
static enum snap_status parse_cohort(struct text_reader *t, const char **at, const char *end,
				     struct snap_cohort *cohort)
{
	uint64_t *const parts[] = {&cohort->birth_seq, &cohort->blocks, &cohort->bytes};

	for (int i = 0; i < 3; i++) {
		enum snap_status st;

		if (i && (*at == end || **at != ':'))
			return text_fail(t, *at, "a cohort is written birth:blocks:bytes");
		*at += i ? 1 : 0;
		st = text_number(t, at, end, UINT64_MAX, parts[i]);
		if (st != SNAP_OK)
			return st;
	}
	return SNAP_OK;
}

static enum snap_status parse_cohorts(struct text_reader *t, struct field field, uint32_t *count)
{
	const char *at = field.data;
	const char *end = field.data + field.size;

	*count = 0;
	if (field.size == 1 && *at == '-')
		return SNAP_OK;
	for (;;) {
		enum snap_status st;

		if (*count == SNAP_SITE_COHORTS_MAX)
			return text_fail(t, at, "more than 4096 cohorts");
		if (!array_room(&t->cohorts, &t->cohort_room, (size_t)*count + 1,
				sizeof(*t->cohorts)))
			return text_memory(t);
		st = parse_cohort(t, &at, end, &t->cohorts[(*count)++]);
		if (st != SNAP_OK || at == end)
			return st;
		if (*at != ',')
			return text_fail(t, at, "cohorts are separated by commas");
		at++;
	}
}

/** The domain's string id; nearly always that of the row before. */
static enum snap_status parse_domain(struct text_reader *t, struct field raw, uint32_t *id)
{
	enum snap_status st;
	char *copy;

	if (t->domain_raw && t->domain.size == raw.size &&
	    memcmp(t->domain_raw, raw.data, raw.size) == 0) {
		*id = t->domain_id;
		return SNAP_OK;
	}
	st = text_string(t, raw, id);
	if (st != SNAP_OK)
		return st;
	copy = malloc(raw.size + 1);
	if (!copy)
		return text_memory(t);
	memcpy(copy, raw.data, raw.size);
	free(t->domain_raw);
	t->domain_raw = copy;
	t->domain.size = raw.size;
	t->domain_id = *id;
	return SNAP_OK;
}

/** `1024~96`: cut the error off the figure, when there is one. */
static enum snap_status parse_error(struct text_reader *t, struct field *figure,
				    struct snap_variance *variance)
{
	const char *end = figure->data + figure->size;
	const char *at = memchr(figure->data, '~', figure->size);
	uint64_t error;
	enum snap_status st;

	if (!at)
		return SNAP_OK;
	figure->size = (size_t)(at++ - figure->data);
	st = text_number(t, &at, end, SNAP_UNKNOWN - 1, &error);
	if (st == SNAP_OK && at != end)
		st = text_fail(t, at, "behind ~ a decimal number is expected");
	variance->live_bytes = (double)error * (double)error;
	return st;
}

static enum snap_status parse_row(struct text_reader *t)
{
	struct snap_site site = {0};
	struct snap_variance variance = {0};
	uint64_t *const figures[] = {&site.live_bytes, &site.live_blocks, &site.allocated_bytes,
				     &site.allocated_blocks};
	enum snap_status st =
		text_split(t, LEADING_COLUMNS,
			   "the line ends before its six columns: four numbers, domain, cohorts");

	if (st == SNAP_OK)
		st = parse_error(t, &t->columns[0], &variance);
	for (int i = 0; st == SNAP_OK && i < 4; i++)
		st = text_figure(t, t->columns[i], figures[i]);
	if (st == SNAP_OK)
		st = parse_domain(t, t->columns[4], &site.domain);
	if (st == SNAP_OK)
		st = parse_cohorts(t, t->columns[5], &site.cohort_count);
	if (st == SNAP_OK)
		st = text_stack(t, LEADING_COLUMNS, &site.node);
	if (st == SNAP_OK &&
	    model_site_add(t->model, &site, t->cohorts,
			   variance.live_bytes > 0 ? &variance : NULL) == SNAP_NONE)
		st = text_memory(t);
	return st;
}

/* Lines. */

/** `@ key<TAB>value`. */
static enum snap_status parse_meta(struct text_reader *t)
{
	const char *end = t->line.data + t->line.size;
	struct field key = {t->line.data + 2, 0};
	struct field value;
	const char *tab = memchr(t->line.data, '\t', t->line.size);
	uint32_t key_id, value_id;
	enum snap_status st;

	if (t->line.size < 2 || t->line.data[1] != ' ' || !tab)
		return text_fail(t, t->line.data, "this line is written @ key<TAB>value");
	key.size = (size_t)(tab - key.data);
	value = (struct field){tab + 1, (size_t)(end - tab - 1)};
	if (memchr(value.data, '\t', value.size))
		return text_fail(t, value.data, "a tab inside a value is written \\t");
	st = text_string(t, key, &key_id);
	if (st == SNAP_OK && t->model->strings[key_id].size > SNAP_META_KEY_MAX)
		st = text_fail(t, key.data, "this key is longer than 4096 bytes");
	if (st == SNAP_OK)
		st = text_string(t, value, &value_id);
	if (st == SNAP_OK && model_meta_add(t->model, key_id, value_id) == SNAP_NONE)
		st = text_memory(t);
	return st;
}

static bool begins_with(struct field line, const char *text, size_t size)
{
	return line.size >= size && memcmp(line.data, text, size) == 0;
}

/** The line that names the columns: those of the format and no others. */
static enum snap_status check_columns(struct text_reader *t)
{
	size_t size = sizeof(text_columns) - 1;
	struct field rest = {t->line.data + size, t->line.size - size};

	if (!begins_with(t->line, text_columns, size) ||
	    (rest.size && !begins_with(rest, "\tframes", 7)))
		return text_fail(t, t->line.data,
				 "the columns are live_bytes live_blocks allocated_bytes "
				 "allocated_blocks domain cohorts frames...");
	if (t->rows_begun)
		return text_fail(t, t->line.data, "the names of the columns come before the rows");
	return SNAP_OK;
}

static enum snap_status parse_line(struct text_reader *t)
{
	if (t->line.size == 0 || t->line.data[0] == '#')
		return SNAP_OK;
	if (t->line.data[0] == '@')
		return parse_meta(t);
	if (begins_with(t->line, "live_bytes", 10))
		return check_columns(t);
	t->rows_begun = true;
	return t->line.data[0] == '%' ? text_holders_line(t) : parse_row(t);
}

/** `#snaptext 1`, the first line. */
static enum snap_status parse_magic(struct text_reader *t)
{
	const char *at = t->line.data + sizeof(text_magic) - 1;
	const char *end = t->line.data + t->line.size;
	uint64_t version;
	enum snap_status st;

	if (end > t->line.data && end[-1] == '\r') {
		t->crlf = true;
		end--;
	}
	if (!begins_with(t->line, text_magic, sizeof(text_magic) - 1) || at == end || *at != ' ')
		return text_fail(t, t->line.data, "the first line is #snaptext 1");
	at++;
	st = text_number(t, &at, end, UINT32_MAX, &version);
	if (st == SNAP_OK && at != end)
		st = text_fail(t, at, "the first line is #snaptext 1");
	if (st == SNAP_OK && version != 1)
		st = fail(t->err, SNAP_EVERSION,
			  "%s: text form version %llu; this program reads version 1",
			  t->stream->name, (unsigned long long)version);
	return st;
}

/** Make the stream's window begin with one whole line; t->line is that, *used with its end. */
static enum snap_status next_line(struct text_reader *t, size_t *used)
{
	struct stream *stream = t->stream;
	size_t searched = 0;
	const char *newline;

	t->line_number++;
	for (;;) {
		enum snap_status st;

		newline = searched < stream->size
				  ? memchr(stream->data + searched, '\n', stream->size - searched)
				  : NULL;
		if (newline || stream->ended)
			break;
		searched = stream->size;
		t->line = (struct field){stream->data, searched};
		if (searched > LINE_MAX_BYTES)
			return text_fail(t, stream->data, "a line of more than 64 MiB");
		st = stream_need(stream, searched + LINE_READ, t->err);
		if (st != SNAP_OK)
			return st;
	}
	t->line.data = stream->data;
	t->line.size = newline ? (size_t)(newline - stream->data) : stream->size;
	*used = t->line.size + (newline ? 1 : 0);
	if (t->crlf && t->line.size && t->line.data[t->line.size - 1] == '\r')
		t->line.size--;
	return SNAP_OK;
}

/** All lines, or only those before the first row. */
static enum snap_status parse_lines(struct text_reader *t, bool meta_only)
{
	enum snap_status st = SNAP_OK;

	while (st == SNAP_OK && !(t->stream->ended && t->stream->size == 0)) {
		size_t used = 0;

		st = next_line(t, &used);
		if (st != SNAP_OK || !used)
			break;
		if (meta_only && t->line_number > 1 && t->line.size && t->line.data[0] != '@' &&
		    t->line.data[0] != '#')
			break;
		st = t->line_number == 1 ? parse_magic(t) : parse_line(t);
		stream_skip(t->stream, used);
	}
	return st;
}

static void reader_release(struct text_reader *t)
{
	for (uint32_t i = 0; i < t->frame_count; i++)
		free(t->frames[i].raw);
	free(t->frames);
	hash_table_release(&t->frame_table);
	free(t->columns);
	free(t->scratch);
	free(t->path);
	free(t->path_nodes);
	free(t->cohorts);
	free(t->domain_raw);
}

static enum snap_status text_read(struct model *model, struct stream *stream,
				  const struct input_options *options, struct snap_error *err)
{
	struct text_reader t = {.model = model, .stream = stream, .err = err};
	enum snap_status st = parse_lines(&t, false);

	(void)options; /* a text has no checksums: nothing in it could be salvaged safely */
	reader_release(&t);
	if (st == SNAP_OK)
		model->digest = model_digest(model);
	return st;
}

static enum snap_status text_read_meta(struct model *model, struct stream *stream,
				       struct snap_error *err)
{
	struct text_reader t = {.model = model, .stream = stream, .err = err};
	enum snap_status st = parse_lines(&t, true);

	reader_release(&t);
	return st;
}

static bool text_recognises(const void *data, size_t size)
{
	return size >= sizeof(text_magic) - 1 &&
	       memcmp(data, text_magic, sizeof(text_magic) - 1) == 0;
}

const struct format format_text = {
	.name = "text",
	.recognises = text_recognises,
	.read = text_read,
	.read_meta = text_read_meta,
};
