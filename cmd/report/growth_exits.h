/*
 * report/growth_exits.h - leave out snapshots that do not show growth.  At exit the program has
 * freed most memory; what remains was never freed.  A kept peak is chosen by its size, not by time.
 * Safety snapshots have no number in the series.
 */
#ifndef REPORT_GROWTH_EXITS_H
#define REPORT_GROWTH_EXITS_H

#include "base/notice.h"
#include "store/store.h"

/** Paths of the snapshots that were left out; zeroed it is empty. */
struct growth_left_out {
	char **paths;
	size_t count, capacity;
};

/**
 * Remove the exit snapshot of each process, and snapshots without a number of their own, from
 * `ids`, if at least three others of that process are among them; *count falls by as many.  Their
 * paths are added to `left_out`, and `notices` gets a remark.  *at_exit is the exit snapshot of the
 * process to which the last remaining snapshot belongs; 0: there is none.  SNAP_ENOMEM, or what
 * reading the store gives.
 */
enum snap_status growth_leave_out_exits(struct store *store, int64_t *ids, size_t *count,
					int64_t *at_exit, struct growth_left_out *left_out,
					struct notices *notices, struct snap_error *err);

/** Forget all paths but the first `count`. */
void growth_left_out_cut(struct growth_left_out *left_out, size_t count);
void growth_left_out_release(struct growth_left_out *left_out);

#endif
