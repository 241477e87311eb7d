/*
 * snap/snap.h - record a program's heap from inside it.
 *
 * Link with -lsnap, or run under `snapdiff run` and call the same functions: there is one recorder,
 * whichever of the two started it.  All functions may be called from any thread, and cost next to
 * nothing while recording is off.  None of them changes errno.
 */
#ifndef SNAP_SNAP_H
#define SNAP_SNAP_H

#include <stddef.h>
#include <stdint.h>

#include "snap/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** When the snapshot at the program's end is taken. */
enum snap_exit_snapshot {
	SNAP_EXIT_LATE = 0,  /* after static destructors: shows what was never freed */
	SNAP_EXIT_EARLY = 1, /* when main returns or exit() is called */
	SNAP_EXIT_NONE = 2,
};

/**
 * What to record and when to write.  Zero it, set `size` to sizeof(struct snap_config), then what
 * you want: a member that is 0 leaves the setting to the environment (SNAP_OUT, SNAP_EVERY, ...) or
 * the default.
 */
struct snap_config {
	size_t size;           /* sizeof(struct snap_config): lets the struct grow */
	const char *directory; /* where snapshots go; made if its parent exists; default "snaps" */
	uint64_t every_ms;     /* a snapshot every so many milliseconds */
	uint64_t growth_bytes; /* ... each time the live heap has grown by this */
	uint64_t peak_bytes;   /* ... each time its maximum has risen by this */
	uint64_t sample_bytes; /* record one allocation per so many bytes on average; 0 all */
	unsigned depth;        /* most frames of a call stack, the newest are kept */
	int on_signal;         /* ... when this signal arrives; its handler is replaced */
	int exit_snapshot;     /* enum snap_exit_snapshot */
};

/**
 * Begin recording.  `config` may be NULL: settings of the environment and defaults.  Under
 * `snapdiff run`, and when recording is on already, nothing changes and the answer is SNAP_OK.
 * After snap_stop() recording begins again with an empty heap; the totals since the start
 * (allocated bytes and blocks) go on.  Returns SNAP_OK, SNAP_EINVAL, SNAP_EIO (the directory cannot
 * be written), SNAP_ENOMEM, SNAP_EUNSUPPORTED (another malloc is in front of ours).  If that
 * process runs CPython, what the interpreter's own allocators hand out is recorded all the same,
 * and a line on standard error says so; call with its GIL held then.
 */
enum snap_status snap_start(const struct snap_config *config);

/**
 * Write a snapshot named `label` (NULL: no name) and wait until it is on the disk. It has every
 * block that the calling thread allocated and did not free, and those of other threads if these
 * neither allocate nor free meanwhile.  Returns SNAP_OK, SNAP_EIO, SNAP_ENOMEM, SNAP_ESTATE
 * (recording is off).
 */
enum snap_status snap_take(const char *label);

/**
 * The same, and the snapshot says who holds what: which blocks nothing reaches, who refers to the
 * others, and, if `retained` is not 0, what would be freed with each (in the text form, the lines
 * that begin with %).  The program's threads are stopped for some milliseconds while the process is
 * copied; the copy does the work.  Where that is not possible, the snapshot is written without it
 * and says why.
 */
enum snap_status snap_take_holders(const char *label, int retained);

/**
 * The same, and the snapshot has a census: the objects of the Python interpreter in this process by
 * type, and by the line that allocated them (`snapdiff top -g type`).  May be called with the
 * interpreter's lock or without.
 */
enum snap_status snap_take_census(const char *label);

/** End recording.  Snapshots written so far stay; no exit snapshot will be taken.
 *  Returns SNAP_OK or SNAP_ESTATE. */
enum snap_status snap_stop(void);

/** Wait until every snapshot that has been asked for is durable.  SNAP_OK or SNAP_ESTATE. */
enum snap_status snap_flush(void);

/**
 * Set `key` to `value` (NULL: remove it) in the labels of all snapshots to come.
 * Returns SNAP_OK, SNAP_EINVAL (empty key; `=` or newline in it; newline in the value) or
 * SNAP_ENOMEM (8 KiB of labels are full).
 */
enum snap_status snap_set_label(const char *key, const char *value);

/**
 * Allocations that no malloc sees: arenas, pools, GPU memory.  `domain` names the kind ("gpu",
 * "arena"); `ptr` is any value that identifies the block within its domain and is never
 * dereferenced.  The caller's call stack is recorded.  snap_record_realloc() with `old_ptr` 0 is
 * an allocation; call it after the resize succeeded.  snap_record_free() comes before the release.
 * Return SNAP_OK (also while recording is off), SNAP_EINVAL (domain NULL or empty, ptr NULL),
 * SNAP_ENOTFOUND (no such block), SNAP_ENOMEM (lost, and counted; at most 240 domains).
 */
enum snap_status snap_record_alloc(const char *domain, const void *ptr, size_t size);
enum snap_status snap_record_realloc(const char *domain, const void *old_ptr, const void *new_ptr,
				     size_t size);
enum snap_status snap_record_free(const char *domain, const void *ptr);

#ifdef __cplusplus
}
#endif

#endif
