/*
 * deep.c - random call trees some 35 frames deep over a million live blocks.
 *
 *   deep [ALLOCATIONS [LIVE [THREADS]]]
 *
 * Functions with frames of their own size call one another at random, once or, one time in four,
 * twice; each leaf of the tree puts a block of 16 to 512 bytes in the place of a random live one.
 * The tree has 8,000 leaves, nearly all with a stack of their own, and is gone through again and
 * again; blocks and places differ each time.  With several threads, half of the blocks are freed
 * by another thread than the one that allocated them.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "random.h"

#define NOT_INLINED __attribute__((noinline))

enum { LEAVES = 8000, LEAST_DEPTH = 13, DEPTHS = 3, MOST_THREADS = 64 };

struct walk {
	uint64_t shape;    /* random numbers that say who calls whom: the same for each tree */
	uint64_t random;   /* and that choose blocks */
	size_t own, other; /* where the thread's part of the table begins, and its neighbour's */
	long leaves_left;
};

static _Atomic(void *) *live;
static size_t live_per_thread, allocations_per_thread;

/* A place of the thread's own part or, as often, of its neighbour's holds a block of the thread
   that filled it last: one of two, so that half of the frees are of another's blocks. */
NOT_INLINED static void replace_one(struct walk *walk)
{
	uint64_t random = next_random(&walk->random);
	char *block = malloc(16 + random % 497);
	size_t part = random >> 63 ? walk->own : walk->other;

	if (!block)
		abort();
	block[0] = 1;
	free(atomic_exchange(&live[part + (random >> 16) % live_per_thread], block));
}

static int go_on(struct walk *walk, int depth);

/* The empty assembly keeps the frame, and the call from becoming a jump. */
#define TREE(n, bytes)                                                                             \
	NOT_INLINED static int tree_##n(struct walk *walk, int depth)                              \
	{                                                                                          \
		char room[bytes];                                                                  \
		int sum;                                                                           \
                                                                                                   \
		__asm__ volatile("" : : "r"(room) : "memory");                                     \
		sum = go_on(walk, depth - 1) + depth;                                              \
		if ((next_random(&walk->shape) & 3) == 0)                                          \
			sum += go_on(walk, depth - 1) * depth;                                     \
		__asm__ volatile("" : : "r"(room) : "memory");                                     \
		return sum;                                                                        \
	}
TREE(0, 8)
TREE(1, 24)
TREE(2, 56)
TREE(3, 8)
TREE(4, 120)
TREE(5, 40)
TREE(6, 16)
TREE(7, 88)

static int (*const trees[])(struct walk *, int) = {tree_0, tree_1, tree_2, tree_3,
						   tree_4, tree_5, tree_6, tree_7};

NOT_INLINED static int go_on(struct walk *walk, int depth)
{
	if (walk->leaves_left <= 0)
		return 0;
	if (depth <= 0) {
		walk->leaves_left--;
		replace_one(walk);
		return 1;
	}
	return trees[next_random(&walk->shape) & 7](walk, depth) + 1;
}

/* Go through the tree until `argument`, a walk, has made its share of the allocations. */
static void *churn(void *argument)
{
	struct walk *walk = argument;
	size_t left = allocations_per_thread;

	while (left > 0) {
		size_t now = left < LEAVES ? left : LEAVES;

		walk->shape = UINT64_C(88172645463325252);
		walk->leaves_left = (long)now;
		while (walk->leaves_left > 0)
			go_on(walk, LEAST_DEPTH + (int)(next_random(&walk->shape) % DEPTHS));
		left -= now;
	}
	return NULL;
}

int main(int argc, char **argv)
{
	size_t allocations = argc > 1 ? strtoull(argv[1], NULL, 10) : 12000000;
	size_t live_count = argc > 2 ? strtoull(argv[2], NULL, 10) : 1000000;
	size_t threads = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
	static struct walk walks[MOST_THREADS];
	pthread_t handles[MOST_THREADS];

	if (threads < 1 || threads > MOST_THREADS || live_count < threads)
		return 1;
	live_per_thread = live_count / threads;
	allocations_per_thread = allocations / threads;
	live = calloc(live_count, sizeof(*live));
	if (!live)
		return 1;
	for (size_t i = 0; i < threads; i++)
		walks[i] = (struct walk){.random = (i + 1) * UINT64_C(0x9e3779b97f4a7c15),
					 .own = i * live_per_thread,
					 .other = (i + 1) % threads * live_per_thread};
	if (threads == 1)
		churn(&walks[0]); /* of a process that stays single-threaded */
	for (size_t i = 0; threads > 1 && i < threads; i++)
		if (pthread_create(&handles[i], NULL, churn, &walks[i]))
			return 1;
	for (size_t i = 0; threads > 1 && i < threads; i++)
		pthread_join(handles[i], NULL);
	printf("%zu allocations\n", allocations_per_thread * threads);
	return 0;
}
