/*
 * mappings.c - maps and unmaps memory in every way and prints what is left: what --mmap must
 * report.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096ul
/* A function of its own, whatever its arguments are. */
#ifdef __clang__
#define SITE __attribute__((noinline, optnone))
#else
#define SITE __attribute__((noinline, noclone))
#endif

static inline __attribute__((always_inline)) char *map(void *at, size_t pages, int more)
{
	char *base = mmap(at, pages * PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | more, -1, 0);

	if (base == MAP_FAILED)
		_exit(1);
	return base;
}

SITE static char *site_kept(size_t pages)
{
	return map(NULL, pages, 0);
}

SITE static char *site_cut(size_t pages)
{
	return map(NULL, pages, 0);
}

SITE static char *site_replaced(size_t pages)
{
	return map(NULL, pages, 0);
}

SITE static char *site_over(char *at, size_t pages)
{
	return map(at, pages, MAP_FIXED);
}

SITE static char *site_moved(char *from, size_t pages, size_t new_pages, void *to)
{
	char *base =
		to ? mremap(from, pages * PAGE, new_pages * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to)
		   : mremap(from, pages * PAGE, new_pages * PAGE, MREMAP_MAYMOVE);

	if (base == MAP_FAILED)
		_exit(1);
	return base;
}

/* The heap beyond the allocator's mmap threshold: malloc's own mapping must not count again. */
SITE static void *site_heap(size_t size)
{
	return malloc(size);
}

static void truth(const char *site, size_t live_pages, int live, size_t all_pages, int all)
{
	printf("%d %s %zu %d %zu %d\n", (int)getpid(), site, live_pages * PAGE, live,
	       all_pages * PAGE, all);
}

int main(void)
{
	char *base;

	site_kept(3);
	munmap(site_kept(5), 5 * PAGE);
	munmap(site_kept(1), 100); /* the kernel takes whole pages */

	base = site_cut(16);
	munmap(base + 4 * PAGE, 2 * PAGE); /* 4 and 10 are left */
	munmap(base, PAGE);                /* 3 and 10 */
	munmap(base + 15 * PAGE, PAGE);    /* 3 and 9 */
	munmap(base + 1, PAGE);            /* refused */
	base = site_cut(8);
	munmap(base + 2 * PAGE, 2 * PAGE);
	munmap(base, 8 * PAGE);          /* both parts, and the gap */
	truth("site_cut", 12, 2, 24, 3); /* the first one became two */

	base = site_replaced(10);
	site_over(base + 6 * PAGE, 2);
	truth("site_over", 2, 1, 2, 1);

	base = site_moved(site_kept(2), 2, 6, site_replaced(20)); /* over the first 6 of 20 */
	site_moved(base, 6, 7000, NULL);
	truth("site_kept", 3, 1, 11, 4);
	truth("site_replaced", 8 + 14, 3, 30, 3);
	truth("site_moved", 7000, 1, 7006, 2);
	munmap(site_heap(1), 0);
	memset(site_heap(1 << 20), 1, 1 << 20);
	printf("%d site_heap %d 2 %d 2\n", (int)getpid(), (1 << 20) + 1, (1 << 20) + 1);
	return 0;
}
