/*
 * report/top.h - what holds the most memory.
 */
#ifndef REPORT_TOP_H
#define REPORT_TOP_H

#include "dataset/dataset.h"
#include "cli/report_options.h"
#include "report/report.h"

/**
 * Report on snapshot 0 of `dataset`.  `described` is a report that has its inputs already, made
 * with top_report_new(); it gets the rest.  SNAP_EUSAGE, SNAP_ENOMEM.
 */
struct report *top_report_new(bool sampled);
enum snap_status top_fill(struct report *report, const struct dataset *dataset,
			  const struct report_options *options, struct snap_error *err);

#endif
