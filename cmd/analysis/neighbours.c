/*
 * neighbours.c - one pass over the stacks, one sum per (function, role, neighbour).
 */
#include "analysis/neighbours.h"

#include <stdlib.h>

/* A stack as rows of the selection, newest first, without the plumbing that naming skips. */
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

/* A stack with its figures in one of the snapshots. */
struct holding {
	const struct dataset_cell *cell;
	size_t snapshot;
};

static bool credit(struct neighbours *neighbours, const struct holding *holding, uint32_t function,
		   enum neighbour_role role, uint32_t other)
{
	const struct dataset_cell *cell = holding->cell;
	struct neighbour item = {
		.function = function, .role = role, .other = other, .heaviest = cell->site};
	uint64_t hash = lookup_fold(lookup_fold(function, role), other), weight;
	uint32_t id = lookup_find(&neighbours->index, hash, neighbour_equals, neighbours, &item);

	if (id == SNAP_NONE) {
		id = (uint32_t)neighbours->count;
		if (!array_reserve(&neighbours->items, &neighbours->capacity, neighbours->count,
				   sizeof(item)) ||
		    !lookup_add(&neighbours->index, hash, id))
			return false;
		neighbours->items[neighbours->count++] = item;
	}
	weight = cell->figures.value[neighbours->figure];
	if (weight != SNAP_UNKNOWN && weight > neighbours->items[id].heaviest_weight) {
		neighbours->items[id].heaviest_weight = weight;
		neighbours->items[id].heaviest = cell->site;
	}
	figures_add(&neighbours->items[id].sum[holding->snapshot], &cell->figures);
	return true;
}

/* Frames of Python dumps have no function: they go by their file. */
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
static bool credit_function(struct neighbours *neighbours, const struct holding *holding,
			    const struct path *path, size_t i)
{
	uint32_t function = path->rows[i];
	size_t outermost = path->count - 1;

	while (path->rows[outermost] != function)
		outermost--;
	return credit(neighbours, holding, function, NEIGHBOUR_FUNCTION, SNAP_NONE) &&
	       credit(neighbours, holding, function, NEIGHBOUR_CALLER,
		      outermost + 1 < path->count ? path->rows[outermost + 1] : SNAP_NONE) &&
	       credit(neighbours, holding, function, NEIGHBOUR_CALLEE,
		      i ? path->rows[i - 1] : SNAP_NONE);
}

static bool credit_holding(struct neighbours *neighbours, const struct holding *holding,
			   const struct path *path)
{
	bool seen = false;

	for (size_t i = 0; i < path->count; i++) {
		if (!path->wanted[i] || occurs_before(path, i))
			continue;
		if (!credit_function(neighbours, holding, path, i))
			return false;
		seen = true;
	}
	if (seen)
		figures_add(&neighbours->seen[holding->snapshot], &holding->cell->figures);
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

bool neighbours_add(struct neighbours *neighbours, size_t snapshot)
{
	const struct dataset_snapshot *from = &neighbours->dataset->snapshots[snapshot];
	size_t deepest = deepest_stack(neighbours->dataset) + 1;
	struct path path = {.rows = malloc(deepest * sizeof(*path.rows)),
			    .wanted = malloc(deepest * sizeof(*path.wanted))};
	uint32_t *positions = malloc(deepest * sizeof(*positions));
	bool ok = path.rows && path.wanted && positions;

	for (size_t i = 0; ok && i < from->count; i++) {
		const struct holding holding = {&from->cells[i], snapshot};
		const uint32_t *rows;

		if (selection_rows_of(neighbours->selection, from->cells[i].site, &rows) == 0)
			continue;
		read_path(neighbours, from->cells[i].site, &path, positions);
		ok = credit_holding(neighbours, &holding, &path);
	}
	free(path.rows);
	free(path.wanted);
	free(positions);
	return ok;
}

void neighbours_release(struct neighbours *neighbours)
{
	free(neighbours->items);
	lookup_release(&neighbours->index);
}
