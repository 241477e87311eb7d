/*
 * analysis/pairing/pair_inlined.h - call stacks with inlined frames in one snapshot only.
 *
 * Without debug information it is unknown which functions were inlined: the stacks lack these
 * frames.  The same stacks of a build with debug information have them.
 */
#ifndef ANALYSIS_PAIR_INLINED_H
#define ANALYSIS_PAIR_INLINED_H

#include "analysis/pairing/pairs.h"
#include "analysis/pairing/tokens.h"

/**
 * Pair stacks that are equal without the inlined frames that the other snapshot cannot have, by
 * the order of their addresses; `old` and `new` have no partner yet.  `pairs` has room for all.
 * Does nothing if both snapshots know lines of all functions.  False when memory is out.
 */
bool pair_inlined(const struct dataset *dataset, const struct pair_sides *sides,
		  const struct tokens *tokens, const uint32_t *old, size_t old_count,
		  const uint32_t *new, size_t new_count, struct pair *pairs, size_t *pair_count);

#endif
