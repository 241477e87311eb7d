/*
 * compare_sums.c - the figures of all rows, and of those that are shown.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/memory.h"
#include "report/compare_graph.h"
#include "report/compare_part.h"
#include "report/sites.h"

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
						compare_words_of(compare, &compare->rows[i])->key};
	st = sums_show(compare->dataset, shown, count, err);
	for (uint32_t side = 0; st == SNAP_OK && side < 2; side++) {
		st = look_at_shown(compare, side, err);
		if (st == SNAP_OK)
			st = total_side(compare, side, err);
	}
	return st == SNAP_OK && compare->graph ? compare_graph_show(compare->graph, count, err)
					       : st;
}

enum snap_status compare_sum_up(struct compare *compare, struct snap_error *err)
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
