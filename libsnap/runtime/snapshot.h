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
	SNAP__AT_REQUEST, /* control socket */
	SNAP__AT_API,
	SNAP__AT_TIMER,
	SNAP__AT_GROWTH,
	SNAP__AT_PEAK,
	SNAP__AT_SIGNAL,
	SNAP__AT_EXIT,
	SNAP__AT_SAFETY, /* should the process be killed later */
};

/** May the allocator be asked for its figures (metrics.h)? */
enum snap__ask {
	SNAP__ASK_NOBODY,
	SNAP__ASK_NOW,     /* nothing can be in the middle of the allocator */
	SNAP__ASK_HOLDING, /* only once the host's thread is held outside of it (alone.h) */
};

struct snap__order {
	enum snap__reason reason;
	int signal;        /* that ends the process, or 0 */
	const char *label; /* the snapshot's name; "" none */
	int directory;     /* descriptor of the output directory, or -1: go by its path */
	enum snap__ask ask;
	bool is_durable;            /* on the disk, file and name, when the function returns */
	enum snap__holders holders; /* who holds what, by way of a copy of the process */
};

/**
 * Write one snapshot; not from two threads at once.  On success `path` (of `size` bytes)
 * holds its absolute name.  Otherwise `*error` is the errno value, 0 if there is none, and nothing
 * is left in the directory.
 * Returns SNAP_OK, SNAP_EIO or SNAP_ENOMEM.
 */
enum snap_status snap__snapshot_take(const struct snap__order *order, char *path, size_t size,
				     int *error);

/** Snapshots written so far by this process: the last one's sequence number. */
uint64_t snap__snapshot_seq(void);

/** In a forked child: its own numbering begins. */
void snap__snapshot_after_fork(void);

/** Moves on while a snapshot makes progress: who waits can tell slow from stuck. */
uint64_t snap__snapshot_progress(void);

/** Snapshots that were due while another one was written, and became part of it. */
void snap__snapshot_count_merged(uint64_t snapshots);
uint64_t snap__snapshot_merged(void);

/** Snapshots that could not be written. */
uint64_t snap__snapshot_failures(void);

/** Bytes allocated so far, in total; an estimate in sampled mode.  Looks at every call stack. */
uint64_t snap__snapshot_allocated_bytes(void);

/** Anonymous memory that neither the allocator nor the recorder accounts for, at the snapshot that
 * had most of it, and the recorded live heap then.  Zeros if that is not known. */
struct snap__unseen {
	uint64_t bytes, live_bytes;
};
struct snap__unseen snap__snapshot_unseen(void);

/** CPU time that writing took so far. */
uint64_t snap__snapshot_writing_ns(void);

/** CPU time spent so far: recording (an extrapolation from one allocation in 1,024) and writing. */
uint64_t snap__snapshot_cpu_ns(void);

#endif
