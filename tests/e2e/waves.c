/*
 * waves.c - the heap rises in small blocks and falls again, each time from a higher peak; prints the
 * highest sum of what it held.  Its blocks come from 4,096 call stacks, so that a snapshot is not
 * cheap compared with the program.
 *
 * waves large: at the peak a block that is nearly half of the heap is freed first.
 * waves grown: one block grows by realloc(), and another one is freed first.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* Returns the highest sum, or 0. */
static size_t free_large_first(void)
{
	const size_t large = FIRST_WAVE * BLOCK * 2 / 3;
	char *block = malloc(large);

	for (size_t i = 0; block && i < FIRST_WAVE; i++)
		if (!(blocks[i] = left(i, DEPTH)))
			return 0;
	free(block);
	for (size_t i = 0; i < FIRST_WAVE; i++)
		free(blocks[i]);
	return block ? large + FIRST_WAVE * BLOCK : 0;
}

static size_t grow(void)
{
	const size_t other = FIRST_WAVE * BLOCK, most = 5 * other;
	char *block = malloc(other), *grown = NULL;

	for (size_t size = BLOCK; size <= most; size += 100 * BLOCK) {
		grown = realloc(grown, size);
		if (!grown)
			return 0;
	}
	free(block);
	free(grown);
	return block ? other + most - most % (100 * BLOCK) - 99 * BLOCK : 0;
}

static int say(size_t most)
{
	printf("%zu\n", most);
	return most == 0;
}

int main(int argc, char **argv)
{
	size_t most = 0;

	if (argc > 1)
		return say(strcmp(argv[1], "large") == 0 ? free_large_first() : grow());
	for (size_t wave = 0; wave < WAVES; wave++) {
		size_t count = FIRST_WAVE + wave * WAVE_GROWTH;

		for (size_t i = 0; i < count; i++)
			if (!(blocks[i] = left(i, DEPTH)))
				return 1;
		most = count * BLOCK;
		for (size_t i = 0; i < count; i++)
			free(blocks[i]);
	}
	return say(most);
}
