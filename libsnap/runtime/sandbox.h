/*
 * runtime/sandbox.h - find out in advance what a filter of system calls would do to libsnap.
 *
 * A filter may refuse a call, which we can handle, or kill the process, which would be our fault.
 * Only a trial tells the two apart.
 */
#ifndef SNAP_RUNTIME_SANDBOX_H
#define SNAP_RUNTIME_SANDBOX_H

#include <stdbool.h>

/** Is a filter in place? */
bool snap__sandbox_is_filtered(void);

/** Remember which filters the process was started with. */
void snap__sandbox_begin(void);

/**
 * Has the process installed a filter since then, by whatever call?  Asked in a thread of the host's
 * before any other call of ours.  A filter that kills for this question (PR_GET_SECCOMP) cannot be
 * found out.  Preserves errno.
 */
bool snap__sandbox_was_entered(void);

/** Whether socket() can be called without being killed for it.  For the helper, with every signal
 *  blocked; under a filter, and only then, it costs a child process.  Preserves errno. */
bool snap__sandbox_survives_socket(void);

/** The same for kcmp(), which some filters for services kill for. */
bool snap__sandbox_survives_kcmp(void);

/**
 * From now on, SIGSYS ends the calling process if it waits for a lock.  It is for a copy with one
 * thread: the thread that holds the lock does not exist there, and will never release it.
 */
void snap__sandbox_end_at_waits(void);

#endif
