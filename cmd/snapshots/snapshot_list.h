/*
 * snapshots/snapshot_list.h - the snapshots of a store.
 */
#ifndef SNAPSHOTS_SNAPSHOT_LIST_H
#define SNAPSHOTS_SNAPSHOT_LIST_H

#include <stddef.h>
#include <stdint.h>

/** Snapshots of the store in order of capture, copied so that they can be looked at more than once.
 */
struct snapshot_list {
	struct snapshot_entry {
		int64_t id, run_id;
		uint64_t pid, time_ns, start_ns;
		char *program, *label; /* label NULL when it has none */
	} * entries;
	size_t count, capacity;
};

#endif
