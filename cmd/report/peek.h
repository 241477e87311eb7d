/*
 * report/peek.h - callers and callees of the functions that match an expression.
 */
#ifndef REPORT_PEEK_H
#define REPORT_PEEK_H

#include "dataset/dataset.h"
#include "cli/report_options.h"
#include "report/report.h"

struct report *peek_report_new(void);

/**
 * Report on the one or two snapshots of `dataset` into `report`, which has its inputs already: for
 * each function that `pattern` matches its callers, itself and its callees.  Of two snapshots the
 * first is the old one: rows then say what both hold and what changed, and the figures that a
 * report on one snapshot has are those of the new one.  SNAP_EUSAGE, SNAP_ENOMEM.
 */
enum snap_status peek_fill(struct report *report, const struct dataset *dataset,
			   const char *pattern, const struct report_options *options,
			   struct snap_error *err);

#endif
