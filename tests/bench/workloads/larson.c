/*
 * larson.c - a server in miniature, after Larson and Krishnan, "Memory allocation for long-running
 * server applications" (ISMM 1998): threads replace random blocks of random size, and hand their
 * blocks on to a successor thread, so that most blocks are freed by another thread than the one
 * that made them.
 *
 *   larson [THREADS [ROUNDS [OPERATIONS]]]
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { BLOCKS = 5000, SIZE_MIN = 16, SIZE_MAX_PLUS = 500 };

struct shift {
	void *blocks[BLOCKS];
	uint64_t random;
	long operations;
};

static uint64_t next_random(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return *state >> 33;
}

__attribute__((noinline)) static void *make_block(uint64_t *random)
{
	char *block = malloc(SIZE_MIN + next_random(random) % SIZE_MAX_PLUS);

	if (!block)
		abort();
	block[0] = 1;
	return block;
}

static void *work(void *argument)
{
	struct shift *shift = argument;

	for (long i = 0; i < shift->operations; i++) {
		size_t victim = next_random(&shift->random) % BLOCKS;

		free(shift->blocks[victim]);
		shift->blocks[victim] = make_block(&shift->random);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	int threads = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 4;
	long rounds = argc > 2 ? strtol(argv[2], NULL, 10) : 20;
	long operations = argc > 3 ? strtol(argv[3], NULL, 10) : 200000;
	struct shift *shifts = calloc((size_t)threads, sizeof(*shifts));
	pthread_t *handles = calloc((size_t)threads, sizeof(*handles));

	if (!shifts || !handles)
		return 1;
	for (int i = 0; i < threads; i++) {
		shifts[i].random = (uint64_t)i + 1;
		shifts[i].operations = operations;
	}
	for (long round = 0; round < rounds; round++) {
		for (int i = 0; i < threads; i++)
			if (pthread_create(&handles[i], NULL, work, &shifts[i]))
				return 1;
		for (int i = 0; i < threads; i++)
			pthread_join(handles[i], NULL);
	}
	printf("%ld operations\n", rounds * operations * threads);
	return 0;
}
