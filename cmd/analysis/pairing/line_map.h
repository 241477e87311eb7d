/*
 * analysis/pairing/line_map.h - where the lines of a function went, when lines were inserted or
 * removed.
 *
 * For every function, both sides know the lines that stacks pass through, and what each line calls.
 * The two lists are aligned in order, as diff does: equal distances and equal callees favour a
 * match.
 */
#ifndef ANALYSIS_LINE_MAP_H
#define ANALYSIS_LINE_MAP_H

#include "analysis/pairing/tokens.h"

/** For each frame of the dataset, taken as a frame of an old stack: its line in the new snapshot; 0
 * unknown. It is malloc'ed; NULL when memory is out. */
uint32_t *line_map_compute(const struct tokens *tokens, const struct dataset_cell *const *old,
			   const struct dataset_cell *const *new);

#endif
