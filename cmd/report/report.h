/*
 * report/report.h - the result of a command: typed columns and rows, without a format.
 *
 * A report owns everything in it (one arena).  Renderers walk it; they treat all reports alike.
 */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/notice.h"

enum value_kind {
	VALUE_NULL,
	VALUE_BOOL,
	VALUE_INT,
	VALUE_REAL,
	VALUE_TEXT,
	VALUE_LIST,
	VALUE_OBJECT
};

struct value {
	enum value_kind kind;
	bool is_level; /* in a column of changes: an amount and not a change, shown without a
		          sign */
	union {
		bool boolean;
		int64_t integer; /* bytes, counts: always exact here */
		double real;
		struct {
			const char *data; /* NUL-terminated too */
			size_t size;
		} text;
		struct {
			struct value *items;
			size_t count;
		} list;
		struct {
			struct field *fields; /* in output order */
			size_t count;
		} object;
	};
};

struct field {
	const char *name;
	struct value value;
};

/** How a column's numbers are shown to a person; JSON ignores it. */
enum column_kind {
	COLUMN_TEXT,
	COLUMN_NAME,  /* may be shortened in the middle to fit the terminal */
	COLUMN_TIME,  /* to the second in tables; a text in ISO 8601 */
	COLUMN_BYTES, /* humanised in tables */
	COLUMN_COUNT,
	COLUMN_DELTA_BYTES, /* signed, with an explicit + */
	COLUMN_DELTA_COUNT,
	COLUMN_RATIO, /* shown as a percentage */
	COLUMN_ADDRESS,
	COLUMN_VERDICT, /* coloured by its meaning: new, grew, leak, ... */
	COLUMN_STACK,   /* list of frame objects; multi-line in tables */
	COLUMN_SERIES,  /* list of numbers; a sparkline in tables */
	COLUMN_TREE,    /* any other list or object */
};

enum column_flags {
	COLUMN_HIDDEN = 1 << 0, /* not in tables and markdown (JSON, CSV have it) */
	COLUMN_DETAIL = 1 << 1, /* only in JSON: too deep for flat formats */
	COLUMN_FOLDED = 1 << 3, /* markdown has it below the table, folded, for the first rows */
	COLUMN_TABLE_ONLY = 1 << 2, /* derived for people (percent of total): not in JSON and CSV */
	COLUMN_UNDER = 1 << 4, /* in tables a line of its own, under the row; goes with --quiet */
};

/** On a narrow terminal this column gives way, the one with the highest order (1 to 255) first. */
#define COLUMN_SPARE(order)       ((unsigned)(order) << 8)
#define COLUMN_SPARE_ORDER(flags) ((flags) >> 8)

struct column {
	const char *name;  /* JSON key, CSV header */
	const char *title; /* table header */
	enum column_kind kind;
	unsigned flags;
};

/** A figure of the whole over the snapshots, for people where a sparkline can be shown. */
struct curve {
	const char *name;
	struct value series; /* list of numbers */
};

enum { REPORT_CURVES = 8 };

struct warning {
	struct notice notice;
	const char *text; /* its meaning */
};

struct report {
	const char *schema; /* "snapdiff.top/1" */
	const char *
		headline; /* the finding in one sentence, before the title; NULL: the title is it */
	const char *title; /* one line for people: what this is about, with totals */
	struct value
		head; /* object: fields printed before rows: inputs, group, metric, totals ... */
	const struct column *columns;
	size_t column_count;
	struct value *rows; /* row r, column c: rows[r * column_count + c] */
	size_t row_count;
	struct value tail; /* object: fields printed after rows: shown, hidden ... */
	const char *
		*notes; /* closing lines for people: what was not shown, the next command to copy */
	size_t note_count;
	const char **facts; /* closing lines that matter for the verdict: always kept */
	size_t fact_count;
	struct curve curves[REPORT_CURVES]; /* shown under the title */
	size_t curve_count;
	bool charts; /* tables: the process and the first row as charts, before the rows */
	struct warning *warnings;
	size_t warning_count;
	size_t damaged; /* files that are left out: whoever prints the report ends with 3 */
	bool finding;   /* true when --exit-code should make the exit status 1 */
	struct report_arena *arena;
};

/* ---- building (report.c) --------------------------------------------------------------------- */
struct report *report_new(const char *schema, const struct column *columns, size_t column_count);
void report_free(struct report *report);
/** Memory that lives as long as the report; exits the process with status 4 when memory is out. */
void *report_alloc(struct report *report, size_t size);
const char *report_text(struct report *report, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/** Appends a row of nulls and returns it: column_count values, valid until the next row. */
struct value *report_row(struct report *report);
/** The value of a row in the column `name`, or NULL: the report has no such column. */
const struct value *report_cell(const struct report *report, size_t row, const char *name);
void report_note(struct report *report, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/** A note that --quiet keeps. */
void report_fact(struct report *report, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/** `name` lives as long as the report; more than REPORT_CURVES are not kept. */
void report_curve(struct report *report, const char *name, struct value series);
/** Take a copy of a notice: a warning, or a remark, which becomes a note. */
void report_notice(struct report *report, const struct notice *notice);
void report_notices(struct report *report, const struct notices *notices);

struct value value_null(void);
struct value value_bool(bool boolean);
struct value value_int(int64_t integer);
/** SNAP_UNKNOWN becomes null. */
struct value value_u64(uint64_t integer);
struct value value_real(double real);
/** The whole part of a number, cut to what 64 bits hold; null where it is none.  Sums and slopes of
 * hostile figures have any size. */
int64_t whole_number(double number);
struct value value_whole(double number);
struct value value_text(struct report *report, const char *text); /* copied; NULL becomes null */
struct value value_bytes(struct report *report, const char *data, size_t size); /* copied */
struct value value_list(struct report *report, size_t count);                   /* items are null */
struct value value_object(void);
/** Append a field to an object; `name` is a literal or lives as long as the report. */
void value_field(struct report *report, struct value *object, const char *name, struct value value);
/** The field `name` of an object, or NULL: no such field, or no object (NULL included). */
const struct value *value_get(const struct value *object, const char *name);

#endif
