/*
 * report/growth_exits.h - leave out snapshots that do not show growth.  At exit the program has
 * freed most memory; what remains was never freed.  A kept peak is chosen by its size, not by time.
 * Safety snapshots have no number in the series.
 */
#ifndef REPORT_GROWTH_EXITS_H
#define REPORT_GROWTH_EXITS_H

#include "report/report.h"
#include "store/store.h"

/**
 * Take the exit snapshot of each process, and what has no number of its own, out of `ids`, where at least three others of that process
 * are among them; *count falls by as many.  `report` gets their names as `left_out` and a note.
 * *at_exit: the one that is of the process of the last snapshot left; 0 where there is none.
 * SNAP_ENOMEM, or what reading the store gives.
 */
enum snap_status growth_leave_out_exits(struct report *report, struct store *store, int64_t *ids,
					size_t *count, int64_t *at_exit, struct snap_error *err);

#endif
