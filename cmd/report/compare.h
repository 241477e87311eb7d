/*
 * report/compare.h - what changed between two snapshots.
 */
#ifndef REPORT_COMPARE_H
#define REPORT_COMPARE_H

#include "analysis/repeats.h"
#include "report/options.h"
#include "report/report.h"

struct report *compare_report_new(void);

/**
 * Compare snapshot 0 (old) of `dataset` with snapshot 1 (new) into `report`, which has its inputs
 * already. `repeats`: what the two were collapsed from (analysis/repeats.h), or NULL when there is
 * one on either side; then a difference counts only where the runs of the two sides do not overlap.
 * report->finding is set when a row, after filters and --min, is new or grew.  SNAP_EUSAGE,
 * SNAP_ENOMEM.
 */
enum snap_status compare_fill(struct report *report, const struct dataset *dataset,
			      const struct repeats *repeats, const struct report_options *options,
			      struct snap_error *err);

#endif
