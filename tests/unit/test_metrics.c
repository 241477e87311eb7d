/*
 * test_metrics.c - figures that take locks of the host's are left out when that would be noticed.
 */
/* links: snapruntime */
#include <criterion/criterion.h>
#include <string.h>

#include "runtime/metrics.h"

struct seen {
	bool allocator, pss, rss;
};

static void note(void *user, const char *key, uint64_t value)
{
	struct seen *seen = user;

	(void)value;
	seen->allocator = seen->allocator || strcmp(key, "allocator.arena") == 0;
	seen->pss = seen->pss || strcmp(key, "pss") == 0;
	seen->rss = seen->rss || strcmp(key, "rss") == 0;
}

static struct seen ask(bool may_hold_up, uint64_t heap_bytes)
{
	struct snap__metrics_leave leave = {.allocator = true,
					    .may_hold_up = may_hold_up,
					    .heap_bytes = heap_bytes,
					    .frees = UINT64_MAX};
	struct seen seen = {0};
	bool answered = snap__metrics_each(&leave, note, &seen);

	cr_assert_eq(answered, seen.allocator);
	return seen;
}

Test(metrics, a_small_heap_is_asked_about)
{
	struct seen seen = ask(false, 1 << 20);

	cr_assert(seen.allocator);
	cr_assert(seen.rss);
}

Test(metrics, a_large_heap_of_which_nothing_is_known_is_not_asked_about)
{
	struct seen seen = ask(false, (uint64_t)1 << 30);

	cr_assert_not(seen.allocator);
	cr_assert(seen.rss);
}

Test(metrics, at_the_end_of_a_program_everything_is_asked)
{
	struct seen seen = ask(true, (uint64_t)1 << 30);

	cr_assert(seen.allocator);
	cr_assert(seen.pss);
}

Test(metrics, a_large_heap_that_took_little_time_is_asked_about_again)
{
	ask(true, (uint64_t)1 << 30);
	cr_assert(ask(false, (uint64_t)1 << 30).allocator);
}

Test(metrics, a_heap_that_grew_beyond_measure_since_is_not_asked_about)
{
	ask(false, 1 << 20);
	cr_assert_not(ask(false, (uint64_t)1 << 50).allocator);
}

Test(metrics, whoever_gives_no_leave_gets_what_takes_no_lock)
{
	struct seen seen = {0};

	cr_assert_not(snap__metrics_each(NULL, note, &seen));
	cr_assert_not(seen.allocator);
	cr_assert_not(seen.pss);
	cr_assert(seen.rss);
}

Test(metrics, a_large_heap_of_which_little_was_freed_is_asked_about)
{
	struct snap__metrics_leave leave = {
		.allocator = true, .heap_bytes = (uint64_t)1 << 30, .frees = 5000};
	struct seen seen = {0};

	cr_assert(snap__metrics_each(&leave, note, &seen));
	cr_assert(seen.allocator);
}
