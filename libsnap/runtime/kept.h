/*
 * runtime/kept.h - snapshots that a later one of the same kind replaces: the kept peak, and the two
 * safety snapshots.
 *
 * They are not numbered: a series would have gaps where one was replaced.  Their names have the seq
 * of the numbered snapshot before them, and then a word.
 */
#ifndef SNAP_RUNTIME_KEPT_H
#define SNAP_RUNTIME_KEPT_H

#include "runtime/file.h"
#include "runtime/snapshot.h"

/** The word for snapshots of that kind; NULL: they are numbered. */
const char *snap__kept_word(enum snap__reason reason);

/** Does the kept snapshot of that kind show a peak that is higher than `live_bytes`? */
bool snap__kept_is_higher(enum snap__reason reason, uint64_t live_bytes);

/** Rename the file to `name`.  An older snapshot of the same kind with that name is replaced. 0,
 * or an errno value; see snap__file_rename(). */
int snap__kept_publish(enum snap__reason reason, struct snap__file *file, const char *name,
		       uint64_t live_bytes);

/** A numbered snapshot holds as much as the kept peak: remove the peak. `directory` is the
 * descriptor. */
void snap__kept_drop_peak(int directory);

/** The process's last snapshot is written: remove the safety snapshots. */
void snap__kept_drop_safety(int directory);

/** In a forked child: forget the parent's kept snapshots. */
void snap__kept_after_fork(void);

#endif
