/*
 * holders.c - rows of the graph of holders.
 */
#include "model/holders.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "format/checksum.h"

bool holders_add_group(struct model_holders *holders, const struct snap_group *group)
{
	if (!array_id_room(&holders->groups, &holders->group_room, holders->group_count, 1,
			   sizeof(*group)))
		return false;
	holders->groups[holders->group_count++] = *group;
	return true;
}

bool holders_add_root(struct model_holders *holders, const struct snap_root *root)
{
	if (!array_id_room(&holders->roots, &holders->root_room, holders->root_count, 1,
			   sizeof(*root)))
		return false;
	holders->roots[holders->root_count++] = *root;
	return true;
}

bool holders_add_edge(struct model_holders *holders, const struct snap_edge *edge)
{
	if (!array_id_room(&holders->edges, &holders->edge_room, holders->edge_count, 1,
			   sizeof(*edge)))
		return false;
	holders->edges[holders->edge_count++] = *edge;
	return true;
}

bool holders_add_path(struct model_holders *holders, const struct snap_path *path,
		      const struct snap_step *steps)
{
	if (!array_id_room(&holders->paths, &holders->path_room, holders->path_count, 1,
			   sizeof(*holders->paths)) ||
	    !array_id_room(&holders->steps, &holders->step_room, holders->step_count,
			   path->step_count, sizeof(*steps)))
		return false;
	if (path->step_count)
		memcpy(holders->steps + holders->step_count, steps,
		       path->step_count * sizeof(*steps));
	holders->paths[holders->path_count++] =
		(struct model_path){.row = *path, .first_step = holders->step_count};
	holders->step_count += path->step_count;
	return true;
}

void holders_free(struct model_holders *holders)
{
	free(holders->groups);
	free(holders->roots);
	free(holders->edges);
	free(holders->paths);
	free(holders->steps);
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
	return snap__xxh64(&value, sizeof(value), hash);
}

/* The members of each row that are all of one type follow each other. */
static uint64_t mix_figures(uint64_t hash, const uint64_t *first, const uint64_t *last)
{
	return snap__xxh64(first, (size_t)(last - first + 1) * sizeof(*first), hash);
}

uint64_t holders_digest(const struct model_holders *h, uint64_t hash)
{
	for (uint32_t i = 0; i < h->group_count; i++) {
		const struct snap_group *g = &h->groups[i];

		hash = mix(mix(mix(hash, g->kind), g->label), g->node);
		hash = mix_figures(hash, &g->blocks, &g->retained_bytes);
	}
	for (uint32_t i = 0; i < h->root_count; i++) {
		const struct snap_root *r = &h->roots[i];

		hash = mix(mix(mix(mix(hash, r->kind), r->label), r->module), r->thread);
		hash = mix(mix(mix(hash, r->address), r->size), r->symbol);
		hash = mix(mix(hash, r->offset), r->retained_bytes);
	}
	for (uint32_t i = 0; i < h->edge_count; i++) {
		const struct snap_edge *e = &h->edges[i];

		hash = mix(mix(mix(hash, e->from_root), e->from), e->to);
		hash = mix_figures(hash, &e->references, &e->dominated_bytes);
	}
	for (uint32_t i = 0; i < h->path_count; i++) {
		const struct snap_path *p = &h->paths[i].row;

		hash = mix(mix(mix(hash, p->group), p->root), p->step_count);
		hash = mix_figures(hash, &p->offset, &p->skipped);
	}
	for (uint32_t i = 0; i < h->step_count; i++)
		hash = mix_figures(mix(hash, h->steps[i].group), &h->steps[i].address,
				   &h->steps[i].offset);
	return hash;
}
