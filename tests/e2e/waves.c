/*
 * waves.c - the heap rises in small blocks and falls again, each time from a higher peak; prints the
 * highest sum of what it held.  Its blocks come from 4,096 call stacks, so that a snapshot is not
 * cheap compared with the program.
 */
#include <stdio.h>
#include <stdlib.h>

#define BLOCK       1000u
#define WAVES       3u
#define FIRST_WAVE  20000u /* blocks */
#define WAVE_GROWTH 2000u
#define DEPTH       12u

static void *blocks[FIRST_WAVE + WAVES * WAVE_GROWTH];

static void *right(size_t path, unsigned depth);

/* Each bit of `path` is a choice of the way to malloc. */
__attribute__((noinline)) static void *left(size_t path, unsigned depth)
{
	if (depth == 0)
		return malloc(BLOCK);
	return path & 1 ? right(path >> 1, depth - 1) : left(path >> 1, depth - 1);
}

__attribute__((noinline)) static void *right(size_t path, unsigned depth)
{
	if (depth == 0)
		return malloc(BLOCK);
	return path & 1 ? right(path >> 1, depth - 1) : left(path >> 1, depth - 1);
}

int main(void)
{
	size_t most = 0;

	for (size_t wave = 0; wave < WAVES; wave++) {
		size_t count = FIRST_WAVE + wave * WAVE_GROWTH;

		for (size_t i = 0; i < count; i++)
			if (!(blocks[i] = left(i, DEPTH)))
				return 1;
		most = count * BLOCK;
		for (size_t i = 0; i < count; i++)
			free(blocks[i]);
	}
	printf("%zu\n", most);
	return 0;
}
