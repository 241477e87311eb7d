/*
 * report/row_graph.h - what the graph of holders of a snapshot says of the rows of a report.
 */
#ifndef REPORT_ROW_GRAPH_H
#define REPORT_ROW_GRAPH_H

#include "analysis/select.h"
#include "dataset/graph.h"

/** Bytes, by row of the selection; NULL where the snapshot does not say. */
struct row_graph {
	uint64_t *unreachable; /* of blocks that nothing reaches */
	uint64_t *retained;    /* freed with the row's blocks; rows of one frame only */
};

/** How call stacks become rows. */
struct row_graph_view {
	const struct selection *selection;
	const uint32_t *labels; /* by site: the one that names its row; NULL: each names its own */
	bool cumulative;
};

/** The rows that a group of blocks is credited to; none where it is no call stack. */
size_t row_graph_rows(const struct row_graph_view *view, const struct graph_group *group,
		      const uint32_t **rows);

/** The first row of the stack that a group of any kind was allocated at; SNAP_NONE where it has no
 * stack, or filters leave it out. */
uint32_t row_graph_row(const struct row_graph_view *view, const struct graph_group *group);

/** Sum up a graph; all NULL where it is empty.  Release in any case.  SNAP_ENOMEM. */
enum snap_status row_graph_sum(struct row_graph *out, const struct graph *graph,
			       const struct row_graph_view *view, struct snap_error *err);

void row_graph_release(struct row_graph *graph);

#endif
