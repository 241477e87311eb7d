/*
 * check_record.h - record the command of `check --run` into a directory of its own.
 */
#ifndef CHECK_RECORD_H
#define CHECK_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fail.h"

/** Like the options of `run`; 0 or NULL: the default of `run`. */
struct check_how {
	uint64_t every_ns, at_growth, at_peak, sample, depth;
	const char *python, *exit_snapshot;
	bool mmap, no_follow;
};

struct check_recording {
	uint64_t runs, warmup;
	struct check_how how;
	const char *keep;        /* directory for the snapshots; NULL: a temporary one */
	bool holders;            /* the snapshot at exit says who holds what */
	const char *const *argv; /* the command, NULL-terminated */
};

/**
 * Run and record.  `*directory` is malloc'ed: hand it to check_record_done().  Fails when the
 * command could not be recorded, or ended with another status than 0: nothing can be judged then.
 */
enum snap_status check_record(const struct check_recording *recording, char **directory,
			      struct snap_error *err);

/** Remove a temporary directory, and free its name (may be NULL). */
void check_record_done(const struct check_recording *recording, char *directory);

#endif
