/*
 * runtime/alone.h - a program with one thread stays one for libc.
 *
 * While a process has one thread, glibc's malloc takes no locks, and neither do stdio and the
 * reference counts of C++ shared pointers.  The first pthread_create() ends that for good, and a
 * helper's thread that sleeps all day would make such a program pay for it: a fifth of the CPU
 * time of one whose small blocks miss the thread cache.  So libc's flag (__libc_single_threaded)
 * is put back once the helper's threads are up and asleep, as if a raw clone() had made them; but
 * they have been made by libc, with thread-local storage, and are known to gdb and to setuid().
 *
 * What must stay true in return:
 *   - Hidden threads wait in system calls, and touch nothing that libc guards: no malloc, loader,
 *     stdio, or mutex that is shared with the host.  What they do at once is answered from our
 *     own tables and /proc (`snapdiff status`).
 *   - Before more is done, libc is told (snap__alone_tell()), and the host's thread must have got
 *     out of whatever it was doing without a lock: mallinfo2() would walk lists that it is
 * changing. Only then is the state `settled`.  Telling is for good.
 *   - libc's flag is put back only by the host's one thread itself, which cannot be creating
 *     another meanwhile; and when it creates one later, libc clears the flag as ever.
 *
 * Where libc has no such flag, or does not clear it, nothing is hidden.
 */
#ifndef SNAP_RUNTIME_ALONE_H
#define SNAP_RUNTIME_ALONE_H

#include <stdbool.h>

/** Where the flag is: libc's own, and the copy of it that the program has (may be the same, or
 *  NULL).  Before the helper is started. */
void snap__alone_init(char *of_libc, char *of_program);

/** Is the caller the only thread, as far as libc knows? */
bool snap__alone(void);

/**
 * The helper's threads, made since snap__alone() was true, wait now: hide them.  Called by the
 * host's one thread.
 */
void snap__alone_hide(void);

/** libc is to know of our threads, as it must before it changes the user of them all. */
void snap__alone_tell(void);

/**
 * The same, and: may libc's tables be read by another thread than the host's?  True at once where
 * nothing was hidden.  `by_host`: the caller is the host's thread; it is waiting for a snapshot,
 * perhaps in a signal handler that came in the middle of malloc().  Otherwise the host's thread is
 * given some time to show itself.  False: not now, but the next call may know better.
 */
bool snap__alone_settle(bool by_host);

/** The host's thread shows itself, at a place where it holds nothing. */
void snap__alone_here(void);

void snap__alone_after_fork(void);

#endif
