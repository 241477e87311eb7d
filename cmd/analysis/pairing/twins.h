/*
 * analysis/pairing/twins.h - old stacks without a partner that belong to a row of the new snapshot
 * nonetheless.
 */
#ifndef ANALYSIS_TWINS_H
#define ANALYSIS_TWINS_H

#include "analysis/pairing/pairs.h"

/**
 * A compiler that copies code makes several calls of one line, whose stacks differ in addresses alone.
 * Another build may have one stack for them all, and only one of them can be its partner.  False when
 * memory is out.
 */
bool twins_join_lines(struct pairing *pairing, const struct dataset *dataset,
		      const struct pair_sides *sides);

/**
 * For rows that are sites: a call that is on another line or in another file now takes all its old
 * stacks along, also those that have no partner because its callers changed.  A call that is still
 * where it was keeps them, even if some of its stacks are like those of another call now.  A call
 * in a function of another name takes no larger stacks along: it may be like it by chance.
 * Where one side has no lines, a function is all that is known of a call: its old stacks do not hide
 * that a call of it holds more by `metric`.  They count only as far as they explain what it gained.
 */
bool twins_join_sites(struct pairing *pairing, const struct dataset *dataset,
		      const struct pair_sides *sides, enum figure metric);

#endif
