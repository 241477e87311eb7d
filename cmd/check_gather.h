/*
 * check_gather.h - what a gate needs to know besides the rows of compare and growth: figures of the
 * processes as a whole, and which snapshots are the runs of a repeated command.
 */
#ifndef CHECK_GATHER_H
#define CHECK_GATHER_H

#include "base/notice.h"
#include "report/check.h"
#include "cli/report_options.h"

/** A snapshot, and the figures of its process up to then. */
struct check_snapshot {
	char *path, *program;
	char *iteration; /* of `run --repeat`; NULL: of another run */
	int64_t id, run_id;
	double live, peak, rss, work;             /* NAN: unknown; work: blocks allocated so far */
	double live_apart, peak_apart, rss_apart; /* of the runs of a baseline: least to most */
	bool at_exit, is_repeat; /* is_repeat: stands for one of several runs of its side */
};

/** One side of the gate. */
struct check_side {
	struct check_snapshot *items;
	size_t count, capacity;
	const char **runs; /* paths: one exit for each run of a repeated command; else NULL */
	size_t run_count;
	/* Its runs have several processes of one program, each with no snapshot but that of its
	 * exit: the processes are no series, the runs are. */
	bool is_pool;
	size_t damaged;        /* files of which at most a part could be read */
	struct notices damage; /* the warnings about them */
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

/** Paths, each malloc'ed. */
struct check_paths {
	char **items;
	size_t count, capacity;
};

/**
 * The snapshots that a baseline of `names` is made from: of repeated runs what each left at its
 * exit, of any other directory the one that compare takes.  Release with check_paths_release(),
 * also after a failure.
 */
enum snap_status check_baseline_sources(struct check_paths *paths,
					const struct report_options *options,
					const char *const *names, size_t count,
					struct snap_error *err);
void check_paths_release(struct check_paths *paths);

#endif
