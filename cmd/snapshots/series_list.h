/*
 * snapshots/series_list.h - snapshots that follow each other.
 */
#ifndef SNAPSHOTS_SERIES_LIST_H
#define SNAPSHOTS_SERIES_LIST_H

#include <stddef.h>
#include <stdint.h>

/**
 * One series, oldest first: the snapshots of one process, or of processes of one program that
 * followed each other.
 */
struct snapshots_series {
	int64_t *ids;
	size_t count;
	char *program;
	uint64_t pid, start_ns; /* of its last process */
	size_t processes;
	size_t pool; /* series of one program that ran side by side have the same number */
};

/** What is left out where objects are asked for, since it has no census. */
struct snapshots_without_census {
	size_t processes; /* that have no census in any snapshot */
	size_t snapshots; /* of other processes */
};

struct snapshots_series_list {
	struct snapshots_series *series;
	size_t count, pools;
	struct snapshots_without_census without_census;
	size_t alone; /* processes that are left out, since they have one snapshot only */
};

#endif
