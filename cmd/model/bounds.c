/*
 * bounds.c - a snapshot against its bounds.
 */
#include "model/bounds.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/fail.h"

static const char *name_of(const struct model *model)
{
	return model->source ? model->source : "snapshot";
}

/* The frames of the stack that ends at each node, UINT32_MAX for more; a parent precedes its children. */
static uint32_t *depths_of(const struct model *model)
{
	uint32_t *depths = array_unset(model->node_count, sizeof(*depths));

	for (uint32_t i = 0; depths && i < model->node_count; i++) {
		uint32_t parent = model->nodes[i].parent;
		uint64_t frames = model->locations[model->nodes[i].location].frame_count;

		frames = (parent == SNAP_NONE ? 0 : depths[parent]) + (frames ? frames : 1);
		depths[i] = frames < UINT32_MAX ? (uint32_t)frames : UINT32_MAX;
	}
	return depths;
}

enum snap_status model_check_stacks(const struct model *model, struct snap_error *err)
{
	uint64_t most = MODEL_FRAMES_FREE + MODEL_FRAMES_PER_NODE * model->node_count, sum = 0;
	uint32_t *depths = depths_of(model);

	if (!depths)
		return fail_memory(err, "reading a snapshot");
	for (uint32_t i = 0; sum <= most && i < model->site_count; i++)
		if (model->sites[i].row.node != SNAP_NONE)
			sum += depths[model->sites[i].row.node];
	free(depths);
	if (sum <= most)
		return SNAP_OK;
	return fail(err, SNAP_ECORRUPT,
		    "%s: its %" PRIu32 " call stacks have more than %" PRIu64
		    " frames together, out of %" PRIu32 " nodes: no recording has such stacks",
		    name_of(model), model->site_count, most, model->node_count);
}

static enum snap_status check_all(const struct model *model, const uint64_t *figures, size_t count,
				  struct snap_error *err)
{
	for (size_t i = 0; i < count; i++)
		if (figures[i] > INT64_MAX && figures[i] != SNAP_UNKNOWN)
			return fail(err, SNAP_ECORRUPT,
				    "%s: holds a figure of %" PRIu64
				    ", which is more than any memory has",
				    name_of(model), figures[i]);
	return SNAP_OK;
}

static enum snap_status check(const struct model *model, const uint64_t figures[4],
			      struct snap_error *err)
{
	return check_all(model, figures, 4, err);
}

enum snap_status model_check_figures(const struct model *model, const struct model_totals *totals,
				     struct snap_error *err)
{
	enum snap_status st = SNAP_OK;

	for (uint32_t i = 0; st == SNAP_OK && i < model->site_count; i++) {
		const struct snap_site *row = &model->sites[i].row;
		const uint64_t figures[4] = {row->live_bytes, row->live_blocks,
					     row->allocated_bytes, row->allocated_blocks};

		st = check(model, figures, err);
	}
	return st == SNAP_OK ? check(model,
				     (const uint64_t[4]){totals->live_bytes, totals->live_blocks,
							 totals->allocated_bytes,
							 totals->allocated_blocks},
				     err)
			     : st;
}

/* Of figures that are always known. */
static enum snap_status check_known(const struct model *model, const uint64_t *figures,
				    size_t count, struct snap_error *err)
{
	for (size_t i = 0; i < count; i++)
		if (figures[i] == SNAP_UNKNOWN)
			return fail(err, SNAP_ECORRUPT,
				    "%s: in the part on who holds what, a figure is larger than "
				    "any memory",
				    name_of(model));
	return check_all(model, figures, count, err);
}

static enum snap_status check_groups(const struct model *model, struct snap_error *err)
{
	uint64_t blocks = 0, bytes = 0;

	for (uint32_t i = 0; i < model->holders.group_count; i++) {
		const struct snap_group *g = &model->holders.groups[i];
		enum snap_status st = check_known(model, &g->blocks,
						  (size_t)(&g->retained_bytes - &g->blocks), err);

		if (st == SNAP_OK)
			st = check_all(model, &g->retained_bytes, 1, err);
		if (st == SNAP_OK) /* neither sum wraps round, since each was within bounds */
			st = check_all(model,
				       (const uint64_t[2]){blocks += g->blocks, bytes += g->bytes},
				       2, err);
		if (st != SNAP_OK)
			return st;
	}
	return SNAP_OK;
}

enum snap_status model_check_holders(const struct model *model, struct snap_error *err)
{
	const struct model_holders *holders = &model->holders;
	enum snap_status st = check_groups(model, err);

	for (uint32_t i = 0; st == SNAP_OK && i < holders->root_count; i++)
		st = check_all(model, &holders->roots[i].retained_bytes, 1, err);
	for (uint32_t i = 0; st == SNAP_OK && i < holders->edge_count; i++) {
		const struct snap_edge *e = &holders->edges[i];

		st = check_known(model, &e->references,
				 (size_t)(&e->dominated_blocks - &e->references), err);
		if (st == SNAP_OK)
			st = check_all(model, &e->dominated_blocks, 2, err);
	}
	return st;
}

enum snap_status model_check_contents(const struct model *model, struct snap_error *err)
{
	struct model_totals totals;
	enum snap_status st = model_totals(model, &totals, err);

	if (st == SNAP_OK)
		st = model_check_figures(model, &totals, err);
	return st == SNAP_OK ? model_check_holders(model, err) : st;
}
