/*
 * relation.c - the relation between call stacks and rows, in arrays.
 */
#include "store/sqlite/relation.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/fail.h"
#include "base/search.h"

/* ---- what is handed over ---- */

static void forget_shown(struct credit_side *side)
{
	free(side->counted[true]);
	side->counted[true] = NULL;
}

static void side_release(struct credit_side *side)
{
	free(side->by_site);
	free(side->by_row);
	free(side->held);
	free(side->counted[false]);
	free(side->counted[true]);
	ids_release(&side->sites);
	*side = (struct credit_side){0};
}

static bool find_facts(struct credit_side *side)
{
	bool *seen;

	for (size_t i = 0; i < side->count; i++) {
		if (side->by_site[i].row >= side->row_end)
			side->row_end = side->by_site[i].row + 1;
		if (i && side->by_site[i].site_id == side->by_site[i - 1].site_id)
			side->overlaps = true;
	}
	side->each_row_once = true;
	seen = calloc((size_t)side->row_end + 1, sizeof(*seen));
	if (!seen)
		return false;
	for (size_t i = 0; i < side->count; i++) {
		side->each_row_once &= !seen[side->by_site[i].row];
		seen[side->by_site[i].row] = true;
	}
	free(seen);
	return true;
}

bool relation_put(struct relation *relation, uint32_t side, const struct store_credit *credits,
		  size_t count)
{
	struct credit_side *to;

	while (relation->count <= side) {
		if (!array_reserve(&relation->sides, &relation->capacity, relation->count,
				   sizeof(*relation->sides)))
			return false;
		relation->sides[relation->count++] = (struct credit_side){0};
	}
	to = &relation->sides[side];
	side_release(to);
	to->by_site = malloc((count + 1) * sizeof(*to->by_site));
	if (!to->by_site)
		return false;
	if (count)
		memcpy(to->by_site, credits, count * sizeof(*to->by_site));
	to->count = count;
	return find_facts(to);
}

bool relation_show(struct relation *relation, const struct store_shown *shown, size_t count)
{
	size_t end = 0;
	bool *flags;

	for (size_t i = 0; i < count; i++)
		if (shown[i].row >= end)
			end = (size_t)shown[i].row + 1;
	flags = calloc(end + 1, sizeof(*flags));
	if (!flags)
		return false;
	for (size_t i = 0; i < count; i++)
		flags[shown[i].row] = true;
	free(relation->shown);
	relation->shown = flags;
	relation->shown_end = end;
	for (size_t i = 0; i < relation->count; i++)
		forget_shown(&relation->sides[i]);
	return true;
}

void relation_clear(struct relation *relation)
{
	for (size_t i = 0; i < relation->count; i++)
		side_release(&relation->sides[i]);
	relation->count = 0;
	free(relation->shown);
	relation->shown = NULL;
	relation->shown_end = 0;
}

void relation_release(struct relation *relation)
{
	relation_clear(relation);
	free(relation->sides);
	*relation = (struct relation){0};
}

const struct credit_side *relation_side(const struct relation *relation, uint32_t side)
{
	return side < relation->count ? &relation->sides[side] : NULL;
}

/* ---- orders ---- */

bool relation_order_by_row(struct credit_side *side)
{
	size_t *starts, start = 0;

	if (side->by_row)
		return true;
	starts = calloc((size_t)side->row_end + 1, sizeof(*starts));
	side->by_row = malloc((side->count + 1) * sizeof(*side->by_row));
	if (!starts || !side->by_row) {
		free(starts);
		free(side->by_row);
		side->by_row = NULL;
		return false;
	}
	for (size_t i = 0; i < side->count; i++)
		starts[side->by_site[i].row]++;
	for (size_t r = 0; r < side->row_end; r++) {
		size_t size = starts[r];

		starts[r] = start;
		start += size;
	}
	for (size_t i = 0; i < side->count; i++)
		side->by_row[starts[side->by_site[i].row]++] = side->by_site[i];
	free(starts);
	return true;
}

bool relation_find_sites(struct credit_side *side)
{
	return side->sites.starts ||
	       ids_make(&side->sites, &side->by_site->site_id, sizeof(*side->by_site), side->count);
}

static bool is_shown(const struct relation *relation, uint32_t row)
{
	return row < relation->shown_end && relation->shown[row];
}

bool relation_count_sites(const struct relation *relation, struct credit_side *side, bool shown)
{
	int64_t *sites;
	size_t count = 0;

	if (side->counted[shown])
		return true;
	sites = malloc((side->count + 1) * sizeof(*sites));
	if (!sites)
		return false;
	for (size_t i = 0; i < side->count; i++) {
		const struct store_credit *credit = &side->by_site[i];

		if ((!shown || is_shown(relation, credit->row)) &&
		    (count == 0 || sites[count - 1] != credit->site_id))
			sites[count++] = credit->site_id;
	}
	side->counted[shown] = sites;
	side->counted_count[shown] = count;
	return true;
}

/* ---- sums ---- */

struct holding {
	struct credit_side *side;
	struct held *rows; /* of all rows, by number */
	size_t at;         /* in side->by_site: cells come by rising site, too */
};

static void add_figure(struct held *row, int figure, const struct store_cell *cell, uint64_t value,
		       double variance)
{
	int64_t weight = value == SNAP_UNKNOWN ? 0 : (int64_t)value;

	if (row->stacks == 0 || weight > row->most[figure]) {
		row->most[figure] = weight;
		row->most_site[figure] = cell->site_id;
	}
	row->variances[figure] += variance;
	if (value == SNAP_UNKNOWN)
		return;
	row->known[figure]++;
	if (__builtin_add_overflow(row->sums[figure], weight, &row->sums[figure]))
		row->overflows[figure] = true;
}

static void add_cell(struct held *row, const struct store_cell *cell)
{
	add_figure(row, 0, cell, cell->live_bytes, cell->variance.live_bytes);
	add_figure(row, 1, cell, cell->live_blocks, cell->variance.live_blocks);
	add_figure(row, 2, cell, cell->allocated_bytes, cell->variance.allocated_bytes);
	add_figure(row, 3, cell, cell->allocated_blocks, cell->variance.allocated_blocks);
	row->stacks++;
}

static enum snap_status hold_cell(void *user, const struct store_cell *cell)
{
	struct holding *holding = user;
	const struct credit_side *side = holding->side;
	const struct store_credit *credits = side->by_site;

	while (holding->at < side->count && credits[holding->at].site_id < cell->site_id)
		holding->at++;
	for (; holding->at < side->count && credits[holding->at].site_id == cell->site_id;
	     holding->at++)
		add_cell(&holding->rows[credits[holding->at].row], cell);
	return SNAP_OK;
}

/* Only rows that hold something stay. */
static size_t keep_used(struct held *rows, size_t count)
{
	size_t kept = 0;

	for (size_t r = 0; r < count; r++) {
		if (rows[r].stacks == 0)
			continue;
		rows[kept] = rows[r];
		rows[kept++].row = (uint32_t)r;
	}
	return kept;
}

enum snap_status relation_hold(struct store *store, struct credit_side *side, int64_t snapshot_id,
			       struct snap_error *err)
{
	struct holding holding = {.side = side};
	enum snap_status st;

	if (side->held && side->held_snapshot == snapshot_id)
		return SNAP_OK;
	free(side->held);
	side->held = NULL;
	holding.rows = calloc((size_t)side->row_end + 1, sizeof(*holding.rows));
	if (!holding.rows)
		return fail_memory(err, "summing up call stacks");
	st = store_each_cell(store, &snapshot_id, 1, hold_cell, &holding, err);
	if (st != SNAP_OK) {
		free(holding.rows);
		return st;
	}
	side->held = holding.rows;
	side->held_count = keep_used(holding.rows, side->row_end);
	side->held_snapshot = snapshot_id;
	return SNAP_OK;
}

size_t relation_find_held(const struct held *held, size_t count, int64_t row)
{
	size_t at;

	SEARCH(at, 0, count, (int64_t)held[at].row < row);
	return at;
}
