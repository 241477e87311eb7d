/*
 * peek.c - a function between its callers and its callees, as pprof's peek shows it.
 */
#include "report/peek.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/neighbours.h"
#include "base/fail.h"
#include "base/pattern.h"
#include "report/sites.h"

/*
 * Columns in the order of JSON; the standard errors are there only when a snapshot was sampled,
 * old, new and delta only when there are two.
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
	FIRST_CHANGE, /* old, new and delta of each figure */
	SITE = FIRST_CHANGE + 3 * FIGURES,
	STACK,
	FIRST_ERROR,
	COLUMNS = FIRST_ERROR + FIGURES,
};

static const struct column all_columns[COLUMNS] = {
	[KEY] = {"key", "key", COLUMN_NAME, COLUMN_HIDDEN},
	[OF] = {"of", "of", COLUMN_NAME, COLUMN_HIDDEN},
	[ROLE] = {"role", "role", COLUMN_TEXT, 0},
	[FUNCTION] = {"function", "function", COLUMN_NAME, COLUMN_HIDDEN},
	[FILE_NAME] = {"file", "file", COLUMN_NAME, COLUMN_HIDDEN},
	[LINE] = {"line", "line", COLUMN_COUNT, COLUMN_HIDDEN},
	[MODULE] = {"module", "module", COLUMN_NAME, COLUMN_HIDDEN},
	[LIVE] = {"live_bytes", "live", COLUMN_BYTES, 0},
	[SHARE] = {"share", "% of function", COLUMN_RATIO, COLUMN_TABLE_ONLY | COLUMN_SPARE(5)},
	[BLOCKS] = {"live_blocks", "blocks", COLUMN_COUNT, COLUMN_SPARE(4)},
	[ALLOCATED] = {"allocated_bytes", "allocated", COLUMN_BYTES, COLUMN_SPARE(8)},
	[ALLOCATIONS] = {"allocated_blocks", "allocations", COLUMN_COUNT, COLUMN_SPARE(9)},
	[SITE] = {"site", "site", COLUMN_NAME, COLUMN_TABLE_ONLY},
	[STACK] = {"stack", "stack", COLUMN_STACK, COLUMN_DETAIL},
	[FIRST_CHANGE] = {"old_bytes", "old", COLUMN_BYTES, COLUMN_SPARE(5)},
	{"new_bytes", "new", COLUMN_BYTES, COLUMN_SPARE(4)},
	{"delta_bytes", "change", COLUMN_DELTA_BYTES, 0},
	{"old_blocks", "old blocks", COLUMN_COUNT, COLUMN_HIDDEN},
	{"new_blocks", "new blocks", COLUMN_COUNT, COLUMN_HIDDEN},
	{"delta_blocks", "blocks", COLUMN_DELTA_COUNT, COLUMN_SPARE(3)},
	{"old_allocated_bytes", "old allocated", COLUMN_BYTES, COLUMN_HIDDEN},
	{"new_allocated_bytes", "new allocated", COLUMN_BYTES, COLUMN_HIDDEN},
	{"delta_allocated_bytes", "allocated", COLUMN_DELTA_BYTES, COLUMN_SPARE(6)},
	{"old_allocated_blocks", "old allocations", COLUMN_COUNT, COLUMN_HIDDEN},
	{"new_allocated_blocks", "new allocations", COLUMN_COUNT, COLUMN_HIDDEN},
	{"delta_allocated_blocks", "allocations", COLUMN_DELTA_COUNT, COLUMN_SPARE(7)},
	[FIRST_ERROR] = {"live_bytes_stderr", "± live", COLUMN_BYTES, COLUMN_SPARE(3)},
	{"live_blocks_stderr", "± blocks", COLUMN_COUNT, COLUMN_HIDDEN},
	{"allocated_bytes_stderr", "± allocated", COLUMN_BYTES, COLUMN_HIDDEN},
	{"allocated_blocks_stderr", "± allocations", COLUMN_COUNT, COLUMN_HIDDEN},
};

static const int figure_columns[FIGURES] = {LIVE, BLOCKS, ALLOCATED, ALLOCATIONS};

struct peek_row {
	const struct neighbour *neighbour;
	const struct neighbour *function; /* the row that it belongs to */
	const char *function_key, *key;
	uint32_t heaviest;          /* the site that holds most of it, in any snapshot */
	int64_t group_order, order; /* of its function, and of itself: the largest first */
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
	struct figures totals[NEIGHBOUR_SIDES]; /* by snapshot: of all stacks, */
	struct figures seen[NEIGHBOUR_SIDES];   /* of those through a matching function, */
	struct figures shown[NEIGHBOUR_SIDES];  /* and through one that is shown */
	size_t latest;                          /* the only snapshot, or the new one */
	bool sampled;
};

struct report *peek_report_new(void)
{
	return report_new("snapdiff.peek/1", all_columns, COLUMNS);
}

static bool has_two(const struct peek *peek)
{
	return peek->latest > 0;
}

static void choose_columns(struct peek *peek)
{
	struct column *columns = sites_own_columns(peek->report);

	for (int i = 0; i < 3 * FIGURES && !has_two(peek); i++)
		sites_drop_column(&columns[FIRST_CHANGE + i]);
	for (int i = 0; i < FIGURES && has_two(peek); i++)
		columns[figure_columns[i]].flags |= COLUMN_HIDDEN;
	if (has_two(peek)) /* is the share relative to the old or the new one? */
		sites_drop_column(&columns[SHARE]);
	for (int i = 0; i < FIGURES && !peek->sampled; i++)
		sites_drop_column(&columns[FIRST_ERROR + i]);
}

/* ---- what was asked for ---------------------------------------------------------------------- */

static enum snap_status check_options(const struct report_options *options, struct snap_error *err)
{
	if (options->group != GROUP_FUNCTION && options->group != GROUP_LINE)
		return fail(err, SNAP_EUSAGE,
			    "peek shows functions: --group takes function or line here, not %s",
			    group_key_names[options->group]);
	if (options->cumulative)
		return fail(err, SNAP_EUSAGE,
			    "peek always credits every frame of a stack; leave --cumulative out");
	return SNAP_OK;
}

static enum snap_status find_wanted(struct peek *peek, const char *pattern, struct snap_error *err)
{
	regex_t regex;
	char why[PATTERN_WHY];
	enum snap_status st = pattern_compile(&regex, pattern, why);

	if (st != SNAP_OK)
		return fail(err, st, "'%s' is not a regular expression: %s", pattern, why);
	peek->wanted = calloc(peek->dataset->string_count, sizeof(*peek->wanted));
	for (size_t i = 1; peek->wanted && i < peek->dataset->string_count; i++)
		peek->wanted[i] = pattern_matches(&regex, peek->dataset->strings[i]);
	regfree(&regex);
	return peek->wanted ? SNAP_OK : fail_memory(err, "matching names");
}

static enum snap_status find_neighbours(struct peek *peek, struct snap_error *err)
{
	struct select_options select = sites_selection(peek->options);
	enum snap_status st;

	select.cumulative = true;
	st = selection_new(&peek->selection, peek->dataset, &select, err);
	if (st != SNAP_OK)
		return st;
	peek->neighbours = (struct neighbours){
		.dataset = peek->dataset,
		.selection = peek->selection,
		.wanted = peek->wanted,
		.no_skip = sites_no_skip(peek->options),
	};
	return neighbours_find(&peek->neighbours) ? SNAP_OK : fail_memory(err, "finding callers");
}

/* ---- sums ------------------------------------------------------------------------------------ */

static enum snap_status sum_snapshot(struct peek *peek, size_t snapshot, struct snap_error *err)
{
	struct neighbours *neighbours = &peek->neighbours;
	struct row_sum *sums = calloc(neighbours->count + 1, sizeof(*sums));
	enum snap_status st = sums ? SNAP_OK : fail_memory(err, "summing up callers");

	if (st == SNAP_OK && snapshot == 0)
		st = sums_of_rows(peek->dataset, 0, 0, &neighbours->credits, neighbours->count,
				  sums, err);
	else if (st == SNAP_OK)
		st = sums_of_rows_again(peek->dataset, snapshot, 0, neighbours->count, sums, err);
	for (size_t i = 0; st == SNAP_OK && i < neighbours->count; i++)
		neighbours->items[i].sum[snapshot] = sums[i].figures;
	free(sums);
	return st;
}

static enum snap_status sum_up(struct peek *peek, struct snap_error *err)
{
	enum snap_status st = SNAP_OK;

	for (size_t i = 0; st == SNAP_OK && i <= peek->latest; i++)
		st = sum_snapshot(peek, i, err);
	return st;
}

/* The figures of the rows that are shown, in one of the snapshots. */
static enum snap_status look_at_shown(struct peek *peek, size_t snapshot, uint64_t *weights,
				      struct snap_error *err)
{
	size_t count = peek->shown_count;
	struct row_sum *sums = report_alloc(peek->report, (count + 1) * sizeof(*sums));
	enum snap_status st =
		sums_of_shown(peek->dataset, snapshot, 0, peek->options->metric, count, sums, err);

	for (size_t i = 0; st == SNAP_OK && i < count; i++) {
		struct peek_row *row = &peek->rows[i];

		if (!sums[i].stacks || (row->heaviest != SNAP_NONE && sums[i].weight <= weights[i]))
			continue;
		row->heaviest = sums[i].heaviest;
		weights[i] = sums[i].weight;
	}
	return st;
}

static enum snap_status sum_shown(struct peek *peek, struct snap_error *err)
{
	size_t count = peek->shown_count;
	struct store_shown *shown = report_alloc(peek->report, (count + 1) * sizeof(*shown));
	uint64_t *weights = report_alloc(peek->report, (count + 1) * sizeof(*weights));
	const struct dataset *dataset = peek->dataset;
	enum snap_status st;

	for (size_t i = 0; i < count; i++)
		shown[i] = (struct store_shown){
			(uint32_t)(peek->rows[i].neighbour - peek->neighbours.items),
			peek->rows[i].key};
	st = sums_show(dataset, shown, count, err);
	for (size_t i = 0; st == SNAP_OK && i <= peek->latest; i++) {
		st = look_at_shown(peek, i, weights, err);
		if (st == SNAP_OK)
			st = sums_total(dataset, i, 0, STORE_SCOPE_SHOWN, &peek->shown[i], err);
		if (st == SNAP_OK)
			st = sums_total(dataset, i, 0, STORE_SCOPE_SELECTED, &peek->seen[i], err);
		if (st == SNAP_OK)
			st = sums_total(dataset, i, 0, STORE_SCOPE_ALL, &peek->totals[i], err);
	}
	return st;
}

/* ---- order ----------------------------------------------------------------------------------- */

static const char *const sort_names[] = {
	"live_bytes", "live_blocks", "allocated_bytes", "allocated_blocks", "key", "change", NULL};
enum { SORT_BY_KEY = FIGURES, SORT_BY_CHANGE };

static int64_t change_of(const struct neighbour *neighbour, enum figure figure)
{
	int64_t delta = figures_delta(&neighbour->sum[0], &neighbour->sum[1], figure);

	return delta < 0 ? -delta : delta;
}

static int64_t order_of(const struct peek *peek, const struct neighbour *neighbour, int column)
{
	uint64_t figure;

	if (column == SORT_BY_KEY)
		return 0;
	if (column == SORT_BY_CHANGE)
		return change_of(neighbour, peek->options->metric);
	figure = neighbour->sum[peek->latest].value[column];
	return figure == SNAP_UNKNOWN ? 0 : (int64_t)figure;
}

static enum snap_status choose_order(const struct peek *peek, int *column, struct snap_error *err)
{
	int usual = has_two(peek) ? SORT_BY_CHANGE : peek->options->metric;
	enum snap_status st =
		sites_sort_column(column, peek->options->sort, sort_names, usual, err);

	if (st == SNAP_OK && *column == SORT_BY_CHANGE && !has_two(peek))
		return fail(err, SNAP_EUSAGE,
			    "--sort change needs two snapshots: peek REGEX OLD NEW");
	return st;
}

static int compare_order(int64_t a, int64_t b)
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
	enum figure figure = sites_bytes_figure(peek->options);
	int64_t bytes = has_two(peek) ? change_of(neighbour, figure)
				      : order_of(peek, neighbour, (int)figure);

	return (uint64_t)bytes >= peek->options->min_bytes;
}

/* The rows of the functions that are shown. */
static size_t count_shown(const struct peek *peek)
{
	size_t functions = 0, count = 0;

	for (; count < peek->count; count++) {
		const struct peek_row *row = &peek->rows[count];

		functions += count == 0 || row->function != row[-1].function;
		if (functions > peek->shown_functions)
			break;
	}
	return count;
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
			.heaviest = SNAP_NONE,
			.group_order = order_of(peek, function, column),
			.order = order_of(peek, neighbour, column),
		};
	}
	free(functions);
	if (!functions || !peek->rows)
		return false;
	qsort(peek->rows, peek->count, sizeof(*peek->rows), compare_rows);
	peek->shown_functions = sites_limit(peek->options, peek->function_count);
	peek->shown_count = count_shown(peek);
	return true;
}

/* ---- rows in words --------------------------------------------------------------------------- */

static struct value difference(uint64_t old, uint64_t new)
{
	return old == SNAP_UNKNOWN || new == SNAP_UNKNOWN ? value_null()
							  : value_int((int64_t) new - (int64_t)old);
}

static void add_changes(const struct neighbour *neighbour, struct value *values)
{
	for (enum figure i = 0; i < FIGURES; i++) {
		uint64_t old = neighbour->sum[0].value[i], new = neighbour->sum[1].value[i];

		values[FIRST_CHANGE + 3 * i] = value_u64(old);
		values[FIRST_CHANGE + 3 * i + 1] = value_u64(new);
		values[FIRST_CHANGE + 3 * i + 2] = difference(old, new);
	}
}

/* Where the heaviest stack of a row passes through its function: a caller's outermost frame, a
 * callee's newest.  NULL where no line is known. */
static const struct dataset_frame *line_of(const struct peek *peek, const struct peek_row *row,
					   const struct select_row *words)
{
	const struct dataset *dataset = peek->dataset;
	const struct dataset_frame *found = NULL;

	if (row->heaviest == SNAP_NONE || !words->function)
		return NULL;
	for (uint32_t i = 0; i < dataset->sites[row->heaviest].depth; i++) {
		const struct dataset_frame *frame = dataset_frame_at(dataset, row->heaviest, i);

		if (strcmp(dataset_text(dataset, frame->function), words->function) != 0)
			continue;
		found = frame;
		if (row->neighbour->role != NEIGHBOUR_CALLER)
			break;
	}
	return found && found->file && found->line ? found : NULL;
}

/* A function goes with the line of the stack that holds most of it. */
static const char *site_of(struct peek *peek, const struct peek_row *row, uint32_t id)
{
	const struct select_row *words;
	const struct dataset_frame *frame;

	if (id == SNAP_NONE)
		return row->key;
	words = selection_row(peek->selection, id);
	frame = peek->options->group == GROUP_FUNCTION ? line_of(peek, row, words) : NULL;
	return frame ? sites_short_frame(peek->report, peek->dataset, frame)
		     : sites_words(peek->report, words);
}

static void add_row(struct peek *peek, const struct peek_row *row)
{
	static const char *const roles[] = {"caller", "function", "callee"};
	const struct neighbour *neighbour = row->neighbour;
	struct report *report = peek->report;
	struct value *values = report_row(report);
	uint32_t id =
		neighbour->role == NEIGHBOUR_FUNCTION ? neighbour->function : neighbour->other;
	const struct figures *sum = &neighbour->sum[peek->latest];
	enum figure metric = peek->options->metric;

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
		values[figure_columns[i]] = value_u64(sum->value[i]);
	values[SHARE] =
		sites_share(sum->value[metric], row->function->sum[peek->latest].value[metric]);
	if (has_two(peek))
		add_changes(neighbour, values);
	values[SITE] =
		value_text(report, report_text(report, "%s%s",
					       neighbour->role == NEIGHBOUR_FUNCTION ? "" : "  ",
					       site_of(peek, row, id)));
	values[STACK] = sites_stack(report, peek->dataset, peek->selection, row->heaviest);
	for (enum figure i = 0; peek->sampled && i < FIGURES; i++)
		values[FIRST_ERROR + i] = value_real(figures_stderr(sum, i));
}

/* The names of the columns, so that every format can close its rows with them. */
static void add_part_changes(struct peek *peek, struct value *part, const struct figures *sides)
{
	for (enum figure i = 0; i < FIGURES; i++) {
		const struct column *columns = &all_columns[FIRST_CHANGE + 3 * i];
		uint64_t old = sides[0].value[i], new = sides[1].value[i];

		value_field(peek->report, part, columns[0].name, value_u64(old));
		value_field(peek->report, part, columns[1].name, value_u64(new));
		value_field(peek->report, part, columns[2].name, difference(old, new));
	}
}

/* `sides`: the figures of each snapshot. */
static void add_part(struct peek *peek, const char *name, size_t rows, const struct figures *sides)
{
	struct value part = value_object();

	value_field(peek->report, &part, "rows", value_u64(rows));
	sites_add_figures(peek->report, &part, &sides[peek->latest], peek->sampled);
	if (has_two(peek))
		add_part_changes(peek, &part, sides);
	value_field(peek->report, &peek->report->tail, name, part);
}

/* `old`, `new` and `delta` within `totals`, as compare has them. */
static void add_both_totals(struct peek *peek, struct value *totals, const struct figures *sides)
{
	struct value old = value_object(), new = value_object(), delta = value_object();

	sites_add_figures(peek->report, &old, &sides[0], peek->sampled);
	sites_add_figures(peek->report, &new, &sides[1], peek->sampled);
	for (enum figure i = 0; i < FIGURES; i++)
		value_field(peek->report, &delta, figure_column_names[i],
			    difference(sides[0].value[i], sides[1].value[i]));
	value_field(peek->report, totals, "old", old);
	value_field(peek->report, totals, "new", new);
	value_field(peek->report, totals, "delta", delta);
}

static void add_summary(struct peek *peek, const char *pattern)
{
	struct figures hidden[NEIGHBOUR_SIDES];
	struct value totals = value_object();

	for (size_t i = 0; i <= peek->latest; i++)
		hidden[i] = peek->totals[i];

	value_field(peek->report, &peek->report->head, "pattern",
		    value_text(peek->report, pattern));
	sites_describe(peek->report, peek->options);
	sites_add_figures(peek->report, &totals, &hidden[peek->latest], peek->sampled);
	if (has_two(peek))
		add_both_totals(peek, &totals, hidden);
	value_field(peek->report, &peek->report->head, "totals", totals);
	for (size_t i = 0; i <= peek->latest; i++)
		figures_subtract(&hidden[i], &peek->shown[i]);
	add_part(peek, "shown", peek->shown_count, peek->shown);
	add_part(peek, "hidden", peek->neighbours.count - peek->shown_count, hidden);
}

static const char *title_of_one(struct peek *peek, const char *pattern)
{
	const struct figures *totals = &peek->totals[0];
	char held[32], all[32];

	return report_text(peek->report,
			   "%s: stacks through functions that match '%s' hold %s of %s live",
			   sites_input_name(peek->report, 0), pattern,
			   sites_bytes(peek->seen[0].value[FIGURE_LIVE_BYTES], held),
			   sites_bytes(totals->value[FIGURE_LIVE_BYTES], all));
}

static const char *title_of_two(struct peek *peek, const char *pattern)
{
	const struct figures *seen = peek->seen;
	char old[32], new[32], delta[32];

	return report_text(peek->report,
			   "%s -> %s: stacks through functions that match '%s': %s -> %s live (%s)",
			   sites_input_name(peek->report, 0), sites_input_name(peek->report, 1),
			   pattern, sites_bytes(seen[0].value[FIGURE_LIVE_BYTES], old),
			   sites_bytes(seen[1].value[FIGURE_LIVE_BYTES], new),
			   sites_change(&seen[0], &seen[1], FIGURE_LIVE_BYTES, delta));
}

static void add_notes(struct peek *peek, const char *pattern)
{
	peek->report->title =
		has_two(peek) ? title_of_two(peek, pattern) : title_of_one(peek, pattern);
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
	enum snap_status st =
		arrange(peek, column) ? sum_shown(peek, err) : fail_memory(err, "ordering callers");

	if (st != SNAP_OK)
		return st;
	choose_columns(peek);
	for (size_t i = 0; i < peek->shown_count; i++)
		add_row(peek, &peek->rows[i]);
	add_summary(peek, pattern);
	add_notes(peek, pattern);
	return SNAP_OK;
}

enum snap_status peek_fill(struct report *report, const struct dataset *dataset,
			   const char *pattern, const struct report_options *options,
			   struct snap_error *err)
{
	struct peek peek = {
		.report = report,
		.dataset = dataset,
		.options = options,
		.latest = dataset->snapshot_count - 1,
	};
	int column;
	enum snap_status st = check_options(options, err);

	for (size_t i = 0; i <= peek.latest; i++)
		peek.sampled |= dataset->snapshots[i].sampled;
	if (st == SNAP_OK)
		st = choose_order(&peek, &column, err);
	if (st == SNAP_OK)
		st = find_wanted(&peek, pattern, err);
	if (st == SNAP_OK)
		st = find_neighbours(&peek, err);
	if (st == SNAP_OK)
		st = sum_up(&peek, err);
	if (st == SNAP_OK)
		st = tell(&peek, pattern, column, err);
	free(peek.rows);
	neighbours_release(&peek.neighbours);
	selection_free(peek.selection);
	free(peek.wanted);
	return st;
}
