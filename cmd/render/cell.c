/*
 * cell.c - format a value for people: with units and signs, safe on a terminal.
 */
#include "render/formats.h"
#include "render/render.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Most columns of a sparkline; longer series are averaged into this many. */
enum { SPARKLINE_WIDTH = 24 };

static void add(struct text_buffer *text, const char *string)
{
	text_add(text, string, strlen(string));
}

bool cell_is_number(enum column_kind kind)
{
	switch (kind) {
	case COLUMN_BYTES:
	case COLUMN_COUNT:
	case COLUMN_DELTA_BYTES:
	case COLUMN_DELTA_COUNT:
	case COLUMN_RATIO:
	case COLUMN_ADDRESS:
		return true;
	default:
		return false;
	}
}

/* "1,234,567" */
static void add_grouped(struct text_buffer *text, int64_t integer, bool sign)
{
	uint64_t magnitude = integer < 0 ? -(uint64_t)integer : (uint64_t)integer;
	char digits[32];
	int size = snprintf(digits, sizeof(digits), "%" PRIu64, magnitude);

	if (integer < 0 || (sign && integer > 0))
		add(text, integer < 0 ? "-" : "+");
	for (int i = 0; i < size; i++) {
		if (i && (size - i) % 3 == 0)
			add(text, ",");
		text_add(text, &digits[i], 1);
	}
}

static void add_bytes(struct text_buffer *text, int64_t bytes, bool sign, bool exact)
{
	char buffer[32];

	if (exact)
		add_grouped(text, bytes, sign);
	else
		add(text, render_bytes(bytes, sign, buffer));
}

static void add_integer(struct text_buffer *text, int64_t integer, enum column_kind kind,
			const struct render_options *options)
{
	char buffer[32];

	switch (kind) {
	case COLUMN_BYTES:
	case COLUMN_DELTA_BYTES:
		add_bytes(text, integer, kind == COLUMN_DELTA_BYTES, options->exact);
		break;
	case COLUMN_COUNT:
	case COLUMN_DELTA_COUNT:
		add_grouped(text, integer, kind == COLUMN_DELTA_COUNT);
		break;
	case COLUMN_RATIO:
		snprintf(buffer, sizeof(buffer), "%" PRId64 "%%", integer * 100);
		add(text, buffer);
		break;
	case COLUMN_ADDRESS:
		snprintf(buffer, sizeof(buffer), "0x%" PRIx64, (uint64_t)integer);
		add(text, buffer);
		break;
	default:
		snprintf(buffer, sizeof(buffer), "%" PRId64, integer);
		add(text, buffer);
	}
}

static bool fits_integer(double real)
{
	return isfinite(real) && fabs(real) < 9e18;
}

static void add_real(struct text_buffer *text, double real, enum column_kind kind,
		     const struct render_options *options)
{
	char buffer[32];

	switch (kind) {
	case COLUMN_BYTES:
	case COLUMN_DELTA_BYTES:
		if (!fits_integer(real))
			add(text, "-");
		else
			add_integer(text, llround(real), kind, options);
		break;
	case COLUMN_COUNT:
	case COLUMN_DELTA_COUNT:
		snprintf(buffer, sizeof(buffer), kind == COLUMN_COUNT ? "%.1f" : "%+.1f", real);
		add(text, buffer);
		break;
	case COLUMN_RATIO:
		snprintf(buffer, sizeof(buffer), "%.1f%%", real * 100);
		add(text, isfinite(real) ? buffer : "-");
		break;
	default:
		snprintf(buffer, sizeof(buffer), "%.6g", real);
		add(text, buffer);
	}
}

static double number_of(const struct value *value)
{
	return value->kind == VALUE_INT    ? (double)value->integer
	       : value->kind == VALUE_REAL ? value->real
					   : (double)NAN;
}

/* The mean of the numbers in items[from..to); NAN when there are none. */
static double mean_of(const struct value *items, size_t from, size_t to)
{
	double sum = 0;
	size_t known = 0;

	for (size_t i = from; i < to; i++) {
		double number = number_of(&items[i]);

		if (!isfinite(number))
			continue;
		sum += number;
		known++;
	}
	return known ? sum / (double)known : (double)NAN;
}

static void add_sparkline(struct text_buffer *text, const struct value *list)
{
	static const char *const bars[] = {"\xe2\x96\x81", "\xe2\x96\x82", "\xe2\x96\x83",
					   "\xe2\x96\x84", "\xe2\x96\x85", "\xe2\x96\x86",
					   "\xe2\x96\x87", "\xe2\x96\x88"};
	size_t count = list->list.count, width = count < SPARKLINE_WIDTH ? count : SPARKLINE_WIDTH;
	double points[SPARKLINE_WIDTH], least = HUGE_VAL, most = -HUGE_VAL;

	for (size_t i = 0; i < width; i++) {
		points[i] = mean_of(list->list.items, i * count / width, (i + 1) * count / width);
		least = fmin(least, points[i]);
		most = fmax(most, points[i]);
	}
	for (size_t i = 0; i < width; i++) {
		double place = most > least ? (points[i] - least) / (most - least) * 7 : 0;

		if (isnan(points[i]))
			add(text, " ");
		else
			add(text, bars[lround(place)]);
	}
}

/* Lists and objects that no column kind explains: compact JSON. */
static void add_nested(struct text_buffer *text, const struct value *value)
{
	size_t size;
	char *json = json_text(value, &size);

	if (json)
		text_add_safe(text, json, size);
	free(json);
}

static void add_field_text(struct text_buffer *text, const char *before, const struct value *value)
{
	if (!value || value->kind != VALUE_TEXT || value->text.size == 0)
		return;
	add(text, before);
	text_add_safe(text, value->text.data, value->text.size);
}

void cell_frame(struct text_buffer *text, const struct value *frame)
{
	const struct value *function = value_get(frame, "function"),
			   *line = value_get(frame, "line");
	const struct value *file = value_get(frame, "file");
	char buffer[32];

	if (function && function->kind == VALUE_TEXT && function->text.size)
		text_add_safe(text, function->text.data, function->text.size);
	else
		add(text, "?");
	if (file && file->kind == VALUE_TEXT && file->text.size) {
		add_field_text(text, "  ", file);
		if (line && line->kind == VALUE_INT && line->integer > 0) {
			snprintf(buffer, sizeof(buffer), ":%" PRId64, line->integer);
			add(text, buffer);
		}
	} else {
		add_field_text(text, "  ", value_get(frame, "module"));
	}
}

static void add_stack(struct text_buffer *text, const struct value *list)
{
	for (size_t i = 0; i < list->list.count; i++) {
		if (i)
			add(text, " <- ");
		cell_frame(text, &list->list.items[i]);
	}
}

/* "2026-01-02T03:04:05.123456789Z" is "2026-01-02 03:04:05" to people. */
static void add_text(struct text_buffer *text, const struct value *value, enum column_kind kind,
		     const struct render_options *options)
{
	char buffer[RENDER_TIME_SIZE];

	if (kind == COLUMN_TIME && !options->exact)
		add(text, render_time(value->text.data, buffer));
	else
		text_add_safe(text, value->text.data, value->text.size);
}

void cell_text(struct text_buffer *text, const struct value *value, enum column_kind kind,
	       const struct render_options *options)
{
	text_clear(text);
	if (kind == COLUMN_DELTA_BYTES && value->is_level)
		kind = COLUMN_BYTES;
	switch (value->kind) {
	case VALUE_NULL:
		add(text, kind == COLUMN_TEXT || kind == COLUMN_NAME ? "" : "-");
		break;
	case VALUE_BOOL:
		add(text, value->boolean ? "yes" : "no");
		break;
	case VALUE_INT:
		add_integer(text, value->integer, kind, options);
		break;
	case VALUE_REAL:
		add_real(text, value->real, kind, options);
		break;
	case VALUE_TEXT:
		add_text(text, value, kind, options);
		break;
	case VALUE_LIST:
		if (kind == COLUMN_SERIES)
			add_sparkline(text, value);
		else if (kind == COLUMN_STACK)
			add_stack(text, value);
		else
			add_nested(text, value);
		break;
	case VALUE_OBJECT:
		add_nested(text, value);
		break;
	}
}
