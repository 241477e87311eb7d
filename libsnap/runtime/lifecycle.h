/*
 * runtime/lifecycle.h - a process's recording: its start, forks and end.
 */
#ifndef SNAP_RUNTIME_LIFECYCLE_H
#define SNAP_RUNTIME_LIFECYCLE_H

#include <stdbool.h>

#include "runtime/process.h"
#include "runtime/trigger.h"

/** If the environment says that recording shall begin, have the kernel make the needed pages in one
 * step.  Call it before they are touched. */
void snap__process_warm(char *const *environment);

/** The library was loaded: register for fork and exit, and begin if the environment says so. */
void snap__process_load(char **environment, const struct snap__host *host);

/** main() is about to be called: start what had to wait for libc's constructors. */
void snap__process_main(void);

/** Begin recording with `wanted` (NULL: the environment) over the settings of the environment. */
enum snap_status snap__process_start(const struct snap_config *wanted);
enum snap_status snap__process_stop(void);

/** main() returned, or exit() was called: an early exit snapshot is taken here. */
void snap__process_exit_begins(void);

/** The process is about to end: the exit snapshot, unless it was taken.  Never hangs. */
void snap__process_exit(void);

/**
 * Signal `signal` is about to end the process: its last snapshot.  Async-signal-safe; bounded.
 * False if the signal interrupted the thread in the exit snapshot: the signal is sent again when
 * that is written.
 */
bool snap__process_dies(int signal);

/**
 * Make the system call call(first, second), which the kernel refuses to a process that shares its
 * memory.  If a helper shares it, the helper is ended first.
 */
int snap__process_alone(int (*call)(int, int), int first, int second);

/** End the helper, if one runs.  None starts before snap__trigger_free_way(). */
struct snap__way snap__process_make_way(void);

/** After a change of user or group, before which the helper was ended: it must not keep rights that its host
 *  has given up. */
void snap__process_after_credentials(struct snap__way way);

/** The process is about to call chroot(), or (`filtered`) to install a filter of system calls. */
void snap__process_confine(bool filtered);

/** Around exec. The first takes the snapshot of the old program; the second is called if exec
 * failed. */
bool snap__process_exec_begins(void);
void snap__process_exec_failed(bool made_way);

/** In the child, after fork() returned. */
void snap__process_forked(void);

#endif
