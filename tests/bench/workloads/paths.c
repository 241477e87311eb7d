/*
 * paths.c - call paths 36 frames deep, each gone down anew: consecutive stacks share next to
 * nothing.
 *
 *   paths [ALLOCATIONS [LIVE [THREADS]]]
 *
 * Each level is one of two functions with frames of their own size, chosen by a random
 * number at 13 of the levels: 8,192 ways down.  At the bottom one block of 16 to 512 bytes takes
 * the place of a random live one, and everything returns.  Harder on an unwinder than call trees
 * are (deep.c), whose inner calls come in sequence under the same outer ones.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "random.h"

enum { LEVELS = 35, CHOICE_EVERY = 3, CHOICES = 13 };

struct walk {
	uint64_t random;
	uint32_t path; /* one bit a choice */
	size_t size;
};

typedef void *level_fn(struct walk *walk);
extern level_fn *const levels[LEVELS + 1][2];

static level_fn *below(const struct walk *walk, int level)
{
	int choice = level / CHOICE_EVERY;

	if (level % CHOICE_EVERY || choice >= CHOICES)
		return levels[level + 1][0];
	return levels[level + 1][walk->path >> choice & 1];
}

__attribute__((noinline)) static void *bottom(struct walk *walk)
{
	void *block = malloc(16 + walk->random % 497);

	if (block)
		*(volatile char *)block = 1;
	return block;
}

/* The call must not be the last thing that a level does, or it would become a jump. */
#define LEVEL(n)                                                                                   \
	__attribute__((noinline)) static void *left##n(struct walk *walk)                          \
	{                                                                                          \
		volatile char frame[16 + (n) % 5 * 16];                                            \
		void *block;                                                                       \
                                                                                                   \
		frame[0] = 1;                                                                      \
		block = below(walk, n)(walk);                                                      \
		walk->size += (size_t)frame[0];                                                    \
		return block;                                                                      \
	}                                                                                          \
	__attribute__((noinline)) static void *right##n(struct walk *walk)                         \
	{                                                                                          \
		uint64_t before = walk->random;                                                    \
		void *block = below(walk, n)(walk);                                                \
                                                                                                   \
		walk->size += before & 1;                                                          \
		return block;                                                                      \
	}
/* The formatter takes what follows for one declaration. */
/* clang-format off */
LEVEL(0) LEVEL(1) LEVEL(2) LEVEL(3) LEVEL(4) LEVEL(5) LEVEL(6)
LEVEL(7) LEVEL(8) LEVEL(9) LEVEL(10) LEVEL(11) LEVEL(12) LEVEL(13)
LEVEL(14) LEVEL(15) LEVEL(16) LEVEL(17) LEVEL(18) LEVEL(19) LEVEL(20)
LEVEL(21) LEVEL(22) LEVEL(23) LEVEL(24) LEVEL(25) LEVEL(26) LEVEL(27)
LEVEL(28) LEVEL(29) LEVEL(30) LEVEL(31) LEVEL(32) LEVEL(33) LEVEL(34)

#define PAIR(n) {left##n, right##n}

level_fn *const levels[LEVELS + 1][2] = {
	PAIR(0), PAIR(1), PAIR(2), PAIR(3), PAIR(4), PAIR(5), PAIR(6),
	PAIR(7), PAIR(8), PAIR(9), PAIR(10), PAIR(11), PAIR(12), PAIR(13),
	PAIR(14), PAIR(15), PAIR(16), PAIR(17), PAIR(18), PAIR(19), PAIR(20),
	PAIR(21), PAIR(22), PAIR(23), PAIR(24), PAIR(25), PAIR(26), PAIR(27),
	PAIR(28), PAIR(29), PAIR(30), PAIR(31), PAIR(32), PAIR(33), PAIR(34),
	{bottom, bottom},
};
/* clang-format on */

static _Atomic(void *) *live;
static size_t live_count;
static size_t per_thread;

static void *churn(void *argument)
{
	struct walk walk = {.random = (uintptr_t)argument * UINT64_C(0x9e3779b97f4a7c15) + 1};

	for (size_t i = 0; i < per_thread; i++) {
		void *block;

		next_random(&walk.random);
		walk.path = (uint32_t)(walk.random >> 20);
		block = levels[0][walk.random >> 50 & 1](&walk);
		free(atomic_exchange(&live[(walk.random >> 8) % live_count], block));
	}
	return NULL;
}

int main(int argc, char **argv)
{
	size_t allocations = argc > 1 ? strtoull(argv[1], NULL, 10) : 12000000;
	size_t threads = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
	pthread_t handles[64];

	live_count = argc > 2 ? strtoull(argv[2], NULL, 10) : 1000000;
	live = calloc(live_count, sizeof(*live));
	if (!live || threads < 1 || threads > 64)
		return 1;
	per_thread = allocations / threads;
	for (size_t i = 1; i < threads; i++)
		if (pthread_create(&handles[i], NULL, churn, (void *)(uintptr_t)(i + 1)))
			return 1;
	churn((void *)(uintptr_t)1);
	for (size_t i = 1; i < threads; i++)
		pthread_join(handles[i], NULL);
	printf("%zu allocations\n", allocations);
	return 0;
}
