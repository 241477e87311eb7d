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

#include "dataset/dataset.h"
#include "snap/status.h"

enum pair_level {
	PAIR_EXACT,    /* build-id and address of every location */
	PAIR_LINE,     /* function, file and line of every frame */
	PAIR_FUNCTION, /* function and module of every frame */
	PAIR_FUZZY,    /* alike: see pair_fuzzy.c */
	PAIR_NONE,     /* unpaired */
};

struct pair {
	uint32_t old, new;     /* sites; SNAP_NONE on the side where there is no such stack */
	enum pair_level level; /* PAIR_NONE exactly when one side is missing */
	double similarity;     /* 0..1; 1 above PAIR_FUZZY */
};

struct pairing {
	struct pair *pairs; /* every site of both sides occurs once */
	size_t count;
};

/** What is weighed: per site of the dataset, the cell on either side, or NULL. */
struct pair_sides {
	const struct dataset_cell *const *old, *const *new;
	const char *const *maps; /* "OLD=NEW": path prefixes of the old side, and the new one's */
	size_t map_count;
};

/** Pair at levels up to `up_to`.  Release with pairing_release().  SNAP_ENOMEM. */
enum snap_status pairing_compute(struct pairing *pairing, const struct dataset *dataset,
				 const struct pair_sides *sides, enum pair_level up_to,
				 struct snap_error *err);
void pairing_release(struct pairing *pairing);

/** "exact", "line", "function", "fuzzy"; NULL for PAIR_NONE. */
const char *pair_level_name(enum pair_level level);

#endif
