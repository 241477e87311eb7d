/*
 * truth_static.c - a static program that records blocks of a domain of its own, and says which it
 * holds when its snapshot is taken.  Links libsnap.a.
 */
#include <stdio.h>

#include <snap/snap.h>

enum { BLOCKS = 50 };

static char arena[BLOCKS * 1024];

__attribute__((noinline)) static void site_keep(int i)
{
	snap_record_alloc("arena", &arena[i * 1024], (size_t)i + 100);
	__asm__ volatile("");
}

int main(void)
{
	size_t live = 0, made = 0;

	if (snap_start(NULL) != SNAP_OK)
		return 1;
	for (int i = 0; i < BLOCKS; i++) {
		site_keep(i);
		made += (size_t)i + 100;
	}
	live = made;
	for (int i = 0; i < BLOCKS; i += 5) {
		snap_record_free("arena", &arena[i * 1024]);
		live -= (size_t)i + 100;
	}
	if (snap_take("full") != SNAP_OK)
		return 2;
	printf("%zu %d %zu %d\n", live, BLOCKS - BLOCKS / 5, made, BLOCKS);
	return 0;
}
