/*
 * runtime/trigger.h - when snapshots are taken, and which process or thread writes them.
 *
 * Every snapshot is written by the helper (helper.h): at the timer, when the live heap has grown or
 * its peak has risen, on a signal, on a request through the control socket, and when a thread of
 * the host asks and waits.  So the host's threads need no stack space, file descriptors or limits
 * for it, and their locks do not matter.
 *
 * There is no helper until one is needed.  For growth, peak, the API and the end, the thread that
 * causes the snapshot starts one, waits for the file, and collects it.  A helper stays if it has to
 * keep time (--every), to wait for a signal (--on-signal), to answer the control socket (after the
 * first request, see doorbell.h), or to write for a process that confines itself (see
 * snap__trigger_confine()).  For a safety snapshot it is started, and no thread waits for it.  A
 * helper that stays also writes the last snapshot of a process that ends without asking for it, by
 * a signal for instance.
 *
 * The exit snapshot of a process with one thread is written by that thread: most processes are
 * short, and a clone costs more than such a snapshot.
 */
#ifndef SNAP_RUNTIME_TRIGGER_H
#define SNAP_RUNTIME_TRIGGER_H

#include <stdbool.h>
#include <stddef.h>

#include "runtime/snapshot.h"

/** Begin to act on the configured timer, growth and peak steps, and signal. */
void snap__trigger_arm(void);
/** Act on them no more. */
void snap__trigger_disarm(void);

/** Start the helper if one is to stay and none runs; not from a signal handler. */
void snap__trigger_start(void);
/** The same before main() begins.  It waits until the helper has opened its files: however soon the process dies,
 *  the helper writes a last snapshot, and `run` waits for that. */
void snap__trigger_begin(void);

/** The process ends, and its last snapshot is taken.  A helper that went on would become an orphan,
 * and the process that adopts orphans would wait for it. */
void snap__trigger_end(void);

/** Has snap__trigger_tick() anything to do?  Makes no system call. */
bool snap__trigger_tick_is_due(void);

/** Called regularly: the same, and start a safety snapshot that is due.  No thread waits for it. */
void snap__trigger_tick(void);

/** A helper that stays and answers the control socket, from here on.  Async-signal-safe. */
void snap__trigger_open_door(void);

/**
 * The process is about to confine itself: by chroot(), or (`filtered`) by a filter of system calls.
 * Afterwards it may be unable to open our files, and a filter may kill it for trying.  So a helper
 * is started that keeps its open files.  After a filter, no thread of the host makes a system call
 * for us again: the helper watches the heap's size by itself, and writes the exit snapshot after
 * the process has ended.
 */
void snap__trigger_confine(bool filtered);

/** The process, which has a filter already, is about to install another one, which may refuse more. */
void snap__trigger_confine_more(void);

/** Did the process install a filter by a call that we saw? */
bool snap__trigger_is_filtered(void);

/** The same, but it also asks the kernel.  Call it before a thread of the host makes system calls
 * for us.  A filter that is found in this way counts like one that we saw; without a helper
 * nothing is written any more.  Async-signal-safe. */
bool snap__trigger_is_silent(void);

/** A child was forked under a filter: it records nothing, and at the end `snapdiff run` is told
 * so. */
void snap__trigger_child_unwritten(void);

/** End the helper, if one runs, after all requests are done.  False if it does not end. */
bool snap__trigger_stop(void);

/** Around a short call that no helper must meet.  The first ends the helper, and until the second no other thread
 *  starts one. */
struct snap__way {
	bool is_held;  /* no helper starts */
	bool was_made; /* a helper ran and was ended */
};
struct snap__way snap__trigger_make_way(void);
void snap__trigger_free_way(struct snap__way way);

/** Does a helper run? */
bool snap__trigger_is_running(void);

/**
 * Take a snapshot and wait until the file is there (durable, where the reason promises that).
 * Waits as long as the helper makes progress; gives up if it is stuck.  `path` (may be NULL) gets
 * the file's name.  Returns SNAP_OK, SNAP_EIO, SNAP_ENOMEM, SNAP_ESTATE.
 */
enum snap_status snap__trigger_take(enum snap__reason reason, const char *label,
				    enum snap__holders holders, char *path, size_t size);

/** The same for the process's last snapshot, which signal `number` causes (0: it exits); at most
 *  once.  Async-signal-safe. */
enum snap_status snap__trigger_take_last(int number);

/** The process ends without that snapshot: a helper must not take it either. */
void snap__trigger_omit_last(void);

/** Wait until all snapshots that were requested before are durable. */
void snap__trigger_flush(void);

/** In a forked child: there is no helper and no request.  `by_libc`: libc's fork() made the
 * child, and has reset libc's locks. */
void snap__trigger_after_fork(bool by_libc);

#endif
