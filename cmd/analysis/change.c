/*
 * change.c - sums over paired stacks, and the status of each row.
 */
#include "analysis/change.h"

#include <stdlib.h>

#include "base/fail.h"

const char *change_status_name(enum change_status status)
{
	static const char *const names[] = {"new", "gone", "grew", "shrank", "same", "moved", NULL};

	return names[status];
}

bool change_has_stacks(const struct change_row *row)
{
	return row->old_only || row->new_only || row->paired;
}

uint32_t change_label_site(const struct pair *pair)
{
	if (pair->has_twin)
		return pair->twin;
	return pair->new != SNAP_NONE ? pair->new : pair->old;
}

static const struct figures *side_figures(const struct dataset_cell *const *cells, uint32_t site)
{
	static const struct figures nothing;

	return site == SNAP_NONE ? &nothing : &cells[site]->figures;
}

static uint64_t known_or_nothing(uint64_t value)
{
	return value == SNAP_UNKNOWN ? 0 : value;
}

/* The more a pair holds on either side, the more it says about its row. */
static uint64_t weight(const struct figures *old, const struct figures *new, enum figure figure)
{
	uint64_t a = known_or_nothing(old->value[figure]), b = known_or_nothing(new->value[figure]);

	return a > b ? a : b;
}

static void add_pair(struct change_row *row, const struct pairing *pairing, uint32_t index,
		     const struct pair_sides *sides, enum figure figure)
{
	const struct pair *pair = &pairing->pairs[index], *best = &pairing->pairs[row->heaviest];
	const struct figures *old = side_figures(sides->old, pair->old);
	const struct figures *new = side_figures(sides->new, pair->new);

	if (pair->has_twin) /* it says nothing of what changed */
		return;
	if (!change_has_stacks(row) ||
	    weight(old, new, figure) > weight(side_figures(sides->old, best->old),
					      side_figures(sides->new, best->new), figure))
		row->heaviest = index;
	row->old_only += pair->new == SNAP_NONE;
	row->new_only += pair->old == SNAP_NONE;
	if (pair->level == PAIR_NONE)
		return;
	if (row->paired == 0 || pair->level > row->weakest)
		row->weakest = pair->level;
	if (row->paired == 0 || pair->similarity < row->similarity)
		row->similarity = pair->similarity;
	row->paired++;
}

double change_per_unit(const struct change_row *row, enum figure figure,
		       const struct change_units *units)
{
	uint64_t old = row->old.value[figure], new = row->new.value[figure];

	if (old == SNAP_UNKNOWN || new == SNAP_UNKNOWN)
		return 0;
	/* Equal ratios may differ after division by rounding; products do not. */
	if ((double)new * units->old == (double)old * units->new)
		return 0;
	return (double)new / units->new - (double)old / units->old;
}

/* 1 up, -1 down, 0 the same. */
static int direction(const struct change_row *row, enum figure figure,
		     const struct change_units *units)
{
	int64_t delta = figures_delta(&row->old, &row->new, figure);
	double rate = units ? change_per_unit(row, figure, units) : (double)delta;

	return (rate > 0) - (rate < 0);
}

/* Judge by the chosen figure; if it did not change, by its companion (blocks for bytes, bytes
 * for blocks). */
static int judged_direction(const struct change_row *row, enum figure figure,
			    const struct change_units *units)
{
	enum figure companion = figure ^ 1;
	int judged = direction(row, figure, units);

	return judged ? judged : direction(row, companion, units);
}

/* Stacks that hold nothing and have no partner are not reported: their memory was allocated and
 * freed between the snapshots. */
static bool holds_nothing(const struct figures *figures, enum figure figure)
{
	return figures->value[figure] == 0 && figures->value[figure ^ 1] == 0;
}

static bool is_unknown(const struct change_row *row, enum figure figure)
{
	return row->old.value[figure] == SNAP_UNKNOWN || row->new.value[figure] == SNAP_UNKNOWN;
}

static enum change_status status_of(const struct change_row *row, enum figure figure)
{
	if (!row->paired && !row->old_only)
		return holds_nothing(&row->new, figure) ? CHANGE_SAME : CHANGE_NEW;
	if (!row->paired && !row->new_only)
		return holds_nothing(&row->old, figure) ? CHANGE_SAME : CHANGE_GONE;
	if (row->weakest == PAIR_FUZZY && !row->old_only && !row->new_only)
		return CHANGE_MOVED;
	if (row->direction)
		return row->direction > 0 ? CHANGE_GREW : CHANGE_SHRANK;
	if (is_unknown(row, figure))
		return CHANGE_UNKNOWN;
	return row->paired && row->weakest > PAIR_LINE ? CHANGE_MOVED : CHANGE_SAME;
}

static void judge(struct change_row *row, enum figure figure, const struct change_units *units)
{
	row->direction = judged_direction(row, figure, units);
	row->status = status_of(row, figure);
}

bool changes_credits(const struct selection *selection, const struct dataset *dataset,
		     const struct pairing *pairing, bool new, struct credits *credits)
{
	uint32_t *label = malloc((dataset->site_count + 1) * sizeof(*label));
	bool ok = label != NULL;

	for (size_t i = 0; ok && i < dataset->site_count; i++)
		label[i] = SNAP_NONE;
	for (size_t i = 0; ok && i < pairing->count; i++) {
		const struct pair *pair = &pairing->pairs[i];
		uint32_t site = new ? pair->new : pair->old;

		if (site != SNAP_NONE)
			label[site] = change_label_site(pair);
	}
	for (uint32_t site = 0; ok && site < dataset->site_count; site++) {
		const uint32_t *rows;
		size_t count = label[site] == SNAP_NONE
				       ? 0
				       : selection_rows_of(selection, label[site], &rows);

		for (size_t r = 0; ok && r < count; r++)
			ok = credits_add(credits, dataset, rows[r], site);
	}
	free(label);
	return ok;
}

static void add_cells(struct change_row *row, const struct pair *pair,
		      const struct pair_sides *sides)
{
	figures_add(&row->old, side_figures(sides->old, pair->old));
	figures_add(&row->new, side_figures(sides->new, pair->new));
}

static void take_sums(struct changes *changes, const struct change_sums *sums)
{
	for (size_t i = 0; i < changes->count; i++) {
		changes->rows[i].old = sums->old[i].figures;
		changes->rows[i].new = sums->new[i].figures;
	}
}

enum snap_status changes_compute(struct changes *changes, const struct selection *selection,
				 const struct pairing *pairing, const struct pair_sides *sides,
				 const struct change_sums *sums, enum figure figure,
				 const struct change_units *units, struct snap_error *err)
{
	*changes = (struct changes){.count = selection_row_count(selection)};
	changes->rows = calloc(changes->count + 1, sizeof(*changes->rows));
	if (!changes->rows)
		return fail_memory(err, "summing up changes");
	for (size_t i = 0; i < changes->count; i++)
		changes->rows[i].weakest = PAIR_NONE;
	for (uint32_t i = 0; i < pairing->count; i++) {
		const uint32_t *rows;
		size_t count =
			selection_rows_of(selection, change_label_site(&pairing->pairs[i]), &rows);

		for (size_t r = 0; r < count; r++) {
			add_pair(&changes->rows[rows[r]], pairing, i, sides, figure);
			if (!sums)
				add_cells(&changes->rows[rows[r]], &pairing->pairs[i], sides);
		}
	}
	if (sums)
		take_sums(changes, sums);
	for (size_t i = 0; i < changes->count; i++)
		judge(&changes->rows[i], figure, units);
	return SNAP_OK;
}

void changes_release(struct changes *changes)
{
	free(changes->rows);
	*changes = (struct changes){0};
}
