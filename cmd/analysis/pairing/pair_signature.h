/*
 * analysis/pairing/pair_signature.h - call stacks that differ only in how their functions are
 * declared.
 *
 * A parameter or a template argument that changed is part of a C++ function's name, and so of the
 * names of all stacks through it.  Such stacks still pair at the level `function` if only one match
 * is possible.
 */
#ifndef ANALYSIS_PAIR_SIGNATURE_H
#define ANALYSIS_PAIR_SIGNATURE_H

#include "analysis/pairing/pairs.h"

/**
 * Keys of the stacks that have no partner yet, malloc'ed, by site.  Two stacks have equal keys if
 * they are the same but for parameters and template arguments of functions that the other snapshot
 * lacks.  The key is 0 where several functions would be meant, and for all other sites.  *out_count
 * is how many are not 0.  False, and *out NULL, when memory is out.
 */
bool signature_keys(uint64_t **out, size_t *out_count, const struct dataset *dataset,
		    const struct pair_sides *sides, const uint32_t *old, size_t old_count,
		    const uint32_t *new, size_t new_count);

#endif
