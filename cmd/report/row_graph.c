/*
 * row_graph.c - unreachable and retained bytes of call stacks, summed up by row.
 */
#include "report/row_graph.h"

#include <stdlib.h>

#include "base/fail.h"
#include "dataset/graph.h"

/* The rows of a group of blocks; none where it is no call stack. */
static size_t rows_of(const struct selection *selection, const struct graph_group *group,
		      const uint32_t **rows)
{
	if (group->row.kind != SNAP_GROUP_SITE || group->site == SNAP_NONE)
		return 0;
	return selection_rows_of(selection, group->site, rows);
}

static bool add_groups(struct row_graph *out, const struct graph *graph,
		       const struct selection *selection)
{
	bool sized = false;

	for (size_t i = 0; i < graph->group_count; i++) {
		const struct graph_group *group = &graph->groups[i];
		const uint32_t *rows;
		size_t count = rows_of(selection, group, &rows);

		for (size_t r = 0; r < count; r++)
			out->unreachable[rows[r]] +=
				group->row.direct_bytes + group->row.indirect_bytes;
		if (group->row.retained_bytes == SNAP_UNKNOWN)
			continue;
		sized = true;
		for (size_t r = 0; r < count; r++)
			out->retained[rows[r]] += group->row.retained_bytes;
	}
	return sized;
}

/* What one group of a row retains by way of another one of the same row counts once. */
static void count_once(struct row_graph *out, const struct graph *graph,
		       const struct selection *selection)
{
	for (size_t i = 0; i < graph->edge_count; i++) {
		const struct snap_edge *edge = &graph->edges[i];
		const uint32_t *from, *to;

		if (edge->from_root || edge->dominated_bytes == SNAP_UNKNOWN ||
		    rows_of(selection, &graph->groups[edge->from], &from) == 0 ||
		    rows_of(selection, &graph->groups[edge->to], &to) == 0 || *from != *to)
			continue;
		out->retained[*to] -= edge->dominated_bytes < out->retained[*to]
					      ? edge->dominated_bytes
					      : out->retained[*to];
	}
}

static enum snap_status take(struct row_graph *out, const struct graph *graph,
			     const struct selection *selection, bool cumulative,
			     struct snap_error *err)
{
	size_t count = selection_row_count(selection);
	bool sized;

	out->unreachable = calloc(count + 1, sizeof(*out->unreachable));
	out->retained = calloc(count + 1, sizeof(*out->retained));
	if (!out->unreachable || !out->retained)
		return fail_memory(err, "reading who holds what");
	sized = add_groups(out, graph, selection);
	if (sized && !cumulative) {
		count_once(out, graph, selection);
	} else {
		free(out->retained);
		out->retained = NULL;
	}
	return SNAP_OK;
}

enum snap_status row_graph_read(struct row_graph *out, const struct dataset *dataset,
				const struct selection *selection, bool cumulative,
				struct snap_error *err)
{
	struct graph graph;
	enum snap_status status;

	*out = (struct row_graph){0};
	if (!dataset->store)
		return SNAP_OK;
	status = graph_fetch(&graph, dataset->store, dataset, dataset->snapshot_ids[0], false, err);
	if (status == SNAP_OK && graph.group_count)
		status = take(out, &graph, selection, cumulative, err);
	graph_release(&graph);
	return status;
}

void row_graph_release(struct row_graph *graph)
{
	free(graph->unreachable);
	free(graph->retained);
}
