/*
 * row_graph.c - from groups of blocks, by their call stacks, to rows.
 */
#include "report/row_graph.h"

uint32_t row_graph_row(const struct row_graph_view *view, const struct graph_group *group)
{
	const uint32_t *rows;
	uint32_t site = group->site;

	if (site == SNAP_NONE)
		return SNAP_NONE;
	site = view->labels ? view->labels[site] : site;
	return selection_rows_of(view->selection, site, &rows) ? rows[0] : SNAP_NONE;
}
