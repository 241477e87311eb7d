/*
 * report/growth_cohorts.h - when the blocks of growing rows were allocated, for pictures.
 */
#ifndef REPORT_GROWTH_COHORTS_H
#define REPORT_GROWTH_COHORTS_H

#include "report/growth.h"

/**
 * Give the `series` of the first rows that grow a list `cohorts`: bands of births, each with the
 * first and the last snapshot (from 1) before which its blocks were allocated, and `bytes`, what of
 * them lives in each snapshot (null: not known).  `ids` are the snapshots of the report.
 */
enum snap_status growth_cohorts_add(struct report *report, const struct growth_part *parts,
				    size_t count, struct store *store, const int64_t *ids,
				    struct snap_error *err);

#endif
