/*
 * capture/launch.h - start a command with libsnap preloaded, wait for it, and see what was
 * recorded.
 */
#ifndef CAPTURE_LAUNCH_H
#define CAPTURE_LAUNCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fail.h"
#include "capture/hello.h"
#include "capture/killed.h"

/** One environment setting of the runtime, by name ("SNAP_EVERY") and value. */
struct launch_setting {
	const char *name;
	char *value;
};

struct launch {
	const char *library; /* the result of library_preloadable() */
	const char *dir; /* where snapshots go, absolute; NULL: run without recording (a warm-up) */
	const struct launch_setting *settings;
	size_t setting_count;
	char **argv;      /* NULL-terminated; argv[0] is the command as typed */
	const char *path; /* what preflight_find() found */
	bool announce;    /* say on standard error which process is recorded, before it begins */
};

struct launch_result {
	int exit_code;    /* as a shell would report it: 128 + n after signal n */
	int end_signal;   /* that ended the command itself; 0: it exited */
	bool interrupted; /* by SIGINT of the terminal, which came to us too */
	struct killed before, after;
	struct timespec ended;
	struct hello hello; /* the lines and files of its processes; release it with hello_free() */
};

/** Create `dir` (and its parents) and make sure that files can be created in it; *absolute is
 * malloc'ed. */
enum snap_status launch_prepare_directory(const char *dir, char **absolute, struct snap_error *err);

/**
 * Run the command to its end.  Signals and stops reach it as if snapdiff were not there
 * (supervise.h). SNAP_ESYSTEM: it could not be started at all.
 */
enum snap_status launch_run(const struct launch *launch, struct launch_result *result,
			    struct snap_error *err);

#endif
