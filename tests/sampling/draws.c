/*
 * draws.c - a deterministic program whose sites hold blocks of all sizes next to a sampling period.
 *
 *   draws PERIOD
 *
 * Each site_* allocates 80 periods' worth (12 of its sizes from 10 periods on) and frees every
 * other block.  Nothing is written into the blocks: large ones cost address space only.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define SITE __attribute__((noinline)) static void

static size_t period;
static uint64_t state = 88172645463325252u;

static size_t next_random(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (size_t)(state >> 16);
}

static void keep_every_other(void *block, size_t i)
{
	if (!block)
		abort();
	if (i % 2)
		free(block);
}

/* Each in a function of its own, so that it is a site.  The loop keeps malloc from being a tail
 * call. */
#define SITE_OF_ONE_SIZE(name, size_wanted, periods)                                               \
	SITE name(void)                                                                            \
	{                                                                                          \
		size_t size = (size_wanted), count = (periods)*period / size;                      \
                                                                                                   \
		for (size_t i = 0; i < count; i++)                                                 \
			keep_every_other(malloc(size), i);                                         \
	}

SITE_OF_ONE_SIZE(site_64, 64, 80)
SITE_OF_ONE_SIZE(site_1000, 1000, 80)
SITE_OF_ONE_SIZE(site_tenth, period / 10, 80)
SITE_OF_ONE_SIZE(site_half, period / 2, 80)
SITE_OF_ONE_SIZE(site_period, period, 80)
SITE_OF_ONE_SIZE(site_double, period * 2, 120)
SITE_OF_ONE_SIZE(site_huge, period * 10, 120)

SITE site_mixed(void)
{
	for (size_t sum = 0, size, i = 0; sum < 80 * period; sum += size, i++) {
		/* A third small, a third around the period, a third in between. */
		size = 1 + next_random() % (i % 3 == 0   ? 200
					    : i % 3 == 1 ? period * 2
							 : period / 4);
		keep_every_other(malloc(size), i);
	}
}

SITE site_grown(void)
{
	for (size_t i = 0; i < 80 * period / 1000; i++)
		keep_every_other(realloc(malloc(100), 1000), i);
}

SITE site_zeroed(void)
{
	for (size_t i = 0; i < 80 * period / 300; i++)
		keep_every_other(calloc(3, 100), i);
}

__attribute__((noinline)) static void *site_of_thread(void *unused)
{
	for (size_t i = 0; i < 2 * period / 200; i++)
		keep_every_other(malloc(200), i);
	return unused;
}

/* Many threads that end soon: each draws its first gap anew. */
static void in_threads(void)
{
	for (unsigned i = 0; i < 40; i++) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, site_of_thread, NULL) != 0)
			abort();
		pthread_join(thread, NULL);
	}
}

int main(int argc, char **argv)
{
	period = argc > 1 ? strtoul(argv[1], NULL, 10) : 65536;
	site_64();
	site_1000();
	site_tenth();
	site_half();
	site_period();
	site_double();
	site_huge();
	site_mixed();
	site_grown();
	site_zeroed();
	in_threads();
	return 0;
}
