/*
 * table.c - a report for a person at a terminal.
 *
 * Columns are as wide as their content.  If the terminal is narrower, less important columns are
 * left out, and names are shortened in the middle, the widest first.  Numbers are never shortened.
 * The column that names the rows always stays, wide enough to distinguish them.
 */
#include "render/chart.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/verdicts.h"

enum {
	NOT_SHOWN = COLUMN_HIDDEN | COLUMN_DETAIL,
	NO_CELL = NOT_SHOWN | COLUMN_UNDER,
	GAP = 2,
	NAME_LEAST = 14,
	WIDE_NAME_LEAST = 22,
	WIDE = 100, /* columns of a terminal that has room for readable names */
	LABEL_LEAST = 32
};

struct table {
	const struct report *report;
	const struct render_options *options;
	FILE *out;
	size_t *columns; /* which of the report's columns are shown */
	unsigned *widths;
	size_t count;
	size_t label;         /* the column that names the rows, and says "hidden", "total" */
	unsigned label_least; /* the width at which rows look different */
	struct text_buffer text;
	unsigned lines; /* printed so far */
	bool bare;      /* there is no room for reasons */
	int pending;    /* spaces not printed yet: a line does not end in any */
};

/* ---- closing rows: what was hidden, and the total -------------------------------------------- */

enum closing { CLOSING_HIDDEN, CLOSING_TOTAL };

/* Text of a cell in a closing row: empty where the report has no figure. */
static void closing_text(struct table *table, enum closing closing, size_t column)
{
	const struct value *hidden = summary_figure(table->report, "hidden", column);
	struct value figure = closing == CLOSING_TOTAL ? summary_total(table->report, column)
			      : hidden                 ? *hidden
						       : value_null();
	char buffer[64];
	const char *label =
		closing == CLOSING_TOTAL ? "total" : hidden_label(table->report, buffer);

	text_clear(&table->text);
	if (column == table->label)
		text_add(&table->text, label, strlen(label));
	else if (figure.kind != VALUE_NULL)
		cell_text(&table->text, &figure, table->report->columns[column].kind,
			  table->options);
}

/* ---- widths ---------------------------------------------------------------------------------- */

static void widen(struct table *table, size_t i)
{
	unsigned width = text_width(table->text.data);

	if (width > table->widths[i])
		table->widths[i] = width;
}

static void measure(struct table *table)
{
	const struct report *report = table->report;

	for (size_t i = 0; i < table->count; i++) {
		size_t column = table->columns[i];

		table->widths[i] = text_width(report->columns[column].title);
		for (size_t row = 0; row < report->row_count; row++) {
			cell_text(&table->text, &report->rows[row * report->column_count + column],
				  report->columns[column].kind, table->options);
			widen(table, i);
		}
		if (has_hidden(report)) {
			closing_text(table, CLOSING_HIDDEN, column);
			widen(table, i);
		}
		if (wants_total(report)) {
			closing_text(table, CLOSING_TOTAL, column);
			widen(table, i);
		}
	}
}

static int compare_texts(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

/* ---- names that are too long ----------------------------------------------------------------- */

/* Replace [from, to) of a text by a gap. */
static void cut_out(struct text_buffer *text, size_t from, size_t to, bool unicode)
{
	const char *gap = unicode ? "\xe2\x80\xa6" : "..";
	struct text_buffer shorter = {0};

	text_add(&shorter, text->data, from);
	text_add(&shorter, gap, strlen(gap));
	text_add(&shorter, text->data + to, text->size - to);
	text_free(text);
	*text = shorter;
}

/* Where the part after `at` of a qualified name begins with its next "::", or of a path with its
 * next slash; 0: nowhere. */
static size_t next_part(const char *text, size_t at, bool is_path)
{
	for (; text[at] && (is_path || !strchr(" (<", text[at])); at++)
		if (is_path ? text[at] == '/' : text[at] == ':' && text[at + 1] == ':')
			return at;
	return 0;
}

/* Leave out as many of the outer parts from `from` on as the width wants. */
static void drop_outer(struct text_buffer *text, size_t from, bool is_path, unsigned width,
		       bool unicode)
{
	unsigned whole = text_width(text->data), gap = unicode ? 1 : 2;
	size_t to = from, next;

	while (whole - (unsigned)(to - from) + (to > from ? gap : 0) > width &&
	       (next = next_part(text->data, to + 1, is_path)))
		to = next;
	if (to > from + gap)
		cut_out(text, from, to, unicode);
}

/* "f(int, A<(B)1> const&) a.cc:3": leave out what is between the parentheses. */
static void drop_parameters(struct text_buffer *text, bool unicode)
{
	const char *open = strchr(text->data, '('), *at = open;
	int depth = 0;

	if (!open || open == text->data || strchr(" :", open[-1]))
		return; /* a module, or an unnamed scope */
	do {
		depth += (*at == '(') - (*at == ')');
	} while (depth && *++at);
	if (depth == 0 && at > open + 3 && (at[1] == ' ' || at[1] == '\0'))
		cut_out(text, (size_t)(open + 1 - text->data), (size_t)(at - text->data), unicode);
}

/* Cut a text to `width`: the directories of a file, the parameters and the outer scopes of a
 * function say least. */
static void shorten(struct text_buffer *text, unsigned width, bool unicode)
{
	const char *space;

	if (text_width(text->data) > width) {
		space = strrchr(text->data, ' ');
		drop_outer(text, space ? (size_t)(space + 1 - text->data) : 0, true, width,
			   unicode);
	}
	if (text_width(text->data) > width)
		drop_parameters(text, unicode);
	if (text_width(text->data) > width)
		drop_outer(text, strspn(text->data, " "), false, width, unicode);
	text_shorten(text, width, unicode);
}

/* ---- widths that tell rows apart ------------------------------------------------------------- */

/* How many different texts the labels are when they are cut to `width`. */
static size_t count_labels(struct table *table, unsigned width, char **texts)
{
	const struct report *report = table->report;
	size_t count = 0, different = 0;

	for (size_t row = 0; row < report->row_count; row++) {
		cell_text(&table->text, &report->rows[row * report->column_count + table->label],
			  report->columns[table->label].kind, table->options);
		shorten(&table->text, width, table->options->unicode);
		texts[count++] = memory_need(strdup(table->text.data), "printing a report");
	}
	qsort(texts, count, sizeof(*texts), compare_texts);
	for (size_t i = 0; i < count; i++)
		different += i == 0 || strcmp(texts[i], texts[i - 1]) != 0;
	for (size_t i = 0; i < count; i++)
		free(texts[i]);
	return different;
}

/* The least width at which rows with different names look different and the names are readable. */
static unsigned width_apart(struct table *table, unsigned natural)
{
	char **texts = memory_need(calloc(table->report->row_count + 1, sizeof(*texts)),
				   "printing a report");
	unsigned share = table->options->width * 2 / 5;
	unsigned readable = share > LABEL_LEAST ? share : LABEL_LEAST;
	unsigned width = natural < readable ? natural : readable;
	size_t all = count_labels(table, natural, texts);

	while (width < natural && count_labels(table, width, texts) < all)
		width += width + 4 < natural ? 4 : natural - width;
	free(texts);
	return width;
}

/* The label column gets 1.5 times the width of other text columns. */
static unsigned claim(const struct table *table, size_t i)
{
	return table->columns[i] == table->label ? table->widths[i] * 2 / 3 : table->widths[i];
}

static bool can_narrow(enum column_kind kind)
{
	return kind == COLUMN_NAME || kind == COLUMN_TREE || kind == COLUMN_TEXT;
}

/* What column `i` may be narrowed to. */
static unsigned least_of(const struct table *table, size_t i)
{
	enum column_kind kind = table->report->columns[table->columns[i]].kind;
	bool roomy = kind == COLUMN_NAME && table->options->width >= WIDE;
	unsigned least = roomy ? WIDE_NAME_LEAST : NAME_LEAST;

	if (!can_narrow(kind))
		return table->widths[i];
	if (table->columns[i] == table->label)
		least = table->label_least;
	return least < table->widths[i] ? least : table->widths[i];
}

/* The column of this kind to narrow next: the widest by its claim; table->count if there is none.
 */
static size_t widest_of(const struct table *table, enum column_kind kind)
{
	size_t widest = table->count;

	for (size_t i = 0; i < table->count; i++)
		if (table->report->columns[table->columns[i]].kind == kind &&
		    table->widths[i] > least_of(table, i) &&
		    (widest == table->count || claim(table, i) > claim(table, widest)))
			widest = i;
	return widest;
}

static unsigned line_width(const struct table *table, bool least)
{
	unsigned line = 0;

	for (size_t i = 0; i < table->count; i++)
		line += (least ? least_of(table, i) : table->widths[i]) + (i ? GAP : 0);
	return line;
}

/* The order in which column `i` is left out: its own order first, then columns that repeat
 * others; 0 never. */
static unsigned spare_order(const struct table *table, size_t i)
{
	unsigned flags = table->report->columns[table->columns[i]].flags;

	if (table->columns[i] == table->label)
		return 0;
	if (COLUMN_SPARE_ORDER(flags))
		return 1 + COLUMN_SPARE_ORDER(flags);
	return flags & COLUMN_TABLE_ONLY ? 1 : 0;
}

/* The column to leave out next: of equal ones the last; table->count if there is none. */
static size_t sparest(const struct table *table)
{
	size_t sparest = table->count;
	unsigned most = 1;

	for (size_t i = 0; i < table->count; i++)
		if (spare_order(table, i) >= most) {
			most = spare_order(table, i);
			sparest = i;
		}
	return sparest;
}

static void drop_columns(struct table *table)
{
	while (line_width(table, true) > table->options->width) {
		size_t i = sparest(table);

		if (i == table->count)
			return;
		table->count--;
		for (; i < table->count; i++) {
			table->columns[i] = table->columns[i + 1];
			table->widths[i] = table->widths[i + 1];
		}
	}
}

/* If no more columns can be left out, the label column takes the remaining width. */
static void narrow_label(struct table *table)
{
	unsigned line = line_width(table, true), width = table->options->width;
	unsigned excess = line > width ? line - width : 0;

	if (table->label_least > excess + NAME_LEAST)
		table->label_least -= excess;
	else if (excess && table->label_least > NAME_LEAST)
		table->label_least = NAME_LEAST;
}

/* Shorten names first, then other text, until the line fits or nothing can be shortened any
 * more. */
static void fit(struct table *table)
{
	static const enum column_kind kinds[] = {COLUMN_NAME, COLUMN_TREE, COLUMN_TEXT};
	unsigned line = line_width(table, false);

	for (size_t kind = 0; kind < sizeof(kinds) / sizeof(*kinds); kind++)
		while (line > table->options->width) {
			size_t widest = widest_of(table, kinds[kind]);

			if (widest == table->count)
				break;
			table->widths[widest]--;
			line--;
		}
}

static void fit_terminal(struct table *table)
{
	if (!table->options->width || line_width(table, false) <= table->options->width)
		return;
	for (size_t i = 0; i < table->count; i++)
		if (table->columns[i] == table->label)
			table->label_least = width_apart(table, table->widths[i]);
	drop_columns(table);
	narrow_label(table);
	fit(table);
}

/* ---- colour by meaning ----------------------------------------------------------------------- */

struct meaning {
	const char *word, *color;
};

static const struct meaning meanings[] = {
	{"new", "\033[31m"},  {"grew", "\033[31m"},   {"moved", "\033[36m"},
	{"gone", "\033[32m"}, {"shrank", "\033[32m"}, {"same", "\033[2m"},
	{"flat", "\033[2m"},  {"passed", "\033[32m"}, {"failed", "\033[1;31m"},
};

static const char *color_of_meaning(const char *text)
{
	const struct verdict *verdict = verdict_find(text);

	if (verdict)
		return verdict->terminal;
	for (size_t i = 0; i < sizeof(meanings) / sizeof(*meanings); i++)
		if (strcmp(meanings[i].word, text) == 0)
			return meanings[i].color;
	return NULL;
}

static const char *color_of(const struct table *table, size_t column, const char *text)
{
	enum column_kind kind = table->report->columns[column].kind;

	if (kind == COLUMN_DELTA_BYTES || kind == COLUMN_DELTA_COUNT)
		return text[0] == '+' ? "\033[31m" : text[0] == '-' && text[1] ? "\033[32m" : NULL;
	return kind == COLUMN_VERDICT ? color_of_meaning(text) : NULL;
}

/* ---- lines ----------------------------------------------------------------------------------- */

/* Print the current text as cell `i`: shortened, padded, coloured.  Padding waits for text to
   follow it.
 */
static void print_cell(struct table *table, size_t i, const char *color)
{
	bool right = cell_is_number(table->report->columns[table->columns[i]].kind);
	int padding;

	shorten(&table->text, table->widths[i], table->options->unicode);
	padding = (int)(table->widths[i] - text_width(table->text.data));
	if (!table->options->color)
		color = NULL;
	table->pending += (i ? GAP : 0) + (right ? padding : 0);
	if (table->text.size) {
		fprintf(table->out, "%*s%s%s%s", table->pending, "", color ? color : "",
			table->text.data, color ? "\033[0m" : "");
		table->pending = 0;
	}
	table->pending += right ? 0 : padding;
}

static void end_line(struct table *table)
{
	putc('\n', table->out);
	table->lines++;
	table->pending = 0;
}

static void print_header(struct table *table)
{
	for (size_t i = 0; i < table->count; i++) {
		const char *title = table->report->columns[table->columns[i]].title;

		text_clear(&table->text);
		text_add(&table->text, title, strlen(title));
		print_cell(table, i, "\033[1m");
	}
	end_line(table);
}

/* Frames under their row, newest first. */
static void print_stack(struct table *table, const struct value *stack)
{
	for (size_t i = 0; stack->kind == VALUE_LIST && i < stack->list.count; i++) {
		text_clear(&table->text);
		cell_frame(&table->text, &stack->list.items[i]);
		if (table->options->width > 8)
			text_shorten(&table->text, table->options->width - 6,
				     table->options->unicode);
		fprintf(table->out, "      %s\n", table->text.data);
	}
}

/* The end of what fits on a line of the terminal: before a space, or all of it.  A command to copy
 * stays whole. */
static size_t line_end(const char *text, unsigned width)
{
	const char *command = strstr(text, "snapdiff ");
	size_t end = 0, at = 0;
	unsigned used = 0;

	for (; text[at]; at++) {
		if (text[at] == ' ' && used <= width && (!command || text + at < command))
			end = at;
		used += ((unsigned char)text[at] & 0xc0) != 0x80;
	}
	return used <= width || end == 0 ? at : end;
}

static void print_reason_line(struct table *table, const char *text, size_t size)
{
	fprintf(table->out, "  %s%.*s%s\n", table->options->color ? "\033[2m" : "", (int)size, text,
		table->options->color ? "\033[0m" : "");
}

/* Print the current text on at most two lines, of which the second one is shortened; on one line if
   the number of lines is limited. */
static void print_reason(struct table *table)
{
	unsigned room = table->options->width > 8 ? table->options->width - 2 : 0;
	struct text_buffer rest = {0};
	size_t end;

	end = room && !table->options->height ? line_end(table->text.data, room) : table->text.size;
	if (end == table->text.size) {
		if (room)
			text_shorten(&table->text, room, table->options->unicode);
		print_reason_line(table, table->text.data, table->text.size);
		return;
	}
	print_reason_line(table, table->text.data, end);
	text_add(&rest, table->text.data + end + 1, table->text.size - end - 1);
	text_shorten(&rest, room, table->options->unicode);
	print_reason_line(table, rest.data, rest.size);
	text_free(&rest);
}

/* Print the value that a row has on a line of its own. */
static void print_under(struct table *table, const struct value *values)
{
	for (size_t i = 0;
	     !table->options->quiet && !table->bare && i < table->report->column_count; i++) {
		const struct column *column = &table->report->columns[i];

		if (!(column->flags & COLUMN_UNDER) || (column->flags & NOT_SHOWN) ||
		    values[i].kind == VALUE_NULL)
			continue;
		cell_text(&table->text, &values[i], column->kind, table->options);
		print_reason(table);
	}
}

static void print_row(struct table *table, size_t row)
{
	const struct report *report = table->report;
	const struct value *values = report->rows + row * report->column_count;

	for (size_t i = 0; i < table->count; i++) {
		size_t column = table->columns[i];

		cell_text(&table->text, &values[column], report->columns[column].kind,
			  table->options);
		print_cell(table, i, color_of(table, column, table->text.data));
	}
	end_line(table);
	print_under(table, values);
	for (size_t column = 0; column < report->column_count; column++)
		if (report->columns[column].kind == COLUMN_STACK &&
		    !(report->columns[column].flags & NOT_SHOWN))
			print_stack(table, &values[column]);
}

static void print_closing(struct table *table, enum closing closing)
{
	for (size_t i = 0; i < table->count; i++) {
		closing_text(table, closing, table->columns[i]);
		print_cell(table, i, closing == CLOSING_TOTAL ? "\033[1m" : "\033[2m");
	}
	end_line(table);
}

/* Broken between words where it is longer than the terminal is wide. */
static void print_line(struct table *table, const char *line)
{
	bool breaks = table->options->width && strncmp(line, "Next: ", 6) != 0;
	const char *at;

	text_clear(&table->text);
	text_add_safe(&table->text, line, strlen(line));
	at = table->text.data ? table->text.data : "";
	do {
		size_t end = breaks ? line_end(at, table->options->width) : strlen(at);

		fprintf(table->out, "%.*s\n", (int)end, at);
		table->lines++;
		at += end;
		at += *at == ' ';
	} while (*at);
}

/* Lines that `text` takes when print_line() prints it. */
static unsigned lines_of(const struct table *table, const char *text)
{
	return table->options->width ? text_width(text) / table->options->width + 1 : 1;
}

/* Text lines are left out if the screen has no room for them. */
static bool has_room(const struct table *table, const char *line)
{
	return !table->options->height ||
	       table->lines + lines_of(table, line) < table->options->height;
}

static void print_lines(struct table *table, const char *const *lines, size_t count)
{
	for (size_t i = 0; i < count && has_room(table, lines[i]); i++)
		print_line(table, lines[i]);
}

/* Is there room for rows with their reasons, the closing rows and a note? */
static bool has_room_for_reasons(const struct table *table)
{
	size_t rows = 2 * table->report->row_count + 5;

	return !table->options->height || table->lines + rows < table->options->height;
}

/* Figures of the whole over the snapshots, under the title. */
static void print_curves(struct table *table)
{
	unsigned widest = 0;

	for (size_t i = 0; i < table->report->curve_count; i++)
		if (text_width(table->report->curves[i].name) > widest)
			widest = text_width(table->report->curves[i].name);
	for (size_t i = 0;
	     table->options->series && !table->options->height && i < table->report->curve_count;
	     i++) {
		const struct curve *curve = &table->report->curves[i];

		cell_text(&table->text, &curve->series, COLUMN_SERIES, table->options);
		fprintf(table->out, "  %s%*s  %s\n", curve->name,
			(int)(widest - text_width(curve->name)), "", table->text.data);
	}
}

static void print_table(struct table *table)
{
	const struct report *report = table->report;
	size_t notes;

	if (report->headline)
		print_line(table, report->headline);
	if (report->title) {
		print_line(table, report->title);
		print_curves(table);
		end_line(table);
	}
	if (report->charts)
		chart_print(report, table->options, table->out);
	if (table->count && report->row_count) {
		measure(table);
		fit_terminal(table);
		table->bare = !has_room_for_reasons(table);
		print_header(table);
		for (size_t row = 0; row < report->row_count; row++)
			print_row(table, row);
		if (has_hidden(report))
			print_closing(table, CLOSING_HIDDEN);
		if (wants_total(report))
			print_closing(table, CLOSING_TOTAL);
	}
	notes = table->options->quiet ? 0 : report->note_count;
	if (report->row_count && report->fact_count + notes && has_room(table, ""))
		end_line(table);
	print_lines(table, report->facts, report->fact_count);
	print_lines(table, report->notes, notes);
}

static enum snap_status render(const struct report *report, FILE *out,
			       const struct render_options *options)
{
	struct table table = {.report = report, .options = options, .out = out};
	enum snap_status st = SNAP_ENOMEM;

	table.columns = calloc(report->column_count + 1, sizeof(*table.columns));
	table.widths = calloc(report->column_count + 1, sizeof(*table.widths));
	table.label = label_column(report, NO_CELL);
	if (table.columns && table.widths) {
		for (size_t i = 0; i < report->column_count; i++)
			if (!(report->columns[i].flags & NO_CELL) &&
			    report->columns[i].kind != COLUMN_STACK &&
			    (report->columns[i].kind != COLUMN_SERIES || options->series))
				table.columns[table.count++] = i;
		print_table(&table);
		st = ferror(out) ? SNAP_ESYSTEM : SNAP_OK;
	}
	free(table.columns);
	free(table.widths);
	text_free(&table.text);
	return st;
}

const struct renderer render_table = {"table", render};
