/*
 * runtime/filename.h - what the file of a snapshot is called.
 *
 * `program.pid.seq.snap`, or `program.pid_run.seq.snap` where that name is taken: a program that
 * executes itself again keeps its pid, and pid namespaces have the same pids.  `run` is when the
 * process was started; its names sort by it.  A name that exists is never written to.
 */
#ifndef SNAP_RUNTIME_FILENAME_H
#define SNAP_RUNTIME_FILENAME_H

#include <stdint.h>

#include "runtime/text.h"

/** Room for a name without its directory. */
#define SNAP__FILENAME_MAX 320

/**
 * Create the temporary file of snapshot `seq`, and with it reserve the final name.  `at` is a
 * directory's descriptor, or AT_FDCWD with `directory` in front of the names.  Its descriptor, or -1
 * with errno.
 */
int snap__filename_create(int at, const char *directory, uint64_t seq);

/** The names that snap__filename_create() found; `directory` as there. */
void snap__filename_temporary(struct snap__text *name, const char *directory, uint64_t seq);
void snap__filename_final(struct snap__text *name, const char *directory, uint64_t seq);

/** This process is a new one, and starts with plain names. */
void snap__filename_after_fork(void);

#endif
