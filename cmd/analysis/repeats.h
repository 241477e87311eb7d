/*
 * analysis/repeats.h - several snapshots on a side of a comparison: medians, and how far the runs
 * of a side differ from each other.
 */
#ifndef ANALYSIS_REPEATS_H
#define ANALYSIS_REPEATS_H

#include "analysis/change.h"

struct repeats {
	struct dataset_snapshot *runs; /* the original snapshots: old ones first */
	size_t count, old_count;
};

/**
 * Collapse `dataset`, whose first `old_count` snapshots are the old side, into two snapshots that
 * hold the median of each stack's figures (0 where a run does not have it).  Medians are of stacks,
 * so that rows still add up to the totals.  The original snapshots move to `repeats`.  False when
 * memory is out: then `dataset` is only fit to be freed.
 */
bool repeats_collapse(struct repeats *repeats, struct dataset *dataset, size_t old_count);
void repeats_release(struct repeats *repeats);

/** Smallest and largest sum of a row's figure over the runs of either side. */
struct spread {
	uint64_t old_low, old_high, new_low, new_high;
};

/** The spread of every row of `selection`; malloc'ed, NULL when memory is out. */
struct spread *repeats_spread(const struct repeats *repeats, const struct dataset *dataset,
			      const struct selection *selection, const struct pairing *pairing,
			      enum figure figure);

/** True when the runs of the two sides overlap: no difference can be claimed. */
bool spread_overlaps(const struct spread *spread);

#endif
