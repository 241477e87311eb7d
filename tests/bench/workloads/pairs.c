/*
 * pairs.c - malloc/free pairs in several threads.
 *
 *   pairs THREADS PAIRS [cross]   PAIRS in all; `cross`: half of the blocks are freed by another
 * thread
 *
 * Each thread keeps a thousand blocks; a new one, from one of eight places, takes the place of one
 * of its own or, with `cross`, as often of its neighbour's.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "random.h"

#define NOT_INLINED __attribute__((noinline))

enum { BLOCKS = 1024, MOST_THREADS = 64 };

static _Atomic(void *) blocks[MOST_THREADS][BLOCKS];
static long threads = 1, pairs_per_thread = 1000000;
static int is_cross;

#define PLACE(n)                                                                                   \
	NOT_INLINED static void *place_##n(uint64_t random)                                        \
	{                                                                                          \
		void *block = malloc(16 + (random >> 20 & 127));                                   \
                                                                                                   \
		__asm__ volatile("" : : "r"(block) : "memory");                                    \
		return block;                                                                      \
	}
PLACE(0)
PLACE(1)
PLACE(2)
PLACE(3)
PLACE(4)
PLACE(5)
PLACE(6)
PLACE(7)

static void *(*const places[])(uint64_t) = {place_0, place_1, place_2, place_3,
					    place_4, place_5, place_6, place_7};

static void *work(void *argument)
{
	long own = (long)(intptr_t)argument, other = (own + 1) % threads;
	uint64_t random = (uint64_t)own * 2 + 1;

	for (long i = 0; i < pairs_per_thread; i++) {
		uint64_t now = next_random(&random);
		long whose = is_cross && now >> 63 ? other : own;
		void *block = places[now >> 8 & 7](now);

		free(atomic_exchange(&blocks[whose][now >> 32 & (BLOCKS - 1)], block));
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t handles[MOST_THREADS];

	if (argc < 3)
		return 2;
	threads = strtol(argv[1], NULL, 10);
	if (threads < 1 || threads > MOST_THREADS)
		return 2;
	pairs_per_thread = strtol(argv[2], NULL, 10) / threads;
	is_cross = argc > 3 && strcmp(argv[3], "cross") == 0;
	for (long i = 0; i < threads; i++)
		if (pthread_create(&handles[i], NULL, work, (void *)(intptr_t)i))
			return 1;
	for (long i = 0; i < threads; i++)
		pthread_join(handles[i], NULL);
	printf("%ld pairs\n", pairs_per_thread * threads);
	return 0;
}
