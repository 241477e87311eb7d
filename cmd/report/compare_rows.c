/*
 * compare_rows.c - rows of changes: paired by analysis/pair.c, summed by analysis/change.c, ordered (compare_order.c), and
 * described here; compare_words.c says in sentences what was found.
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
#include "base/memory.h"
#include "report/call_tree.h"
#include "report/comparable.h"
#include "report/compare_graph.h"
#include "report/compare_part.h"
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
	CHANGE_PER,
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
	[CHANGE_PER] = {"change_per", "change", COLUMN_DELTA_COUNT, COLUMN_TABLE_ONLY},
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

/* Rows that are judged per unit may shrink while their size grows.  Show only the change that their
   status is about. */
static void hide_recorded_changes(struct column *columns)
{
	for (enum figure i = 0; i < FIGURES; i++) {
		columns[figure_columns[i] + 2].flags |= COLUMN_HIDDEN;
		columns[FIRST_ERROR + 3 * i + 2].flags |= COLUMN_HIDDEN;
	}
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
	if (compare->per)
		hide_recorded_changes(columns);
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
		values[FIRST_ERROR + 3 * i + 2] = value_real(compare_delta_stderr(row, i));
	}
	values[NOISE] = value_bool(compare_is_within_noise(compare, row));
}

static struct value per_value(uint64_t figure, double units)
{
	return figure == SNAP_UNKNOWN ? value_null() : value_real((double)figure / units);
}

static const char *amount_text(const struct compare *compare, double amount)
{
	bool is_bytes = compare->metric == sites_bytes_figure(compare->options);
	char text[32];

	return report_text(compare->report, "%s", per_unit_text(amount, is_bytes, text));
}

const char *compare_rates_text(const struct compare *compare, double old, double new)
{
	return report_text(compare->report, "%s -> %s", amount_text(compare, old),
			   amount_text(compare, new));
}

/* "-5.0 KiB/s", "+0.25/request" */
static const char *rate_text(const struct compare *compare, double rate)
{
	const char *unit = compare->per->unit;
	const char *sign = rate > 0 ? "+" : rate < 0 ? "-" : "";

	return report_text(compare->report, "%s%s/%s", sign, amount_text(compare, fabs(rate)),
			   strcmp(unit, "second") == 0 ? "s" : unit);
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
	values[CHANGE_PER] =
		value_text(compare->report, rate_text(compare, values[DELTA_PER].real));
	values[PER] = value_text(compare->report, compare_rates_text(compare, values[OLD_PER].real,
								     values[NEW_PER].real));
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

/* "grew 5.0 KiB/s" */
static const char *growth_per_unit(const struct compare *compare, const struct change_row *row)
{
	double rate = change_per_unit(row, compare->metric, &compare->per->units);

	if (rate == 0)
		return NULL;
	return report_text(compare->report, "%s %s", rate > 0 ? "grew" : "shrank",
			   rate_text(compare, rate) + 1);
}

/* "grew 4.0 MiB" if the status hides it because the row also moved; otherwise NULL. */
static const char *growth_text(const struct compare *compare, const struct change_row *row)
{
	enum figure bytes = sites_bytes_figure(compare->options);
	int64_t delta = figures_delta(&row->old, &row->new, bytes);
	int64_t blocks = figures_delta(&row->old, &row->new, bytes ^ 1);
	char amount[32];

	if (row->status != CHANGE_MOVED)
		return NULL;
	if (compare->per)
		return growth_per_unit(compare, row);
	if (delta == 0 && blocks == 0)
		return NULL;
	if (delta)
		return report_text(compare->report, "%s %s", delta > 0 ? "grew" : "shrank",
				   sites_bytes((uint64_t)compare_magnitude(delta), amount));
	return report_text(compare->report, "%" PRId64 " %s %s", compare_magnitude(blocks),
			   blocks > 0 ? "more" : "fewer",
			   compare_magnitude(blocks) == 1 ? "block" : "blocks");
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

const struct select_row *compare_words_of(const struct compare *compare,
					  const struct compare_row *row)
{
	return selection_row(compare->selection, row->row);
}

static void add_row(struct compare *compare, const struct compare_row *row)
{
	struct report *report = compare->report;
	struct value *values = report_row(report);
	const struct change_row *change = row->change;
	const struct select_row *words = compare_words_of(compare, row);

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

	compare_arrange(compare, column);
	compare->callers = want_callers(compare);
	choose_columns(compare);
	st = compare_sum_up(compare, err);
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
	compare_add_finding(compare);
	compare_add_title(compare);
	if (!add_call_tree(compare))
		return fail_memory(err, "drawing call paths");
	compare_add_notes(compare);
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
		st = compare_sort_column(options, &column, err);
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
