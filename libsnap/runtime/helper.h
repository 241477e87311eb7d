/*
 * runtime/helper.h - a process of ours that shares the host's address space.
 *
 * The host's thread group contains only the host's threads.  Work that runs beside them is done by
 * a helper: a process made by clone(CLONE_VM), without CLONE_THREAD.  It sees all of the host's
 * memory, but has its own file descriptors, limits and signals.  What must stay true:
 *
 *   - It has no thread of libc's.  Its thread pointer points into a block of zeros that is as large
 *     as
 *     the program's thread-local storage, so that errno and libsnap's own variables work.  It calls
 *     nothing of libc's that uses more than errno: no malloc, stdio, loader, locale or pthread.
 *   - All signals are blocked before the clone, and stay blocked: the host's handlers must not run
 *     in it.
 *   - It has an empty table of file descriptors, so that it keeps nothing of the host's open.
 *   - The signal SNAP__HELPER_SIGNAL tells it that the host has ended (see
 *     snap__helper_host_ended()).  The host's memory stays until the helper ends, too.
 *
 * What the host can notice: a child process named "snapdiff" in /proc while the helper runs, with
 * the host's command line.  Its exit signal is 0, so that wait() and waitpid(-1) do not see it;
 * before calls for any child with __WALL or __WCLONE, which do, it ends (preload/wait.c).  It counts towards RLIMIT_NPROC.  Calls that the kernel refuses
 * to those who share memory fail while it runs (unshare(CLONE_NEWUSER), setns() into a user or time
 * namespace): libsnap's versions of them end the helper first.
 *
 * Why it is a child of the host: the parent of a new process is the caller of clone(), or the caller's parent,
 * or, when that parent ends, the nearest process that adopts orphans.  For the host's parent it would be a
 * stranger.  The same is true for a host that adopts orphans (the first process of a container,
 * PR_SET_CHILD_SUBREAPER).  Where the first process of a container does not wait for orphans, each helper would
 * stay as a zombie.  If `run` adopted orphans, daemons would not get 1 from getppid(), for which some wait.
 * `run` cannot write the snapshots itself: only a process that shares the memory can.  A signal to a thread
 * of the host would end its system calls with EINTR, for each snapshot.
 */
#ifndef SNAP_RUNTIME_HELPER_H
#define SNAP_RUNTIME_HELPER_H

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Sent to a helper when the host ends, or to wake it.  It is always blocked. */
#define SNAP__HELPER_SIGNAL SIGUSR1

/** One helper.  Zeroed memory is one that does not run. */
struct snap__helper {
	char *memory; /* its stack and its thread-local storage; kept for the next start */
	size_t size;
	char *thread_pointer;
	atomic_int id;  /* of the process; 0 once it no longer uses the memory */
	int unreaped;   /* pid that must still be waited for, or 0 */
	int parent;     /* pid of the host, as the helper sees it */
	bool has_files; /* it could not get a table of file descriptors of its own */
	int (*main)(void *argument);
	void *argument;
};

/**
 * Start `main(argument)`.  Async-signal-safe; never calls malloc.  One caller at a time.
 * 0, or an errno value: EAGAIN and ENOMEM have their usual meanings; EINVAL: the host's children
 * would live in another pid namespace, of which the helper must not become the first process; ENOSYS:
 * see snap__helper_forbid().
 */
int snap__helper_start(struct snap__helper *helper, int (*main)(void *argument), void *argument);

/** Map its memory, which snap__helper_start() does if this was not called.  False: there is none. */
bool snap__helper_prepare(struct snap__helper *helper);

/**
 * From here on none is started: snap__helper_start() gives ENOSYS.  For hosts that run under
 * valgrind, which ends a program for a clone() of this kind.
 */
void snap__helper_forbid(void);
bool snap__helper_is_forbidden(void);

/** Does it run? */
bool snap__helper_runs(const struct snap__helper *helper);

/** Wait until it has ended, for `timeout_ns` at most, and collect it.  False: it still runs. */
bool snap__helper_reap(struct snap__helper *helper, uint64_t timeout_ns);

/** Wake it.  False if the host may not: it has another user than the helper by now. */
bool snap__helper_wake(const struct snap__helper *helper);

/** In the helper: SIGKILL ends it after `seconds`, unless this is called again; 0: never.  Guards
 * against a hang. */
void snap__helper_limit(unsigned seconds);

/** In the helper: has the host ended? */
bool snap__helper_host_ended(const struct snap__helper *helper);

/** In the helper: has the host become another program?  Its memory is then no longer ours. */
bool snap__helper_host_left(const struct snap__helper *helper);

/**
 * In the helper: call `fn(argument)`, which may wait for a lock of libc.  A host that is killed
 * inside libc never releases its locks, so the call is abandoned when the host ends.  False: it was
 * not made, or it was abandoned.
 */
bool snap__helper_call(const struct snap__helper *helper, void (*fn)(void *argument),
		       void *argument);

/** In a forked child, which has no helper. */
void snap__helper_after_fork(struct snap__helper *helper);

/** Block every signal for the calling thread; `before` gets its mask.  False: the kernel refused, and
 *  `before` is 0. */
bool snap__signals_block(uint64_t *before);
void snap__signals_restore(const uint64_t *before);

#endif
