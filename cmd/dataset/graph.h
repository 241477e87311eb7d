/*
 * dataset/graph.h - who holds what at one snapshot, in memory (see store/holders.h).  Who refers to
 * whom stays in the store, which sums it.
 */
#ifndef DATASET_GRAPH_H
#define DATASET_GRAPH_H

#include "dataset/dataset.h"
#include "store/holders.h"

struct graph_group {
	struct store_group row; /* its label is the graph's */
	uint32_t site;          /* of the dataset; SNAP_NONE: no call stack */
};

struct graph_path {
	struct snap_path row;
	size_t first_step; /* steps[first_step .. + row.step_count) */
};

/** All zero where the snapshot has no graph. */
struct graph {
	const struct dataset *dataset;
	int64_t snapshot_id;
	struct graph_group *groups;
	struct store_root *roots; /* their texts are the graph's */
	struct graph_path *paths;
	struct snap_step *steps;
	size_t group_count, root_count, path_count, step_count;
	size_t group_room, root_room, path_room, step_room;
};

/** The graph of snapshot `id` of the store that `dataset` is from.  Release it in any case. */
enum snap_status graph_fetch(struct graph *out, struct store *store, const struct dataset *dataset,
			     int64_t id, bool groups_only, struct snap_error *err);
void graph_release(struct graph *graph);

/** "global", "thread-local", "stack" ... */
const char *graph_root_kind(const struct store_root *root);

#endif
