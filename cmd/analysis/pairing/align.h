/*
 * analysis/pairing/align.h - which frame of one call stack stands for which of another.
 *
 * Global alignment by dynamic programming (Needleman and Wunsch 1970): frames keep their order,
 * some of either stack stand for none.  Equal ends are stripped first, so that the cost is that of
 * what differs.
 */
#ifndef ANALYSIS_ALIGN_H
#define ANALYSIS_ALIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Frames `a` of one and `b` of the other stack stand for each other; SNAP_NONE: one stands alone.
 */
struct align_step {
	uint32_t a, b;
};

/** How gladly token `a` stands for token `b`; 0: not at all. */
typedef double align_score_fn(const void *context, uint32_t a, uint32_t b);

struct aligner {
	align_score_fn *score;
	bool (*stands_for_others)(const void *context,
				  uint32_t a); /* false: `a` stands for its equal alone; NULL:
						  any token may stand for others */
	const void *context;
	struct align_step *steps; /* of the last alignment, newest frame first */
	size_t step_count;
	/* private */
	size_t step_capacity, cell_capacity;
	float *cells;
};

/** Align two sequences of tokens so that the scores add up to the most.  False when memory is out.
 * Where the differing parts are larger than any sane stack's, they are left unaligned. */
bool align(struct aligner *aligner, const uint32_t *a, size_t a_count, const uint32_t *b,
	   size_t b_count);
void aligner_release(struct aligner *aligner);

#endif
