/*
 * report/comparable_sides.h - the facts of two snapshots that warnings about comparing them use.
 */
#ifndef REPORT_COMPARABLE_SIDES_H
#define REPORT_COMPARABLE_SIDES_H

#include "dataset/dataset.h"
#include "dataset/facts.h"
#include "base/notice.h"
#include "store/store.h"

enum { SIDE_NAME_SIZE = 128 };

/** One of the two snapshots; unknown texts are "". */
struct comparable_side {
	int64_t id, run_id;
	const char *name; /* "OLD", "NEW" */
	char program[SIDE_NAME_SIZE], arch[SIDE_NAME_SIZE];
	uint64_t time_ns;    /* 0: unknown, or it is the time of the file */
	uint64_t live_bytes; /* SNAP_UNKNOWN possible */
	uint64_t sample_period;
	bool is_dump; /* of Python's tracemalloc */
	struct heap_sizes heap;
	bool at_exit;
	bool ends_a_run; /* taken at the program's exit, after others */
};

/**
 * Add notices on modules that have names or lines on one side only, and on modules without names
 * that are another build.  The frames of such a build that have no name become one, "module+?".
 * The dataset's snapshot 0 is the first side, its snapshot `new` is the second one.
 */
enum snap_status comparable_warn_of_modules(struct notices *notices, struct store *store,
					    struct dataset *dataset, size_t new,
					    const struct comparable_side sides[2],
					    struct snap_error *err);

#endif
