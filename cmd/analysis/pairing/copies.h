/*
 * analysis/pairing/copies.h - call stacks that a compiler made several of.
 *
 * A compiler that copies code makes several stacks of one, which differ in addresses alone.  Another
 * build may have one for them all, and is compared with the largest, as if that held what all hold.
 */
#ifndef ANALYSIS_COPIES_H
#define ANALYSIS_COPIES_H

#include "analysis/pairing/pairs.h"

struct copies {
	bool *is_copy; /* per site that was asked for: of a stack with a partner, or of a larger one */
	const struct dataset_cell **cells; /* the side's, with the sums of copies at the largest */
	struct dataset_cell *sums;
};

/** Of the `count` unpaired `sites` of a side (`new`: the new one).  False when memory is out; to be
 * released in any case. */
bool copies_find(struct copies *copies, const struct pairing *pairing,
		 const struct dataset *dataset, const struct pair_sides *sides, bool new,
		 const uint32_t *sites, size_t count);
void copies_release(struct copies *copies);

#endif
