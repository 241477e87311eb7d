/*
 * runtime/filter.h - would a filter of system calls end a program that libsnap is loaded into?
 *
 * Whoever installs a filter and then becomes another program, as launchers of sandboxes do, takes the
 * filter along.  The new program cannot find out what the filter does.  So the filter is looked at
 * before it is installed.
 */
#ifndef SNAP_RUNTIME_FILTER_H
#define SNAP_RUNTIME_FILTER_H

#include <stdbool.h>

/** The process is about to install the filter at `program` (struct sock_fprog), which comes from the
 * host and may be anything.  `of_borrower`: it will be that of a child of vfork() alone.  False: the
 * kernel refuses it.  Preserves errno. */
bool snap__filter_learn(const void *program, bool of_borrower);

/** Would one of the filters so far end us?  By prctl() alone. */
bool snap__filter_ends_us(void);

#endif
