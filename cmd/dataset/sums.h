/*
 * dataset/sums.h - what the rows of a report hold: summed in the store.
 *
 * The analysis says which sites count towards which row (struct credits).  It hands these pairs to
 * the store, and the store sums the figures of the sites by row.
 */
#ifndef DATASET_SUMS_H
#define DATASET_SUMS_H

#include "dataset/dataset.h"
#include "snap/status.h"
#include "store/store.h"

/** Pairs of site and row, in any order, each once.  Zero it; release with credits_release(). */
struct credits {
	struct store_credit *items;
	size_t count, capacity;
};

/** False when memory is out. */
bool credits_add(struct credits *credits, const struct dataset *dataset, uint32_t row,
		 uint32_t site);
void credits_release(struct credits *credits);

/** A row of a report, or a total, in one snapshot. */
struct row_sum {
	struct figures figures;
	uint64_t stacks;   /* 0: nothing counts towards it */
	uint32_t heaviest; /* of rows that are shown: the site that holds most; else SNAP_NONE */
	uint64_t weight;   /* what that holds */
};

/**
 * Sum the credits, of rows below `row_count`, over snapshot `snapshot` of the dataset into `sums`
 * (row_count of them, zeroed).  `side` tells relations of the same report apart: 0 first, then 1.
 * The credits are sorted.
 */
enum snap_status sums_of_rows(const struct dataset *dataset, size_t snapshot, uint32_t side,
			      struct credits *credits, size_t row_count, struct row_sum *sums,
			      struct snap_error *err);

/** Hand over the relation of a side without asking for sums yet. */
enum snap_status sums_begin(const struct dataset *dataset, uint32_t side, struct credits *credits,
			    size_t row_count, struct snap_error *err);

/** The same for another snapshot, by the relation of `side` that the store has already. */
enum snap_status sums_of_rows_again(const struct dataset *dataset, size_t snapshot, uint32_t side,
				    size_t row_count, struct row_sum *sums, struct snap_error *err);

/** Say which rows the report shows. */
enum snap_status sums_show(const struct dataset *dataset, const struct store_shown *shown,
			   size_t count, struct snap_error *err);

/** The sums of those, with the site that holds most of `figure`: count of them, zeroed. */
enum snap_status sums_of_shown(const struct dataset *dataset, size_t snapshot, uint32_t side,
			       enum figure figure, size_t count, struct row_sum *sums,
			       struct snap_error *err);

/** What the stacks of a scope hold, each counted once.  Only overlapping rows need SELECTED and
 * SHOWN: other rows simply add up. */
enum snap_status sums_total(const struct dataset *dataset, size_t snapshot, uint32_t side,
			    enum store_scope scope, struct figures *out, struct snap_error *err);

#endif
