/*
 * separated.c - rows as lines of cells.
 */
#include "render/separated.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"

enum { NOT_FLAT = COLUMN_DETAIL | COLUMN_TABLE_ONLY };

static void write_nested(const struct separated *format, FILE *out, const struct value *value)
{
	size_t size;
	char *text = memory_need(json_text(value, &size), "printing a report");

	format->cell(out, text, size);
	free(text);
}

/* Length of a lone surrogate in three bytes, as names in Python's dumps may have, or of one byte
 * that is no UTF-8. */
static size_t ill_formed_length(const char *data, size_t size)
{
	const unsigned char *at = (const unsigned char *)data;

	return size >= 3 && at[0] == 0xed && at[1] >= 0xa0 ? 3 : 1;
}

/* Characters that begin a formula in a spreadsheet. */
static bool begins_formula(const char *data, size_t size)
{
	return size > 0 && data[0] && strchr("=+-@\t\r", data[0]);
}

/* A name may come from a hostile file: it must not become a formula in a spreadsheet or a
 * command to a terminal. */
static void write_tame(const struct separated *format, FILE *out, const char *data, size_t size,
		       const struct render_options *options)
{
	bool formula = !options->raw_cells && begins_formula(data, size);
	struct text_buffer tame = {0};

	if (!formula && !options->terminal) {
		format->cell(out, data, size);
		return;
	}
	text_add(&tame, "'", formula);
	if (options->terminal)
		text_add_safe(&tame, data, size);
	else
		text_add(&tame, data, size);
	format->cell(out, tame.data, tame.size);
	text_free(&tame);
}

/* Readers of these formats reject invalid UTF-8, so it becomes U+FFFD.  JSON has the exact bytes.
 */
static void write_text(const struct separated *format, FILE *out, const char *data, size_t size,
		       const struct render_options *options)
{
	char *text = NULL;
	size_t at = 0, length = 0, written;
	FILE *memory;

	while (at < size && (length = utf8_length(data + at, size - at)) > 0)
		at += length;
	if (at == size) {
		write_tame(format, out, data, size, options);
		return;
	}
	memory = memory_need(open_memstream(&text, &written), "printing a report");
	for (at = 0; at < size; at += length) {
		length = utf8_length(data + at, size - at);
		if (length > 0)
			fwrite(data + at, 1, length, memory);
		else
			fputs("\xef\xbf\xbd", memory);
		if (length == 0)
			length = ill_formed_length(data + at, size - at);
	}
	memory_need(fclose(memory) == 0 ? text : NULL, "printing a report");
	write_tame(format, out, text, written, options);
	free(text);
}

static void write_value(const struct separated *format, FILE *out, const struct value *value,
			const struct render_options *options)
{
	char buffer[32];

	switch (value->kind) {
	case VALUE_NULL:
		break;
	case VALUE_BOOL:
		fputs(value->boolean ? "true" : "false", out);
		break;
	case VALUE_INT:
		fprintf(out, "%" PRId64, value->integer);
		break;
	case VALUE_REAL:
		if (strcmp(json_real(value->real, buffer), "null") != 0)
			fputs(buffer, out);
		break;
	case VALUE_TEXT:
		write_text(format, out, value->text.data, value->text.size, options);
		break;
	case VALUE_LIST:
	case VALUE_OBJECT:
		write_nested(format, out, value);
		break;
	}
}

/* The separator before every cell but the first; then the next is not the first. */
static void separate(const struct separated *format, FILE *out, bool *first)
{
	if (!*first)
		putc(format->separator, out);
	*first = false;
}

static void write_header(const struct separated *format, const struct report *report, FILE *out)
{
	bool first = true;

	for (size_t i = 0; i < report->column_count; i++) {
		if (report->columns[i].flags & NOT_FLAT)
			continue;
		separate(format, out, &first);
		format->cell(out, report->columns[i].name, strlen(report->columns[i].name));
	}
	fputs(format->line_end, out);
}

static void write_row(const struct separated *format, const struct report *report,
		      const struct value *values, FILE *out, const struct render_options *options)
{
	bool first = true;

	for (size_t i = 0; i < report->column_count; i++) {
		if (report->columns[i].flags & NOT_FLAT)
			continue;
		separate(format, out, &first);
		write_value(format, out, &values[i], options);
	}
	fputs(format->line_end, out);
}

static void write_hidden(const struct separated *format, const struct report *report, FILE *out,
			 const struct render_options *options)
{
	size_t label = label_column(report, NOT_FLAT);
	bool first = true;

	for (size_t i = 0; i < report->column_count; i++) {
		const struct value *figure = summary_figure(report, "hidden", i);

		if (report->columns[i].flags & NOT_FLAT)
			continue;
		separate(format, out, &first);
		if (i == label)
			format->cell(out, "(hidden)", strlen("(hidden)"));
		else if (figure)
			write_value(format, out, figure, options);
	}
	fputs(format->line_end, out);
}

enum snap_status separated_render(const struct separated *format, const struct report *report,
				  FILE *out, const struct render_options *options)
{
	write_header(format, report, out);
	for (size_t row = 0; row < report->row_count; row++)
		write_row(format, report, report->rows + row * report->column_count, out, options);
	if (has_hidden(report))
		write_hidden(format, report, out, options);
	return ferror(out) ? SNAP_ESYSTEM : SNAP_OK;
}
