/* links: cmd_base */
/*
 * test_progress.c - how long long work will take.
 */
#include <criterion/criterion.h>

#include "base/progress.h"

#define SECOND UINT64_C(1000000000)

static const char *left(uint64_t elapsed_ns, uint64_t done, uint64_t total)
{
	static char text[40];

	progress_left(text, sizeof(text), elapsed_ns, done, total);
	return text;
}

Test(progress, what_is_left_takes_as_long_per_piece_as_what_is_done)
{
	cr_assert_str_eq(left(10 * SECOND, 25, 100), "; about 30 s left");
	cr_assert_str_eq(left(60 * SECOND, 100, 1000), "; about 9 min left");
	cr_assert_str_eq(left(3600 * SECOND, 1, 11), "; about 10 h left");
	cr_assert_str_eq(left(10 * SECOND, 999, 1000), "; nearly done");
}

Test(progress, nothing_is_guessed_too_early_or_at_the_end)
{
	cr_assert_str_eq(left(SECOND / 2, 1, 100), "");
	cr_assert_str_eq(left(5 * SECOND, 0, 100), "");
	cr_assert_str_eq(left(5 * SECOND, 100, 100), "");
}
