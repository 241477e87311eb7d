/*
 * json.c - a report as one JSON object.
 *
 * Written by hand rather than through cJSON: a report may have a million rows, which need not exist
 * a second time as a tree, and 64-bit integers must come out exactly.
 */
#include "render/formats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "base/utf8.h"

static void write_text(FILE *out, const char *text)
{
	fwrite(text, 1, strlen(text), out);
}

/* One byte that cannot stand for itself. */
static void write_escape(FILE *out, unsigned char byte)
{
	switch (byte) {
	case '"':
		write_text(out, "\\\"");
		break;
	case '\\':
		write_text(out, "\\\\");
		break;
	case '\n':
		write_text(out, "\\n");
		break;
	case '\t':
		write_text(out, "\\t");
		break;
	case '\r':
		write_text(out, "\\r");
		break;
	default:
		fprintf(out, byte < 0x80 ? "\\u%04x" : "\\udc%02x", byte);
	}
}

/*
 * The lone surrogate at `data`: three bytes that are not UTF-8, which Python's strings may have.  0
 * if there is none, or if what follows would be escaped too: the two would be read as a pair, which
 * would be another character.
 */
static unsigned surrogate_at(const char *data, size_t size)
{
	const unsigned char *s = (const unsigned char *)data;

	if (size < 3 || s[0] != 0xed || s[1] < 0xa0 || s[1] > 0xbf || (s[2] & 0xc0) != 0x80)
		return 0;
	if (s[1] < 0xb0 && size > 3 && utf8_length(data + 3, size - 3) == 0)
		return 0;
	return 0xd000u | (s[1] & 0x3fu) << 6 | (s[2] & 0x3fu);
}

static void json_string(FILE *out, const char *data, size_t size)
{
	size_t plain = 0, at = 0;

	putc('"', out);
	while (at < size) {
		unsigned char byte = (unsigned char)data[at];
		size_t length = byte < 0x80 ? 1 : utf8_length(data + at, size - at);

		uint32_t character = length ? utf8_decode(data + at, length) : 0;

		if (length && !utf8_is_control(character) && byte != '"' && byte != '\\') {
			at += length;
			continue;
		}
		fwrite(data + plain, 1, at - plain, out);
		if (length > 1) {
			fprintf(out, "\\u%04x", character); /* no control is beyond 16 bits */
			at += length;
		} else if (surrogate_at(data + at, size - at)) {
			fprintf(out, "\\u%04x", surrogate_at(data + at, size - at));
			at += 3;
		} else {
			write_escape(out, byte);
			at++;
		}
		plain = at;
	}
	fwrite(data + plain, 1, at - plain, out);
	putc('"', out);
}

const char *json_real(double real, char buffer[32])
{
	if (!isfinite(real))
		return "null";
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(buffer, 32, "%.*g", digits, real);
		if (strtod(buffer, NULL) == real)
			break;
	}
	return buffer;
}

static void write_list(FILE *out, const struct value *list)
{
	putc('[', out);
	for (size_t i = 0; i < list->list.count; i++) {
		if (i)
			putc(',', out);
		json_value(out, &list->list.items[i]);
	}
	putc(']', out);
}

static void write_field(FILE *out, const char *name, const struct value *value)
{
	json_string(out, name, strlen(name));
	putc(':', out);
	json_value(out, value);
}

static void write_object(FILE *out, const struct value *object)
{
	putc('{', out);
	for (size_t i = 0; i < object->object.count; i++) {
		if (i)
			putc(',', out);
		write_field(out, object->object.fields[i].name, &object->object.fields[i].value);
	}
	putc('}', out);
}

void json_value(FILE *out, const struct value *value)
{
	char buffer[32];

	switch (value->kind) {
	case VALUE_NULL:
		write_text(out, "null");
		break;
	case VALUE_BOOL:
		write_text(out, value->boolean ? "true" : "false");
		break;
	case VALUE_INT:
		fprintf(out, "%lld", (long long)value->integer);
		break;
	case VALUE_REAL:
		write_text(out, json_real(value->real, buffer));
		break;
	case VALUE_TEXT:
		json_string(out, value->text.data, value->text.size);
		break;
	case VALUE_LIST:
		write_list(out, value);
		break;
	case VALUE_OBJECT:
		write_object(out, value);
		break;
	}
}

char *json_text(const struct value *value, size_t *size)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, size);

	if (!out)
		return NULL;
	json_value(out, value);
	fclose(out);
	return text;
}

void json_row(FILE *out, const struct report *report, size_t row)
{
	const struct value *values = report->rows + row * report->column_count;
	const char *separator = "{";

	for (size_t i = 0; i < report->column_count; i++) {
		if (report->columns[i].flags & COLUMN_TABLE_ONLY)
			continue;
		write_text(out, separator);
		write_field(out, report->columns[i].name, &values[i]);
		separator = ",";
	}
	write_text(out, *separator == '{' ? "{}" : "}");
}

void json_head(FILE *out, const struct report *report, const char *separator)
{
	write_text(out, "\"schema\":");
	json_string(out, report->schema, strlen(report->schema));
	fprintf(out, ",\"tool\":{\"name\":\"snapdiff\",\"version\":\"%s\"}", cli_version());
	for (size_t i = 0; i < report->head.object.count; i++) {
		write_text(out, separator);
		write_field(out, report->head.object.fields[i].name,
			    &report->head.object.fields[i].value);
	}
}

void json_tail(FILE *out, const struct report *report, const char *separator)
{
	for (size_t i = 0; i < report->tail.object.count; i++) {
		write_field(out, report->tail.object.fields[i].name,
			    &report->tail.object.fields[i].value);
		write_text(out, separator);
	}
	write_text(out, "\"warnings\":[");
	for (size_t i = 0; i < report->warning_count; i++) {
		if (i)
			putc(',', out);
		json_string(out, report->warnings[i].text, strlen(report->warnings[i].text));
	}
	putc(']', out);
}

/* A line per field of the object and per row: as compact as it can be for `diff` and `git` to work
 * on it. */
static enum snap_status render(const struct report *report, FILE *out,
			       const struct render_options *options)
{
	(void)options;
	putc('{', out);
	json_head(out, report, ",\n ");
	write_text(out, ",\n \"rows\":[");
	for (size_t row = 0; row < report->row_count; row++) {
		write_text(out, row ? ",\n  " : "\n  ");
		json_row(out, report, row);
	}
	write_text(out, report->row_count ? "\n ],\n " : "],\n ");
	json_tail(out, report, ",\n ");
	write_text(out, "}\n");
	return ferror(out) ? SNAP_ESYSTEM : SNAP_OK;
}

const struct renderer render_json = {"json", render};
