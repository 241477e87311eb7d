/*
 * read_arrays.c - the call stacks of a private database for reports, read from its arrays.
 *
 * Sums are asked of SQL.  A plain list of rows needs no statement, which would cost more than the
 * rows.
 */
#include "store/sqlite/read_arrays.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"

static enum snap_status fail_page(struct snap_error *err)
{
	if (errno == ENOMEM)
		return fail_memory(err, "reading snapshots");
	return fail(err, SNAP_ESYSTEM, "the private database cannot be read: %s", strerror(errno));
}

/* ---- sites ---- */

/* By position in by_id: which sites have a figure in the snapshot.  Cells rise by site, too. */
static enum snap_status mark_sites(struct arrays *arrays, size_t snapshot, bool *wanted,
				   struct snap_error *err)
{
	struct array_page *page = arrays_use(arrays, snapshot, false);
	size_t at = 0;

	if (!page)
		return fail_page(err);
	for (uint32_t i = 0; i < arrays->snapshots[snapshot].cell_count; i++) {
		while (arrays->site_ids[arrays->by_id[at]] < page->cells[i].site_id)
			at++;
		wanted[at] = true;
	}
	arrays_leave(arrays, page);
	return SNAP_OK;
}

static enum snap_status mark_sites_of_all(struct arrays *arrays, const int64_t *ids, size_t count,
					  bool *wanted, struct snap_error *err)
{
	enum snap_status st = SNAP_OK;

	for (size_t i = 0; st == SNAP_OK && i < count; i++) {
		size_t snapshot = arrays_find_snapshot(arrays, ids[i]);

		if (snapshot < arrays->snapshot_count)
			st = mark_sites(arrays, snapshot, wanted, err);
	}
	return st;
}

/* Frame ids have 64 bits outside, and are less than 2^32 here. */
struct stack {
	int64_t *ids;
	size_t capacity;
};

static enum snap_status give_site(const struct arrays *arrays, uint32_t at, struct stack *stack,
				  store_site_fn *fn, void *user, struct snap_error *err)
{
	const struct array_site *site = &arrays->sites[at];
	const uint32_t *frames = arrays->stack + site->first;
	struct store_site row = {
		.id = arrays->site_ids[at],
		.domain = site->domain.data ? site->domain.data : "",
		.depth = site->depth,
		.identity = {.exact = site->exact, .line = site->line, .function = site->function},
	};

	if (site->named >= 0 && site->named < site->depth)
		row.identity.named = (uint32_t)site->named;
	if (!array_room(&stack->ids, &stack->capacity, site->depth, sizeof(*stack->ids)))
		return fail_memory(err, "reading snapshots");
	for (uint32_t i = 0; i < site->depth; i++)
		stack->ids[i] = frames[i];
	row.frames = stack->ids;
	return fn(user, &row);
}

enum snap_status arrays_each_site(struct arrays *arrays, const int64_t *ids, size_t count,
				  store_site_fn *fn, void *user, struct snap_error *err)
{
	bool *wanted = ids ? calloc(arrays->by_id_count + 1, sizeof(*wanted)) : NULL;
	struct stack stack = {NULL, 0};
	enum snap_status st = SNAP_OK;

	if (ids && !wanted)
		return fail_memory(err, "reading snapshots");
	if (ids)
		st = mark_sites_of_all(arrays, ids, count, wanted, err);
	for (size_t i = 0; st == SNAP_OK && i < arrays->by_id_count; i++)
		if (!wanted || wanted[i])
			st = give_site(arrays, arrays->by_id[i], &stack, fn, user, err);
	free(wanted);
	free(stack.ids);
	return st;
}

/* ---- cells ---- */

static struct store_cell cell_of(const struct array_cell *from, uint32_t snapshot)
{
	return (struct store_cell){
		.snapshot = snapshot,
		.site_id = from->site_id,
		.live_bytes = from->figures[0],
		.live_blocks = from->figures[1],
		.allocated_bytes = from->figures[2],
		.allocated_blocks = from->figures[3],
		.variance = {.live_bytes = from->variances[0],
			     .live_blocks = from->variances[1],
			     .allocated_bytes = from->variances[2],
			     .allocated_blocks = from->variances[3]},
	};
}

static enum snap_status each_cell_of(struct arrays *arrays, size_t snapshot, uint32_t number,
				     store_cell_fn *fn, void *user, struct snap_error *err)
{
	struct array_page *page = arrays_use(arrays, snapshot, false);
	enum snap_status st = SNAP_OK;

	if (!page)
		return fail_page(err);
	for (uint32_t i = 0; st == SNAP_OK && i < arrays->snapshots[snapshot].cell_count; i++) {
		const struct store_cell cell = cell_of(&page->cells[i], number);

		st = fn(user, &cell);
	}
	arrays_leave(arrays, page);
	return st;
}

enum snap_status arrays_each_cell(struct arrays *arrays, const int64_t *ids, size_t count,
				  store_cell_fn *fn, void *user, struct snap_error *err)
{
	enum snap_status st = SNAP_OK;

	for (size_t i = 0; st == SNAP_OK && i < count; i++) {
		size_t snapshot = arrays_find_snapshot(arrays, ids[i]);

		if (snapshot < arrays->snapshot_count)
			st = each_cell_of(arrays, snapshot, (uint32_t)i, fn, user, err);
	}
	return st;
}
