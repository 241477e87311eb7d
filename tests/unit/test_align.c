/*
 * test_align.c - the alignment of two stacks has the best total, and every frame once.
 */
/* links: cmd_analysis */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>

#include "analysis/pairing/align.h"
#include "snap/records.h"

enum { LONGEST = 7, TOKENS = 5, RENAMED = 3 };

/* Equal tokens match; 3 of `a` was renamed to 4 of `b`. */
static double score_of(const void *context, uint32_t a, uint32_t b)
{
	(void)context;
	if (a == b)
		return 1 + a;
	return a == RENAMED && b == RENAMED + 1 ? 0.5 : 0;
}

static bool stands_for_others(const void *context, uint32_t token, bool is_b)
{
	(void)context;
	return token == (is_b ? RENAMED + 1 : RENAMED);
}

/* Try all: each frame of `a` stays alone, or matches one of `b`. */
static double best_total(const uint32_t *a, size_t a_count, const uint32_t *b, size_t b_count)
{
	double best;

	if (a_count == 0)
		return 0;
	best = best_total(a + 1, a_count - 1, b, b_count);
	for (size_t j = 0; j < b_count; j++) {
		double score = score_of(NULL, a[0], b[j]);
		double total = score > 0 ? score + best_total(a + 1, a_count - 1, b + j + 1,
							      b_count - j - 1)
					 : 0;

		best = total > best ? total : best;
	}
	return best;
}

/* Its total, after a check that each frame is there once and in order. */
static double total_of(const struct aligner *aligner, const uint32_t *a, size_t a_count,
		       const uint32_t *b, size_t b_count)
{
	size_t next_a = 0, next_b = 0;
	double total = 0;

	for (size_t i = 0; i < aligner->step_count; i++) {
		struct align_step step = aligner->steps[i];

		cr_assert(step.a != SNAP_NONE || step.b != SNAP_NONE);
		if (step.a != SNAP_NONE)
			cr_assert_eq(step.a, next_a++);
		if (step.b != SNAP_NONE)
			cr_assert_eq(step.b, next_b++);
		if (step.a != SNAP_NONE && step.b != SNAP_NONE) {
			double score = score_of(NULL, a[step.a], b[step.b]);

			cr_assert_gt(score, 0);
			total += score;
		}
	}
	cr_assert(next_a == a_count && next_b == b_count, "every frame");
	return total;
}

static uint64_t state = 1;

static size_t draw(size_t below)
{
	state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (size_t)(state >> 33) % below;
}

static void check(struct aligner *aligner, const uint32_t *a, size_t a_count, const uint32_t *b,
		  size_t b_count)
{
	double is, should = best_total(a, a_count, b, b_count);

	cr_assert(align(aligner, a, a_count, b, b_count));
	is = total_of(aligner, a, a_count, b, b_count);
	cr_assert(is > should - 1e-4 && is < should + 1e-4, "%f, not %f", is, should);
}

Test(align, no_other_way_has_a_larger_total)
{
	struct aligner aligner = {.score = score_of, .stands_for_others = stands_for_others};
	uint32_t a[LONGEST], b[LONGEST];

	for (int round = 0; round < 20000; round++) {
		size_t a_count = draw(LONGEST + 1), b_count = draw(LONGEST + 1);

		for (size_t i = 0; i < a_count; i++)
			a[i] = (uint32_t)draw(TOKENS);
		for (size_t i = 0; i < b_count; i++)
			b[i] = (uint32_t)draw(TOKENS);
		check(&aligner, a, a_count, b, b_count);
	}
	aligner_release(&aligner);
}

/* As after inlining: one has some frames that the other lacks. */
Test(align, a_stack_that_contains_the_other_has_all_of_its_frames)
{
	struct aligner aligner = {.score = score_of, .stands_for_others = stands_for_others};
	uint32_t a[LONGEST], b[LONGEST];

	for (int round = 0; round < 20000; round++) {
		size_t b_count = 0;

		for (size_t i = 0; i < LONGEST; i++)
			a[i] = (uint32_t)draw(TOKENS);
		for (size_t i = 0; i < LONGEST; i++)
			if (draw(3))
				b[b_count++] = a[i];
		check(&aligner, a, LONGEST, b, b_count);
		check(&aligner, b, b_count, a, LONGEST);
	}
	aligner_release(&aligner);
}
