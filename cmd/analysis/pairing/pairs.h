/*
 * analysis/pairing/pairs.h - pairs of call stacks, and the two sides that are paired.
 */
#ifndef ANALYSIS_PAIRS_H
#define ANALYSIS_PAIRS_H

#include "base/choices.h"
#include "dataset/dataset.h"

struct pair {
	uint32_t old, new;     /* sites; SNAP_NONE on the side where there is no such stack */
	enum pair_level level; /* PAIR_NONE exactly when one side is missing */
	double similarity;     /* 0..1; 1 above PAIR_FUZZY */
	bool has_twin; /* an old stack without a partner that counts towards the row of the new stack
			  `twin`: see twins.h */
	uint32_t twin;
	bool is_copy; /* without a partner, and differs in addresses alone from a stack that has one */
};

struct pairing {
	struct pair *pairs; /* every site of both sides occurs once */
	size_t count;
};

/** The two sides: per site of the dataset, its cell on either side, or NULL. */
struct pair_sides {
	const struct dataset_cell *const *old, *const *new;
	const char *const *maps; /* "OLD=NEW": path prefixes of the old side, and the new one's */
	size_t map_count;
};

#endif
