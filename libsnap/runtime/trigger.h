/*
 * runtime/trigger.h - when snapshots are taken: the helper threads.
 *
 * The worker takes every snapshot: at the timer, when the live heap has grown or its peak has
 * risen, on a signal, and when another thread asks for one and waits.  The listener answers the
 * control socket and asks the worker.  Both block all signals and have file descriptors of their
 * own where the kernel allows it.  Threads of the host wake the worker through a futex: a
 * descriptor of ours in the host's table could be closed and reused under us.
 */
#ifndef SNAP_RUNTIME_TRIGGER_H
#define SNAP_RUNTIME_TRIGGER_H

#include <stdbool.h>
#include <stddef.h>

#include "runtime/snapshot.h"

/** Start the helper unless it runs; not from a signal handler.  False if it could not be started.
 */
bool snap__trigger_start(void);
bool snap__trigger_is_running(void);

/** End the helper's threads; what was asked for is done before.  False if they do not end. */
bool snap__trigger_stop(void);

/** How many threads of the process are the helper's. */
unsigned snap__trigger_thread_count(void);

/** Have its threads the caller's capabilities?  True where there are none. */
bool snap__trigger_is_alike(void);

/** One of the helper's threads has set itself up; is about to end; whether it shall. */
void snap__trigger_ready(void);
void snap__trigger_gone(void);
bool snap__trigger_shall_stop(void);

/** A detached thread of our own, with all signals blocked. */
bool snap__trigger_spawn(void *(*main_function)(void *));

/** Begin to act on the configured timer, growth and peak steps, and signal. */
void snap__trigger_arm(void);
/** Act on them no more. */
void snap__trigger_disarm(void);

/**
 * Take a snapshot and wait until it is durable, by way of the helper where there is one.  Waits as
 * long as the helper gets on with it; if it is stuck, takes it from the calling thread, or gives
 * up. `path` (may be NULL) gets the file's name.  Returns SNAP_OK, SNAP_EIO, SNAP_ENOMEM,
 * SNAP_ESTATE.
 */
enum snap_status snap__trigger_take(enum snap__reason reason, const char *label, char *path,
				    size_t size);

/** Wait until all that was asked for before is durable. */
void snap__trigger_flush(void);

/** In a forked child: there is no helper, and nothing was asked for. */
void snap__trigger_after_fork(void);

#endif
