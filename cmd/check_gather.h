/*
 * check_gather.h - what a gate needs to know besides the rows of compare and growth: figures of the
 * processes as a whole, and which snapshots are the runs of a repeated command.
 */
#ifndef CHECK_GATHER_H
#define CHECK_GATHER_H

#include "report/check.h"
#include "report/options.h"

/** The snapshot that a process wrote at its exit. */
struct check_exit {
	char *path, *program;
	char *iteration; /* of `run --repeat`; NULL: of another run */
	int64_t id;
	uint64_t live_bytes;
};

/** One side of the gate. */
struct check_side {
	struct check_exit *exits;
	size_t exit_count, exit_capacity;
	size_t snapshots;
	const char *
		*runs; /* paths: one exit for each run; the side's.  NULL: no repeated command */
	size_t run_count;
};

struct check_gathered {
	struct check_facts facts;
	struct check_side old, new_;
	const char *program; /* whose exits the runs are; NULL: no repeated command */
	bool others;         /* the new side's runs have other programs besides */
	/* The path of the snapshot of the new side in which most is unreachable, and how much;
	 * NULL: none says who holds what. */
	char *most_unreachable;
	double unreachable;
};

/**
 * Read the figures of the snapshots `baseline` (may be none) and `names`.  Release with
 * check_gathered_release(), also after a failure.
 */
enum snap_status check_gather(struct check_gathered *out, const struct report_options *options,
			      const struct text_list *baseline, const char *const *names,
			      size_t count, struct snap_error *err);
void check_gathered_release(struct check_gathered *gathered);

/**
 * The path of the snapshot that stands for `name` in a baseline: of repeated runs the one in the
 * middle, by what it left; of any other directory the one that compare takes.  `*path` is malloc'ed.
 */
enum snap_status check_baseline_source(char **path, const struct report_options *options,
				       const char *name, struct snap_error *err);

#endif
