/*
 * report.c - building a report.  Everything in it lives in one arena and goes at once.
 */
#include "report/report.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/memory.h"
#include "snap/records.h"

enum { BLOCK_SIZE = 64 * 1024 };

struct block {
	struct block *next;
	max_align_t data[];
};

struct report_arena {
	struct block *blocks;
	char *at, *end; /* room left in the newest block */
	size_t row_capacity, note_capacity, fact_capacity, warning_capacity;
};

static void *need(void *memory)
{
	return memory_need(memory, "building a report");
}

struct report *report_new(const char *schema, const struct column *columns, size_t column_count)
{
	struct report *report = need(calloc(1, sizeof(*report)));

	report->arena = need(calloc(1, sizeof(*report->arena)));
	report->schema = schema;
	report->columns = columns;
	report->column_count = column_count;
	report->head = value_object();
	report->tail = value_object();
	return report;
}

void report_free(struct report *report)
{
	if (!report)
		return;
	for (struct block *block = report->arena->blocks, *next; block; block = next) {
		next = block->next;
		free(block);
	}
	free(report->arena);
	free(report->rows);
	free(report->notes);
	free(report->facts);
	free(report->warnings);
	free(report);
}

static struct block *add_block(struct report_arena *arena, size_t size)
{
	struct block *block = NULL;

	if (size <= SIZE_MAX - sizeof(*block))
		block = malloc(sizeof(*block) + size);
	need(block);
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): need() does not return without memory */
	block->next = arena->blocks;
	arena->blocks = block;
	return block;
}

void *report_alloc(struct report *report, size_t size)
{
	struct report_arena *arena = report->arena;
	size_t rounded = (size + _Alignof(max_align_t) - 1) & ~(_Alignof(max_align_t) - 1);

	if (rounded < size)
		need(NULL);
	if (rounded == 0)
		rounded = _Alignof(max_align_t); /* nothing has an address of its own, too */
	if (rounded > BLOCK_SIZE / 4)
		return memset(add_block(arena, rounded)->data, 0, size);
	if (rounded > (size_t)(arena->end - arena->at)) {
		arena->at = (char *)add_block(arena, BLOCK_SIZE)->data;
		arena->end = arena->at + BLOCK_SIZE;
	}
	arena->at += rounded;
	return memset(arena->at - rounded, 0, size);
}

__attribute__((format(printf, 2, 0))) static const char *
format_text(struct report *report, const char *format, va_list args)
{
	va_list again;
	int size;
	char *text;

	va_copy(again, args);
	size = vsnprintf(NULL, 0, format, args);
	text = report_alloc(report, (size_t)(size < 0 ? 0 : size) + 1);
	vsnprintf(text, (size_t)(size < 0 ? 0 : size) + 1, format, again);
	va_end(again);
	return text;
}

const char *report_text(struct report *report, const char *format, ...)
{
	va_list args;
	const char *text;

	va_start(args, format);
	text = format_text(report, format, args);
	va_end(args);
	return text;
}

/* Room for one more item of `size` bytes. */
static void grow(void *items, size_t count, size_t *capacity, size_t size)
{
	if (!array_reserve(items, capacity, count, size))
		need(NULL);
}

struct value *report_row(struct report *report)
{
	size_t row_size = report->column_count * sizeof(struct value);
	struct value *row;

	grow(&report->rows, report->row_count, &report->arena->row_capacity, row_size);
	row = report->rows + report->row_count++ * report->column_count;
	memset(row, 0, row_size);
	return row;
}

void report_note(struct report *report, const char *format, ...)
{
	va_list args;

	grow(&report->notes, report->note_count, &report->arena->note_capacity,
	     sizeof(*report->notes));
	va_start(args, format);
	report->notes[report->note_count++] = format_text(report, format, args);
	va_end(args);
}

void report_fact(struct report *report, const char *format, ...)
{
	va_list args;

	grow(&report->facts, report->fact_count, &report->arena->fact_capacity,
	     sizeof(*report->facts));
	va_start(args, format);
	report->facts[report->fact_count++] = format_text(report, format, args);
	va_end(args);
}

void report_curve(struct report *report, const char *name, struct value series)
{
	if (report->curve_count < REPORT_CURVES)
		report->curves[report->curve_count++] =
			(struct curve){.name = name, .series = series};
}

static const char *copy_text(struct report *report, const char *text)
{
	return text ? report_text(report, "%s", text) : NULL;
}

static void add_warning(struct report *report, const struct notice *notice, const char *text)
{
	struct warning *warning;

	grow(&report->warnings, report->warning_count, &report->arena->warning_capacity,
	     sizeof(*report->warnings));
	warning = &report->warnings[report->warning_count++];
	*warning = (struct warning){.notice = *notice, .text = copy_text(report, text)};
	warning->notice.who = copy_text(report, notice->who);
	for (size_t i = 0; i < NOTICE_TEXTS; i++)
		warning->notice.texts[i] = copy_text(report, notice->texts[i]);
}

void report_notice(struct report *report, const struct notice *notice)
{
	char *text = need(notice_text(notice));

	if (notice_is_remark(notice))
		report_note(report, "%s", text);
	else
		add_warning(report, notice, text);
	free(text);
}

void report_notices(struct report *report, const struct notices *notices)
{
	if (notices->incomplete)
		need(NULL);
	for (size_t i = 0; i < notices->count; i++)
		report_notice(report, &notices->items[i]);
}

struct value value_null(void)
{
	return (struct value){.kind = VALUE_NULL};
}

struct value value_bool(bool boolean)
{
	return (struct value){.kind = VALUE_BOOL, .boolean = boolean};
}

struct value value_int(int64_t integer)
{
	return (struct value){.kind = VALUE_INT, .integer = integer};
}

struct value value_u64(uint64_t integer)
{
	if (integer == SNAP_UNKNOWN)
		return value_null();
	if (integer >
	    INT64_MAX) /* no heap is that large; exact in JSON would be a lie about the sign */
		return value_real((double)integer);
	return value_int((int64_t)integer);
}

struct value value_real(double real)
{
	return (struct value){.kind = VALUE_REAL, .real = real};
}

int64_t whole_number(double number)
{
	if (isnan(number))
		return 0;
	if (number >= 0x1p63)
		return INT64_MAX;
	return number <= -0x1p63 ? INT64_MIN : (int64_t)number;
}

struct value value_whole(double number)
{
	return isnan(number) ? value_null() : value_int(whole_number(number));
}

struct value value_bytes(struct report *report, const char *data, size_t size)
{
	char *copy = report_alloc(report, size + 1);

	if (size)
		memcpy(copy, data, size);
	return (struct value){.kind = VALUE_TEXT, .text = {copy, size}};
}

struct value value_text(struct report *report, const char *text)
{
	return text ? value_bytes(report, text, strlen(text)) : value_null();
}

struct value value_list(struct report *report, size_t count)
{
	struct value list = {.kind = VALUE_LIST};

	if (count > SIZE_MAX / sizeof(struct value))
		need(NULL);
	list.list.items = report_alloc(report, count * sizeof(struct value));
	list.list.count = count;
	return list;
}

struct value value_object(void)
{
	return (struct value){.kind = VALUE_OBJECT};
}

/* Capacity is the power of two at or above the count (at least 4), so it needs no field of its own.
 */
void value_field(struct report *report, struct value *object, const char *name, struct value value)
{
	size_t count = object->object.count;
	bool full = count == 0 || (count >= 4 && (count & (count - 1)) == 0);

	if (full) {
		size_t capacity = count ? count * 2 : 4;
		struct field *fields = report_alloc(report, capacity * sizeof(*fields));

		if (count)
			memcpy(fields, object->object.fields, count * sizeof(*fields));
		object->object.fields = fields;
	}
	object->object.fields[count] = (struct field){name, value};
	object->object.count++;
}

const struct value *report_cell(const struct report *report, size_t row, const char *name)
{
	for (size_t i = 0; i < report->column_count; i++)
		if (strcmp(report->columns[i].name, name) == 0)
			return &report->rows[row * report->column_count + i];
	return NULL;
}

const struct value *value_get(const struct value *object, const char *name)
{
	if (!object || object->kind != VALUE_OBJECT)
		return NULL;
	for (size_t i = 0; i < object->object.count; i++)
		if (strcmp(object->object.fields[i].name, name) == 0)
			return &object->object.fields[i].value;
	return NULL;
}
