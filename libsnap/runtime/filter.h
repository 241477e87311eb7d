/*
 * runtime/filter.h - would a filter of system calls end a program that libsnap is loaded into?
 *
 * A launcher of sandboxes installs a filter and then becomes another program, which keeps the
 * filter.  The new program cannot find out what the filter does.  So libsnap tries the filter
 * before it is installed.
 */
#ifndef SNAP_RUNTIME_FILTER_H
#define SNAP_RUNTIME_FILTER_H

#include <stdbool.h>

/** The process is about to install the filter at `program` (struct sock_fprog), which comes from the
 * host and may be anything.  `of_borrower`: it will be that of a child of vfork() alone.  False: the
 * kernel refuses it.  Preserves errno. */
bool snap__filter_learn(const void *program, bool of_borrower);

/** The same for the strict mode of seccomp, which allows read(), write() and two more calls. */
void snap__filter_learn_strict(bool of_borrower);

/** Would one of the filters so far end the process for a call of libsnap?  The only system call
 * that it makes is prctl(). */
bool snap__filter_ends_us(void);

/** Does one of the process's filters so far refuse calls that recording may need at any allocation? */
bool snap__filter_seals(void);

#endif
