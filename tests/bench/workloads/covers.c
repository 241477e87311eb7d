/*
 * covers.c - after the classic logic minimiser: recursive cofactoring of small covers, with very
 * many distinct call stacks over a heap of a megabyte or two.
 *
 *   covers [ROUNDS]
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VARIABLES = 16, CUBES = 24 };

struct cover {
	int count;
	uint32_t *cube; /* 2 bits a variable: 01 false, 10 true, 11 either */
};

static uint64_t state = 88172645463325252u;

static uint32_t next_random(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 16);
}

static struct cover *cover_new(int room)
{
	struct cover *cover = malloc(sizeof(*cover));

	if (!cover)
		abort();
	cover->count = 0;
	cover->cube = malloc((size_t)(room ? room : 1) * sizeof(uint32_t));
	if (!cover->cube)
		abort();
	return cover;
}

static void cover_free(struct cover *cover)
{
	free(cover->cube);
	free(cover);
}

static struct cover *cofactor(const struct cover *cover, int variable, uint32_t value)
{
	struct cover *out = cover_new(cover->count);

	for (int i = 0; i < cover->count; i++)
		if (cover->cube[i] >> (2 * variable) & value)
			out->cube[out->count++] = cover->cube[i] | 3u << (2 * variable);
	return out;
}

static int most_binate(const struct cover *cover)
{
	int best = -1, best_count = 0;

	for (int v = 0; v < VARIABLES; v++) {
		int count = 0;

		for (int i = 0; i < cover->count; i++)
			count += (cover->cube[i] >> (2 * v) & 3) != 3;
		if (count > best_count) {
			best_count = count;
			best = v;
		}
	}
	return best;
}

static long minimise_true(const struct cover *cover, int depth);
static long minimise_false(const struct cover *cover, int depth);

/* Split on a variable; the two halves are different functions, so that each path is a stack of its
 * own. */
static long split(const struct cover *cover, int depth)
{
	int variable = most_binate(cover);
	struct cover *one, *zero;
	long cost;

	if (variable < 0 || cover->count <= 1 || depth > 14)
		return cover->count;
	one = cofactor(cover, variable, 2);
	zero = cofactor(cover, variable, 1);
	cost = minimise_true(one, depth + 1) + minimise_false(zero, depth + 1);
	cover_free(one);
	cover_free(zero);
	return cost;
}

__attribute__((noinline)) static long minimise_true(const struct cover *cover, int depth)
{
	struct cover *copy = cover_new(cover->count);
	long cost;

	memcpy(copy->cube, cover->cube, (size_t)cover->count * sizeof(uint32_t));
	copy->count = cover->count;
	cost = split(copy, depth);
	cover_free(copy);
	return cost + 1;
}

__attribute__((noinline)) static long minimise_false(const struct cover *cover, int depth)
{
	long cost = split(cover, depth);

	return cost + 2;
}

int main(int argc, char **argv)
{
	long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : 4000;
	long cost = 0;

	for (long round = 0; round < rounds; round++) {
		struct cover *cover = cover_new(CUBES);

		while (cover->count < CUBES)
			cover->cube[cover->count++] = next_random() | next_random();
		cost += minimise_true(cover, 0);
		cover_free(cover);
	}
	printf("%ld\n", cost);
	return 0;
}
