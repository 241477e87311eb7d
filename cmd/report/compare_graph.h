/*
 * report/compare_graph.h - the graphs of holders of two snapshots, for the rows of a comparison:
 * their new holders, and the bytes that they retain on either side.
 */
#ifndef REPORT_COMPARE_GRAPH_H
#define REPORT_COMPARE_GRAPH_H

#include "analysis/change.h"
#include "report/report.h"
#include "store/holders.h"

/** A global variable, a mapping, another row ... that refers to blocks of a row on the new side
 * only.  Texts are the report's. */
struct new_holder {
	uint32_t row;     /* bytes of the row that it holds */
	const char *kind; /* "site", or as `snapdiff holders` names the kinds of roots */
	const char *name; /* of the root, without what differs from run to run; or of the row */
	const char *root; /* by which a row that holds is reached; NULL none is known */
	bool row_is_new;  /* nothing of the row was live on the old side */
	uint64_t blocks, bytes;
};

struct compare_graph;

struct compare_graph_request {
	const struct dataset *dataset;
	const struct selection *selection;
	const struct pairing *pairing;
	bool cumulative;
};

/** Ask the store, which has the relation of both sides.  *out is NULL where a side has no graph, and
 * where rows overlap.  SNAP_ENOMEM, or what the store says. */
enum snap_status compare_graph_read(struct compare_graph **out, struct report *report,
				    const struct compare_graph_request *request,
				    struct snap_error *err);
void compare_graph_free(struct compare_graph *graph);

/** Ask what the rows have that are shown: the `count` of store_show_rows(). */
enum snap_status compare_graph_show(struct compare_graph *graph, size_t count,
				    struct snap_error *err);
/** What the row has that is shown at `place`. */
const struct store_reach *compare_graph_reach(const struct compare_graph *graph, bool new,
					      size_t place);

/** The new holders of all rows, by row, in each the one that holds most first. */
const struct new_holder *compare_graph_all(const struct compare_graph *graph, size_t *count);
/** Those of one row. */
const struct new_holder *compare_graph_of(const struct compare_graph *graph, uint32_t row,
					  size_t *count);

/** "now also held by g_registry (server) and 2 more"; NULL where `count` is 0. */
const char *compare_graph_words(struct report *report, const struct new_holder *holders,
				size_t count);

#endif
