/*
 * runtime/tally.h - sums per call stack and birth epoch, for one snapshot.
 */
#ifndef SNAP_RUNTIME_TALLY_H
#define SNAP_RUNTIME_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/sample.h"

/** Live blocks of one stack that were born in one epoch. */
struct snap__tally_row {
	uint32_t stack;
	uint32_t age; /* epochs since the oldest one that has rows of its own, plus 1: older ones
		         first
		       */
	double blocks, bytes;
};

/** Of a sampled program: the variances of a row's estimates. */
struct snap__tally_variance {
	double blocks, bytes;
};

/** A table that grows; zero it before use. */
struct snap__tally {
	struct snap__tally_row *rows;
	struct snap__tally_variance
		*variances; /* by row; of exact sums their pages are never written */
	size_t capacity, count;
	size_t last;      /* the row of the last block; its neighbour often has the same row */
	uint32_t *places; /* a hash of rows: row number + 1 */
	size_t place_count;
	bool failed; /* memory ran out: the sums are incomplete */
};

/** A block of `size` bytes that `stack` holds since the epoch of `age` (0 ...). */
void snap__tally_add(struct snap__tally *tally, uint32_t stack, uint32_t age, uint64_t size);

/** Order the rows by stack, then age.  Nothing can be added afterwards. */
void snap__tally_sort(struct snap__tally *tally);

void snap__tally_free(struct snap__tally *tally);

#endif
