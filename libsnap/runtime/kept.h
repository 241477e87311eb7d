/*
 * runtime/kept.h - snapshots that a later one of their kind replaces: the peak that is kept, and
 * the safety snapshots, of which there are two.
 *
 * They are not numbered: a series would have gaps where one was replaced.  Each has the seq of the
 * numbered snapshot before it, and a word behind it in its name.
 */
#ifndef SNAP_RUNTIME_KEPT_H
#define SNAP_RUNTIME_KEPT_H

#include "runtime/file.h"
#include "runtime/snapshot.h"

/** The word for snapshots of that kind; NULL: they are numbered. */
const char *snap__kept_word(enum snap__reason reason);

/** Name the file `name`.  It may have that name from the last one of its kind, which is replaced.
 *  0, or an errno value; see snap__file_rename(). */
int snap__kept_publish(enum snap__reason reason, struct snap__file *file, const char *name);

/** A snapshot that holds as much takes the peak's place.  `directory` is the descriptor. */
void snap__kept_drop_peak(int directory);

/** The process's last snapshot is there: nothing has to stand in for it. */
void snap__kept_drop_safety(int directory);

/** In a forked child: those of its parent are not its own. */
void snap__kept_after_fork(void);

#endif
