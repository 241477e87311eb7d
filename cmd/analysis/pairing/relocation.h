/*
 * analysis/pairing/relocation.h - source files that are in another directory in the other snapshot.
 *
 * The same program in another checkout has the same files below another prefix.  The pair of
 * prefixes on which most files agree is used, or the user gives it.
 */
#ifndef ANALYSIS_RELOCATION_H
#define ANALYSIS_RELOCATION_H

#include "analysis/pairing/pairs.h"

/**
 * For each string of the dataset that is a file of old stacks only, the new side's name of it: a
 * string id; other strings stand for themselves.  malloc'ed, free() it.  *moved is the number of
 * files that have another name; 0 leaves nothing to do.  NULL when memory is out.
 */
uint32_t *relocation_compute(const struct dataset *dataset, const struct pair_sides *sides,
			     size_t *moved);

#endif
