/*
 * row_graph.c - unreachable and retained bytes of call stacks, summed up by row.
 */
#include "report/row_graph.h"

#include <stdlib.h>

#include "base/fail.h"

/* A group may have no stack. */
static size_t rows_of_stack(const struct row_graph_view *view, const struct graph_group *group,
			    const uint32_t **rows)
{
	if (group->site == SNAP_NONE)
		return 0;
	return selection_rows_of(view->selection,
				 view->labels ? view->labels[group->site] : group->site, rows);
}

size_t row_graph_rows(const struct row_graph_view *view, const struct graph_group *group,
		      const uint32_t **rows)
{
	return group->row.kind == SNAP_GROUP_SITE ? rows_of_stack(view, group, rows) : 0;
}

uint32_t row_graph_row(const struct row_graph_view *view, const struct graph_group *group)
{
	const uint32_t *rows;

	return rows_of_stack(view, group, &rows) ? rows[0] : SNAP_NONE;
}

static bool add_groups(struct row_graph *out, const struct graph *graph,
		       const struct row_graph_view *view)
{
	bool sized = false;

	for (size_t i = 0; i < graph->group_count; i++) {
		const struct graph_group *group = &graph->groups[i];
		const uint32_t *rows;
		size_t count = row_graph_rows(view, group, &rows);

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

/* If one group of a row retains another group of the same row, those bytes count once. */
static void count_once(struct row_graph *out, const struct graph *graph,
		       const struct row_graph_view *view)
{
	for (size_t i = 0; i < graph->edge_count; i++) {
		const struct snap_edge *edge = &graph->edges[i];
		const uint32_t *from, *to;

		if (edge->from_root || edge->dominated_bytes == SNAP_UNKNOWN ||
		    row_graph_rows(view, &graph->groups[edge->from], &from) == 0 ||
		    row_graph_rows(view, &graph->groups[edge->to], &to) == 0 || *from != *to)
			continue;
		out->retained[*to] -= edge->dominated_bytes < out->retained[*to]
					      ? edge->dominated_bytes
					      : out->retained[*to];
	}
}

enum snap_status row_graph_sum(struct row_graph *out, const struct graph *graph,
			       const struct row_graph_view *view, struct snap_error *err)
{
	size_t count = selection_row_count(view->selection);
	bool sized;

	*out = (struct row_graph){0};
	if (!graph->group_count)
		return SNAP_OK;
	out->unreachable = calloc(count + 1, sizeof(*out->unreachable));
	out->retained = calloc(count + 1, sizeof(*out->retained));
	if (!out->unreachable || !out->retained)
		return fail_memory(err, "reading who holds what");
	sized = add_groups(out, graph, view);
	if (sized && !view->cumulative) {
		count_once(out, graph, view);
	} else {
		free(out->retained);
		out->retained = NULL;
	}
	return SNAP_OK;
}

void row_graph_release(struct row_graph *graph)
{
	free(graph->unreachable);
	free(graph->retained);
}
