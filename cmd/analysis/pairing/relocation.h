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
 * For each string of the dataset that names a file of old stacks only: the name of that file on the
 * new side, as a string id.  Other strings keep their id.  The array is malloc'ed: free() it.
 * *moved is how many files have another name; 0: nothing to do.  NULL when memory is out.
 */
uint32_t *relocation_compute(const struct dataset *dataset, const struct pair_sides *sides,
			     size_t *moved);

#endif
