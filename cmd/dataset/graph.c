/*
 * graph.c - the graph of holders: rows of the store in arrays.
 */
#include "dataset/graph.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/fail.h"

static enum snap_status add(void *array, size_t *room, size_t count, size_t size)
{
	return array_reserve(array, room, count, size) ? SNAP_OK : SNAP_ENOMEM;
}

static enum snap_status add_group(void *user, const struct store_group *row)
{
	struct graph *graph = user;
	struct graph_group group = {.row = *row, .site = SNAP_NONE};

	if (row->site_id)
		group.site = dataset_site_of(graph->dataset, row->site_id);
	group.row.label = strdup(row->label);
	if (!group.row.label ||
	    add(&graph->groups, &graph->group_room, graph->group_count, sizeof(group)) != SNAP_OK) {
		free((char *)(uintptr_t)group.row.label);
		return SNAP_ENOMEM;
	}
	graph->groups[graph->group_count++] = group;
	return SNAP_OK;
}

static void release_root(struct store_root *root)
{
	free((char *)(uintptr_t)root->name);
	free((char *)(uintptr_t)root->label);
	free((char *)(uintptr_t)root->module);
	free((char *)(uintptr_t)root->symbol);
}

static enum snap_status add_root(void *user, const struct store_root *row)
{
	struct graph *graph = user;
	struct store_root root = *row;

	root.name = strdup(row->name);
	root.label = strdup(row->label);
	root.module = strdup(row->module);
	root.symbol = strdup(row->symbol);
	if (!root.name || !root.label || !root.module || !root.symbol ||
	    add(&graph->roots, &graph->root_room, graph->root_count, sizeof(root)) != SNAP_OK) {
		release_root(&root);
		return SNAP_ENOMEM;
	}
	graph->roots[graph->root_count++] = root;
	return SNAP_OK;
}

static enum snap_status add_path(void *user, const struct snap_path *row,
				 const struct snap_step *steps)
{
	struct graph *graph = user;
	struct graph_path path = {*row, graph->step_count};

	if (add(&graph->paths, &graph->path_room, graph->path_count, sizeof(path)) != SNAP_OK)
		return SNAP_ENOMEM;
	for (uint32_t i = 0; i < row->step_count; i++) {
		if (add(&graph->steps, &graph->step_room, graph->step_count, sizeof(*steps)) !=
		    SNAP_OK)
			return SNAP_ENOMEM;
		graph->steps[graph->step_count++] = steps[i];
	}
	graph->paths[graph->path_count++] = path;
	return SNAP_OK;
}

enum snap_status graph_fetch(struct graph *out, struct store *store, const struct dataset *dataset,
			     int64_t id, bool groups_only, struct snap_error *err)
{
	enum snap_status st;

	*out = (struct graph){.dataset = dataset, .snapshot_id = id};
	st = store_each_group(store, id, add_group, out, err);
	if (st == SNAP_OK && !groups_only)
		st = store_each_root(store, id, add_root, out, err);
	if (st == SNAP_OK && !groups_only)
		st = store_check_edges(store, id, err);
	if (st == SNAP_OK && !groups_only)
		st = store_each_path(store, id, add_path, out, err);
	return st == SNAP_ENOMEM ? fail_memory(err, "reading who holds what") : st;
}

void graph_release(struct graph *graph)
{
	for (size_t i = 0; i < graph->group_count; i++)
		free((char *)(uintptr_t)graph->groups[i].row.label);
	for (size_t i = 0; i < graph->root_count; i++)
		release_root(&graph->roots[i]);
	free(graph->groups);
	free(graph->roots);
	free(graph->paths);
	free(graph->steps);
	*graph = (struct graph){0};
}

const char *graph_root_kind(const struct store_root *root)
{
	static const char *const kinds[] = {"global",    "thread-local", "stack",
					    "registers", "thread",       "mapping",
					    "loader",    "interpreter",  "kernel"};

	return root->kind < sizeof(kinds) / sizeof(*kinds) ? kinds[root->kind] : "root";
}
