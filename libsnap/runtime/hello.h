/*
 * runtime/hello.h - what a recorded process tells `snapdiff run`.
 *
 * `run` names a file (SNAP_HELLO).  Each recorded process appends lines to it: recording has
 * started, or why it could not start, and what the recording does not show.  A line begins with
 * "PID PROGRAM", the program that the line is about.  Where the file cannot be written any more,
 * the line goes to the part of it that the process has mapped (format/board.h).  Without such a
 * file nothing is written.
 */
#ifndef SNAP_RUNTIME_HELLO_H
#define SNAP_RUNTIME_HELLO_H

#include <stdbool.h>
#include <stdint.h>

/** Is there such a file?  If not, use snap__message() to tell the user. */
bool snap__hello_is_wanted(void);

/** Recording has started. */
void snap__hello_started(void);

/** The process ends and leaves no snapshot, because it has nothing of its own. */
void snap__hello_nothing(void);

/** Recording could not start: `problem`, `detail` (may be NULL), errno value or 0. */
void snap__hello_refused(const char *problem, const char *detail, int error);

/**
 * Process `pid` (0: a new one) becomes the program at `path`, which is not recorded, for the reason
 * that `word` says: one of image.h's, or SNAP__HELLO_CLEAN.  With `back`: exec failed, and it is
 * still the old program.  May be called in a child of vfork().
 */
void snap__hello_skips(int pid, const char *word, const char *path, bool back);

/** The new program's environment does not name libsnap. */
#define SNAP__HELLO_CLEAN "clean-environment"

/** `processes` that were forked under a filter of system calls could not write their snapshots. */
void snap__hello_unwritten(uint64_t processes);

/** A descriptor with a lock on the byte whose number is the pid.  `run` waits until the lock is
 * released, which is when the process has ended. -1: `run` does not wait. */
int snap__hello_hold(void);

/** `bytes` of memory are not recorded; `live_bytes` are. */
void snap__hello_unseen(uint64_t bytes, uint64_t live_bytes);

/** `snapshots` that were due were merged with others. */
void snap__hello_merged(uint64_t snapshots);

/** A Python interpreter of `version` was found. Its lines are recorded, or not recorded because
 * of `problem`. */
void snap__hello_python(const char *version, const char *problem);

#endif
