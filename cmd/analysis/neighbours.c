/*
 * neighbours.c - one pass over the stacks, one item per (function, role, neighbour).
 */
#include "analysis/neighbours.h"

#include <stdlib.h>

#include "base/array.h"

/* A stack as rows of the selection, newest first, without the frames that only pass a request on to
   malloc. */
struct path {
	uint32_t *rows;
	bool *wanted;
	size_t count;
};

static bool neighbour_equals(const void *context, const void *wanted, uint32_t id)
{
	const struct neighbour *a = wanted, *b = &((const struct neighbours *)context)->items[id];

	return a->function == b->function && a->role == b->role && a->other == b->other;
}

static bool credit(struct neighbours *neighbours, uint32_t site, uint32_t function,
		   enum neighbour_role role, uint32_t other)
{
	struct neighbour item = {.function = function, .role = role, .other = other};
	uint64_t hash = hash_fold(hash_fold(function, role), other);
	uint32_t id =
		hash_table_find(&neighbours->index, hash, neighbour_equals, neighbours, &item);

	if (id == SNAP_NONE) {
		id = (uint32_t)neighbours->count;
		if (!array_reserve(&neighbours->items, &neighbours->capacity, neighbours->count,
				   sizeof(item)) ||
		    !hash_table_add(&neighbours->index, hash, id))
			return false;
		neighbours->items[neighbours->count++] = item;
	}
	return credits_add(&neighbours->credits, neighbours->dataset, id, site);
}

/* Frames of Python dumps have no function: their file is used instead. */
static uint32_t name_of(const struct dataset_frame *frame)
{
	return frame->function ? frame->function : frame->file;
}

static void read_path(const struct neighbours *neighbours, uint32_t site, struct path *path,
		      uint32_t *positions)
{
	const struct dataset *dataset = neighbours->dataset;
	size_t visible = selection_visible(neighbours->selection, site, positions);
	uint32_t from = neighbours->no_skip ? 0 : dataset->sites[site].asked;

	path->count = 0;
	for (size_t i = 0; i < visible; i++) {
		if (positions[i] < from)
			continue;
		path->rows[path->count] =
			selection_row_at(neighbours->selection, site, positions[i]);
		path->wanted[path->count++] =
			neighbours->wanted[name_of(dataset_frame_at(dataset, site, positions[i]))];
	}
}

static bool occurs_before(const struct path *path, size_t i)
{
	for (size_t before = 0; before < i; before++)
		if (path->rows[before] == path->rows[i])
			return true;
	return false;
}

/* The function whose newest occurrence is at `i`. */
static bool credit_function(struct neighbours *neighbours, uint32_t site, const struct path *path,
			    size_t i)
{
	uint32_t function = path->rows[i];
	size_t outermost = path->count - 1;

	while (path->rows[outermost] != function)
		outermost--;
	return credit(neighbours, site, function, NEIGHBOUR_FUNCTION, SNAP_NONE) &&
	       credit(neighbours, site, function, NEIGHBOUR_CALLER,
		      outermost + 1 < path->count ? path->rows[outermost + 1] : SNAP_NONE) &&
	       credit(neighbours, site, function, NEIGHBOUR_CALLEE,
		      i ? path->rows[i - 1] : SNAP_NONE);
}

static bool credit_site(struct neighbours *neighbours, uint32_t site, const struct path *path)
{
	for (size_t i = 0; i < path->count; i++)
		if (path->wanted[i] && !occurs_before(path, i) &&
		    !credit_function(neighbours, site, path, i))
			return false;
	return true;
}

static uint32_t deepest_stack(const struct dataset *dataset)
{
	uint32_t deepest = 0;

	for (size_t i = 0; i < dataset->site_count; i++)
		if (dataset->sites[i].depth > deepest)
			deepest = dataset->sites[i].depth;
	return deepest;
}

bool neighbours_find(struct neighbours *neighbours)
{
	size_t deepest = deepest_stack(neighbours->dataset) + 1;
	struct path path = {.rows = malloc(deepest * sizeof(*path.rows)),
			    .wanted = malloc(deepest * sizeof(*path.wanted))};
	uint32_t *positions = malloc(deepest * sizeof(*positions));
	bool ok = path.rows && path.wanted && positions;

	for (uint32_t site = 0; ok && site < neighbours->dataset->site_count; site++) {
		const uint32_t *rows;

		if (selection_rows_of(neighbours->selection, site, &rows) == 0)
			continue;
		read_path(neighbours, site, &path, positions);
		ok = credit_site(neighbours, site, &path);
	}
	free(path.rows);
	free(path.wanted);
	free(positions);
	return ok;
}

void neighbours_release(struct neighbours *neighbours)
{
	free(neighbours->items);
	credits_release(&neighbours->credits);
	hash_table_release(&neighbours->index);
}
