/*
 * growth_step.c - do two rows leak by the same event?
 *
 * An event leaves the same number of blocks in each of its rows, or a small multiple, in every
 * interval.  If an object has a varying number of parts (the texts of a list), the numbers vary,
 * but they rise and fall together.
 */
#include "report/growth_step.h"

#include <math.h>
#include <string.h>

#include "report/growth_held.h"
#include "report/growth_stacks.h"

enum {
	MOST_MULTIPLE = 64, /* most blocks of one row for each block of the other */
	FEW_MULTIPLE = 8,   /* the same where the file is all that is known of the stacks */
};
static const double step_error = 0.002; /* how much blocks in flight may disturb a growth in step */
static const double vary_error = 0.03;  /* the same for parts without a fixed number */
static const double file_error = 0.01;  /* the same where the file is all that is known */
static const double vary_least = 0.02;  /* of the mean: steps that vary less prove nothing */
static const double together = 0.5;     /* correlation of steps that vary */

/* A figure of two rows over the snapshots that are judged, without the warm-up. */
struct pair {
	const double *a, *b;
	size_t from, end;
	double ratio; /* blocks of b for each of a; 0: none, or too many */
};

/* ---- figures --------------------------------------------------------------------------------- */

static size_t tail_of(const struct growth_row *row)
{
	size_t count = row->judgement.judged_count, aside = count / 4 > 1 ? count / 4 : 1;

	return row->judgement.judged_from + (count > aside + 2 ? aside : 0);
}

static double ratio_of(const struct pair *pair)
{
	double of_a = pair->a[pair->end - 1] - pair->a[pair->from];
	double of_b = pair->b[pair->end - 1] - pair->b[pair->from];
	double ratio = of_a > 0 && of_b > 0 ? of_b / of_a : 0;

	return ratio <= MOST_MULTIPLE && ratio >= 1.0 / MOST_MULTIPLE ? ratio : 0;
}

static bool can_compare(const struct growth_row *a, const struct growth_row *b)
{
	return a->part == b->part && a->blocks && b->blocks && a->workers == b->workers &&
	       a->judgement.judged_from == b->judgement.judged_from &&
	       a->judgement.judged_count == b->judgement.judged_count &&
	       growth_row_snapshots(a) == a->part->axis.count && !a->part->axis.repeated;
}

static struct pair pair_of(const struct growth_row *a, const struct growth_row *b)
{
	struct pair pair = {.a = a->blocks,
			    .b = b->blocks,
			    .from = tail_of(a),
			    .end = a->judgement.judged_from + a->judgement.judged_count};

	pair.ratio = ratio_of(&pair);
	return pair;
}

/* The whole number of blocks of the one that there are for each of the other. */
static double whole_multiple(double ratio)
{
	if (ratio >= 1)
		return round(ratio);
	return ratio > 0 ? 1 / round(1 / ratio) : 0;
}

/* `multiple` blocks of `b` for each of `a`, at every snapshot. */
static bool keeps_step(const struct pair *pair, double multiple, double error)
{
	const double *a = pair->a, *b = pair->b;
	double gain = b[pair->end - 1] - b[pair->from];
	double allowed = fmax(multiple, 1) * 2 + error * gain;

	if (multiple <= 0)
		return false;
	for (size_t i = pair->from; i < pair->end; i++)
		if (fabs(b[i] - b[pair->from] - multiple * (a[i] - a[pair->from])) > allowed)
			return false;
	return gain > 2 * allowed;
}

/* Sums of the steps' deviations from their means. */
struct deviations {
	double aa, bb, ab;
	bool vary; /* those of both rows do, in proportion to their means */
};

static struct deviations deviations_of(const struct pair *pair)
{
	double count = (double)(pair->end - 1 - pair->from);
	double mean_a = (pair->a[pair->end - 1] - pair->a[pair->from]) / count;
	double mean_b = (pair->b[pair->end - 1] - pair->b[pair->from]) / count;
	struct deviations sum = {0};

	for (size_t i = pair->from + 1; i < pair->end; i++) {
		double a = pair->a[i] - pair->a[i - 1] - mean_a;
		double b = pair->b[i] - pair->b[i - 1] - mean_b;

		sum.aa += a * a;
		sum.bb += b * b;
		sum.ab += a * b;
	}
	sum.vary = sqrt(sum.aa / count) > vary_least * mean_a &&
		   sqrt(sum.bb / count) > vary_least * mean_b;
	return sum;
}

/* ---- stacks and holders ---------------------------------------------------------------------- */

bool growth_are_in_one_file(const struct growth_row *a, const struct growth_row *b)
{
	const struct select_row *left = a->words, *right = b->words;

	return !left->function && !right->function && left->file && right->file &&
	       strcmp(left->file, right->file) == 0;
}

/* Are the first two links of both ways the same: the root, and what it holds? */
static bool is_one_way(const char *a, const char *b)
{
	size_t same = 0, links = 0;

	for (; a[same] && a[same] == b[same]; same++)
		links += strncmp(a + same, " -> ", 4) == 0;
	if (links >= 2)
		return true;
	return (!a[same] && (!b[same] || strncmp(b + same, " -> ", 4) == 0)) ||
	       (!b[same] && strncmp(a + same, " -> ", 4) == 0);
}

/* Does one container hold what was allocated at both, as a census saw it? */
static bool are_held_together(const struct growth_row *a, const struct growth_row *b)
{
	const struct growth_held_row *left = growth_held_of(a), *right = growth_held_of(b);

	return a->part == b->part && left && right && left->words && right->words &&
	       is_one_way(left->words, right->words);
}

/* ---- bonds ----------------------------------------------------------------------------------- */

/* A whole multiple at every snapshot.  Constant steps always fit each other, so they prove nothing
 * unless they are equal. */
static bool are_multiples(const struct growth_row *a, const struct growth_row *b,
			  const struct pair *pair)
{
	double multiple = whole_multiple(pair->ratio);

	if (multiple != 1 && (a->judgement.exact || b->judgement.exact))
		return false;
	return keeps_step(pair, multiple, step_error);
}

/* Any ratio: parts of one object.  Where the steps of both vary, they do so together. */
static bool are_parts(const struct pair *pair)
{
	struct deviations sum = deviations_of(pair);

	if (keeps_step(pair, pair->ratio, step_error))
		return true;
	return sum.vary && sum.ab > together * sqrt(sum.aa * sum.bb) &&
	       keeps_step(pair, pair->ratio, vary_error);
}

/* Only the file is known: small multiples, or parts. */
static bool are_neighbours(const struct growth_row *a, const struct growth_row *b,
			   const struct pair *pair)
{
	double multiple = whole_multiple(pair->ratio);
	struct deviations sum = deviations_of(pair);

	if (!growth_are_in_one_file(a, b))
		return false;
	if (multiple <= FEW_MULTIPLE && multiple >= 1.0 / FEW_MULTIPLE &&
	    keeps_step(pair, multiple, file_error))
		return true;
	return sum.vary && are_parts(pair);
}

static enum growth_bond bond_by_step(const struct growth_row *a, const struct growth_row *b)
{
	struct pair pair = pair_of(a, b);
	bool near = growth_row_calls(a, b) || growth_row_calls(b, a);
	bool multiples = are_multiples(a, b, &pair);

	if (growth_rows_meet(a, b) && (multiples || (near && are_parts(&pair))))
		return BOND_STEP;
	if (are_neighbours(a, b, &pair))
		return BOND_STEP;
	return near && multiples ? BOND_ENTRY : BOND_NONE;
}

enum growth_bond growth_rows_bond(const struct growth_row *a, const struct growth_row *b)
{
	enum growth_bond bond = can_compare(a, b) ? bond_by_step(a, b) : BOND_NONE;

	return bond != BOND_STEP && are_held_together(a, b) ? BOND_HOLDER : bond;
}
