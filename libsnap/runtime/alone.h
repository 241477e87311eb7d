/*
 * runtime/alone.h - keep a single-threaded program single-threaded for libc.
 *
 * While a process has one thread, glibc's malloc takes no locks, and neither do stdio and the
 * reference counts of C++ shared pointers.  The helper (helper.h) is not a thread of libc, so libc
 * still takes no locks.  For this reason the helper must not read libc's tables while the host's
 * thread may change them: mallinfo2() walks the allocator's lists.  If libc knows of several
 * threads, its locks guard the lists.  If there is only one thread, that thread must wait for us
 * outside the allocator.
 *
 * It waits when it has asked for a snapshot itself.  Otherwise the recorder stops it at its next
 * allocation, before it enters the allocator.  A thread that sleeps in a system call does not reach
 * the recorder, and the snapshot would lack the allocator's figures.  The signal that asks for a
 * snapshot runs its handler in that thread.  If the handler finds that it interrupted a system call
 * that malloc() never makes, the thread waits in the handler.
 */
#ifndef SNAP_RUNTIME_ALONE_H
#define SNAP_RUNTIME_ALONE_H

#include <stdbool.h>

/** Where libc's "single-threaded" flag is, and the program's copy of it (may be the same, or
 * NULL). */
void snap__alone_init(char *of_libc, char *of_program);

/** Does the process have one thread? libc's flag answers; without a flag, the kernel is asked. */
bool snap__alone(void);

/** For a thread of the host that is about to wait for a snapshot: may libc's tables be read while
 * it waits?  Not if it is in a signal handler, which may have interrupted malloc(). */
bool snap__alone_waits_outside(void);

/**
 * For the helper: make sure that libc's tables can be read.  The host's one thread is stopped at
 * its next call of the recorder, and waits for snap__alone_release().  False: it did not call the
 * recorder within the time limit.
 */
bool snap__alone_hold(void);

/** Let the thread continue, also if it only offered to wait. */
void snap__alone_release(void);

/**
 * Call it in the handler of the signal that asks for a snapshot, with the handler's third argument.
 * It offers that the thread waits here, outside the allocator.  False: the thread may be inside the
 * allocator, or it is not the only one.  If it is true, wake the helper and call
 * snap__alone_stay(), which waits for the helper, but at most a fifth of a second if the helper
 * does not answer.
 */
bool snap__alone_offer(const void *context);
void snap__alone_stay(void);

/** The host's thread calls this at a place where it holds no lock.  It waits there, unless a filter of system
 *  calls is in place. */
void snap__alone_here(void);

void snap__alone_after_fork(void);

#endif
