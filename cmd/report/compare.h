/*
 * report/compare.h - what changed between two snapshots.
 */
#ifndef REPORT_COMPARE_H
#define REPORT_COMPARE_H

#include "analysis/dataset.h"
#include "report/options.h"
#include "report/report.h"

/** A report for the comparison; `sampled` when either side is. */
struct report *compare_report_new(bool sampled);

/**
 * Compare snapshot 0 (old) of `dataset` with snapshot 1 (new) into `report`, which has its inputs
 * already. report->finding is set when a row, after filters and --min, is new or grew. SNAP_EUSAGE,
 * SNAP_ENOMEM.
 */
enum snap_status compare_fill(struct report *report, const struct dataset *dataset,
			      const struct report_options *options, struct snap_error *err);

#endif
