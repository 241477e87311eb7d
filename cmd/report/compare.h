/*
 * report/compare.h - what changed between two snapshots.
 */
#ifndef REPORT_COMPARE_H
#define REPORT_COMPARE_H

#include "analysis/repeats.h"
#include "cli/report_options.h"
#include "report/per_unit.h"
#include "report/report.h"

/** Options of a comparison; all zeros for a plain one. */
struct compare_request {
	/** What the two sides were collapsed from, or NULL when there is one snapshot on either:
	 * a difference counts only where the runs of the two sides do not overlap. */
	const struct repeats *repeats;
	/** NULL, or what figures are divided by before rows are judged and ordered.  --min is then
	 * held against the bytes that the new side has above (or below) the old side's rate. */
	const struct per_unit *per;
	/** Warn about rows that grew but are not counted: the exit code ignores them. */
	bool is_gate;
	/** The sides are of different runs: warn if those did not do as much. */
	bool are_runs;
	/** "OLD=NEW": path prefixes of the old side, and what the new side has instead. */
	const char *const *maps;
	size_t map_count;
};

struct report *compare_report_new(void);

/**
 * Compare snapshot 0 (old) of `dataset` with snapshot 1 (new) into `report`, which has its inputs
 * already.  report->finding is set when a row, after filters and --min, is
 * new or grew, under the same name or another.
 * SNAP_EUSAGE, SNAP_ENOMEM.
 */
enum snap_status compare_fill(struct report *report, const struct dataset *dataset,
			      const struct compare_request *request,
			      const struct report_options *options, struct snap_error *err);

#endif
