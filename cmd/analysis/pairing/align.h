/*
 * analysis/pairing/align.h - match the frames of two call stacks.
 *
 * Global alignment by dynamic programming (Needleman and Wunsch 1970): frames keep their order, and
 * a frame may stay without a partner.  Equal ends are stripped first, so that the cost depends only
 * on the differing part.
 */
#ifndef ANALYSIS_ALIGN_H
#define ANALYSIS_ALIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Frame `a` of one stack matches frame `b` of the other; SNAP_NONE: the frame has no partner.
 */
struct align_step {
	uint32_t a, b;
};

/** The score for matching token `a` with token `b`; 0: they never match. */
typedef double align_score_fn(const void *context, uint32_t a, uint32_t b);

struct aligner {
	align_score_fn *score;
	/* False: the token matches only its equal, with a score above 0.  NULL: any may match. */
	bool (*stands_for_others)(const void *context, uint32_t token, bool is_b);
	const void *context;
	struct align_step *steps; /* of the last alignment, newest frame first */
	size_t step_count;
	/* private */
	size_t step_capacity, cell_capacity, other_capacity;
	float *cells;
	bool *others; /* of b's differing part: may it match other tokens? */
};

/** Align two sequences of tokens so that the sum of the scores is largest.  False when memory is
 * out.  Differing parts that are larger than in any plausible stack stay unaligned. */
bool align(struct aligner *aligner, const uint32_t *a, size_t a_count, const uint32_t *b,
	   size_t b_count);
void aligner_release(struct aligner *aligner);

#endif
