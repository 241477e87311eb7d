/*
 * runtime/config.h - what the recorder was asked to do.
 *
 * Settings come from the environment (SNAP_*, as `snapdiff run` sets them) and from
 * struct snap_config.  All text is copied: the environment may change under us.
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

/** Whether the lines of Python programs are wanted: if an interpreter is found; surely; never. */
enum snap__python_wish { SNAP__PYTHON_AUTO, SNAP__PYTHON_ON, SNAP__PYTHON_OFF };

/** What snapshots say of the command line: secrets masked; all; the program's name; nothing. */
enum snap__command_wish {
	SNAP__COMMAND_MASKED,
	SNAP__COMMAND_FULL,
	SNAP__COMMAND_NAME,
	SNAP__COMMAND_NONE,
};

struct snap__config {
	char out[SNAP__PATH_MAX];   /* SNAP_OUT: absolute once recording has started */
	char hello[SNAP__PATH_MAX]; /* SNAP_HELLO: file that gets a line when recording has started
				     */
	char labels[8192];          /* SNAP_LABELS: K=V lines */
	uint64_t every_ns;          /* SNAP_EVERY; 0 off */
	uint64_t growth_bytes;      /* SNAP_AT_GROWTH; 0 off */
	uint64_t peak_bytes;        /* SNAP_AT_PEAK, or SNAP_KEEP_PEAK; 0 off */
	uint64_t safety_ns;         /* SNAP_SAFETY: the first safety snapshot; 0 none */
	bool keep_peak;             /* SNAP_KEEP_PEAK: steps grow, and one peak replaces another */
	uint64_t sample_bytes;      /* SNAP_SAMPLE; 0 exact */
	uint64_t seed;              /* SNAP_SEED; 0 picks one */
	uint64_t memory_bytes;      /* SNAP_MAX_MEMORY: most that call stacks may take */
	unsigned depth;             /* SNAP_DEPTH: most frames of a stack */
	unsigned verify;            /* SNAP_VERIFY: one stack in so many (verify.h); 0 off */
	int signal;                 /* SNAP_ON_SIGNAL; 0 none */
	enum snap_exit_snapshot exit;  /* SNAP_EXIT */
	bool follow;                   /* SNAP_FOLLOW: forked and executed processes record too */
	bool mmap;                     /* SNAP_MMAP: record anonymous mappings (mappings.h) */
	enum snap__python_wish python; /* SNAP_PYTHON */
	enum snap__command_wish command; /* SNAP_RECORD_COMMAND */
	int holders;         /* SNAP_HOLDERS: enum snap__holders, for snapshots of its own accord */
	int holders_at_exit; /* SNAP_HOLDERS_AT_EXIT: the same for the one at the exit */
	bool census;         /* SNAP_CENSUS: snapshots have the objects of an interpreter */
	bool durable; /* SNAP_DURABLE: every snapshot is on the disk before anybody goes on */
	bool active;  /* SNAP_ACTIVE: record from the start */
};

/** Defaults, then the settings in `environment` (NULL-terminated, may be NULL).
 *  Returns NULL, or a sentence (static) about the first setting that makes no sense. */
const char *snap__config_from_environment(struct snap__config *config,
					  const char *const *environment);

/** What `wanted` sets, over what `config` has.  The same kind of answer. */
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
