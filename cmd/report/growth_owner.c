/*
 * growth_owner.c - choose the row that names a finding.
 *
 * A leaked object keeps alive everything it holds.  Those blocks are made by code that also serves
 * other objects, most of which are freed.  So the code with the largest share of blocks that stay
 * is nearest to the fault: a row of the finding, or the caller in which its rows meet.
 */
#include "report/growth_finding.h"

#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "report/growth_held.h"
#include "report/growth_stacks.h"

static const double unknown = -1;
static const double as_much = 0.9;    /* two shares differ if one is less than this part of the
				      other */
static const double far_more = 0.125; /* bytes that differ by so much count before shares */
static const double much_more = 0.25; /* the same if a line also makes short-lived values, as in
				         Python */

/* What each call stack of a part allocated during the series, and what of it is still there. */
struct survivors {
	const struct growth_part *part;
	double *allocated, *stayed; /* one per site of the dataset, in blocks */
};

static enum snap_status take_cell(void *user, const struct store_cell *cell)
{
	struct survivors *survivors = user;
	uint32_t site = dataset_site_of(survivors->part->table.dataset, cell->site_id);
	double sign = cell->snapshot == 0 ? -1 : 1;

	if (site == SNAP_NONE || cell->live_blocks == SNAP_UNKNOWN ||
	    cell->allocated_blocks == SNAP_UNKNOWN)
		return SNAP_OK;
	survivors->stayed[site] += sign * (double)cell->live_blocks;
	survivors->allocated[site] += sign * (double)cell->allocated_blocks;
	return SNAP_OK;
}

static void survivors_release(struct survivors *survivors)
{
	free(survivors->allocated);
	*survivors = (struct survivors){0};
}

static enum snap_status survivors_read(struct survivors *survivors, const struct growth_part *part,
				       struct snap_error *err)
{
	const struct dataset *dataset = part->table.dataset;
	int64_t ends[2] = {dataset->snapshot_ids[0],
			   dataset->snapshot_ids[part->table.axis->count - 1]};
	size_t count = dataset->site_count;

	if (survivors->part == part)
		return SNAP_OK;
	survivors_release(survivors);
	survivors->allocated = calloc(2 * count + 1, sizeof(*survivors->allocated));
	if (!survivors->allocated)
		return fail_memory(err, "finding what leaks together");
	survivors->stayed = survivors->allocated + count;
	survivors->part = part;
	return store_each_cell(dataset->store, ends, 2, take_cell, survivors, err);
}

/* ---- which share of what a row or a function allocated is still there ------------------------ */

static double share_of(double stayed, double allocated)
{
	if (allocated <= 0)
		return unknown;
	return stayed >= allocated ? 1 : stayed / allocated;
}

static bool counts_towards(const struct growth_table *table, uint32_t site, uint32_t row)
{
	const uint32_t *rows;
	size_t count = selection_rows_of(table->selection, table->joined[site], &rows);

	for (size_t i = 0; i < count; i++)
		if (rows[i] == row)
			return true;
	return false;
}

static double share_of_row(const struct survivors *survivors, const struct growth_row *row)
{
	double stayed = 0, allocated = 0;

	for (uint32_t site = 0; site < row->part->table.dataset->site_count; site++) {
		if (survivors->allocated[site] == 0 ||
		    !counts_towards(&row->part->table, site, row->row))
			continue;
		stayed += survivors->stayed[site];
		allocated += survivors->allocated[site];
	}
	return share_of(stayed, allocated);
}

static bool passes(const struct dataset *dataset, uint32_t site, const struct dataset_frame *frame)
{
	for (uint32_t i = 0; i < dataset->sites[site].depth; i++)
		if (growth_is_same_function(dataset_frame_at(dataset, site, i), frame))
			return true;
	return false;
}

static double share_of_function(const struct survivors *survivors,
				const struct dataset_frame *frame)
{
	const struct dataset *dataset = survivors->part->table.dataset;
	double stayed = 0, allocated = 0;

	for (uint32_t site = 0; site < dataset->site_count; site++) {
		if (survivors->allocated[site] == 0 || !passes(dataset, site, frame))
			continue;
		stayed += survivors->stayed[site];
		allocated += survivors->allocated[site];
	}
	return share_of(stayed, allocated);
}

/* ---- the choice ------------------------------------------------------------------------------ */

static int differ_by(double factor, double a, double b)
{
	if (a < factor * b)
		return -1;
	return b < factor * a ? 1 : 0;
}

static int differ(double a, double b)
{
	return differ_by(as_much, a, b);
}

/* Does a census say by what a row's objects are held?  Then the holders' names show the fault, and
   the largest row says most. */
static bool is_held(const struct growth_row *row)
{
	const struct growth_held_row *held = growth_held_of(row);

	return held && held->words;
}

static double more_bytes(const struct growth_row *b, const struct growth_row *a)
{
	return b->judgement.bytes_slope.value - a->judgement.bytes_slope.value;
}

/* The objects of `b` hold those of `a`, and have more bytes. */
static bool holds_and_outweighs(const struct growth_row *b, const struct growth_row *a)
{
	return growth_held_is_above(growth_held_of(b), growth_held_of(a)) && more_bytes(b, a) > 0;
}

static int differ_much(double a, double b)
{
	return differ_by(far_more, a, b);
}

/* The traceback of an exception holds these.  Each was made in the caller's line, and says nothing
   about the line that made the exception. */
static bool is_of_traceback(const struct growth_row *row)
{
	const char *type = growth_held_of(row)->type;

	return type && (strcmp(type, "frame") == 0 || strcmp(type, "traceback") == 0);
}

static bool holds_traceback(const struct growth_row *b, const struct growth_row *a)
{
	return is_of_traceback(a) && !is_of_traceback(b) &&
	       growth_held_is_above(growth_held_of(b), growth_held_of(a));
}

/* In a thread that a library runs, what it makes before the program's code is called has no line of
   the program's. */
static bool is_own(const struct growth_row *row)
{
	const struct dataset_site *site = growth_stack_of(row);

	return site->identity.named < site->depth &&
	       growth_frame_of(row, site->identity.named)->kind == OWN_CODE;
}

/* Of rows whose holders are known.  What a line makes for a moment says nothing against it if far more
 * of what it makes stays. */
static bool is_nearer_held(const struct growth_row *b, double share_b, const struct growth_row *a,
			   double share_a)
{
	int order = differ_by(much_more, share_b, share_a);

	if (is_own(a) != is_own(b))
		return is_own(b);
	if (holds_traceback(b, a) || holds_traceback(a, b))
		return holds_traceback(b, a);
	if (holds_and_outweighs(b, a) || holds_and_outweighs(a, b))
		return holds_and_outweighs(b, a);
	if (differ_much(b->judgement.bytes_slope.value, a->judgement.bytes_slope.value))
		return more_bytes(b, a) > 0;
	return order ? order > 0 : more_bytes(b, a) > 0;
}

/* Has only `b` a known holder, and far more bytes?  CPython may hand a freed object out again at
 * another line, so that few blocks of what the caller makes are counted at the caller. */
static bool is_held_and_far_larger(const struct growth_row *b, const struct growth_row *a)
{
	return is_held(b) && !is_held(a) && more_bytes(b, a) > 0 &&
	       differ_much(b->judgement.bytes_slope.value, a->judgement.bytes_slope.value);
}

/*
 * Is `b` nearer to the fault than `a`?  Compare in this order: a larger share of its blocks stays;
 * it is the caller of the other; it has fewer blocks (they hold the other's); it has more bytes.
 */
static bool is_nearer(const struct growth_row *b, double share_b, const struct growth_row *a,
		      double share_a)
{
	int order = differ(share_b, share_a);
	bool b_calls = growth_row_calls(b, a), a_calls = growth_row_calls(a, b);

	if (is_held(a) && is_held(b))
		return is_nearer_held(b, share_b, a, share_a);
	if (is_held_and_far_larger(b, a) || is_held_and_far_larger(a, b))
		return is_held_and_far_larger(b, a);
	if (order == 0 && b_calls != a_calls)
		order = b_calls ? 1 : -1;
	if (order == 0)
		order = -differ(b->judgement.blocks_slope.value, a->judgement.blocks_slope.value);
	if (order == 0)
		order = differ(b->judgement.bytes_slope.value, a->judgement.bytes_slope.value);
	return order > 0;
}

static struct growth_row *nearest_of(const struct growth_list *list,
				     const struct survivors *survivors, uint32_t number,
				     double *share)
{
	struct growth_row *nearest = NULL;

	for (size_t i = 0; i < list->count; i++) {
		struct growth_row *row = &list->rows[i];
		double of_row;

		if (row->finding != number || row->beside || growth_is_container(row) ||
		    !growth_stack_of(row))
			continue;
		of_row = share_of_row(survivors, row);
		if (!nearest || is_nearer(row, of_row, nearest, *share)) {
			nearest = row;
			*share = of_row;
		}
	}
	return nearest;
}

/* Is `frame` the function that the program's entry calls?  Such a function dispatches all work. */
static bool is_outermost(const struct growth_row *row, uint32_t position)
{
	const struct dataset_site *site = growth_stack_of(row);
	const struct dataset *dataset = row->part->table.dataset;

	while (++position < site->depth) {
		const struct dataset_frame *frame = growth_frame_of(row, position);

		if (frame->kind == OWN_CODE &&
		    !growth_is_entry(dataset_text(dataset, frame->function)))
			return false;
	}
	return true;
}

/* The rows meet in a caller whose share of kept blocks is as large, or larger: the rows serve
 * other callers too. */
static bool caller_is_nearer(const struct survivors *survivors, const struct growth_row *row,
			     const struct growth_finding *finding, double share)
{
	const struct dataset_site *site = growth_stack_of(row);
	uint32_t position;
	double of_caller;
	int order;

	if (finding->shared == 0 || finding->shared >= site->depth - site->identity.named)
		return false;
	position = site->depth - finding->shared;
	of_caller = share_of_function(survivors, growth_frame_of(row, position));
	if (is_held(row))
		return differ_by(much_more, of_caller, share) > 0;
	order = differ(of_caller, share);
	return order > 0 || (order == 0 && !is_outermost(row, position));
}

static bool knows_allocations(const struct survivors *survivors)
{
	for (size_t i = 0; i < survivors->part->table.dataset->site_count; i++)
		if (survivors->allocated[i] > 0)
			return true;
	return false;
}

static void choose(struct growth_list *list, const struct survivors *survivors, uint32_t number)
{
	struct growth_finding *finding = &list->findings[number - 1];
	double share = unknown;
	struct growth_row *nearest;

	if (!knows_allocations(survivors))
		return;
	nearest = nearest_of(list, survivors, number, &share);
	if (!nearest)
		return;
	for (size_t i = 0; i < list->count; i++)
		if (list->rows[i].finding == number)
			list->rows[i].leads = &list->rows[i] == nearest;
	finding->by_caller = caller_is_nearer(survivors, nearest, finding, share);
}

enum snap_status growth_list_name(struct growth_list *list, struct snap_error *err)
{
	struct survivors survivors = {0};
	enum snap_status st = SNAP_OK;

	for (size_t i = 0; st == SNAP_OK && i < list->count; i++) {
		const struct growth_row *row = &list->rows[i];

		if (!row->leads || list->findings[row->finding - 1].in_step < 2)
			continue;
		st = survivors_read(&survivors, row->part, err);
		if (st == SNAP_OK)
			choose(list, &survivors, row->finding);
	}
	survivors_release(&survivors);
	return st;
}
