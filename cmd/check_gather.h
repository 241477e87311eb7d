/*
 * check_gather.h - what a gate needs to know besides the rows of compare and growth: figures of the
 * processes as a whole, and which snapshots are the runs of a repeated command.
 */
#ifndef CHECK_GATHER_H
#define CHECK_GATHER_H

#include "report/check.h"
#include "report/options.h"

/** A snapshot, and what is known of its process until then. */
struct check_snapshot {
	char *path, *program;
	char *iteration; /* of `run --repeat`; NULL: of another run */
	int64_t id, run_id;
	double live, peak, rss;  /* NAN: unknown */
	bool at_exit, is_repeat; /* is_repeat: stands for one of several runs of its side */
};

/** One side of the gate. */
struct check_side {
	struct check_snapshot *items;
	size_t count, capacity;
	const char **runs; /* paths: one exit for each run of a repeated command; else NULL */
	size_t run_count;
};

struct check_gathered {
	struct check_facts facts;
	struct check_side old, new_;
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
