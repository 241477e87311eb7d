/*
 * peek.c - a function between its callers and its callees, as pprof's peek shows it.
 */
#include "report/peek.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/neighbours.h"
#include "model/fail.h"
#include "report/sites.h"

/* Columns in the order of JSON; the standard errors are there only when the snapshot was sampled.
 */
enum {
	KEY,
	OF,
	ROLE,
	FUNCTION,
	FILE_NAME,
	LINE,
	MODULE,
	LIVE,
	SHARE,
	BLOCKS,
	ALLOCATED,
	ALLOCATIONS,
	SITE,
	STACK,
	EXACT_COLUMNS,
	FIRST_ERROR = EXACT_COLUMNS,
	SAMPLED_COLUMNS = FIRST_ERROR + FIGURES,
};

static const struct column columns[SAMPLED_COLUMNS] = {
	[KEY] = {"key", "key", COLUMN_NAME, COLUMN_HIDDEN},
	[OF] = {"of", "of", COLUMN_NAME, COLUMN_HIDDEN},
	[ROLE] = {"role", "role", COLUMN_TEXT, 0},
	[FUNCTION] = {"function", "function", COLUMN_NAME, COLUMN_HIDDEN},
	[FILE_NAME] = {"file", "file", COLUMN_NAME, COLUMN_HIDDEN},
	[LINE] = {"line", "line", COLUMN_COUNT, COLUMN_HIDDEN},
	[MODULE] = {"module", "module", COLUMN_NAME, COLUMN_HIDDEN},
	[LIVE] = {"live_bytes", "live", COLUMN_BYTES, 0},
	[SHARE] = {"share", "% of function", COLUMN_RATIO, COLUMN_TABLE_ONLY},
	[BLOCKS] = {"live_blocks", "blocks", COLUMN_COUNT, 0},
	[ALLOCATED] = {"allocated_bytes", "allocated", COLUMN_BYTES, 0},
	[ALLOCATIONS] = {"allocated_blocks", "allocations", COLUMN_COUNT, 0},
	[SITE] = {"site", "site", COLUMN_NAME, COLUMN_TABLE_ONLY},
	[STACK] = {"stack", "stack", COLUMN_STACK, COLUMN_DETAIL},
	[FIRST_ERROR] = {"live_bytes_stderr", "± live", COLUMN_BYTES, 0},
	{"live_blocks_stderr", "± blocks", COLUMN_COUNT, COLUMN_HIDDEN},
	{"allocated_bytes_stderr", "± allocated", COLUMN_BYTES, COLUMN_HIDDEN},
	{"allocated_blocks_stderr", "± allocations", COLUMN_COUNT, COLUMN_HIDDEN},
};

static const int figure_columns[FIGURES] = {LIVE, BLOCKS, ALLOCATED, ALLOCATIONS};

struct peek_row {
	const struct neighbour *neighbour;
	const struct neighbour *function; /* the row that it belongs to */
	const char *function_key, *key;
	uint64_t group_order, order; /* of its function, and of itself: the largest first */
};

struct peek {
	struct report *report;
	const struct dataset *dataset;
	const struct report_options *options;
	struct selection *selection;
	bool *wanted; /* per string */
	struct neighbours neighbours;
	struct peek_row *rows;
	size_t count, function_count, shown_functions, shown_count;
	struct figures shown;
	bool sampled;
};

struct report *peek_report_new(bool sampled)
{
	return report_new("snapdiff.peek/1", columns, sampled ? SAMPLED_COLUMNS : EXACT_COLUMNS);
}

/* ---- what was asked for ---- */

static enum snap_status check_options(const struct report_options *options, struct snap_error *err)
{
	if (options->group != GROUP_FUNCTION && options->group != GROUP_LINE)
		return fail(err, SNAP_EUSAGE,
			    "peek shows functions: --group takes function or line here, not %s",
			    report_groups[options->group]);
	if (options->cumulative)
		return fail(err, SNAP_EUSAGE,
			    "peek always credits every frame of a stack; leave --cumulative out");
	return SNAP_OK;
}

static enum snap_status find_wanted(struct peek *peek, const char *pattern, struct snap_error *err)
{
	regex_t regex;
	int failure = regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB);

	if (failure) {
		char why[128];

		regerror(failure, &regex, why, sizeof(why));
		return fail(err, SNAP_EUSAGE, "'%s' is not a regular expression: %s", pattern, why);
	}
	peek->wanted = calloc(peek->dataset->string_count, sizeof(*peek->wanted));
	for (size_t i = 1; peek->wanted && i < peek->dataset->string_count; i++)
		peek->wanted[i] = regexec(&regex, peek->dataset->strings[i], 0, NULL, 0) == 0;
	regfree(&regex);
	return peek->wanted ? SNAP_OK : fail_memory(err, "matching names");
}

static enum snap_status find_neighbours(struct peek *peek, struct snap_error *err)
{
	struct select_options select;
	enum snap_status st = sites_selection(&select, peek->options, err);

	select.cumulative = true;
	if (st == SNAP_OK)
		st = selection_new(&peek->selection, peek->dataset, &select, err);
	if (st != SNAP_OK)
		return st;
	peek->neighbours = (struct neighbours){
		.dataset = peek->dataset,
		.selection = peek->selection,
		.wanted = peek->wanted,
		.no_skip = peek->options->no_skip,
		.figure = sites_figure(peek->options),
	};
	return neighbours_add(&peek->neighbours, 0) ? SNAP_OK : fail_memory(err, "finding callers");
}

/* ---- order ---- */

static const char *const sort_names[] = {"live_bytes",       "live_blocks", "allocated_bytes",
					 "allocated_blocks", "key",         NULL};
enum { SORT_BY_KEY = FIGURES };

static uint64_t order_of(const struct neighbour *neighbour, int column)
{
	uint64_t figure = column == SORT_BY_KEY ? 0 : neighbour->sum.value[column];

	return figure == SNAP_UNKNOWN ? 0 : figure;
}

static int compare_order(uint64_t a, uint64_t b)
{
	return a < b ? 1 : a > b ? -1 : 0;
}

static int compare_id(uint32_t a, uint32_t b)
{
	return a < b ? -1 : a > b;
}

/* Functions one after the other; in each its callers, itself, its callees. */
static int compare_rows(const void *left, const void *right)
{
	const struct peek_row *a = left, *b = right;
	int order = compare_order(a->group_order, b->group_order);

	if (order == 0)
		order = strcmp(a->function_key, b->function_key);
	if (order == 0)
		order = compare_id(a->function->function, b->function->function);
	if (order == 0)
		order = (int)a->neighbour->role - (int)b->neighbour->role;
	if (order == 0)
		order = compare_order(a->order, b->order);
	if (order == 0)
		order = strcmp(a->key, b->key);
	return order ? order : compare_id(a->neighbour->other, b->neighbour->other);
}

static const char *key_of(const struct peek *peek, const struct neighbour *neighbour)
{
	if (neighbour->role == NEIGHBOUR_FUNCTION)
		return selection_row(peek->selection, neighbour->function)->key;
	if (neighbour->other != SNAP_NONE)
		return selection_row(peek->selection, neighbour->other)->key;
	return neighbour->role == NEIGHBOUR_CALLER ? "(no caller)" : "(itself)";
}

/* The function's own row among the neighbours, by row of the selection; malloc'ed. */
static const struct neighbour **functions_by_row(struct peek *peek)
{
	const struct neighbour **functions =
		calloc(selection_row_count(peek->selection) + 1, sizeof(*functions));

	for (size_t i = 0; functions && i < peek->neighbours.count; i++)
		if (peek->neighbours.items[i].role == NEIGHBOUR_FUNCTION)
			functions[peek->neighbours.items[i].function] = &peek->neighbours.items[i];
	return functions;
}

static bool is_large_enough(const struct peek *peek, const struct neighbour *neighbour)
{
	uint64_t bytes = neighbour->sum.value[sites_bytes_figure(peek->options)];

	return (bytes == SNAP_UNKNOWN ? 0 : bytes) >= peek->options->min_bytes;
}

/* Order everything; show the first functions, with all of their neighbours that --min lets through.
 */
static bool arrange(struct peek *peek, int column)
{
	const struct neighbour **functions = functions_by_row(peek);

	peek->rows = calloc(peek->neighbours.count + 1, sizeof(*peek->rows));
	for (size_t i = 0; functions && peek->rows && i < peek->neighbours.count; i++) {
		const struct neighbour *neighbour = &peek->neighbours.items[i];
		const struct neighbour *function = functions[neighbour->function];

		if (!is_large_enough(peek, neighbour) || !is_large_enough(peek, function))
			continue;
		peek->function_count += neighbour == function;
		peek->rows[peek->count++] = (struct peek_row){
			.neighbour = neighbour,
			.function = function,
			.function_key = key_of(peek, function),
			.key = key_of(peek, neighbour),
			.group_order = order_of(function, column),
			.order = order_of(neighbour, column),
		};
	}
	free(functions);
	if (!functions || !peek->rows)
		return false;
	qsort(peek->rows, peek->count, sizeof(*peek->rows), compare_rows);
	peek->shown_functions = sites_limit(peek->options, peek->function_count);
	return true;
}

/* ---- rows in words ---- */

static void add_row(struct peek *peek, const struct peek_row *row)
{
	static const char *const roles[] = {"caller", "function", "callee"};
	const struct neighbour *neighbour = row->neighbour;
	struct report *report = peek->report;
	struct value *values = report_row(report);
	uint32_t id =
		neighbour->role == NEIGHBOUR_FUNCTION ? neighbour->function : neighbour->other;
	enum figure metric = sites_figure(peek->options);

	values[KEY] = value_text(report, row->key);
	values[OF] = value_text(report, row->function_key);
	values[ROLE] = value_text(report, roles[neighbour->role]);
	if (id != SNAP_NONE) {
		const struct select_row *words = selection_row(peek->selection, id);

		values[FUNCTION] = value_text(report, words->function);
		values[FILE_NAME] = value_text(report, words->file);
		values[LINE] = sites_line(words->line);
		values[MODULE] = value_text(report, words->module);
	}
	for (enum figure i = 0; i < FIGURES; i++)
		values[figure_columns[i]] = value_u64(neighbour->sum.value[i]);
	values[SHARE] = value_real(
		sites_share(neighbour->sum.value[metric], row->function->sum.value[metric]));
	values[SITE] = value_text(
		report, report_text(report, "%s%s",
				    neighbour->role == NEIGHBOUR_FUNCTION ? "" : "  ", row->key));
	values[STACK] = sites_stack(report, peek->dataset, neighbour->heaviest);
	for (enum figure i = 0; peek->sampled && i < FIGURES; i++)
		values[FIRST_ERROR + i] = value_real(figures_stderr(&neighbour->sum, i));
}

static void add_rows(struct peek *peek, bool *is_shown)
{
	size_t functions = 0;

	for (size_t i = 0; i < peek->count; i++) {
		const struct peek_row *row = &peek->rows[i];

		if (i == 0 || row->function != row[-1].function)
			functions++;
		if (functions > peek->shown_functions)
			break;
		is_shown[row->function->function] = true;
		add_row(peek, row);
		peek->shown_count++;
	}
}

/* ---- sums: the memory of stacks that pass through a function that is shown ---- */

static bool passes_shown(const struct peek *peek, uint32_t site, const bool *is_shown)
{
	const struct dataset_site *stack = &peek->dataset->sites[site];
	const uint32_t *rows;
	size_t count = selection_rows_of(peek->selection, site, &rows);

	if (count == 0)
		return false;
	for (uint32_t i = peek->options->no_skip ? 0 : stack->identity.named; i < stack->depth;
	     i++) {
		uint32_t row = selection_row_at(peek->selection, site, i);

		for (size_t r = 0; r < count; r++)
			if (rows[r] == row && is_shown[row])
				return true;
	}
	return false;
}

static void sum_shown(struct peek *peek, const bool *is_shown)
{
	const struct dataset_snapshot *snapshot = &peek->dataset->snapshots[0];

	for (size_t i = 0; i < snapshot->count; i++)
		if (passes_shown(peek, snapshot->cells[i].site, is_shown))
			figures_add(&peek->shown, &snapshot->cells[i].figures);
}

static void add_part(struct peek *peek, const char *name, size_t rows,
		     const struct figures *figures)
{
	struct value part = value_object();

	value_field(peek->report, &part, "rows", value_u64(rows));
	sites_add_figures(peek->report, &part, figures, peek->sampled);
	value_field(peek->report, &peek->report->tail, name, part);
}

static void add_summary(struct peek *peek, const char *pattern)
{
	struct figures hidden = peek->dataset->snapshots[0].totals;
	struct value totals = value_object();

	value_field(peek->report, &peek->report->head, "pattern",
		    value_text(peek->report, pattern));
	sites_describe(peek->report, peek->options);
	sites_add_figures(peek->report, &totals, &hidden, peek->sampled);
	value_field(peek->report, &peek->report->head, "totals", totals);
	figures_subtract(&hidden, &peek->shown);
	add_part(peek, "shown", peek->shown_count, &peek->shown);
	add_part(peek, "hidden", peek->neighbours.count - peek->shown_count, &hidden);
}

static void add_notes(struct peek *peek, const char *pattern)
{
	const struct figures *totals = &peek->dataset->snapshots[0].totals;
	char held[32], all[32];

	peek->report->title = report_text(
		peek->report, "%s: stacks through functions that match '%s' hold %s of %s live",
		sites_input_name(peek->report, 0), pattern,
		sites_bytes(peek->neighbours.seen.value[FIGURE_LIVE_BYTES], held),
		sites_bytes(totals->value[FIGURE_LIVE_BYTES], all));
	if (peek->function_count == 0)
		report_note(peek->report, "No function on any stack matches '%s'.", pattern);
	if (peek->shown_functions < peek->function_count)
		report_note(peek->report,
			    "%zu of %zu matching functions are shown; --all shows every one.",
			    peek->shown_functions, peek->function_count);
}

static enum snap_status tell(struct peek *peek, const char *pattern, int column,
			     struct snap_error *err)
{
	bool *is_shown = calloc(selection_row_count(peek->selection) + 1, sizeof(*is_shown));

	if (!is_shown || !arrange(peek, column)) {
		free(is_shown);
		return fail_memory(err, "ordering callers");
	}
	add_rows(peek, is_shown);
	sum_shown(peek, is_shown);
	add_summary(peek, pattern);
	add_notes(peek, pattern);
	free(is_shown);
	return SNAP_OK;
}

enum snap_status peek_fill(struct report *report, const struct dataset *dataset,
			   const char *pattern, const struct report_options *options,
			   struct snap_error *err)
{
	struct peek peek = {.report = report, .dataset = dataset, .options = options};
	int column;
	enum snap_status st = check_options(options, err);

	peek.sampled = report->column_count == SAMPLED_COLUMNS;
	if (st == SNAP_OK)
		st = sites_sort_column(&column, options->sort, sort_names,
				       (int)sites_figure(options), err);
	if (st == SNAP_OK)
		st = find_wanted(&peek, pattern, err);
	if (st == SNAP_OK)
		st = find_neighbours(&peek, err);
	if (st == SNAP_OK)
		st = tell(&peek, pattern, column, err);
	free(peek.rows);
	neighbours_release(&peek.neighbours);
	selection_free(peek.selection);
	free(peek.wanted);
	return st;
}
