/*
 * runtime/config.h - what the recorder was asked to do.
 *
 * Settings come from the environment (SNAP_*, as `snapdiff run` sets them) and from struct
 * snap_config.  All text is copied, because the program may change its environment.
 */
#ifndef SNAP_RUNTIME_CONFIG_H
#define SNAP_RUNTIME_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snap/snap.h"

#define SNAP__PATH_MAX      4096
#define SNAP__DEPTH_DEFAULT 512
#define SNAP__DEPTH_MAX     60000 /* struct snap__capture counts frames in 16 bits */

/** Record the lines of Python programs? auto: if an interpreter is found; on: required; off:
 * never. */
enum snap__python_wish { SNAP__PYTHON_AUTO, SNAP__PYTHON_ON, SNAP__PYTHON_OFF };

/** What snapshots contain of the command line: everything with secrets masked; everything; the
 * program's name; nothing. */
enum snap__command_wish {
	SNAP__COMMAND_MASKED,
	SNAP__COMMAND_FULL,
	SNAP__COMMAND_NAME,
	SNAP__COMMAND_NONE,
};

struct snap__config {
	uint64_t every_ns;     /* SNAP_EVERY; 0 off */
	uint64_t growth_bytes; /* SNAP_AT_GROWTH; 0 off */
	uint64_t peak_bytes;   /* SNAP_AT_PEAK, or SNAP_KEEP_PEAK; 0 off */
	uint64_t safety_ns;    /* SNAP_SAFETY: the first safety snapshot; 0 none */
	bool keep_peak; /* SNAP_KEEP_PEAK: the step grows with the peak, and a new peak replaces the last */
	uint64_t sample_bytes; /* SNAP_SAMPLE; 0 exact */
	uint64_t seed;         /* SNAP_SEED; 0 picks one */
	uint64_t memory_bytes; /* SNAP_MAX_MEMORY: most that call stacks may take */
	unsigned depth;        /* SNAP_DEPTH: most frames of a stack */
	unsigned verify;       /* SNAP_VERIFY: every Nth stack is verified (verify.h); 0 off */
	int signal;            /* SNAP_ON_SIGNAL; 0 none */
	enum snap_exit_snapshot exit; /* SNAP_EXIT */
	bool follow;                  /* SNAP_FOLLOW: forked and executed processes record too */
	uint64_t run; /* SNAP_RUN: names do not matter for the child of this process; 0 none */
	bool mmap;    /* SNAP_MMAP: record anonymous mappings (mappings.h) */
	enum snap__python_wish python;   /* SNAP_PYTHON */
	enum snap__command_wish command; /* SNAP_RECORD_COMMAND */
	int holders; /* SNAP_HOLDERS: enum snap__holders, for snapshots by timer, growth and peak */
	int holders_at_exit; /* SNAP_HOLDERS_AT_EXIT: the same for the exit snapshot */
	bool census;         /* SNAP_CENSUS: snapshots have the objects of an interpreter */
	bool resident;       /* SNAP_RESIDENT: snapshots say how much of each module is in memory */
	bool durable; /* SNAP_DURABLE: a thread that asks for a snapshot waits until it is on the disk */
	bool active;                /* SNAP_ACTIVE: record from the start */
	char out[SNAP__PATH_MAX];   /* SNAP_OUT: absolute once recording has started */
	char hello[SNAP__PATH_MAX]; /* SNAP_HELLO: a file; a line is added when recording has
	                             * started
	                             */
	char labels[8192];          /* SNAP_LABELS: K=V lines */
	char follow_only[1024];     /* SNAP_FOLLOW_ONLY: descendants with such names, one a line */
	char follow_not[1024];      /* SNAP_FOLLOW_NOT: but none of these */
};

/** Set the defaults, then the settings in `environment` (NULL-terminated, may be NULL).
 * `*config` is zeroed before.  Returns NULL, or a static sentence about the first invalid
 * setting. */
const char *snap__config_from_environment(struct snap__config *config,
					  const char *const *environment);

/** Is a descendant that runs the program `name` to be recorded? */
bool snap__config_follows(const struct snap__config *config, const char *name);

/** Overwrite `config` with what `wanted` sets.  Returns the same as
 * snap__config_from_environment(). */
const char *snap__config_apply(struct snap__config *config, const struct snap_config *wanted);

/** Take LD_PRELOAD's libsnap and SNAP_ACTIVE out of `environment`, for processes yet to be
 * executed. */
void snap__config_unfollow(char **environment);

/** `4096`, `64KiB`, `1.5MiB` -> bytes; `500ms`, `10s`, `5m` -> nanoseconds.  False if it is
 * neither. */
bool snap__parse_size(const char *text, uint64_t *bytes);
bool snap__parse_duration(const char *text, uint64_t *ns);
/** `USR1`, `SIGUSR1`, `10`, `RTMIN+2` -> signal number. */
bool snap__parse_signal(const char *text, int *number);

#endif
