/*
 * report/leaks.h - blocks that nothing reaches, by call site.
 */
#ifndef REPORT_LEAKS_H
#define REPORT_LEAKS_H

#include "analysis/policy/suppress.h"
#include "dataset/graph.h"
#include "cli/report_options.h"
#include "report/report.h"

struct leaks_request {
	const struct dataset *dataset;
	const struct graph *graph;
	bool confirm; /* the dataset's second snapshot must confirm it */
	const struct report_options *options;
	struct suppressions *suppressions; /* NULL none */
	int today;                         /* yyyymmdd */
};

struct report *leaks_report_new(void);

/** Rows, totals and title; report->finding is true if there is any leak that is not suppressed. */
enum snap_status leaks_fill(struct report *report, const struct leaks_request *request,
			    struct snap_error *err);

/** SNAP_EUSAGE: the snapshot has no graph (`blocks_only`: none of blocks, though one of an
 * interpreter's objects may be there); the sentence says why, and how to take one. */
enum snap_status leaks_need_graph(const struct report *report, size_t input,
				  const struct graph *graph, bool blocks_only, struct store *store,
				  int64_t id, struct snap_error *err);

/** Say what makes "unreachable" less certain in this snapshot: threads were not stopped, pages
 * were not read ... */
enum snap_status leaks_warn(struct report *report, size_t input, struct store *store, int64_t id,
			    struct snap_error *err);

#endif
