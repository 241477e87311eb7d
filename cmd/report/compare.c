/*
 * compare.c - rows of changes: paired by analysis/pair.c, summed by analysis/change.c, ordered and
 * described here.
 */
#include "report/compare.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/change.h"
#include "analysis/pairing/pair.h"
#include "analysis/pairing/twins.h"
#include "base/fail.h"
#include "base/order.h"
#include "base/memory.h"
#include "report/call_tree.h"
#include "report/comparable.h"
#include "report/compare_graph.h"
#include "report/sites.h"

/*
 * Columns in the order of JSON.  Those of standard errors are there only when a side was sampled,
 * those of the spread only when a side has several snapshots, those per unit only when runs of
 * different length are compared, those of holders only when both sides say who holds what.
 */
enum {
	KEY,
	STATUS,
	FUNCTION,
	FILE_NAME,
	LINE,
	MODULE,
	OLD_BYTES,
	NEW_BYTES,
	DELTA_BYTES,
	OLD_BLOCKS,
	NEW_BLOCKS,
	DELTA_BLOCKS,
	OLD_ALLOCATED,
	NEW_ALLOCATED,
	DELTA_ALLOCATED,
	OLD_ALLOCATIONS,
	NEW_ALLOCATIONS,
	DELTA_ALLOCATIONS,
	OLD_PER,
	NEW_PER,
	DELTA_PER,
	PER,
	MARK,
	SITE,
	VIA,
	CALLERS,
	CHANGE,
	HELD,
	OLD_UNREACHABLE,
	NEW_UNREACHABLE,
	DELTA_UNREACHABLE,
	OLD_RETAINED,
	NEW_RETAINED,
	DELTA_RETAINED,
	NEW_HOLDERS,
	MATCH,
	SIMILARITY,
	STACK,
	EXACT_COLUMNS,
	FIRST_ERROR =
		EXACT_COLUMNS, /* three for each figure, in the order of the figures' columns */
	NOISE = FIRST_ERROR + 3 * FIGURES,
	OLD_LOW,
	OLD_HIGH,
	NEW_LOW,
	NEW_HIGH,
	OVERLAP,
	COLUMNS,
};

static const struct column all_columns[COLUMNS] = {
	[KEY] = {"key", "key", COLUMN_NAME, COLUMN_HIDDEN},
	[STATUS] = {"status", "status", COLUMN_VERDICT, COLUMN_SPARE(1)},
	[FUNCTION] = {"function", "function", COLUMN_NAME, COLUMN_HIDDEN},
	[FILE_NAME] = {"file", "file", COLUMN_NAME, COLUMN_HIDDEN},
	[LINE] = {"line", "line", COLUMN_COUNT, COLUMN_HIDDEN},
	[MODULE] = {"module", "module", COLUMN_NAME, COLUMN_HIDDEN},
	[OLD_BYTES] = {"old_bytes", "old", COLUMN_BYTES, COLUMN_SPARE(5)},
	[NEW_BYTES] = {"new_bytes", "new", COLUMN_BYTES, COLUMN_SPARE(4)},
	[DELTA_BYTES] = {"delta_bytes", "change", COLUMN_DELTA_BYTES, 0},
	[OLD_BLOCKS] = {"old_blocks", "old blocks", COLUMN_COUNT, COLUMN_HIDDEN},
	[NEW_BLOCKS] = {"new_blocks", "new blocks", COLUMN_COUNT, COLUMN_HIDDEN},
	[DELTA_BLOCKS] = {"delta_blocks", "blocks", COLUMN_DELTA_COUNT, COLUMN_SPARE(3)},
	[OLD_ALLOCATED] = {"old_allocated_bytes", "old allocated", COLUMN_BYTES,
			   COLUMN_HIDDEN | COLUMN_SPARE(5)},
	[NEW_ALLOCATED] = {"new_allocated_bytes", "new allocated", COLUMN_BYTES,
			   COLUMN_HIDDEN | COLUMN_SPARE(4)},
	[DELTA_ALLOCATED] = {"delta_allocated_bytes", "allocated", COLUMN_DELTA_BYTES,
			     COLUMN_HIDDEN},
	[OLD_ALLOCATIONS] = {"old_allocated_blocks", "old allocations", COLUMN_COUNT,
			     COLUMN_HIDDEN},
	[NEW_ALLOCATIONS] = {"new_allocated_blocks", "new allocations", COLUMN_COUNT,
			     COLUMN_HIDDEN},
	[DELTA_ALLOCATIONS] = {"delta_allocated_blocks", "allocations", COLUMN_DELTA_COUNT,
			       COLUMN_HIDDEN | COLUMN_SPARE(3)},
	[OLD_PER] = {"old_per", "old per unit", COLUMN_COUNT, COLUMN_HIDDEN},
	[NEW_PER] = {"new_per", "new per unit", COLUMN_COUNT, COLUMN_HIDDEN},
	[DELTA_PER] = {"delta_per", "change per unit", COLUMN_DELTA_COUNT, COLUMN_HIDDEN},
	[PER] = {"per", "per unit", COLUMN_TEXT, COLUMN_TABLE_ONLY},
	[MARK] = {"mark", "", COLUMN_TEXT, COLUMN_TABLE_ONLY},
	[SITE] = {"site", "site", COLUMN_NAME, COLUMN_TABLE_ONLY},
	[VIA] = {"via", "via", COLUMN_NAME, COLUMN_SPARE(9)},
	[CALLERS] = {"callers", "called from", COLUMN_NAME, COLUMN_TABLE_ONLY | COLUMN_SPARE(8)},
	[CHANGE] = {"change", "what changed", COLUMN_NAME, COLUMN_SPARE(6)},
	[HELD] = {"held", "held by", COLUMN_NAME, COLUMN_SPARE(1)},
	[OLD_UNREACHABLE] = {"old_unreachable_bytes", "old unreachable", COLUMN_BYTES,
			     COLUMN_HIDDEN},
	[NEW_UNREACHABLE] = {"new_unreachable_bytes", "new unreachable", COLUMN_BYTES,
			     COLUMN_HIDDEN},
	[DELTA_UNREACHABLE] = {"delta_unreachable_bytes", "unreachable", COLUMN_DELTA_BYTES,
			       COLUMN_SPARE(3)},
	[OLD_RETAINED] = {"old_retained_bytes", "old retained", COLUMN_BYTES, COLUMN_HIDDEN},
	[NEW_RETAINED] = {"new_retained_bytes", "new retained", COLUMN_BYTES, COLUMN_HIDDEN},
	[DELTA_RETAINED] = {"delta_retained_bytes", "retained", COLUMN_DELTA_BYTES,
			    COLUMN_SPARE(3)},
	[NEW_HOLDERS] = {"new_holders", "new holders", COLUMN_TREE, COLUMN_DETAIL},
	[MATCH] = {"match", "match", COLUMN_TEXT, COLUMN_HIDDEN},
	[SIMILARITY] = {"similarity", "similarity", COLUMN_RATIO, COLUMN_HIDDEN},
	[STACK] = {"stack", "stack", COLUMN_STACK, COLUMN_DETAIL},
	[FIRST_ERROR] = {"old_bytes_stderr", "± old", COLUMN_BYTES, COLUMN_HIDDEN},
	{"new_bytes_stderr", "± new", COLUMN_BYTES, COLUMN_HIDDEN},
	{"delta_bytes_stderr", "± change", COLUMN_BYTES, COLUMN_SPARE(2)},
	{"old_blocks_stderr", "± old blocks", COLUMN_COUNT, COLUMN_HIDDEN},
	{"new_blocks_stderr", "± new blocks", COLUMN_COUNT, COLUMN_HIDDEN},
	{"delta_blocks_stderr", "± blocks", COLUMN_COUNT, COLUMN_HIDDEN},
	{"old_allocated_bytes_stderr", "± old allocated", COLUMN_BYTES, COLUMN_HIDDEN},
	{"new_allocated_bytes_stderr", "± new allocated", COLUMN_BYTES, COLUMN_HIDDEN},
	{"delta_allocated_bytes_stderr", "± allocated", COLUMN_BYTES, COLUMN_HIDDEN},
	{"old_allocated_blocks_stderr", "± old allocations", COLUMN_COUNT, COLUMN_HIDDEN},
	{"new_allocated_blocks_stderr", "± new allocations", COLUMN_COUNT, COLUMN_HIDDEN},
	{"delta_allocated_blocks_stderr", "± allocations", COLUMN_COUNT, COLUMN_HIDDEN},
	[NOISE] = {"within_noise", "within noise", COLUMN_TEXT, COLUMN_SPARE(2)},
	[OLD_LOW] = {"old_low", "old least", COLUMN_BYTES, COLUMN_HIDDEN},
	[OLD_HIGH] = {"old_high", "old most", COLUMN_BYTES, COLUMN_SPARE(7)},
	[NEW_LOW] = {"new_low", "new least", COLUMN_BYTES, COLUMN_SPARE(7)},
	[NEW_HIGH] = {"new_high", "new most", COLUMN_BYTES, COLUMN_HIDDEN},
	[OVERLAP] = {"within_spread", "within spread", COLUMN_TEXT, COLUMN_SPARE(2)},
};

/* The first of the three columns (old, new, delta) of each figure. */
static const int figure_columns[FIGURES] = {OLD_BYTES, OLD_BLOCKS, OLD_ALLOCATED, OLD_ALLOCATIONS};

/* A difference of less than so many standard errors may well be chance (95 %, two-sided). */
static const double noise_limit = 1.96;

struct compare_row {
	const struct change_row *change;
	uint32_t row;
	double rate;   /* what rows are ordered by, the largest first: with --normalize this, */
	int64_t order; /* then this; equal ones by key */
};

struct compare {
	struct report *report;
	const struct dataset *dataset;
	const struct report_options *options;
	enum figure metric;
	struct pair_sides sides;
	struct pairing pairing;
	struct selection *selection;
	struct changes changes;
	const struct repeats *repeats; /* NULL: one snapshot on either side */
	const struct per_unit *per;    /* NULL: figures are judged as they are */
	bool is_gate;
	struct spread *spread; /* of each row, with repeats */
	struct compare_row *rows;
	size_t count, shown_count; /* rows that pass, ordered; the first of them are shown */
	size_t small_count;        /* rows that changed by less than --min */
	size_t same_count;         /* rows that are the same and not wanted */
	size_t unknown_count;      /* rows of which it is unknown whether they changed */
	size_t row_count;          /* all rows, also those that filters leave out */
	struct row_sum *sums[2];   /* of all rows, by side; NULL with repeats */
	struct figures old_total, new_total, old_shown, new_shown, old_selected, new_selected;
	struct compare_graph *graph; /* NULL: a side does not say who holds what */
	bool sampled;
	bool callers; /* rows say who called */
};

struct report *compare_report_new(void)
{
	return report_new("snapdiff.compare/1", all_columns, COLUMNS);
}

/* ---- columns --------------------------------------------------------------------------------- */

static void swap_visibility(struct column *shown, struct column *hidden)
{
	shown->flags |= COLUMN_HIDDEN;
	hidden->flags &= ~(unsigned)COLUMN_HIDDEN;
}

/* For people, show the figures that --metric is about, and hide columns that this comparison does
   not have. */
static void choose_columns(struct compare *compare)
{
	struct column *columns = sites_own_columns(compare->report);

	if (sites_bytes_figure(compare->options) == FIGURE_ALLOCATED_BYTES) {
		swap_visibility(&columns[OLD_BYTES], &columns[OLD_ALLOCATED]);
		swap_visibility(&columns[NEW_BYTES], &columns[NEW_ALLOCATED]);
		swap_visibility(&columns[DELTA_BYTES], &columns[DELTA_ALLOCATED]);
		swap_visibility(&columns[DELTA_BLOCKS], &columns[DELTA_ALLOCATIONS]);
	}
	if (!compare->callers)
		sites_drop_column(&columns[CALLERS]);
	for (int i = OLD_PER; !compare->per && i <= PER; i++)
		sites_drop_column(&columns[i]);
	if (compare->per)
		columns[PER].title = report_text(compare->report, "per %s", compare->per->unit);
	for (int i = HELD; !compare->graph && i <= NEW_HOLDERS; i++)
		sites_drop_column(&columns[i]);
	for (int i = FIRST_ERROR; !compare->sampled && i <= NOISE; i++)
		sites_drop_column(&columns[i]);
	for (int i = OLD_LOW; !compare->repeats && i <= OVERLAP; i++)
		sites_drop_column(&columns[i]);
}

/* ---- order ----------------------------------------------------------------------------------- */

static const char *const sort_names[] = {"change",
					 "old_bytes",
					 "new_bytes",
					 "delta_bytes",
					 "old_blocks",
					 "new_blocks",
					 "delta_blocks",
					 "old_allocated_bytes",
					 "new_allocated_bytes",
					 "delta_allocated_bytes",
					 "old_allocated_blocks",
					 "new_allocated_blocks",
					 "delta_allocated_blocks",
					 "key",
					 NULL};
enum { SORT_BY_CHANGE = 0, SORT_BY_FIGURE = 1, SORT_BY_KEY = SORT_BY_FIGURE + 3 * FIGURES };

static int64_t magnitude(int64_t delta)
{
	return delta < 0 ? -delta : delta;
}

static int64_t known_or_zero(uint64_t figure)
{
	return figure == SNAP_UNKNOWN ? 0 : (int64_t)figure;
}

static int64_t order_of(const struct change_row *row, int column, enum figure metric)
{
	enum figure figure = (enum figure)((column - SORT_BY_FIGURE) / 3);

	if (column == SORT_BY_CHANGE)
		return magnitude(figures_delta(&row->old, &row->new, metric));
	if (column == SORT_BY_KEY)
		return 0;
	switch ((column - SORT_BY_FIGURE) % 3) {
	case 0:
		return known_or_zero(row->old.value[figure]);
	case 1:
		return known_or_zero(row->new.value[figure]);
	default:
		return figures_delta(&row->old, &row->new, figure);
	}
}

static double rate_of(const struct compare *compare, const struct change_row *row, int column)
{
	if (!compare->per || column != SORT_BY_CHANGE)
		return 0;
	return fabs(change_per_unit(row, compare->metric, &compare->per->units));
}

static int compare_rows(const void *left, const void *right, void *context)
{
	const struct compare *compare = context;
	const struct compare_row *a = left, *b = right;

	if (a->rate > b->rate || a->rate < b->rate)
		return a->rate < b->rate ? 1 : -1;
	if (a->order != b->order)
		return a->order < b->order ? 1 : -1;
	return selection_compare_keys(compare->selection, a->row, b->row);
}

static bool is_large_enough(const struct compare *compare, const struct change_row *row)
{
	enum figure bytes = sites_bytes_figure(compare->options);
	int64_t delta = figures_delta(&row->old, &row->new, bytes);

	if (compare->per)
		return fabs(change_per_unit(row, bytes, &compare->per->units)) *
			       compare->per->units.new >=
		       (double)compare->options->min_bytes;
	return row->status == CHANGE_UNKNOWN ||
	       (uint64_t)magnitude(delta) >= compare->options->min_bytes;
}

static double delta_stderr(const struct change_row *row, enum figure figure)
{
	return sqrt(row->old.variance[figure] + row->new.variance[figure]);
}

static bool is_within_noise(const struct compare *compare, const struct change_row *row)
{
	enum figure metric = compare->metric;
	double error = delta_stderr(row, metric);
	double delta = (double)magnitude(figures_delta(&row->old, &row->new, metric));

	if (compare->per) {
		error = hypot(figures_stderr(&row->old, metric) / compare->per->units.old,
			      figures_stderr(&row->new, metric) / compare->per->units.new);
		delta = fabs(change_per_unit(row, metric, &compare->per->units));
	}
	return delta <= noise_limit * error;
}

/*
 * Does a gate count the row?  A row that moved and grew is a leak under another name.  For a
 * sampled row, only growth beyond its error counts.
 */
static bool is_finding(const struct compare *compare, const struct change_row *row)
{
	bool up = row->status == CHANGE_NEW || row->status == CHANGE_GREW ||
		  (row->status == CHANGE_MOVED && row->direction > 0);

	return up && !(compare->sampled && is_within_noise(compare, row));
}

/* The same as before; or it moved, and holds nothing on either side. */
static bool is_nothing_new(const struct compare *compare, const struct change_row *row)
{
	return row->status == CHANGE_SAME ||
	       (row->status == CHANGE_MOVED && row->old.value[compare->metric] == 0 &&
		row->new.value[compare->metric] == 0 && row->old.value[compare->metric ^ 1] == 0 &&
		row->new.value[compare->metric ^ 1] == 0);
}

/* A gate without data must not look like one without findings. */
static void warn_of_unknown_changes(const struct compare *compare)
{
	if (compare->is_gate && compare->unknown_count)
		report_notice(compare->report,
			      &(struct notice){.kind = NOTICE_GATE_BLIND,
					       .figures = {compare->unknown_count}});
}

/* Drop the rows that are not to be shown, and order the others.  Returns whether there is a
   finding. */
static void arrange(struct compare *compare, int column)
{
	for (uint32_t i = 0; i < compare->changes.count; i++) {
		const struct change_row *change = &compare->changes.rows[i];

		if (!change_has_stacks(change))
			continue;
		if (!is_large_enough(compare, change)) {
			compare->small_count += change->status != CHANGE_SAME;
			continue;
		}
		if (is_finding(compare, change))
			compare->report->finding = true;
		if (change->status == CHANGE_UNKNOWN)
			compare->unknown_count++;
		if (is_nothing_new(compare, change) && !compare->options->all) {
			compare->same_count++;
			continue;
		}
		compare->rows[compare->count++] = (struct compare_row){
			.change = change,
			.row = i,
			.rate = rate_of(compare, change, column),
			.order = order_of(change, column, compare->metric),
		};
	}
	compare->shown_count = sites_limit(compare->options, compare->count);
	order_first(compare->rows, compare->count, sizeof(*compare->rows), compare->shown_count,
		    compare_rows, compare);
	warn_of_unknown_changes(compare);
}

/* ---- rows in words --------------------------------------------------------------------------- */

static struct value delta_value(const struct change_row *row, enum figure figure)
{
	if (row->old.value[figure] == SNAP_UNKNOWN || row->new.value[figure] == SNAP_UNKNOWN)
		return value_null();
	return value_int(figures_delta(&row->old, &row->new, figure));
}

static void add_errors(const struct compare *compare, const struct change_row *row,
		       struct value *values)
{
	for (enum figure i = 0; i < FIGURES; i++) {
		values[FIRST_ERROR + 3 * i] = value_real(figures_stderr(&row->old, i));
		values[FIRST_ERROR + 3 * i + 1] = value_real(figures_stderr(&row->new, i));
		values[FIRST_ERROR + 3 * i + 2] = value_real(delta_stderr(row, i));
	}
	values[NOISE] = value_bool(is_within_noise(compare, row));
}

static struct value per_value(uint64_t figure, double units)
{
	return figure == SNAP_UNKNOWN ? value_null() : value_real((double)figure / units);
}

/* "7.8 KiB -> 15.6 KiB" */
static const char *rates_text(const struct compare *compare, double old, double new)
{
	bool is_bytes = compare->metric == sites_bytes_figure(compare->options);
	char before[32], after[32];

	return report_text(compare->report, "%s -> %s", per_unit_text(old, is_bytes, before),
			   per_unit_text(new, is_bytes, after));
}

static void add_per_unit(const struct compare *compare, const struct change_row *row,
			 struct value *values)
{
	enum figure metric = compare->metric;
	const struct change_units *units = &compare->per->units;

	values[OLD_PER] = per_value(row->old.value[metric], units->old);
	values[NEW_PER] = per_value(row->new.value[metric], units->new);
	if (values[OLD_PER].kind == VALUE_NULL || values[NEW_PER].kind == VALUE_NULL)
		return;
	values[DELTA_PER] = value_real(change_per_unit(row, metric, units));
	values[PER] = value_text(compare->report,
				 rates_text(compare, values[OLD_PER].real, values[NEW_PER].real));
}

static void add_spread(const struct spread *spread, struct value *values)
{
	values[OLD_LOW] = value_u64(spread->old_low);
	values[OLD_HIGH] = value_u64(spread->old_high);
	values[NEW_LOW] = value_u64(spread->new_low);
	values[NEW_HIGH] = value_u64(spread->new_high);
	values[OVERLAP] = value_bool(spread_overlaps(spread));
}

/* Two sides and their difference, unless one is unknown. */
static void add_sides(struct value *values, uint64_t old, uint64_t new)
{
	values[0] = value_u64(old);
	values[1] = value_u64(new);
	if (old != SNAP_UNKNOWN && new != SNAP_UNKNOWN)
		values[2] = value_int((int64_t) new - (int64_t)old);
}

static struct value holder_value(struct report *report, const struct new_holder *holder)
{
	struct value object = value_object();

	value_field(report, &object, "key", value_text(report, holder->name));
	value_field(report, &object, "kind", value_text(report, holder->kind));
	value_field(report, &object, "root", value_text(report, holder->root));
	value_field(report, &object, "blocks", value_u64(holder->blocks));
	value_field(report, &object, "bytes", value_u64(holder->bytes));
	return object;
}

static void add_graph(struct compare *compare, const struct compare_row *row, struct value *values)
{
	const struct compare_graph *graph = compare->graph;
	struct report *report = compare->report;
	size_t count, place = (size_t)(row - compare->rows);
	const struct new_holder *holders = compare_graph_of(graph, row->row, &count);
	const struct store_reach *old = compare_graph_reach(graph, false, place);
	const struct store_reach *new = compare_graph_reach(graph, true, place);

	values[HELD] = value_text(report, compare_graph_words(report, holders, count));
	add_sides(&values[OLD_UNREACHABLE], old->unreachable, new->unreachable);
	add_sides(&values[OLD_RETAINED], old->retained, new->retained);
	values[NEW_HOLDERS] = value_list(report, count);
	for (size_t i = 0; i < count; i++)
		values[NEW_HOLDERS].list.items[i] = holder_value(report, &holders[i]);
}

/* "grew 4.0 MiB" if the status hides it because the row also moved; otherwise NULL. */
static const char *growth_text(const struct compare *compare, const struct change_row *row)
{
	enum figure bytes = sites_bytes_figure(compare->options);
	int64_t delta = figures_delta(&row->old, &row->new, bytes);
	int64_t blocks = figures_delta(&row->old, &row->new, bytes ^ 1);
	char amount[32];

	if (row->status != CHANGE_MOVED || (delta == 0 && blocks == 0))
		return NULL;
	if (delta)
		return report_text(compare->report, "%s %s", delta > 0 ? "grew" : "shrank",
				   sites_bytes((uint64_t)magnitude(delta), amount));
	return report_text(compare->report, "%" PRId64 " %s %s", magnitude(blocks),
			   blocks > 0 ? "more" : "fewer",
			   magnitude(blocks) == 1 ? "block" : "blocks");
}

/* What changed in the row's heaviest pair; null if nothing did. */
static struct value change_value(const struct compare *compare, const struct change_row *row)
{
	const char *growth = growth_text(compare, row);
	char *text = NULL;
	struct value value;

	if (row->paired && row->weakest > PAIR_LINE &&
	    !change_text(compare->dataset, &compare->pairing.pairs[row->heaviest], &text))
		memory_need(NULL, "saying what changed");
	if (text && growth)
		value = value_text(compare->report,
				   report_text(compare->report, "%s; %s", text, growth));
	else
		value = value_text(compare->report, text ? text : growth);
	free(text);
	return value;
}

static const struct select_row *words_of(const struct compare *compare,
					 const struct compare_row *row)
{
	return selection_row(compare->selection, row->row);
}

static void add_row(struct compare *compare, const struct compare_row *row)
{
	struct report *report = compare->report;
	struct value *values = report_row(report);
	const struct change_row *change = row->change;
	const struct select_row *words = words_of(compare, row);

	values[KEY] = value_text(report, words->key);
	values[SITE] = sites_name(report, words);
	if (compare->options->group == GROUP_STACK)
		values[SITE] = sites_frame_name(
			report, compare->dataset,
			change_label_site(&compare->pairing.pairs[change->heaviest]),
			sites_no_skip(compare->options));
	values[STATUS] = value_text(report, change_status_name(change->status));
	values[FUNCTION] = value_text(report, words->function);
	values[FILE_NAME] = value_text(report, words->file);
	values[LINE] = sites_line(words->line);
	values[MODULE] = value_text(report, words->module);
	for (enum figure i = 0; i < FIGURES; i++) {
		values[figure_columns[i]] = value_u64(change->old.value[i]);
		values[figure_columns[i] + 1] = value_u64(change->new.value[i]);
		values[figure_columns[i] + 2] = delta_value(change, i);
	}
	values[CHANGE] = change_value(compare, change);
	values[VIA] = sites_via(report, compare->dataset,
				change_label_site(&compare->pairing.pairs[change->heaviest]),
				compare->options);
	if (change->paired && change->weakest > PAIR_LINE)
		values[MARK] = value_text(report, change->weakest == PAIR_FUZZY ? "~~" : "~");
	values[MATCH] = value_text(report, pair_level_names[change->weakest]);
	if (change->weakest == PAIR_FUZZY)
		values[SIMILARITY] = value_real(change->similarity);
	values[STACK] = sites_stack(report, compare->dataset, compare->selection,
				    change_label_site(&compare->pairing.pairs[change->heaviest]));
	if (compare->callers)
		values[CALLERS] =
			sites_callers(report, compare->dataset,
				      change_label_site(&compare->pairing.pairs[change->heaviest]),
				      sites_no_skip(compare->options));
	if (compare->sampled)
		add_errors(compare, change, values);
	if (compare->per)
		add_per_unit(compare, change, values);
	if (compare->graph)
		add_graph(compare, row, values);
	if (compare->spread)
		add_spread(&compare->spread[row->row], values);
}

/* ---- sums ------------------------------------------------------------------------------------ */

static void add_side(struct figures *sum, const struct dataset_cell *const *cells, uint32_t site)
{
	if (site != SNAP_NONE)
		figures_add(sum, &cells[site]->figures);
}

/* The number of rows, without those named only by the old place of a stack that has a partner. */
static void count_rows(struct compare *compare, bool *is_row)
{
	for (size_t i = 0; i < compare->pairing.count; i++) {
		uint32_t site = change_label_site(&compare->pairing.pairs[i]);
		const uint32_t *rows;
		size_t count = selection_rows_of(compare->selection, site, &rows);

		for (size_t r = 0; r < count; r++)
			is_row[rows[r]] = true;
		if (count == 0)
			is_row[selection_named_row(compare->selection, site)] = true;
	}
	for (size_t i = 0; i < compare->changes.count; i++)
		compare->row_count += is_row[i];
}

/*
 * Medians, which the store does not have: the memory of the pairs credited to a row that is shown
 * (with --cumulative rows overlap), and of all that filters let through.
 */
static void add_medians(struct compare *compare, const bool *is_shown)
{
	compare->old_total = compare->dataset->snapshots[0].totals;
	compare->new_total = compare->dataset->snapshots[1].totals;
	for (size_t i = 0; i < compare->pairing.count; i++) {
		const struct pair *pair = &compare->pairing.pairs[i];
		uint32_t site = change_label_site(pair);
		const uint32_t *rows;

		if (selection_rows_of(compare->selection, site, &rows)) {
			add_side(&compare->old_selected, compare->sides.old, pair->old);
			add_side(&compare->new_selected, compare->sides.new, pair->new);
		}
		if (selection_credits_any(compare->selection, site, is_shown)) {
			add_side(&compare->old_shown, compare->sides.old, pair->old);
			add_side(&compare->new_shown, compare->sides.new, pair->new);
		}
	}
}

/* The figures of the rows that are shown, on one side. */
static enum snap_status look_at_shown(struct compare *compare, uint32_t side,
				      struct snap_error *err)
{
	size_t count = compare->shown_count;
	struct row_sum *sums = report_alloc(compare->report, (count + 1) * sizeof(*sums));
	enum snap_status st =
		sums_of_shown(compare->dataset, side, side, compare->metric, count, sums, err);

	for (size_t i = 0; st == SNAP_OK && i < count; i++) {
		struct change_row *row = &compare->changes.rows[compare->rows[i].row];

		*(side ? &row->new : &row->old) = sums[i].figures;
	}
	return st;
}

/* The memory of the stacks that filters let through, and of those that count towards a row that is
 * shown, on one side.  With --cumulative, rows overlap. */
static enum snap_status sum_scopes(struct compare *compare, uint32_t side, struct snap_error *err)
{
	struct figures *shown = side ? &compare->new_shown : &compare->old_shown;
	struct figures *selected = side ? &compare->new_selected : &compare->old_selected;
	const struct dataset *dataset = compare->dataset;
	enum snap_status st;

	if (compare->options->cumulative) {
		st = sums_total(dataset, side, side, STORE_SCOPE_SHOWN, shown, err);
		return st == SNAP_OK ? sums_total(dataset, side, side, STORE_SCOPE_SELECTED,
						  selected, err)
				     : st;
	}
	for (size_t i = 0; i < compare->shown_count; i++)
		figures_add(shown,
			    side ? &compare->rows[i].change->new : &compare->rows[i].change->old);
	for (size_t i = 0; i < compare->changes.count; i++)
		figures_add(selected, &compare->sums[side][i].figures);
	return SNAP_OK;
}

static enum snap_status total_side(struct compare *compare, uint32_t side, struct snap_error *err)
{
	enum snap_status st = sums_total(compare->dataset, side, side, STORE_SCOPE_ALL,
					 side ? &compare->new_total : &compare->old_total, err);

	return st == SNAP_OK ? sum_scopes(compare, side, err) : st;
}

static enum snap_status sum_shown(struct compare *compare, struct snap_error *err)
{
	size_t count = compare->shown_count;
	struct store_shown *shown = report_alloc(compare->report, (count + 1) * sizeof(*shown));
	enum snap_status st;

	for (size_t i = 0; i < count; i++)
		shown[i] = (struct store_shown){compare->rows[i].row,
						words_of(compare, &compare->rows[i])->key};
	st = sums_show(compare->dataset, shown, count, err);
	for (uint32_t side = 0; st == SNAP_OK && side < 2; side++) {
		st = look_at_shown(compare, side, err);
		if (st == SNAP_OK)
			st = total_side(compare, side, err);
	}
	return st == SNAP_OK && compare->graph ? compare_graph_show(compare->graph, count, err)
					       : st;
}

static enum snap_status sum_up(struct compare *compare, struct snap_error *err)
{
	bool *is_shown = calloc(compare->changes.count + 1, sizeof(*is_shown));
	bool *is_row = calloc(compare->changes.count + 1, sizeof(*is_row));
	enum snap_status st = is_shown && is_row ? SNAP_OK : fail_memory(err, "summing up changes");

	for (size_t i = 0; st == SNAP_OK && i < compare->shown_count; i++)
		is_shown[compare->rows[i].row] = true;
	if (st == SNAP_OK)
		count_rows(compare, is_row);
	if (st == SNAP_OK && compare->repeats)
		add_medians(compare, is_shown);
	else if (st == SNAP_OK)
		st = sum_shown(compare, err);
	free(is_shown);
	free(is_row);
	return st;
}

static struct value difference(uint64_t old, uint64_t new)
{
	return old == SNAP_UNKNOWN || new == SNAP_UNKNOWN ? value_null()
							  : value_int((int64_t) new - (int64_t)old);
}

/* `shown` and `hidden`: the same names as the columns, so that every format can close its rows with
 * them. */
static void add_part(struct compare *compare, const char *name, size_t rows,
		     const struct figures *old, const struct figures *new)
{
	struct value part = value_object();
	struct report *report = compare->report;

	value_field(report, &part, "rows", value_u64(rows));
	for (enum figure i = 0; i < FIGURES; i++) {
		value_field(report, &part, all_columns[figure_columns[i]].name,
			    value_u64(old->value[i]));
		value_field(report, &part, all_columns[figure_columns[i] + 1].name,
			    value_u64(new->value[i]));
		value_field(report, &part, all_columns[figure_columns[i] + 2].name,
			    difference(old->value[i], new->value[i]));
	}
	value_field(report, &report->tail, name, part);
}

static void add_totals(struct compare *compare, const struct figures *old,
		       const struct figures *new)
{
	struct report *report = compare->report;
	struct value totals = value_object(), side[2] = {value_object(), value_object()},
		     delta = value_object();

	sites_add_figures(report, &side[0], old, compare->sampled);
	sites_add_figures(report, &side[1], new, compare->sampled);
	for (enum figure i = 0; i < FIGURES; i++)
		value_field(report, &delta, figure_column_names[i],
			    difference(old->value[i], new->value[i]));
	for (enum figure i = 0; compare->sampled && i < FIGURES; i++)
		value_field(report, &delta,
			    report_text(report, "%s_stderr", figure_column_names[i]),
			    value_real(sqrt(old->variance[i] + new->variance[i])));
	value_field(report, &totals, "old", side[0]);
	value_field(report, &totals, "new", side[1]);
	value_field(report, &totals, "delta", delta);
	value_field(report, &report->head, "totals", totals);
}

/* `normalize`: what the two sides were divided by. */
static void describe_units(struct compare *compare)
{
	const struct per_unit *per = compare->per;
	struct value object = value_object();

	value_field(compare->report, &object, "by", value_text(compare->report, per->by));
	value_field(compare->report, &object, "old_units", value_real(per->units.old));
	value_field(compare->report, &object, "new_units", value_real(per->units.new));
	value_field(compare->report, &compare->report->head, "normalize", object);
}

static void add_summary(struct compare *compare)
{
	struct figures old = compare->old_total, new = compare->new_total;

	add_totals(compare, &old, &new);
	figures_subtract(&old, &compare->old_shown);
	figures_subtract(&new, &compare->new_shown);
	add_part(compare, "shown", compare->shown_count, &compare->old_shown, &compare->new_shown);
	add_part(compare, "hidden", compare->row_count - compare->shown_count, &old, &new);
}

/* ---- title and closing lines ----------------------------------------------------------------- */

/* "a.snap", or "3 snapshots" */
static const char *side_name(struct compare *compare, bool new)
{
	const struct repeats *repeats = compare->repeats;
	size_t first = repeats && new ? repeats->old_count : new;
	size_t count = !repeats ? 1
		       : new    ? repeats->count - repeats->old_count
				: repeats->old_count;

	if (count == 1)
		return sites_input_name(compare->report, first);
	return report_text(compare->report, "%zu snapshots (%s ...)", count,
			   sites_input_name(compare->report, first));
}

static void add_title(struct compare *compare)
{
	const struct figures *old = &compare->old_total, *new = &compare->new_total;
	enum figure bytes = sites_bytes_figure(compare->options);
	char before[32], after[32], delta[32];

	compare->report->title = report_text(compare->report, "%s -> %s: %s -> %s %s (%s)",
					     side_name(compare, false), side_name(compare, true),
					     sites_bytes(old->value[bytes], before),
					     sites_bytes(new->value[bytes], after),
					     bytes == FIGURE_LIVE_BYTES ? "live" : "allocated",
					     sites_change(old, new, bytes, delta));
}

static bool is_growth(const struct compare *compare, const struct compare_row *row)
{
	return row->change->status == CHANGE_NEW || row->change->status == CHANGE_GREW ||
	       is_finding(compare, row->change);
}

/* ", called from serve < main"; "" where the rows have no callers of their own. */
static const char *called_from(struct compare *compare, const struct compare_row *row)
{
	uint32_t site = change_label_site(&compare->pairing.pairs[row->change->heaviest]);
	struct value callers;

	if (!compare->callers)
		return "";
	callers = sites_callers(compare->report, compare->dataset, site,
				sites_no_skip(compare->options));
	return callers.kind == VALUE_TEXT
		       ? report_text(compare->report, ", called from %s", callers.text.data)
		       : "";
}

/* What a row is judged by: "+64.0 KiB"; "7.8 KiB -> 15.6 KiB per request" */
static const char *worst_change(const struct compare *compare, const struct change_row *row)
{
	const struct per_unit *per = compare->per;
	uint64_t old = row->old.value[compare->metric], new = row->new.value[compare->metric];
	char delta[32];

	if (per && old != SNAP_UNKNOWN && new != SNAP_UNKNOWN)
		return report_text(compare->report, "%s per %s",
				   rates_text(compare, (double)old / per->units.old,
					      (double)new / per->units.new),
				   per->unit);
	return report_text(
		compare->report, "%s",
		sites_change(&row->old, &row->new, sites_bytes_figure(compare->options), delta));
}

static const char *worst_text(struct compare *compare, const struct compare_row *worst)
{
	return report_text(compare->report, "worst is %s (%s)%s",
			   sites_bare_words(compare->report, words_of(compare, worst)),
			   worst_change(compare, worst->change), called_from(compare, worst));
}

/* ": 3 rows shrank or are gone (-1.0 MiB), 2 moved, 140 are the same" */
static const char *other_rows(struct compare *compare)
{
	struct report *report = compare->report;
	enum figure bytes = sites_bytes_figure(compare->options);
	bool has_sum = !compare->options->cumulative && !compare->per && !compare->repeats;
	size_t fewer = 0, moved = 0, same = compare->same_count;
	const char *text = "";
	int64_t sum = 0;
	char delta[32];

	for (size_t i = 0; i < compare->count; i++) {
		const struct change_row *row = compare->rows[i].change;
		bool is_less = row->status == CHANGE_SHRANK || row->status == CHANGE_GONE;

		fewer += is_less;
		moved += row->status == CHANGE_MOVED;
		sum += is_less ? figures_delta(&row->old, &row->new, bytes) : 0;
	}
	if (fewer)
		text = report_text(report, ": %zu row%s shrank or %s gone%s", fewer,
				   fewer == 1 ? "" : "s", fewer == 1 ? "is" : "are",
				   has_sum ? report_text(report, " (%s)", sites_delta(sum, delta))
					   : "");
	if (moved)
		text = report_text(report, "%s%s %zu%s moved", text, *text ? "," : ":", moved,
				   *text        ? ""
				   : moved == 1 ? " row"
						: " rows");
	if (same)
		text = report_text(report, "%s%s %zu%s %s the same", text, *text ? "," : ":", same,
				   *text       ? ""
				   : same == 1 ? " row"
					       : " rows",
				   same == 1 ? "is" : "are");
	return text;
}

/* One snapshot a side cannot tell growth from chance. */
static const char *how_sure(struct compare *compare)
{
	const struct repeats *repeats = compare->repeats;

	if (!repeats)
		return "one snapshot a side";
	return report_text(compare->report, "%zu against %zu snapshots", repeats->old_count,
			   repeats->count - repeats->old_count);
}

static void say_no_growth(struct compare *compare)
{
	const char *least = "";
	char size[32];

	if (compare->unknown_count)
		return;
	if (compare->small_count)
		least = report_text(compare->report, " of %s or more",
				    sites_bytes(compare->options->min_bytes, size));
	compare->report->headline = report_text(compare->report, "No growth%s found%s (%s).", least,
						other_rows(compare), how_sure(compare));
}

/* The answer first: what grew, the worst row, and its caller. */
static void add_finding(struct compare *compare)
{
	const struct compare_row *worst = NULL;
	enum figure bytes = sites_bytes_figure(compare->options);
	size_t count = 0;
	int64_t sum = 0;
	char delta[32];

	for (size_t i = 0; i < compare->count; i++) {
		const struct compare_row *row = &compare->rows[i];

		if (!is_growth(compare, row))
			continue;
		if (!worst || compare_rows(row, worst, compare) < 0)
			worst = row;
		count++;
		sum += figures_delta(&row->change->old, &row->change->new, bytes);
	}
	if (!worst) {
		say_no_growth(compare);
		return;
	}
	/* Rows that overlap, or are ordered by something else, have no sum. */
	compare->report->headline = report_text(
		compare->report, "%zu row%s grew or %s new%s: %s.", count, count == 1 ? "" : "s",
		count == 1 ? "is" : "are",
		compare->options->cumulative || compare->per || compare->repeats
			? ""
			: report_text(compare->report, " (%s)", sites_delta(sum, delta)),
		worst_text(compare, worst));
}

static int64_t part_change(const struct compare_row *rows, size_t count, enum figure figure)
{
	int64_t sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += magnitude(figures_delta(&rows[i].change->old, &rows[i].change->new, figure));
	return sum;
}

/* ", 97.0 % of the bytes that changed" */
static const char *share_text(struct compare *compare)
{
	enum figure bytes = sites_bytes_figure(compare->options);
	int64_t all = part_change(compare->rows, compare->count, bytes);
	int64_t shown = part_change(compare->rows, compare->shown_count, bytes);

	if (all == 0)
		return compare->unknown_count ? "" : ", 0 bytes changed";
	return report_text(compare->report, ", %.1f %% of the bytes that changed",
			   100.0 * (double)shown / (double)all);
}

static void note_what_is_shown(struct compare *compare)
{
	const char *more = compare->shown_count < compare->count || compare->same_count
				   ? "; --all shows the rest"
				   : "";
	const char *unknown = "";

	if (compare->count == 0) { /* the first line has said what there is */
		report_note(compare->report, "Nothing changed%s", more);
		return;
	}
	if (compare->unknown_count)
		unknown = report_text(compare->report,
				      "; of %zu it is not known what changed (status -)",
				      compare->unknown_count);
	report_note(compare->report, "Shown: %zu of %zu %s%s%s%s", compare->shown_count,
		    compare->count,
		    compare->options->all || compare->unknown_count ? "rows" : "changed rows",
		    share_text(compare), unknown, more);
}

/* Both sides where each is one file; else a snapshot of the new side. */
static const char *peek_operands(struct compare *compare)
{
	struct report *report = compare->report;
	size_t new = compare->repeats ? compare->repeats->old_count : 1;
	const char *operand = sites_input_operand(report, new, compare->options);

	if (compare->repeats || compare->options->db)
		return operand;
	return report_text(report, "%s %s", sites_input_operand(report, 0, compare->options),
			   operand);
}

static void note_units(struct compare *compare)
{
	const struct per_unit *per = compare->per;

	report_note(compare->report,
		    "Rows are judged and ordered per %s (%.10g %s in the old, %.10g in the new "
		    "snapshot); old, new and change are as recorded.",
		    per->unit, per->units.old, per->by, per->units.new);
}

/* The cause of the largest change, if that is growth. */
static void note_next(struct compare *compare)
{
	const struct compare_row *first = compare->rows;
	struct sites_question question;

	if (!compare->shown_count ||
	    (first->change->status != CHANGE_NEW && first->change->status != CHANGE_GREW))
		return;
	question =
		sites_question(compare->report, words_of(compare, first), compare->dataset,
			       change_label_site(&compare->pairing.pairs[first->change->heaviest]),
			       compare->options);
	if (question.pattern)
		report_note(compare->report, "Next: snapdiff %s %s %s  (%s)", question.command,
			    question.pattern,
			    compare->options->group == GROUP_TYPE
				    ? sites_input_operand(compare->report, 1, compare->options)
				    : peek_operands(compare),
			    question.why);
}

/* Explain the marks of the shown rows. */
static void note_marks(struct compare *compare)
{
	bool function = false, fuzzy = false;

	for (size_t i = 0; i < compare->shown_count; i++) {
		const struct change_row *change = compare->rows[i].change;

		function |= change->paired && change->weakest == PAIR_FUNCTION;
		fuzzy |= change->paired && change->weakest == PAIR_FUZZY;
	}
	if (function || fuzzy)
		report_note(compare->report, "%s%s%s.",
			    function ? "~ the same functions, from other lines" : "",
			    function && fuzzy ? "; " : "",
			    fuzzy ? "~~ paired by likeness: renamed, moved or inlined" : "");
}

/* Rows that have a new holder and are not shown. */
static void note_holders(struct compare *compare)
{
	enum { MOST = 5 };
	size_t count, told = 0, next;
	const struct new_holder *all = compare_graph_all(compare->graph, &count);
	bool *is_shown = report_alloc(compare->report, compare->changes.count + 1);

	memset(is_shown, 0, compare->changes.count + 1);
	for (size_t i = 0; i < compare->shown_count; i++)
		is_shown[compare->rows[i].row] = true;
	for (size_t i = 0; i < count; i = next) {
		for (next = i + 1; next < count && all[next].row == all[i].row;)
			next++;
		if (is_shown[all[i].row] || all[i].row_is_new || told++ >= MOST)
			continue;
		report_note(
			compare->report, "%s is %s.",
			sites_words(compare->report, selection_row(compare->selection, all[i].row)),
			compare_graph_words(compare->report, &all[i], next - i));
	}
	if (told > MOST)
		report_note(compare->report, "%zu more rows that are not shown have new holders.",
			    told - MOST);
}

static void add_notes(struct compare *compare)
{
	struct figures old = compare->old_total, new = compare->new_total;
	char before[32], after[32];

	figures_subtract(&old, &compare->old_selected);
	figures_subtract(&new, &compare->new_selected);
	if (figures_has(&old, FIGURE_LIVE_BYTES) || figures_has(&new, FIGURE_LIVE_BYTES))
		report_note(compare->report,
			    "The filters leave out %s of the old and %s of the new live memory.",
			    sites_bytes(old.value[FIGURE_LIVE_BYTES], before),
			    sites_bytes(new.value[FIGURE_LIVE_BYTES], after));
	if (compare->graph)
		note_holders(compare);
	note_next(compare);
	if (compare->per)
		note_units(compare);
	note_marks(compare);
	note_what_is_shown(compare);
}

/* ---- the whole report ------------------------------------------------------------------------ */

/* A difference counts only where it exceeds the spread of the runs. */
static enum snap_status look_at_spread(struct compare *compare, struct snap_error *err)
{
	compare->spread = repeats_spread(compare->repeats, compare->dataset, compare->selection,
					 &compare->pairing, compare->metric);
	if (!compare->spread)
		return fail_memory(err, "looking at the spread");
	for (size_t i = 0; i < compare->changes.count; i++)
		if (compare->changes.rows[i].status != CHANGE_MOVED &&
		    spread_overlaps(&compare->spread[i]))
			compare->changes.rows[i].status = CHANGE_SAME;
	return SNAP_OK;
}

/* Let the store sum both sides by row. */
static enum snap_status sum_sides(struct compare *compare, struct snap_error *err)
{
	size_t row_count = selection_row_count(compare->selection);
	enum snap_status st = SNAP_OK;

	for (uint32_t side = 0; st == SNAP_OK && side < 2; side++) {
		struct credits credits = {0};

		compare->sums[side] = calloc(row_count + 1, sizeof(struct row_sum));
		if (!compare->sums[side] || !changes_credits(compare->selection, compare->dataset,
							     &compare->pairing, side, &credits))
			st = fail_memory(err, "summing up changes");
		if (st == SNAP_OK)
			st = sums_of_rows(compare->dataset, side, side, &credits, row_count,
					  compare->sums[side], err);
		credits_release(&credits);
	}
	return st;
}

static enum snap_status group(struct compare *compare, struct snap_error *err)
{
	enum snap_status st = compare->repeats ? SNAP_OK : sum_sides(compare, err);
	const struct change_sums sums = {compare->sums[0], compare->sums[1]};

	return st == SNAP_OK ? changes_compute(&compare->changes, compare->selection,
					       &compare->pairing, &compare->sides,
					       compare->repeats ? NULL : &sums, compare->metric,
					       compare->per ? &compare->per->units : NULL, err)
			     : st;
}

static enum snap_status pair_and_group(struct compare *compare, struct snap_error *err)
{
	const struct select_options select = sites_selection(compare->options);
	enum snap_status st = pairing_compute(&compare->pairing, compare->dataset, &compare->sides,
					      (enum pair_level)compare->options->match, err);

	if (st == SNAP_OK && select.group < GROUP_STACK && !select.no_skip &&
	    !compare->options->cumulative &&
	    !twins_join_sites(&compare->pairing, compare->dataset, &compare->sides,
			      compare->metric))
		st = fail_memory(err, "pairing call stacks");
	if (st == SNAP_OK)
		st = selection_new(&compare->selection, compare->dataset, &select, err);
	if (st == SNAP_OK)
		st = group(compare, err);
	if (st == SNAP_OK && compare->repeats)
		st = look_at_spread(compare, err);
	if (st == SNAP_OK) {
		compare->rows = calloc(compare->changes.count + 1, sizeof(*compare->rows));
		if (!compare->rows)
			st = fail_memory(err, "ordering changes");
	}
	return st;
}

/* Whole stacks are shown as a tree below the table, whose rows then only name their sites. */
static bool add_call_tree(struct compare *compare)
{
	struct call_path *paths;
	size_t count = 0;

	if (compare->options->group != GROUP_STACK)
		return true;
	paths = report_alloc(compare->report, (compare->shown_count + 1) * sizeof(*paths));
	for (size_t i = 0; i < compare->shown_count; i++) {
		const struct change_row *change = compare->rows[i].change;
		int64_t delta = figures_delta(&change->old, &change->new,
					      sites_bytes_figure(compare->options));

		if (delta)
			paths[count++] = (struct call_path){
				change_label_site(&compare->pairing.pairs[change->heaviest]),
				delta};
	}
	return call_tree_note(compare->report, compare->dataset, paths, count,
			      compare->options->verbose);
}

/* The caller of a row that allocates more is often what changed. */
static bool want_callers(const struct compare *compare)
{
	int group = compare->options->group;

	return group == GROUP_STACK ||
	       (!compare->options->cumulative &&
		(group == GROUP_LINE || group == GROUP_FUNCTION || group == GROUP_TYPE));
}

/* Tables leave out a column that is empty in every row. */
static void hide_graph(struct compare *compare)
{
	static const int deltas[] = {DELTA_UNREACHABLE, DELTA_RETAINED};
	const struct report *report = compare->report;

	if (!compare->graph)
		return;
	sites_hide_empty(compare->report, HELD);
	for (size_t i = 0; i < sizeof(deltas) / sizeof(*deltas); i++) {
		bool empty = true;

		for (size_t r = 0; r < report->row_count; r++) {
			const struct value *value =
				&report->rows[r * report->column_count + (size_t)deltas[i]];

			empty &= value->kind != VALUE_INT || value->integer == 0;
		}
		if (empty)
			sites_own_columns(compare->report)[deltas[i]].flags |= COLUMN_HIDDEN;
	}
}

static enum snap_status read_graph(struct compare *compare, struct snap_error *err)
{
	const struct compare_graph_request request = {compare->dataset, compare->selection,
						      &compare->pairing,
						      compare->options->cumulative};

	if (compare->repeats)
		return SNAP_OK; /* medians belong to no moment in time */
	return compare_graph_read(&compare->graph, compare->report, &request, err);
}

static enum snap_status tell(struct compare *compare, int column, struct snap_error *err)
{
	enum snap_status st;

	arrange(compare, column);
	compare->callers = want_callers(compare);
	choose_columns(compare);
	st = sum_up(compare, err);
	if (st != SNAP_OK)
		return st;
	for (size_t i = 0; i < compare->shown_count; i++)
		add_row(compare, &compare->rows[i]);
	if (compare->options->group != GROUP_STACK)
		sites_tell_apart(compare->report, KEY, SITE);
	sites_hide_empty(compare->report, VIA);
	sites_hide_empty(compare->report, CALLERS);
	sites_hide_empty(compare->report, CHANGE);
	sites_hide_empty(compare->report, MARK);
	hide_graph(compare);
	sites_describe(compare->report, compare->options);
	value_field(compare->report, &compare->report->head, "match",
		    value_text(compare->report, pair_level_names[compare->options->match]));
	if (compare->per)
		describe_units(compare);
	add_summary(compare);
	add_finding(compare);
	add_title(compare);
	if (!add_call_tree(compare))
		return fail_memory(err, "drawing call paths");
	add_notes(compare);
	return SNAP_OK;
}

enum snap_status compare_fill(struct report *report, const struct dataset *dataset,
			      const struct compare_request *request,
			      const struct report_options *options, struct snap_error *err)
{
	const struct dataset_cell **old = dataset_cells_by_site(dataset, 0);
	const struct dataset_cell **new = dataset_cells_by_site(dataset, 1);
	struct compare compare = {
		.report = report,
		.dataset = dataset,
		.options = options,
		.metric = options->metric,
		.sides = {old, new, request->maps, request->map_count},
		.repeats = request->repeats,
		.per = request->per,
		.is_gate = request->is_gate,
		.sampled = dataset->snapshots[0].sampled || dataset->snapshots[1].sampled,
	};
	int column;
	enum snap_status st = old && new ? SNAP_OK : fail_memory(err, "comparing snapshots");

	if (st == SNAP_OK)
		st = sites_sort_column(&column, options->sort, sort_names, SORT_BY_CHANGE, err);
	if (st == SNAP_OK)
		st = pair_and_group(&compare, err);
	if (st == SNAP_OK && request->are_runs && !request->per && !request->repeats)
		comparable_warn_of_work(report, &compare.pairing, &compare.sides);
	if (st == SNAP_OK)
		st = read_graph(&compare, err);
	if (st == SNAP_OK)
		st = tell(&compare, column, err);
	compare_graph_free(compare.graph);
	free(compare.rows);
	free(compare.spread);
	free(compare.sums[0]);
	free(compare.sums[1]);
	changes_release(&compare.changes);
	selection_free(compare.selection);
	pairing_release(&compare.pairing);
	free(old);
	free(new);
	return st;
}
