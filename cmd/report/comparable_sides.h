/*
 * report/comparable_sides.h - what the parts of comparable.h know of the two snapshots.
 */
#ifndef REPORT_COMPARABLE_SIDES_H
#define REPORT_COMPARABLE_SIDES_H

#include "dataset/dataset.h"
#include "base/notice.h"
#include "store/store.h"

enum { SIDE_NAME_SIZE = 128 };

/** One of the two snapshots; unknown texts are "". */
struct comparable_side {
	int64_t id, run_id;
	const char *name; /* "OLD", "NEW" */
	char program[SIDE_NAME_SIZE], arch[SIDE_NAME_SIZE];
	uint64_t time_ns; /* 0: unknown, or only the file's */
	uint64_t sample_period;
	bool is_dump;        /* of Python's tracemalloc */
	uint64_t peak, live; /* bytes of the heap; 0 unknown */
	bool at_exit;
	bool ends_a_run; /* taken at the program's exit, after others */
};

/**
 * Add to `notices` where a module has names or lines on one side only, and where one without names
 * is another build: its frames without a name become one, "module+?".  The dataset's snapshot `new`
 * is the second side's, 0 the first's.
 */
enum snap_status comparable_warn_of_modules(struct notices *notices, struct store *store,
					    struct dataset *dataset, size_t new,
					    const struct comparable_side sides[2],
					    struct snap_error *err);

#endif
