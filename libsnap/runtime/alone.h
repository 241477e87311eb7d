/*
 * runtime/alone.h - a program with one thread stays one for libc.
 *
 * While a process has one thread, glibc's malloc takes no locks, and neither do stdio and the
 * reference counts of C++ shared pointers.  The helper (helper.h) is no thread of libc's, so this
 * stays so.  In return the helper must not read libc's tables while that thread may change them:
 * mallinfo2() walks the allocator's lists.  Either libc knows of several threads, and its locks
 * guard the lists; or the one thread waits for us outside of the allocator.
 *
 * It waits when it has asked for a snapshot itself.  Otherwise it is held the next time that it
 * passes by the recorder, which is outside of the allocator.  A thread that rests in a system call
 * does not pass by: the snapshot then lacks the allocator's figures.  But the signal that asks for a
 * snapshot runs its handler in that thread, and can tell whether it came in a system call that
 * malloc() does not make.  Then the thread waits in the handler.
 */
#ifndef SNAP_RUNTIME_ALONE_H
#define SNAP_RUNTIME_ALONE_H

#include <stdbool.h>

/** Where the flag is: libc's own, and the copy of it that the program has (may be the same, or
 *  NULL). */
void snap__alone_init(char *of_libc, char *of_program);

/** Has the process one thread?  As libc has it; as the kernel has it where libc does not say. */
bool snap__alone(void);

/** For a thread of the host's that is about to wait for a snapshot: may libc's tables be read while
 *  it waits?  Not if it is in a signal handler, which may have come in the middle of malloc(). */
bool snap__alone_waits_outside(void);

/**
 * For the helper: make sure that libc's tables can be read.  The host's one thread is held where it
 * passes by next, and waits for snap__alone_release().  False: it did not come by for a while.
 */
bool snap__alone_hold(void);

/** Let it go on, also where it only offered to wait. */
void snap__alone_release(void);

/**
 * In the handler of the signal that asks for a snapshot, with its third argument: offer that the
 * thread waits here, outside of the allocator.  False: it may be inside, or it is not alone.  Else
 * the helper is woken, and snap__alone_stay() waits for it, a fifth of a second if it does not come.
 */
bool snap__alone_offer(const void *context);
void snap__alone_stay(void);

/** The host's thread passes by, at a place where it holds nothing. */
void snap__alone_here(void);

void snap__alone_after_fork(void);

#endif
