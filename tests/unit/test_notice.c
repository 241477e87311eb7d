/*
 * test_notice.c - what a person is told: words of a kind, figures and names; which are equal.
 */
/* links: cmd_base */
#include "base/notice.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static void reads(const struct notice *notice, const char *expected)
{
	char *text = notice_text(notice);

	cr_expect_str_eq(text, expected);
	free(text);
}

Test(notice, a_figure_of_one_takes_the_singular)
{
	reads(&(struct notice){.kind = NOTICE_GATE_BLIND, .figures = {1}},
	      "whether 1 row grew is not known: the exit code cannot count it");
	reads(&(struct notice){.kind = NOTICE_GATE_BLIND, .figures = {0}},
	      "whether 0 rows grew is not known: the exit code cannot count them");
	reads(&(struct notice){.kind = NOTICE_SERIES_IDLE, .figures = {3, 8}},
	      "In 3 of 8 intervals the program was idle: they are left out, because nothing "
	      "happened in them.");
	reads(&(struct notice){.kind = NOTICE_SERIES_IDLE, .figures = {1, 8}},
	      "In 1 of 8 intervals the program was idle: it is left out, because nothing happened "
	      "in it.");
	reads(&(struct notice){.kind = NOTICE_SERIES_REPEATS, .figures = {1}},
	      "1 snapshot repeats the seq of the one before or goes back; it is numbered by "
	      "position");
}

Test(notice, whom_it_is_about_comes_first_unless_the_words_have_a_place_for_it)
{
	reads(&(struct notice){.kind = NOTICE_SERIES_CLOCK, .who = "a (pid 7)", .figures = {2}},
	      "a (pid 7): the clock jumped back 2 times within the series; do not rely on its "
	      "seconds");
	reads(&(struct notice){.kind = NOTICE_SEVERAL_PROGRAMS, .who = "OLD", .texts = {"a", "b"}},
	      "OLD has snapshots of several programs: a, b");
}

/* Braces that are not closed, a letter that is none, a choice without a bar: none may be in the words. */
Test(notice, no_kind_has_words_that_are_left_over)
{
	for (unsigned kind = 0; kind < NOTICE_KINDS; kind++)
		for (uint64_t figure = 0; figure < 3; figure++) {
			const struct notice notice = {
				.kind = kind,
				.who = "W",
				.texts = {"A", "B", "C", "D"},
				.figures = {figure, figure},
			};
			char *text = notice_text(&notice);

			cr_expect(text && strlen(text) > 0 && !strpbrk(text, "{}|"), "%s", text);
			free(text);
		}
}

Test(notice, those_that_differ_in_numbers_and_names_of_files_are_like_each_other)
{
	const struct notice lost = {
		.kind = NOTICE_LOST, .who = "a.snap", .texts = {"12", "events"}};
	const struct notice same = {.kind = NOTICE_LOST, .who = "b.snap", .texts = {"7", "events"}};
	const struct notice other = {
		.kind = NOTICE_LOST, .who = "a.snap", .texts = {"12", "blocks"}};
	const struct notice torn = {.kind = NOTICE_FILE_DAMAGED, .texts = {"a.snap: ends at 12"}};
	const struct notice torn_too = {.kind = NOTICE_FILE_DAMAGED,
					.texts = {"bb.snap: ends at 345"}};
	const struct notice broken = {.kind = NOTICE_FILE_DAMAGED,
				      .texts = {"a.snap: no checksum"}};

	cr_expect(notice_is_like(&lost, &same));
	cr_expect_not(notice_equals(&lost, &same));
	cr_expect_not(notice_is_like(&lost, &other));
	cr_expect(notice_is_like(&torn, &torn_too));
	cr_expect_not(notice_is_like(&torn, &broken));
	cr_expect_not(notice_is_like(&lost, &torn));
}

Test(notice, what_is_said_of_several_processes_is_one_notice_with_their_number)
{
	const struct notice gaps = {.kind = NOTICE_SERIES_GAPS, .figures = {5}};
	const struct notice others = {.kind = NOTICE_SERIES_GAPS, .figures = {6}};
	struct notices list = {0};

	notices_join(&list, &gaps, "a (pid 1)");
	notices_join(&list, &others, "a (pid 2)");
	notices_join(&list, &gaps, "a (pid 3)");
	notices_join(&list, &gaps, "a (pid 4)");
	cr_assert_eq(list.count, 2);
	cr_expect_not(list.incomplete);
	reads(&list.items[0],
	      "3 processes, each: the series has gaps: 5 snapshots between its first and last seq "
	      "are missing; growth is judged per seq");
	reads(&list.items[1],
	      "a (pid 2): the series has gaps: 6 snapshots between its first and last seq are "
	      "missing; growth is judged per seq");
	notices_release(&list);
	cr_expect_eq(list.count, 0);
}
