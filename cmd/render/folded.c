/*
 * folded.c - a line per call stack, outermost frame first, as flamegraph.pl reads them:
 *
 *   main;handle;cache_put 65536 131072
 *
 * One figure for one snapshot; the old and the new one for two, and the first and the last of a
 * series, which is what difffolded.pl writes and flamegraph.pl draws in two colours.
 */
#include "render/formats.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cli/report_options.h"

enum { SIDES = 2 };

struct line {
	char *stack;
	int64_t sides[SIDES];
};

struct folding {
	const struct report *report;
	const char *columns[SIDES]; /* the second is NULL for one snapshot */
	bool several;               /* processes: each is the outermost frame of its stacks */
	struct line *lines;
	size_t count;
};

/* ---- which figures --------------------------------------------------------------------------- */

/* Figures in the order of enum figure. */
static const struct {
	const char *schema;
	const char *figures[4][SIDES];
} reports[] = {
	{"snapdiff.top/1",
	 {{"live_bytes", NULL},
	  {"live_blocks", NULL},
	  {"allocated_bytes", NULL},
	  {"allocated_blocks", NULL}}},
	{"snapdiff.compare/1",
	 {{"old_bytes", "new_bytes"},
	  {"old_blocks", "new_blocks"},
	  {"old_allocated_bytes", "new_allocated_bytes"},
	  {"old_allocated_blocks", "new_allocated_blocks"}}},
	{"snapdiff.growth/1", {{"first_bytes", "last_bytes"}, {"first_blocks", "last_blocks"}}},
};

static size_t metric_of(const struct report *report)
{
	const struct value *metric = value_get(&report->head, "metric");

	for (size_t i = 0; metric && metric->kind == VALUE_TEXT && figure_names[i]; i++)
		if (strcmp(figure_names[i], metric->text.data) == 0)
			return i;
	return FIGURE_LIVE_BYTES;
}

/* False: there is nothing to fold in the report. */
static bool choose_columns(struct folding *folding)
{
	for (size_t i = 0; i < sizeof(reports) / sizeof(*reports); i++) {
		const char *const *names = reports[i].figures[metric_of(folding->report)];

		if (strcmp(folding->report->schema, reports[i].schema) != 0)
			continue;
		folding->columns[0] = names[0];
		folding->columns[1] = names[1];
		return names[0] != NULL;
	}
	return false;
}

/* ---- one line -------------------------------------------------------------------------------- */

static const char *field_text(const struct value *frame, const char *name)
{
	const struct value *value = value_get(frame, name);

	return value && value->kind == VALUE_TEXT && value->text.size ? value->text.data : NULL;
}

/* The function, or where there is none "[module]", or the file. */
static void add_frame(struct text_buffer *text, const struct value *frame)
{
	const char *function = field_text(frame, "function");
	const char *module = field_text(frame, "module"), *file = field_text(frame, "file");
	const char *name = function ? function : module ? module : file ? file : "[unknown]";
	const char *slash = function ? NULL : strrchr(name, '/');
	bool in_brackets = !function && module;
	size_t start = text->size;

	name = slash && slash[1] ? slash + 1 : name;
	text_add(text, "[", in_brackets);
	text_add_safe(text, name, strlen(name));
	text_add(text, "]", in_brackets);
	for (size_t i = start; i < text->size; i++)
		if (text->data[i] == ';')
			text->data[i] = ':';
}

/* If a stack's text ended in a blank and a number, readers would take the number for a figure. */
static void join_number(struct text_buffer *text)
{
	size_t at = text->size;

	while (at > 0 && strchr("0123456789.", text->data[at - 1]))
		at--;
	if (at > 0 && at < text->size && text->data[at - 1] == ' ')
		text->data[at - 1] = '_';
}

static void add_process(struct text_buffer *text, const struct report *report, size_t row)
{
	const struct value *program = report_cell(report, row, "program");
	const struct value *pid = report_cell(report, row, "pid");
	const struct value name = {.kind = VALUE_OBJECT,
				   .object = {(struct field[]){{"function", *program}}, 1}};
	char number[32];

	add_frame(text, &name);
	if (!pid || pid->kind != VALUE_INT)
		return;
	snprintf(number, sizeof(number), " (%" PRId64 ")", pid->integer);
	text_add(text, number, strlen(number));
}

/* The report has the newest frame first. */
static void add_frames(struct text_buffer *text, const struct value *stack)
{
	size_t start = text->size;

	for (size_t i = stack->kind == VALUE_LIST ? stack->list.count : 0; i > 0; i--) {
		const struct value *frame = &stack->list.items[i - 1];

		if (value_get(frame, "hidden"))
			continue;
		text_add(text, ";", text->size > start);
		add_frame(text, frame);
	}
	if (text->size == start)
		text_add(text, "[unknown]", strlen("[unknown]"));
}

static char *stack_of(const struct folding *folding, size_t row)
{
	struct text_buffer text = {0};

	if (folding->several) {
		add_process(&text, folding->report, row);
		text_add(&text, ";", 1);
	}
	add_frames(&text, report_cell(folding->report, row, "stack"));
	join_number(&text);
	return text.data;
}

/* An unknown figure counts as 0, and so does a side without the stack. */
static int64_t figure(const struct folding *folding, size_t row, size_t side)
{
	const struct value *value =
		folding->columns[side] ? report_cell(folding->report, row, folding->columns[side])
				       : NULL;

	if (value && value->kind == VALUE_REAL)
		return whole_number(value->real);
	return value && value->kind == VALUE_INT ? value->integer : 0;
}

/* ---- all of them ----------------------------------------------------------------------------- */

static int compare_lines(const void *left, const void *right)
{
	const struct line *a = left, *b = right;

	return strcmp(a->stack, b->stack);
}

static void collect(struct folding *folding)
{
	size_t count = folding->report->row_count;

	folding->lines = memory_need(calloc(count + 1, sizeof(*folding->lines)), "folding stacks");
	for (size_t row = 0; row < count; row++) {
		struct line *line = &folding->lines[folding->count];

		line->sides[0] = figure(folding, row, 0);
		line->sides[1] = figure(folding, row, 1);
		if (line->sides[0] == 0 && line->sides[1] == 0)
			continue;
		line->stack = stack_of(folding, row);
		folding->count++;
	}
	qsort(folding->lines, folding->count, sizeof(*folding->lines), compare_lines);
}

/* Stacks that differ in their lines only are one. */
static void write_lines(const struct folding *folding, FILE *out)
{
	for (size_t i = 0, next; i < folding->count; i = next) {
		int64_t sum[SIDES] = {0};

		for (next = i; next < folding->count &&
			       strcmp(folding->lines[i].stack, folding->lines[next].stack) == 0;
		     next++)
			for (size_t side = 0; side < SIDES; side++)
				sum[side] += folding->lines[next].sides[side];
		fprintf(out, "%s %" PRId64, folding->lines[i].stack, sum[0]);
		if (folding->columns[1])
			fprintf(out, " %" PRId64, sum[1]);
		putc('\n', out);
	}
}

static enum snap_status render(const struct report *report, FILE *out,
			       const struct render_options *options)
{
	const struct value *processes = value_get(&report->head, "processes");
	struct folding folding = {.report = report};

	(void)options;
	if (!choose_columns(&folding))
		return SNAP_EUSAGE;
	folding.several = processes && processes->kind == VALUE_LIST && processes->list.count > 1;
	collect(&folding);
	write_lines(&folding, out);
	for (size_t i = 0; i < folding.count; i++)
		free(folding.lines[i].stack);
	free(folding.lines);
	return ferror(out) ? SNAP_ESYSTEM : SNAP_OK;
}

const struct renderer render_folded = {"folded", render};
