/*
 * html_data.c - the data of a page: JSON, compressed as browsers decompress it by themselves.
 */
#include "render/html_data.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#define ZLIB_CONST /* input is not changed */
#include <zlib.h>

#include "base/verdicts.h"
#include "render/formats.h"

enum { ROWS_MAX = 2000, GZIP_WINDOW = 15 + 16, LINE_BYTES = 57 };

/* ---- numbers --------------------------------------------------------------------------------- */

/* Seven bits a byte, the lowest first: half the size of digits, and fast to read. */
static void write_number(FILE *out, uint64_t number)
{
	for (; number > 127; number >>= 7)
		putc((int)(number & 127) | 128, out);
	putc((int)number, out);
}

/* The arrays after the JSON: depth and frame of each node; the node of each leaf, as the distance
 * from the leaf before; the values of each figure, side by side. */
static void write_arrays(FILE *out, const struct page_stacks *stacks, size_t sides)
{
	for (size_t i = 0; i < stacks->node_count; i++)
		write_number(out, stacks->depth[i]);
	for (size_t i = 0; i < stacks->node_count; i++)
		write_number(out, stacks->frame[i]);
	for (size_t i = 0; i < stacks->leaf_count; i++)
		write_number(out, stacks->leaf[i] - (i ? stacks->leaf[i - 1] : 0));
	for (size_t f = 0; f < PAGE_FIGURES; f++)
		for (size_t side = PAGE_SIDES - sides;
		     side < PAGE_SIDES && (stacks->known[f] || f == 0); side++)
			for (size_t i = 0; i < stacks->leaf_count; i++)
				write_number(out, stacks->values[i][side][f]);
}

/* ---- stacks ---------------------------------------------------------------------------------- */

/* The strings that frames use, with new numbers. */
struct strings {
	uint32_t *number; /* per string of the dataset; 0: not used so far */
	uint32_t *used;   /* per number */
	uint32_t count;
};

static uint32_t string_number(struct strings *strings, uint32_t id)
{
	if (id && !strings->number[id]) {
		strings->used[strings->count] = id;
		strings->number[id] = strings->count++;
	}
	return id ? strings->number[id] : 0;
}

static void write_frames(FILE *out, const struct page_stacks *stacks, struct strings *strings)
{
	fputs("\"frames\":[", out);
	for (size_t i = 0; i < stacks->frame_count; i++) {
		const struct page_frame *frame = &stacks->frames[i];

		fprintf(out, "%s[%" PRIu32 ",%" PRIu32 ",%" PRIu32 ",%" PRIu32 ",%d]", i ? "," : "",
			string_number(strings, frame->function),
			string_number(strings, frame->file), frame->line,
			string_number(strings, frame->module), frame->own);
	}
	putc(']', out);
}

static void write_strings(FILE *out, const struct page_stacks *stacks,
			  const struct strings *strings)
{
	fputs("\"strings\":[\"\"", out);
	for (uint32_t i = 1; i < strings->count; i++) {
		const char *text = page_stacks_text(stacks, strings->used[i]);
		struct value value = {.kind = VALUE_TEXT, .text = {text, strlen(text)}};

		putc(',', out);
		json_value(out, &value);
	}
	putc(']', out);
}

static bool write_stacks(FILE *out, const struct page_stacks *stacks, size_t sides)
{
	size_t count = page_stacks_string_count(stacks) + 1;
	struct strings strings = {calloc(count, sizeof(uint32_t)), calloc(count, sizeof(uint32_t)),
				  1};
	bool first = true;

	if (strings.number && strings.used) {
		fputs("\"stacks\":{\"metrics\":[", out);
		for (size_t f = 0; f < PAGE_FIGURES; f++)
			if (stacks->known[f] || f == 0) {
				fprintf(out, "%s\"%s\"", first ? "" : ",", page_figure_names[f]);
				first = false;
			}
		fputs("],", out);
		write_frames(out, stacks, &strings);
		putc(',', out);
		write_strings(out, stacks, &strings);
		putc(',', out);
		fprintf(out, "\"nodes\":%zu,\"leaves\":%zu,\"sides\":%zu}", stacks->node_count,
			stacks->leaf_count, sides);
	}
	free(strings.number);
	free(strings.used);
	return strings.number && strings.used;
}

/* ---- rows ------------------------------------------------------------------------------------ */

static const char *kind_of(const struct column *column)
{
	switch (column->kind) {
	case COLUMN_BYTES:
	case COLUMN_DELTA_BYTES:
		return "bytes";
	case COLUMN_COUNT:
	case COLUMN_DELTA_COUNT:
	case COLUMN_RATIO:
		return "count";
	default:
		return "text";
	}
}

static void write_columns(FILE *out, const struct report *report)
{
	bool first = true;

	fputs("\"columns\":[", out);
	for (size_t i = 0; i < report->column_count; i++) {
		const struct column *column = &report->columns[i];
		bool sign =
			column->kind == COLUMN_DELTA_BYTES || column->kind == COLUMN_DELTA_COUNT;

		if (!html_shows_column(column))
			continue;
		fprintf(out, "%s{\"name\":\"%s\",\"title\":\"%s\",\"kind\":\"%s\",\"sign\":%s}",
			first ? "" : ",", column->name, column->title, kind_of(column),
			sign ? "true" : "false");
		first = false;
	}
	putc(']', out);
}

static void write_rows(FILE *out, const struct report *report)
{
	size_t count = report->row_count < ROWS_MAX ? report->row_count : ROWS_MAX;

	fputs("\"rows\":[", out);
	for (size_t row = 0; row < count; row++) {
		if (row)
			putc(',', out);
		json_row(out, report, row);
	}
	fprintf(out, "],\"left_out\":%zu", report->row_count - count);
}

/* ---- series ---------------------------------------------------------------------------------- */

/* For each snapshot, the data for the axes and marks of charts. */
static void write_inputs(FILE *out, const struct value *inputs)
{
	static const char *const names[] = {"time", "label", "labels", "trigger"};
	size_t count = inputs && inputs->kind == VALUE_LIST ? inputs->list.count : 0;

	fputs("\"inputs\":[", out);
	for (size_t i = 0; i < count; i++) {
		bool first = true;

		fputs(i ? ",{" : "{", out);
		for (size_t n = 0; n < sizeof(names) / sizeof(*names); n++) {
			const struct value *value = value_get(&inputs->list.items[i], names[n]);

			if (!value || value->kind == VALUE_NULL)
				continue;
			fprintf(out, "%s\"%s\":", first ? "" : ",", names[n]);
			json_value(out, value);
			first = false;
		}
		putc('}', out);
	}
	putc(']', out);
}

static void write_series(FILE *out, const struct report *report)
{
	static const char *const names[] = {"process", "processes", "per"};

	fputs("\"series\":{", out);
	write_inputs(out, value_get(&report->head, "inputs"));
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const struct value *value = value_get(&report->head, names[i]);

		fprintf(out, ",\"%s\":", names[i]);
		if (value)
			json_value(out, value);
		else
			fputs("null", out);
	}
	putc('}', out);
}

static size_t sides_of(const struct page *page)
{
	return strcmp(page->mode, "top") == 0 ? 1 : PAGE_SIDES;
}

/* By rising harm: their places are the numbers that flame.js compares. */
static void write_verdicts(FILE *out)
{
	fputs("\"verdicts\":[", out);
	for (int harm = 1; harm <= GROWTH_VERDICTS; harm++)
		for (int i = 0; i < GROWTH_VERDICTS; i++)
			if (verdicts[i].harm == harm)
				fprintf(out, "%s[\"%s\",%s]", harm > 1 ? "," : "", verdicts[i].name,
					verdicts[i].page);
	putc(']', out);
}

static bool write_json(const struct page *page, FILE *out)
{
	bool fine;

	fprintf(out, "{\"mode\":\"%s\",", page->mode);
	write_columns(out, page->report);
	putc(',', out);
	write_rows(out, page->report);
	putc(',', out);
	write_series(out, page->report);
	putc(',', out);
	write_verdicts(out);
	putc(',', out);
	fine = write_stacks(out, page->stacks, sides_of(page));
	putc('}', out);
	return fine;
}

/* ---- packing --------------------------------------------------------------------------------- */

static unsigned char *compress_bytes(const char *data, size_t size, size_t *packed)
{
	z_stream stream = {0};
	unsigned char *out = NULL;
	size_t room;

	if (size > UINT32_MAX / 2 ||
	    deflateInit2(&stream, 9, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return NULL;
	room = deflateBound(&stream, size);
	out = malloc(room);
	if (out) {
		stream.next_in = (const unsigned char *)data;
		stream.avail_in = (uInt)size;
		stream.next_out = out;
		stream.avail_out = (uInt)room;
		deflate(&stream, Z_FINISH);
		*packed = room - stream.avail_out;
	}
	deflateEnd(&stream);
	return out;
}

static void write_base64(FILE *out, const unsigned char *data, size_t size)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < size; i += 3) {
		uint32_t word = (uint32_t)data[i] << 16 |
				(i + 1 < size ? (uint32_t)data[i + 1] << 8 : 0) |
				(i + 2 < size ? data[i + 2] : 0);

		if (i && i % LINE_BYTES == 0)
			putc('\n', out);
		putc(digits[word >> 18], out);
		putc(digits[word >> 12 & 63], out);
		putc(i + 1 < size ? digits[word >> 6 & 63] : '=', out);
		putc(i + 2 < size ? digits[word & 63] : '=', out);
	}
}

enum snap_status html_data_write(const struct page *page, FILE *out)
{
	char *data = NULL;
	size_t size, packed_size, json_size = 0;
	unsigned char *packed = NULL;
	FILE *memory = open_memstream(&data, &size);
	bool fine = memory && write_json(page, memory);

	if (fine) {
		json_size = (size_t)ftell(memory);
		write_arrays(memory, page->stacks, sides_of(page));
	}
	fine = memory && fclose(memory) == 0 && data && fine;
	if (fine)
		packed = compress_bytes(data, size, &packed_size);
	if (packed) {
		fprintf(out,
			"<script type=\"application/octet-stream\" id=\"data\" data-size=\"%zu\" "
			"data-json=\"%zu\">\n",
			size, json_size);
		write_base64(out, packed, packed_size);
		fputs("\n</script>\n", out);
	}
	free(data);
	free(packed);
	return packed ? SNAP_OK : SNAP_ENOMEM;
}
