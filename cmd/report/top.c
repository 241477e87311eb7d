/*
 * top.c - call sites by what they hold.
 */
#include "report/top.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/order.h"
#include "model/by_design.h"
#include "model/names.h"
#include "report/propose_census.h"
#include "report/sites.h"
#include "store/holders.h"

/* Columns in the order of JSON; the standard errors are there only when the snapshot was sampled.
 */
enum {
	KEY,
	FUNCTION,
	FILE_NAME,
	LINE,
	MODULE,
	LIVE,
	SHARE,
	BLOCKS,
	ALLOCATED,
	ALLOCATIONS,
	UNREACHABLE,
	RETAINED,
	SITE,
	VIA,
	CALLERS,
	STACK,
	LIVE_ERROR,
	BLOCKS_ERROR,
	ALLOCATED_ERROR,
	ALLOCATIONS_ERROR,
	EXACT_COLUMNS = LIVE_ERROR,
	SAMPLED_COLUMNS = ALLOCATIONS_ERROR + 1,
};

static const struct column columns[] = {
	[KEY] = {"key", "key", COLUMN_NAME, COLUMN_HIDDEN},
	[FUNCTION] = {"function", "function", COLUMN_NAME, COLUMN_HIDDEN},
	[FILE_NAME] = {"file", "file", COLUMN_NAME, COLUMN_HIDDEN},
	[LINE] = {"line", "line", COLUMN_COUNT, COLUMN_HIDDEN},
	[MODULE] = {"module", "module", COLUMN_NAME, COLUMN_HIDDEN},
	[LIVE] = {"live_bytes", "live", COLUMN_BYTES, 0},
	[SHARE] = {"share", "% of total", COLUMN_RATIO, COLUMN_TABLE_ONLY | COLUMN_SPARE(5)},
	[BLOCKS] = {"live_blocks", "blocks", COLUMN_COUNT, COLUMN_SPARE(4)},
	[ALLOCATED] = {"allocated_bytes", "allocated", COLUMN_BYTES, COLUMN_SPARE(8)},
	[ALLOCATIONS] = {"allocated_blocks", "allocations", COLUMN_COUNT, COLUMN_SPARE(9)},
	[UNREACHABLE] = {"unreachable_bytes", "unreachable", COLUMN_BYTES, COLUMN_SPARE(3)},
	[RETAINED] = {"retained_bytes", "retained", COLUMN_BYTES, COLUMN_SPARE(2)},
	[SITE] = {"site", "site", COLUMN_NAME, COLUMN_TABLE_ONLY},
	[VIA] = {"via", "via", COLUMN_NAME, COLUMN_SPARE(7)},
	[CALLERS] = {"callers", "called from", COLUMN_NAME, COLUMN_TABLE_ONLY | COLUMN_SPARE(6)},
	[STACK] = {"stack", "stack", COLUMN_STACK, COLUMN_DETAIL},
	[LIVE_ERROR] = {"live_bytes_stderr", "± live", COLUMN_BYTES, 0},
	[BLOCKS_ERROR] = {"live_blocks_stderr", "± blocks", COLUMN_COUNT, COLUMN_HIDDEN},
	[ALLOCATED_ERROR] = {"allocated_bytes_stderr", "± allocated", COLUMN_BYTES, COLUMN_HIDDEN},
	[ALLOCATIONS_ERROR] = {"allocated_blocks_stderr", "± allocations", COLUMN_COUNT,
			       COLUMN_HIDDEN},
};

static const int figure_columns[FIGURES] = {LIVE, BLOCKS, ALLOCATED, ALLOCATIONS};

/* A row of the selection, and what rows are ordered by; equal ones by key. */
struct ranked {
	uint64_t order;
	uint32_t row;
};

/* A row that is shown, with its sums. */
struct top_row {
	const struct select_row *words;
	struct row_sum sum;
	uint32_t row;
	struct store_reach reach;
};

struct top {
	struct report *report;
	const struct dataset *dataset;
	const struct report_options *options;
	struct selection *selection;
	struct row_sum *sums;      /* of all rows of the selection */
	struct top_row *rows;      /* that are shown, in their order */
	size_t count, shown_count; /* rows with stacks, and how many of them are shown */
	size_t row_count;          /* all rows, also those that filters leave out */
	struct figures totals, shown, selected;
	bool has_graph, has_sizes; /* the snapshot says who holds what; and what that retains */
	bool sampled;
	bool callers; /* rows say who called */
};

struct report *top_report_new(bool sampled)
{
	return report_new("snapdiff.top/1", columns, sampled ? SAMPLED_COLUMNS : EXACT_COLUMNS);
}

/* ---- sums ---- */

static uint64_t rank(uint64_t figure)
{
	return figure == SNAP_UNKNOWN ? 0 : figure;
}

/* Among blocks that were never freed, caches that every process leaves are not interesting. */
static bool credit_sites(struct top *top, struct credits *credits)
{
	if (!top->options->never_freed || top->options->all)
		return selection_credits(top->selection, credits);
	for (uint32_t site = 0; site < top->dataset->site_count; site++) {
		const uint32_t *rows;
		size_t count = selection_rows_of(top->selection, site, &rows);

		for (size_t r = 0; r < count && !sites_is_by_design(top->dataset, site); r++)
			if (!credits_add(credits, top->dataset, rows[r], site))
				return false;
	}
	return true;
}

static enum snap_status sum_up(struct top *top, struct snap_error *err)
{
	size_t row_count = selection_row_count(top->selection);
	struct credits credits = {0};
	enum snap_status st = SNAP_OK;

	top->sums = calloc(row_count + 1, sizeof(*top->sums));
	if (!top->sums || !credit_sites(top, &credits))
		st = fail_memory(err, "summing up call sites");
	if (st == SNAP_OK)
		st = sums_of_rows(top->dataset, 0, 0, &credits, row_count, top->sums, err);
	credits_release(&credits);
	return st;
}

/* ---- order ---- */

static const char *const sort_names[] = {"live_bytes",       "live_blocks", "allocated_bytes",
					 "allocated_blocks", "key",         NULL};
enum { SORT_BY_KEY = FIGURES };

static int compare_rows(const void *left, const void *right, void *context)
{
	const struct top *top = context;
	const struct ranked *a = left, *b = right;

	if (a->order != b->order)
		return a->order < b->order ? 1 : -1;
	return selection_compare_keys(top->selection, a->row, b->row);
}

static bool show(struct top *top, const struct ranked *ranked)
{
	top->rows = calloc(top->shown_count + 1, sizeof(*top->rows));
	for (size_t i = 0; top->rows && i < top->shown_count; i++)
		top->rows[i] =
			(struct top_row){.words = selection_row(top->selection, ranked[i].row),
					 .row = ranked[i].row};
	return top->rows != NULL;
}

/* Drop rows without stacks and those below --min; show the first of the rest, by what they hold or by
 * key.  False when memory is out. */
static bool arrange(struct top *top, int column)
{
	enum figure bytes = sites_bytes_figure(top->options);
	size_t rows = selection_row_count(top->selection);
	struct ranked *ranked = malloc((rows + 1) * sizeof(*ranked));
	bool fine;

	for (uint32_t i = 0; ranked && i < rows; i++) {
		const struct row_sum *sum = &top->sums[i];

		if (sum->stacks == 0 || rank(sum->figures.value[bytes]) < top->options->min_bytes)
			continue;
		ranked[top->count++] = (struct ranked){
			column == SORT_BY_KEY ? 0 : rank(sum->figures.value[column]), i};
	}
	top->shown_count = sites_limit(top->options, top->count);
	if (ranked)
		order_first(ranked, top->count, sizeof(*ranked), top->shown_count, compare_rows,
			    top);
	fine = ranked && show(top, ranked);
	free(ranked);
	return fine;
}

/* ---- rows in words ---- */

static void add_row(struct top *top, const struct top_row *row)
{
	const struct select_row *words = row->words;
	struct report *report = top->report;
	struct value *values = report_row(report);
	enum figure metric = top->options->metric;

	values[KEY] = value_text(report, words->key);
	values[FUNCTION] = value_text(report, words->function);
	values[FILE_NAME] = value_text(report, words->file);
	values[LINE] = sites_line(words->line);
	values[MODULE] = value_text(report, words->module);
	for (enum figure i = 0; i < FIGURES; i++)
		values[figure_columns[i]] = value_u64(row->sum.figures.value[i]);
	if (top->has_graph)
		values[UNREACHABLE] = value_u64(row->reach.unreachable);
	if (top->has_sizes)
		values[RETAINED] = value_u64(row->reach.retained);
	values[SHARE] = sites_share(row->sum.figures.value[metric], top->totals.value[metric]);
	values[SITE] = sites_name(report, words);
	values[VIA] = sites_via(report, top->dataset, row->sum.heaviest, top->options);
	if (top->callers)
		values[CALLERS] = sites_callers(report, top->dataset, row->sum.heaviest,
						sites_no_skip(top->options));
	values[STACK] = sites_stack(report, top->dataset, top->selection, row->sum.heaviest);
	for (enum figure i = 0; top->sampled && i < FIGURES; i++)
		values[LIVE_ERROR + i] = value_real(figures_stderr(&row->sum.figures, i));
}

/* The number of rows, those included that filters leave out. */
static bool count_rows(struct top *top)
{
	size_t most = selection_row_count(top->selection);
	bool *is_row = calloc(most + 1, sizeof(*is_row));

	for (uint32_t site = 0; is_row && site < top->dataset->site_count; site++) {
		const uint32_t *rows;
		size_t count = selection_rows_of(top->selection, site, &rows);

		for (size_t r = 0; r < count; r++)
			is_row[rows[r]] = true;
		if (count == 0)
			is_row[selection_named_row(top->selection, site)] = true;
	}
	for (size_t i = 0; is_row && i < most; i++)
		top->row_count += is_row[i];
	free(is_row);
	return is_row != NULL;
}

/* The memory of the stacks that filters let through, and of those that count towards a row that is
 * shown.  With --cumulative, rows overlap. */
static enum snap_status sum_scopes(struct top *top, struct snap_error *err)
{
	enum snap_status st;

	if (top->options->cumulative) {
		st = sums_total(top->dataset, 0, 0, STORE_SCOPE_SHOWN, &top->shown, err);
		return st == SNAP_OK ? sums_total(top->dataset, 0, 0, STORE_SCOPE_SELECTED,
						  &top->selected, err)
				     : st;
	}
	for (size_t i = 0; i < top->shown_count; i++)
		figures_add(&top->shown, &top->rows[i].sum.figures);
	for (size_t i = 0; i < selection_row_count(top->selection); i++)
		figures_add(&top->selected, &top->sums[i].figures);
	return SNAP_OK;
}

/* Ask for the figures of the rows that are shown. */
static enum snap_status sum_shown(struct top *top, struct snap_error *err)
{
	struct store_shown *shown =
		report_alloc(top->report, (top->shown_count + 1) * sizeof(*shown));
	struct row_sum *sums = report_alloc(top->report, (top->shown_count + 1) * sizeof(*sums));
	const struct dataset *dataset = top->dataset;
	enum snap_status st;

	for (size_t i = 0; i < top->shown_count; i++)
		shown[i] = (struct store_shown){top->rows[i].row, top->rows[i].words->key};
	st = sums_show(dataset, shown, top->shown_count, err);
	if (st == SNAP_OK)
		st = sums_of_shown(dataset, 0, 0, top->options->metric, top->shown_count, sums,
				   err);
	for (size_t i = 0; i < top->shown_count; i++)
		top->rows[i].sum = sums[i];
	if (st == SNAP_OK)
		st = sums_total(dataset, 0, 0, STORE_SCOPE_ALL, &top->totals, err);
	return st == SNAP_OK ? sum_scopes(top, err) : st;
}

static enum snap_status take_reach(void *user, uint32_t place, const struct store_reach *reach)
{
	struct top *top = user;

	if (place < top->shown_count)
		top->rows[place].reach = *reach;
	return SNAP_OK;
}

/* Read the graph of holders for the rows that are shown, if there is one. */
static enum snap_status sum_graph(struct top *top, struct snap_error *err)
{
	struct store *store = top->dataset->store;
	int64_t id = top->dataset->snapshot_ids[0];
	bool overlap = top->options->cumulative;
	enum snap_status st = store_has_graph(store, id, &top->has_graph, &top->has_sizes, err);

	top->has_sizes &= !overlap;
	if (st != SNAP_OK || !top->has_graph)
		return st;
	return store_each_shown_reach(store, id, 0, overlap, take_reach, top, err);
}

static void add_part(struct top *top, const char *name, size_t rows, const struct figures *figures)
{
	struct value part = value_object();

	value_field(top->report, &part, "rows", value_u64(rows));
	sites_add_figures(top->report, &part, figures, top->sampled);
	value_field(top->report, &top->report->tail, name, part);
}

static void add_summary(struct top *top)
{
	struct figures totals = top->totals, hidden = totals;
	struct value total = value_object();

	sites_add_figures(top->report, &total, &totals, top->sampled);
	value_field(top->report, &top->report->head, "totals", total);
	figures_subtract(&hidden, &top->shown);
	add_part(top, "shown", top->shown_count, &top->shown);
	add_part(top, "hidden", top->row_count - top->shown_count, &hidden);
}

/* ---- title and closing lines ---- */

static void add_title(struct top *top)
{
	static const char *const what[FIGURES] = {"live", "live", "allocated", "allocated"};
	const struct figures *totals = &top->totals;
	enum figure bytes = sites_bytes_figure(top->options);
	char size[32], blocks[64];

	top->report->title =
		report_text(top->report, "%s: %s %s in %s", sites_input_name(top->report, 0),
			    sites_bytes(totals->value[bytes], size),
			    top->options->never_freed ? "never freed" : what[bytes],
			    sites_blocks(totals->value[bytes + 1], blocks));
}

static void add_next(struct top *top, const struct sites_question *question)
{
	const char *input = sites_input_operand(top->report, 0, top->options);

	report_note(top->report, "Next: snapdiff %s %s %s  (%s)", question->command,
		    question->pattern, input, question->why);
	if (top->has_graph && top->options->group != GROUP_TYPE)
		report_note(top->report, "      snapdiff holders %s %s  (what keeps it alive)",
			    question->pattern, input);
}

/* A row without code of the user's, whose block a library keeps from its start on: libstdc++'s reserve
 * for exceptions is one in every C++ program. */
static bool is_of_start(const struct top *top, const struct top_row *row)
{
	uint32_t site = row->sum.heaviest;
	const struct dataset_site *stack = &top->dataset->sites[site];
	const struct dataset_frame *named;

	if (top->options->group > GROUP_FUNCTION || top->options->cumulative ||
	    stack->identity.named >= stack->depth)
		return false;
	named = dataset_frame_at(top->dataset, site, stack->identity.named);
	return by_design_module(name_base(dataset_text(top->dataset, named->module))) &&
	       sites_is_by_design(top->dataset, site);
}

static void note_start(struct top *top)
{
	enum { WORTH_A_NOTE = 4096 };
	enum figure bytes = sites_bytes_figure(top->options);
	struct figures sum = {0};
	const char *name = NULL;
	char size[32];

	for (size_t i = 0; i < top->shown_count; i++)
		if (is_of_start(top, &top->rows[i])) {
			figures_add(&sum, &top->rows[i].sum.figures);
			name = name ? name : sites_words(top->report, top->rows[i].words);
		}
	if (name && sum.value[bytes] >= WORTH_A_NOTE)
		report_note(top->report,
			    "%s at %s is memory that the C and C++ libraries keep in every "
			    "process: no leak.",
			    sites_bytes(sum.value[bytes], size), name);
}

static void add_notes(struct top *top)
{
	struct figures left_out = top->totals;
	struct report *report = top->report;
	struct sites_question question = {0};
	char size[32];

	figures_subtract(&left_out, &top->selected);
	if (figures_has(&left_out, FIGURE_LIVE_BYTES))
		report_note(report,
			    top->options->never_freed
				    ? "Filters, and caches that every process leaves by design, "
				      "are %s; --all lists them."
				    : "The filters leave out %s of live memory.",
			    sites_bytes(left_out.value[FIGURE_LIVE_BYTES], size));
	if (top->count == 0)
		report_note(report, top->dataset->site_count ? "No call stack passes the filters."
							     : "The snapshot holds no call stack.");
	if (top->shown_count < top->count)
		report_note(report, "%zu of %zu rows are shown; --all shows every one.",
			    top->shown_count, top->count);
	note_start(top);
	/* The largest row that has a name to ask by. */
	for (size_t i = 0; !question.pattern && i < top->shown_count; i++)
		if (!is_of_start(top, &top->rows[i]))
			question = sites_question(report, top->rows[i].words, top->dataset,
						  top->rows[i].sum.heaviest, top->options);
	if (question.pattern)
		add_next(top, &question);
	propose_census(top->report, top->dataset);
}

static void choose_callers(struct top *top)
{
	const struct select_row **words =
		report_alloc(top->report, (top->shown_count + 1) * sizeof(*words));

	for (size_t i = 0; i < top->shown_count; i++)
		words[i] = top->rows[i].words;
	top->callers = sites_want_callers(top->options, words, top->shown_count);
	if (!top->callers)
		sites_drop_column(&sites_own_columns(top->report)[CALLERS]);
}

static void choose_graph_columns(struct top *top)
{
	struct column *own = sites_own_columns(top->report);

	if (!top->has_graph)
		sites_drop_column(&own[UNREACHABLE]);
	if (!top->has_sizes)
		sites_drop_column(&own[RETAINED]);
}

static void tell(struct top *top)
{
	choose_callers(top);
	choose_graph_columns(top);
	for (size_t i = 0; i < top->shown_count; i++)
		add_row(top, &top->rows[i]);
	sites_tell_apart(top->report, KEY, SITE);
	sites_hide_empty(top->report, VIA);
	sites_describe(top->report, top->options);
	add_summary(top);
	add_title(top);
	add_notes(top);
}

enum snap_status top_fill(struct report *report, const struct dataset *dataset,
			  const struct report_options *options, struct snap_error *err)
{
	struct top top = {.report = report, .dataset = dataset, .options = options};
	const struct select_options select = sites_selection(options);
	int column;
	enum snap_status st;

	top.sampled = report->column_count == SAMPLED_COLUMNS;
	st = sites_sort_column(&column, options->sort, sort_names, options->metric, err);
	if (st == SNAP_OK)
		st = selection_new(&top.selection, dataset, &select, err);
	if (st == SNAP_OK)
		st = sum_up(&top, err);
	if (st == SNAP_OK && !(arrange(&top, column) && count_rows(&top)))
		st = fail_memory(err, "ordering call sites");
	if (st == SNAP_OK)
		st = sum_shown(&top, err);
	if (st == SNAP_OK)
		st = sum_graph(&top, err);
	if (st == SNAP_OK)
		tell(&top);
	free(top.rows);
	free(top.sums);
	selection_free(top.selection);
	return st;
}
