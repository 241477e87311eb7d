/*
 * analysis/pairing/pair.h - which call stack of one snapshot is which of another.
 *
 * Levels are tried from the most exact to the loosest that is permitted; each stack is paired at
 * the first level that fits, and never twice.  Where several stacks collide at a level they pair in
 * line order (the lines of their frames, newest first; then their addresses), and the surplus goes
 * on to the next level.  Files that lie below another directory in the other snapshot are the same
 * files at every level.
 */
#ifndef ANALYSIS_PAIR_H
#define ANALYSIS_PAIR_H

#include "analysis/pairing/pairs.h"
#include "snap/status.h"

/** Pair at levels up to `up_to`.  Release with pairing_release().  SNAP_ENOMEM. */
enum snap_status pairing_compute(struct pairing *pairing, const struct dataset *dataset,
				 const struct pair_sides *sides, enum pair_level up_to,
				 struct snap_error *err);
void pairing_release(struct pairing *pairing);

#endif
