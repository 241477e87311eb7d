/*
 * report/row_graph.h - what the graph of holders says of the rows of a report on one snapshot.
 */
#ifndef REPORT_ROW_GRAPH_H
#define REPORT_ROW_GRAPH_H

#include "analysis/select.h"
#include "dataset/dataset.h"

/** Bytes, by row of the selection; NULL where the snapshot does not say. */
struct row_graph {
	uint64_t *unreachable; /* of blocks that nothing reaches */
	uint64_t *retained;    /* freed with the row's blocks; rows of one frame only */
};

/** Of the first snapshot.  Release it in any case.  SNAP_ENOMEM, or what the store says. */
enum snap_status row_graph_read(struct row_graph *out, const struct dataset *dataset,
				const struct selection *selection, bool cumulative,
				struct snap_error *err);
void row_graph_release(struct row_graph *graph);

#endif
