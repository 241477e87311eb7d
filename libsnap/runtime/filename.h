/*
 * runtime/filename.h - what the file of a snapshot is called.
 *
 * `program.pid.seq.snap`, or `program.pid_run.seq.snap` where that name is taken: a program that
 * executes itself again keeps its pid, and pid namespaces have the same pids.  `run` is when the
 * process was started; its names sort by it.  A name that exists is never written to.  A snapshot
 * that a later one replaces has a word behind its seq: `program.pid.seq_word.snap` (kept.h).
 */
#ifndef SNAP_RUNTIME_FILENAME_H
#define SNAP_RUNTIME_FILENAME_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/text.h"

/** Room for a name without its directory. */
#define SNAP__FILENAME_MAX 320

/** The name of snapshot `seq`, behind `directory/` unless that is NULL; `word` may be NULL. */
void snap__filename_final(struct snap__text *name, const char *directory, uint64_t seq,
			  const char *word);

/** That name is taken: choose other names from now on.  False: there are no more. */
bool snap__filename_next(void);

/** This process is a new one, and starts with plain names. */
void snap__filename_after_fork(void);

#endif
