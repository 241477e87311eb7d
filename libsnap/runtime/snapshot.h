/*
 * runtime/snapshot.h - walk -> rows -> writer -> temporary file -> rename.
 */
#ifndef SNAP_RUNTIME_SNAPSHOT_H
#define SNAP_RUNTIME_SNAPSHOT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/holders/holders.h"
#include "snap/status.h"

/** Why a snapshot is taken. */
enum snap__reason {
#define TRIGGER(id, name) SNAP__AT_##id,
#include "format/triggers.def"
#undef TRIGGER
};

/** May the allocator be asked for its figures (metrics.h)? */
enum snap__ask {
	SNAP__ASK_NOBODY,
	SNAP__ASK_NOW,     /* no thread can be inside the allocator */
	SNAP__ASK_HOLDING, /* only while the host's thread is stopped (alone.h) */
};

struct snap__order {
	enum snap__reason reason;
	int signal;        /* the signal that ends the process, or 0 */
	const char *label; /* the snapshot's name; "" none */
	int directory;     /* descriptor of the output directory, or -1: use its path */
	enum snap__ask ask;
	bool is_durable;            /* file and name are on the disk when the function returns */
	enum snap__holders holders; /* with holders, found in a copy of the process */
	/** In the helper: calls a function that may wait for the host (metrics.h); NULL
	 * elsewhere. */
	bool (*call)(void (*fn)(void *argument), void *argument);
};

/**
 * Write one snapshot; not from two threads at once.  On success `path` (of `size` bytes)
 * holds its absolute name, unless it is NULL.  Otherwise `*error` is the errno value, 0 if there is none, and nothing
 * is left in the directory.
 * Returns SNAP_OK, SNAP_EIO or SNAP_ENOMEM.
 */
enum snap_status snap__snapshot_take(const struct snap__order *order, char *path, size_t size,
				     int *error);

/** From now on, snapshots say how much of each module is in memory, as with SNAP_RESIDENT. */
void snap__snapshot_want_modules(void);

/** Snapshots written so far by this process: the last one's sequence number. */
uint64_t snap__snapshot_seq(void);

/** In a forked child: start its own numbering. */
void snap__snapshot_after_fork(void);

/** Grows while a snapshot makes progress, so that a waiting thread can tell slow from stuck. */
uint64_t snap__snapshot_progress(void);

/** Snapshots that were due while another one was written, and became part of it. */
void snap__snapshot_count_merged(uint64_t snapshots);
uint64_t snap__snapshot_merged(void);

/** Snapshots that could not be written. */
uint64_t snap__snapshot_failures(void);

/** Bytes allocated so far, in total; an estimate in sampled mode.  Looks at every call stack. */
uint64_t snap__snapshot_allocated_bytes(void);

/** The largest anonymous memory, over all snapshots, that neither the allocator nor the recorder
 * accounts for, and the recorded live heap at that snapshot.  Zeros if unknown. */
struct snap__unseen {
	uint64_t bytes, live_bytes;
};
struct snap__unseen snap__snapshot_unseen(void);

/** CPU time that writing took so far. */
uint64_t snap__snapshot_writing_ns(void);

/** CPU time spent so far: recording (an extrapolation from one allocation in 1,024) and writing. */
uint64_t snap__snapshot_cpu_ns(void);

#endif
