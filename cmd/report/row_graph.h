/*
 * report/row_graph.h - the row of a report that a group of blocks belongs to.
 */
#ifndef REPORT_ROW_GRAPH_H
#define REPORT_ROW_GRAPH_H

#include "analysis/select.h"
#include "dataset/graph.h"

/** How call stacks become rows. */
struct row_graph_view {
	const struct selection *selection;
	const uint32_t *labels; /* by site: the one that names its row; NULL: each names its own */
};

/** The first row of the stack that a group of any kind was allocated at; SNAP_NONE where it has no
 * stack, or filters leave it out. */
uint32_t row_graph_row(const struct row_graph_view *view, const struct graph_group *group);

#endif
