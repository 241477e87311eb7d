/*
 * analysis/pairing/pair_fuzzy.h - pair call stacks that no key makes equal: inlined, renamed,
 * moved, wrapped.
 */
#ifndef ANALYSIS_PAIR_FUZZY_H
#define ANALYSIS_PAIR_FUZZY_H

#include "analysis/pairing/pairs.h"
#include "analysis/pairing/tokens.h"

/**
 * Pair sites of `old` with sites of `new` by likeness; what is ambiguous stays unpaired.
 * `tokens` and `line_map` are those of the dataset and the sides.  Both
 * lists come grouped by function key and in line order within.  Pairs are written to `pairs` (room
 * for the smaller side), their number to *pair_count.  False when memory is out.
 */
bool pair_fuzzy(const struct dataset *dataset, const struct pair_sides *sides,
		const struct tokens *tokens, const uint32_t *line_map, const uint32_t *old,
		size_t old_count, const uint32_t *new, size_t new_count, struct pair *pairs,
		size_t *pair_count);

#endif
