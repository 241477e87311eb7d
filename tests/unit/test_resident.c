/*
 * test_resident.c - which pages of the process are in memory.
 */
/* links: snapruntime */
#include <criterion/criterion.h>

#include <sys/mman.h>

#include "runtime/resident.h"

#define PAGE  4096u
#define PAGES 2500u

static char *map(int flags)
{
	char *base = mmap(NULL, (size_t)PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | flags,
			  -1, 0);

	cr_assert(base != MAP_FAILED);
	madvise(base, (size_t)PAGES * PAGE, MADV_NOHUGEPAGE);
	return base;
}

Test(resident, pages_that_were_written_count)
{
	static bool present[PAGES];
	char *base = map(MAP_PRIVATE);
	uintptr_t start = (uintptr_t)base;

	for (unsigned i = 0; i < PAGES; i += 5)
		base[i * PAGE] = 1;
	cr_assert(snap__resident_begin(1 << 20, false));
	cr_assert_eq(snap__resident_pages(start, start + PAGES * PAGE, present), PAGES / 5 * PAGE);
	for (unsigned i = 0; i < PAGES; i++)
		cr_assert_eq(present[i], i % 5 == 0);
	cr_assert_eq(snap__resident_absent(start, PAGES * PAGE), PAGES / 5 * 4 * PAGE);
	snap__resident_end();
}

Test(resident, pages_at_the_ends_of_a_block_are_not_its_own)
{
	char *base = map(MAP_PRIVATE);
	uintptr_t start = (uintptr_t)base;

	cr_assert(snap__resident_begin(1 << 20, false));
	cr_assert_eq(snap__resident_absent(start + 1, 3 * PAGE), 2 * PAGE);
	cr_assert_eq(snap__resident_absent(start + 1, PAGE), 0);
	cr_assert_eq(snap__resident_absent(start, 0), 0);
	cr_assert_eq(snap__resident_absent(start, UINT64_MAX), 0);
	base[PAGE] = 1;
	cr_assert_eq(snap__resident_in(start + PAGE - 1, start + PAGE + 1), PAGE);
	snap__resident_end();
}

Test(resident, shared_memory_has_a_figure_of_its_own)
{
	char *base = map(MAP_SHARED);

	base[0] = 1;
	cr_assert(snap__resident_begin(1 << 20, false));
	cr_assert_eq(snap__resident_in((uintptr_t)base, (uintptr_t)base + PAGE), 0);
	snap__resident_end();
}

Test(resident, much_memory_is_looked_at_only_at_the_end)
{
	const uint64_t much = (uint64_t)1 << 40;

	cr_assert_not(snap__resident_begin(much, false));
	cr_assert(snap__resident_begin(much, true));
	snap__resident_end();
	cr_assert_eq(snap__resident_in((uintptr_t)&much, (uintptr_t)&much + 1), 0, "it is over");
}
