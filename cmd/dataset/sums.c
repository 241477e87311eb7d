/*
 * sums.c - what the rows of a report hold: summed in the store.
 */
#include "dataset/sums.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/fail.h"

bool credits_add(struct credits *credits, const struct dataset *dataset, uint32_t row,
		 uint32_t site)
{
	if (!array_reserve(&credits->items, &credits->capacity, credits->count,
			   sizeof(*credits->items)))
		return false;
	credits->items[credits->count++] = (struct store_credit){row, dataset->sites[site].id};
	return true;
}

void credits_release(struct credits *credits)
{
	free(credits->items);
	*credits = (struct credits){0};
}

/* ---- order ---- */

static int compare_credits(const void *left, const void *right)
{
	const struct store_credit *a = left, *b = right;

	if (a->site_id != b->site_id)
		return a->site_id < b->site_id ? -1 : 1;
	return (a->row > b->row) - (a->row < b->row);
}

static bool sites_rise(const struct credits *credits)
{
	for (size_t i = 1; i < credits->count; i++)
		if (credits->items[i].site_id < credits->items[i - 1].site_id)
			return false;
	return true;
}

/* Pairs of a site lie side by side.  `seen` tells where each row's last pair is, counted from 1. */
static void drop_doubles(struct credits *credits, size_t *seen)
{
	size_t kept = 0;

	for (size_t i = 0; i < credits->count; i++) {
		const struct store_credit credit = credits->items[i];
		size_t last = seen[credit.row];

		if (last && credits->items[last - 1].site_id == credit.site_id)
			continue;
		credits->items[kept++] = credit;
		seen[credit.row] = kept;
	}
	credits->count = kept;
}

static bool sort(struct credits *credits, size_t row_count)
{
	size_t *seen = calloc(row_count + 1, sizeof(*seen));

	if (!seen)
		return false;
	if (!sites_rise(credits))
		qsort(credits->items, credits->count, sizeof(*credits->items), compare_credits);
	drop_doubles(credits, seen);
	free(seen);
	return true;
}

/* ---- sums ---- */

static struct figures figures_of(const struct store_sum *sum)
{
	struct figures figures;

	for (enum figure i = 0; i < FIGURES; i++) {
		figures.value[i] = sum->values[i];
		figures.variance[i] = sum->variances[i];
	}
	return figures;
}

struct taking {
	const struct dataset *dataset;
	struct row_sum *sums;
	size_t count;
	bool with_heaviest;
};

static enum snap_status take_sum(void *user, const struct store_sum *row)
{
	struct taking *taking = user;

	if (row->row >= taking->count)
		return SNAP_OK;
	taking->sums[row->row] = (struct row_sum){
		.figures = figures_of(row),
		.stacks = row->stacks,
		.heaviest = taking->with_heaviest ? dataset_site_of(taking->dataset, row->heaviest)
						  : SNAP_NONE,
		.weight = row->weight,
	};
	return SNAP_OK;
}

static struct store_sums sums_at(const struct dataset *dataset, size_t snapshot, uint32_t side)
{
	return (struct store_sums){.snapshot_id = dataset->snapshot_ids[snapshot],
				   .side = side,
				   .sampled = dataset->snapshots[snapshot].sampled};
}

enum snap_status sums_of_rows_again(const struct dataset *dataset, size_t snapshot, uint32_t side,
				    size_t row_count, struct row_sum *sums, struct snap_error *err)
{
	struct taking taking = {dataset, sums, row_count, false};
	const struct store_sums at = sums_at(dataset, snapshot, side);

	return store_each_sum(dataset->store, &at, take_sum, &taking, err);
}

static enum snap_status hand_over(const struct dataset *dataset, uint32_t side,
				  struct credits *credits, size_t row_count, struct snap_error *err)
{
	enum snap_status st = side == 0 ? store_begin_rows(dataset->store, err) : SNAP_OK;

	if (st == SNAP_OK && !sort(credits, row_count))
		st = fail_memory(err, "summing up call stacks");
	return st == SNAP_OK ? store_credit_rows(dataset->store, side, credits->items,
						 credits->count, err)
			     : st;
}

enum snap_status sums_begin(const struct dataset *dataset, uint32_t side, struct credits *credits,
			    size_t row_count, struct snap_error *err)
{
	return hand_over(dataset, side, credits, row_count, err);
}

enum snap_status sums_of_rows(const struct dataset *dataset, size_t snapshot, uint32_t side,
			      struct credits *credits, size_t row_count, struct row_sum *sums,
			      struct snap_error *err)
{
	enum snap_status st = hand_over(dataset, side, credits, row_count, err);

	return st == SNAP_OK ? sums_of_rows_again(dataset, snapshot, side, row_count, sums, err)
			     : st;
}

enum snap_status sums_show(const struct dataset *dataset, const struct store_shown *shown,
			   size_t count, struct snap_error *err)
{
	return store_show_rows(dataset->store, shown, count, err);
}

enum snap_status sums_of_shown(const struct dataset *dataset, size_t snapshot, uint32_t side,
			       enum figure figure, size_t count, struct row_sum *sums,
			       struct snap_error *err)
{
	struct taking taking = {dataset, sums, count, true};
	const struct store_sums at = sums_at(dataset, snapshot, side);

	return store_each_shown_sum(dataset->store, &at, figure, take_sum, &taking, err);
}

enum snap_status sums_total(const struct dataset *dataset, size_t snapshot, uint32_t side,
			    enum store_scope scope, struct figures *out, struct snap_error *err)
{
	const struct store_sums at = sums_at(dataset, snapshot, side);
	struct store_sum sum = {0};
	enum snap_status st = store_total(dataset->store, &at, scope, &sum, err);

	*out = figures_of(&sum);
	return st;
}
