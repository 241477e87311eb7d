/*
 * page_stacks.c - stacks sorted from their outermost frame, so that what they share is a tree.
 */
#include "report/page_stacks.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/fail.h"
#include "base/hash_table.h"

const char *const page_figure_names[PAGE_FIGURES] = {"live_bytes", "live_blocks",
						     "allocated_bytes"};
static const enum figure figure_of[PAGE_FIGURES] = {FIGURE_LIVE_BYTES, FIGURE_LIVE_BLOCKS,
						    FIGURE_ALLOCATED_BYTES};

/* Working memory for building the tree. */
struct making {
	struct page_stacks *out;
	const struct dataset *dataset;
	uint32_t *frame_of; /* per frame of the dataset: the page's */
	struct hash_table seen;
	size_t frame_capacity, node_capacity, leaf_capacity;
	const struct dataset_cell **cells[PAGE_SIDES];
	uint32_t nowhere; /* a frame of which nothing is known */
	size_t *order;    /* sites that hold something, sorted */
	size_t count;
};

/* ---- frames ---------------------------------------------------------------------------------- */

static bool same_frame(const void *context, const void *wanted, uint32_t id)
{
	const struct page_stacks *out = context;
	const struct page_frame *a = wanted, *b = &out->frames[id];

	return a->function == b->function && a->file == b->file && a->module == b->module &&
	       a->line == b->line;
}

/* The number of an equal frame, added if there is none; SNAP_NONE when memory is out. */
static uint32_t intern(struct making *making, struct page_frame frame)
{
	struct page_stacks *out = making->out;
	uint64_t hash = hash_fold(hash_fold(hash_fold(frame.function, frame.file), frame.module),
				  frame.line);
	uint32_t id = hash_table_find(&making->seen, hash, same_frame, out, &frame);

	if (id != SNAP_NONE)
		return id;
	if (!array_reserve(&out->frames, &making->frame_capacity, out->frame_count,
			   sizeof(*out->frames)) ||
	    !hash_table_add(&making->seen, hash, (uint32_t)out->frame_count))
		return SNAP_NONE;
	out->frames[out->frame_count] = frame;
	return (uint32_t)out->frame_count++;
}

static bool intern_frames(struct making *making)
{
	making->nowhere = intern(making, (struct page_frame){0});
	if (making->nowhere == SNAP_NONE)
		return false;
	for (size_t i = 0; i < making->dataset->frame_count; i++) {
		const struct dataset_frame *from = &making->dataset->frames[i];

		making->frame_of[i] =
			intern(making, (struct page_frame){from->function, from->file, from->module,
							   from->line, from->kind == OWN_CODE});
		if (making->frame_of[i] == SNAP_NONE)
			return false;
	}
	return true;
}

/* ---- order ----------------------------------------------------------------------------------- */

/* The frame at `level` of a site, counted from the outermost. */
static uint32_t frame_at(const struct making *making, size_t site, uint32_t level)
{
	const struct dataset_site *row = &making->dataset->sites[site];

	return making->frame_of[making->dataset->stack[row->first + row->depth - 1 - level]];
}

static uint32_t depth_of(const struct making *making, size_t site)
{
	uint32_t depth = making->dataset->sites[site].depth;

	return depth < PAGE_DEPTH_MAX ? depth : PAGE_DEPTH_MAX;
}

static int compare_stacks(const void *left, const void *right, void *user)
{
	const struct making *making = user;
	size_t a = *(const size_t *)left, b = *(const size_t *)right;
	uint32_t depth_a = depth_of(making, a), depth_b = depth_of(making, b);

	for (uint32_t i = 0; i < depth_a && i < depth_b; i++) {
		uint32_t x = frame_at(making, a, i), y = frame_at(making, b, i);

		if (x != y)
			return (x > y) - (x < y);
	}
	if (depth_a != depth_b)
		return (depth_a > depth_b) - (depth_a < depth_b);
	return (a > b) - (a < b);
}

static bool order_sites(struct making *making)
{
	making->order = malloc((making->dataset->site_count + 1) * sizeof(*making->order));
	if (!making->order)
		return false;
	for (size_t i = 0; i < making->dataset->site_count; i++)
		if (making->cells[0][i] || making->cells[1][i])
			making->order[making->count++] = i;
	qsort_r(making->order, making->count, sizeof(*making->order), compare_stacks, making);
	return true;
}

/* ---- tree ------------------------------------------------------------------------------------ */

static bool add_node(struct making *making, uint32_t depth, uint32_t frame)
{
	struct page_stacks *out = making->out;
	size_t capacity = making->node_capacity;

	if (!array_reserve(&out->depth, &capacity, out->node_count, sizeof(*out->depth)) ||
	    !array_reserve(&out->frame, &making->node_capacity, out->node_count,
			   sizeof(*out->frame)))
		return false;
	out->depth[out->node_count] = depth;
	out->frame[out->node_count++] = frame;
	return true;
}

static bool add_leaf(struct making *making, size_t site)
{
	struct page_stacks *out = making->out;
	uint32_t node = (uint32_t)out->node_count - 1;
	size_t capacity = making->leaf_capacity;

	if (out->leaf_count == 0 || out->leaf[out->leaf_count - 1] != node) {
		if (!array_reserve(&out->leaf, &capacity, out->leaf_count, sizeof(*out->leaf)) ||
		    !array_reserve(&out->values, &making->leaf_capacity, out->leaf_count,
				   sizeof(*out->values)))
			return false;
		memset(&out->values[out->leaf_count], 0, sizeof(*out->values));
		out->leaf[out->leaf_count++] = node;
	}
	for (size_t side = 0; side < PAGE_SIDES; side++)
		for (size_t f = 0; f < PAGE_FIGURES && making->cells[side][site]; f++) {
			uint64_t value = making->cells[side][site]->figures.value[figure_of[f]];

			if (value == SNAP_UNKNOWN)
				continue;
			out->known[f] = true;
			out->values[out->leaf_count - 1][side][f] += value;
		}
	return true;
}

static uint32_t shared_depth(const struct making *making, size_t a, size_t b)
{
	uint32_t depth_a = depth_of(making, a), depth_b = depth_of(making, b), i = 0;

	while (i < depth_a && i < depth_b && frame_at(making, a, i) == frame_at(making, b, i))
		i++;
	return i;
}

/* A stack without frames ends at a frame of which nothing is known. */
static bool add_stacks(struct making *making)
{
	for (size_t i = 0; i < making->count; i++) {
		size_t site = making->order[i];
		uint32_t depth = depth_of(making, site);
		uint32_t from = i ? shared_depth(making, making->order[i - 1], site) : 0;

		making->out->cut += making->dataset->sites[site].depth > PAGE_DEPTH_MAX;
		if (depth == 0 && !add_node(making, 0, making->nowhere))
			return false;
		for (uint32_t level = from; level < depth; level++)
			if (!add_node(making, level, frame_at(making, site, level)))
				return false;
		if (!add_leaf(making, site))
			return false;
	}
	return true;
}

enum snap_status page_stacks_make(struct page_stacks *out, const struct dataset *dataset,
				  size_t old, size_t new_, struct snap_error *err)
{
	struct making making = {.out = out, .dataset = dataset};
	bool fine;

	*out = (struct page_stacks){.dataset = dataset};
	making.frame_of = malloc((dataset->frame_count + 1) * sizeof(*making.frame_of));
	making.cells[0] = dataset_cells_by_site(dataset, old);
	making.cells[1] = dataset_cells_by_site(dataset, new_);
	fine = making.frame_of && making.cells[0] && making.cells[1] && intern_frames(&making) &&
	       order_sites(&making) && add_stacks(&making);
	hash_table_release(&making.seen);
	free(making.frame_of);
	free(making.cells[0]);
	free(making.cells[1]);
	free(making.order);
	return fine ? SNAP_OK : fail_memory(err, "drawing call stacks");
}

void page_stacks_release(struct page_stacks *stacks)
{
	free(stacks->frames);
	free(stacks->depth);
	free(stacks->frame);
	free(stacks->leaf);
	free(stacks->values);
	*stacks = (struct page_stacks){0};
}

const char *page_stacks_text(const struct page_stacks *stacks, uint32_t string)
{
	return dataset_text(stacks->dataset, string);
}

size_t page_stacks_string_count(const struct page_stacks *stacks)
{
	return stacks->dataset->string_count;
}
