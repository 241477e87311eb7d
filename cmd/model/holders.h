/*
 * model/holders.h - the part of a model that says who holds what (see snap/records.h).
 */
#ifndef MODEL_HOLDERS_H
#define MODEL_HOLDERS_H

#include <stdbool.h>
#include <stdint.h>

#include "snap/records.h"

struct model_path {
	struct snap_path row;
	uint32_t first_step; /* its steps are steps[first_step .. + row.step_count) */
};

/** All zero: a snapshot without holders. */
struct model_holders {
	struct snap_group *groups;
	struct snap_root *roots;
	struct snap_edge *edges;
	struct model_path *paths;
	struct snap_step *steps;
	uint32_t group_count, root_count, edge_count, path_count, step_count;
	size_t group_room, root_room, edge_room, path_room, step_room;
};

/** Add a row; false when memory ran out.  Rows may refer only to existing ids: the caller makes
 * sure of that. */
bool holders_add_group(struct model_holders *holders, const struct snap_group *group);
bool holders_add_root(struct model_holders *holders, const struct snap_root *root);
bool holders_add_edge(struct model_holders *holders, const struct snap_edge *edge);
bool holders_add_path(struct model_holders *holders, const struct snap_path *path,
		      const struct snap_step *steps);
void holders_free(struct model_holders *holders);

/** `hash` and all rows; `hash` itself if there are none. */
uint64_t holders_digest(const struct model_holders *holders, uint64_t hash);

struct model;

/** Add an empty site for each group of blocks whose call stack is none of a site.  A recording has
 * no such groups.  False when memory is out. */
bool holders_complete(struct model *model);

/** A root in words, malloc'ed: "g_registry+0x18 (server)", "stack of thread 4242 (worker), serve
 * (server)".  NULL when memory is out. */
char *holders_root_words(const struct model *model, const struct snap_root *root);

#endif
