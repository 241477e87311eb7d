/*
 * runtime/lifecycle.h - a process's recording: its start, forks and end.
 */
#ifndef SNAP_RUNTIME_LIFECYCLE_H
#define SNAP_RUNTIME_LIFECYCLE_H

#include <stdbool.h>

#include "runtime/identity.h"

/** The library was loaded: register for fork and exit, and begin if the environment says so. */
void snap__process_load(char **environment, const struct snap__host *host);

/** main() is about to be called: what needs a thread can start now. */
void snap__process_main(void);

/** Begin recording with `wanted` (NULL: the environment) over the settings of the environment. */
enum snap_status snap__process_start(const struct snap_config *wanted);
enum snap_status snap__process_stop(void);

/** main returned, or exit() was called: the place of an early exit snapshot. */
void snap__process_exit_begins(void);

/** The process is about to end: the exit snapshot, unless it was taken.  Never hangs. */
void snap__process_exit(void);

/**
 * call(first, second), which the kernel refuses (EINVAL) if the process has several threads: should
 * that be our doing, the helper makes way for it.
 */
int snap__process_alone(int (*call)(int, int), int first, int second);

/**
 * Around a change of user or group.  libc makes every thread change, and aborts the process if not
 * all may; a host that raised or dropped capabilities, which are each thread's own, must not find
 * the helper with others: it makes way, and comes back as the caller is then.
 */
bool snap__process_before_identity(void);
void snap__process_after_identity(bool made_way);

/** In the child, after fork() returned. */
void snap__process_forked(void);

/** A thread of the host is about to end, though the process is not. */
void snap__process_thread_ends(void);

/** Called now and then from the record path: the helper is started where it is missing. */
void snap__process_tick(void);

#endif
