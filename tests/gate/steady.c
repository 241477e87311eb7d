/*
 * steady.c - a program that holds as much after each step as before, and turns over half of it meanwhile.
 *
 *   steady STEPS [MORE]
 *
 * After each step it takes a snapshot.  Its 24 sites hold 1 KiB to 2 MiB in blocks of 16 B to 64 KiB.  With MORE,
 * leak() keeps MORE blocks of 4 KiB in each step: what a gate must still find.
 */
#include <stdlib.h>
#include <string.h>

#include <snap/snap.h>

enum { SITES = 24, BLOCKS_MAX = 4096 };

static void *held[SITES][BLOCKS_MAX];

#define SITE(number)                                                                               \
	static __attribute__((noinline)) void *site_##number(size_t size)                          \
	{                                                                                          \
		return memset(malloc(size), number, size);                                         \
	}
#define SITES_OF(row) SITE(row##0) SITE(row##1) SITE(row##2) SITE(row##3) SITE(row##4) SITE(row##5)
SITES_OF(1)
SITES_OF(2)
SITES_OF(3)
SITES_OF(4)

#define NAMES_OF(row)                                                                              \
	site_##row##0, site_##row##1, site_##row##2, site_##row##3, site_##row##4, site_##row##5
static void *(*const sites[SITES])(size_t) = {NAMES_OF(1), NAMES_OF(2), NAMES_OF(3), NAMES_OF(4)};

static size_t size_of(int site)
{
	return (size_t)16 << site / 2; /* 16 B ... 32 KiB */
}

static int blocks_of(int site)
{
	size_t bytes = (size_t)1024 << (site * 5 % 12);
	size_t blocks = bytes / size_of(site);

	return blocks < 1 ? 1 : blocks > BLOCKS_MAX ? BLOCKS_MAX : (int)blocks;
}

static __attribute__((noinline)) void *leak(void)
{
	return memset(malloc(4096), 1, 4096);
}

static void turn_over(int site)
{
	for (int i = rand() % 2; i < blocks_of(site); i += 2) {
		free(held[site][i]);
		held[site][i] = sites[site](size_of(site));
	}
}

int main(int argc, char **argv)
{
	int steps = argc > 1 ? atoi(argv[1]) : 1, more = argc > 2 ? atoi(argv[2]) : 0;

	for (int site = 0; site < SITES; site++)
		for (int i = 0; i < blocks_of(site); i++)
			held[site][i] = sites[site](size_of(site));
	for (int step = 0; step < steps; step++) {
		for (int site = 0; site < SITES; site++)
			turn_over(site);
		for (int i = 0; i < more; i++)
			(void)!leak();
		if (snap_take(NULL) != SNAP_OK)
			return 1;
	}
	return 0;
}
