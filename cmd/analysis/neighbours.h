/*
 * analysis/neighbours.h - who calls a function, and what it calls.
 *
 * A stack that passes through the function counts once, however often it recurs: its caller is that
 * of the outermost occurrence, its callee that of the newest one.  So the sums of a function's
 * callers add up to what it holds, and so do those of its callees together with what it holds
 * itself.  Each of two snapshots has its own sums.
 */
#ifndef ANALYSIS_NEIGHBOURS_H
#define ANALYSIS_NEIGHBOURS_H

#include "analysis/select.h"

enum { NEIGHBOUR_SIDES = 2 };

enum neighbour_role { NEIGHBOUR_CALLER, NEIGHBOUR_FUNCTION, NEIGHBOUR_CALLEE };

struct neighbour {
	uint32_t function; /* row of the selection: the function that was asked for */
	enum neighbour_role role;
	uint32_t other; /* row of the caller or callee; SNAP_NONE: no caller, or the function itself
			   is the site */
	struct figures sum[NEIGHBOUR_SIDES]; /* by snapshot: the caller's, from the store */
};

struct neighbours {
	struct neighbour *items; /* in order of appearance */
	size_t count, capacity;
	struct hash_table index;
	struct credits credits; /* which site counts towards which item */
	const struct dataset *dataset;
	const struct selection *selection;
	const bool *wanted; /* per string: a function of this name was asked for */
	bool no_skip;
};

/** Look at all sites.  The members from `dataset` on are the caller's to fill in.  The selection
 * must be cumulative, by line or function.  False when memory is out. */
bool neighbours_find(struct neighbours *neighbours);
void neighbours_release(struct neighbours *neighbours);

#endif
