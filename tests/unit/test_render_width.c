/*
 * test_render_width.c - text that fits its column: widths of characters, the cut in the middle,
 * and no control characters.
 */
/* links: cmd_render */
#include <criterion/criterion.h>
#include <string.h>

#include "render/formats.h"
#include "base/utf8.h"

static void shortens(const char *text, unsigned width, bool unicode, const char *expected)
{
	struct text_buffer buffer = {0};

	text_add(&buffer, text, strlen(text));
	text_shorten(&buffer, width, unicode);
	cr_expect_str_eq(buffer.data, expected);
	cr_expect_eq(buffer.size, strlen(expected));
	text_free(&buffer);
}

Test(width, the_middle_gives_way)
{
	shortens("abcdefghij", 10, false, "abcdefghij");
	shortens("abcdefghij", 9, false, "abc..ghij");
	shortens("abcdefghij", 9, true, "abcd\xe2\x80\xa6ghij");
	shortens("abcdefghij", 3, false, "..j");
	shortens("abcdefghij", 2, false, "ab");
	shortens("abcdefghij", 1, true, "a");
	shortens("abcdefghij", 0, true, "");
	shortens("", 5, true, "");
}

Test(width, characters_take_one_column_or_two_or_none)
{
	cr_expect_eq(text_width("abc"), 3);
	cr_expect_eq(text_width("caf\xc3\xa9"), 4);
	cr_expect_eq(text_width("\xe6\x97\xa5\xe6\x9c\xac"), 4, "two wide characters");
	cr_expect_eq(text_width("e\xcc\x81"), 1, "a combining accent");
}

Test(width, a_wide_character_across_the_cut_is_left_out)
{
	shortens("\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", 4, true, "\xe2\x80\xa6\xe8\xaa\x9e");
	shortens("ab\xe6\x9c\xac\xe8\xaa\x9e", 4, true, "a\xe2\x80\xa6\xe8\xaa\x9e");
}

Test(width, whatever_is_cut_fits_and_stays_utf8)
{
	static const char text[] =
		"x\xe6\x97\xa5y\xcc\x81\xf0\x9f\x98\x80z\xc3\xa9\xe6\x9c\xac_\xe8\xaa\x9e"
		"ab";

	for (unsigned width = 0; width < 20; width++) {
		for (int unicode = 0; unicode < 2; unicode++) {
			struct text_buffer buffer = {0};
			size_t at = 0, length;

			text_add(&buffer, text, strlen(text));
			text_shorten(&buffer, width, unicode);
			cr_expect(text_width(buffer.data) <= width, "%u: %s", width, buffer.data);
			while (at < buffer.size &&
			       (length = utf8_length(buffer.data + at, buffer.size - at)))
				at += length;
			cr_expect_eq(at, buffer.size, "%u: %s", width, buffer.data);
			text_free(&buffer);
		}
	}
}

Test(width, what_could_harm_a_terminal_is_a_question_mark)
{
	static const char text[] = "a\033[2J\x7f\xc2\x9b\xe2\x80\xae\xff\xc0\xaf\xed\xa0\x80z";
	struct text_buffer buffer = {0};

	text_add_safe(&buffer, text, strlen(text));
	cr_expect_str_eq(buffer.data, "a?[2J?????????"
				      "z");
	text_free(&buffer);
}

static void expect_printable(const char *text, const char *kept, const char *expected)
{
	char buffer[64];

	strcpy(buffer, text);
	utf8_make_printable(buffer, kept);
	cr_expect_str_eq(buffer, expected);
}

Test(utf8, what_a_terminal_obeys_becomes_a_question_mark)
{
	expect_printable("", "\n", "");
	expect_printable("plain gr\xc3\xb6\xc3\x9f"
			 "er \xf0\x9f\x98\x80",
			 "",
			 "plain gr\xc3\xb6\xc3\x9f"
			 "er \xf0\x9f\x98\x80");
	expect_printable("a\x1b[2J\n\tb\x7f", "\n", "a?[2J\n?b?");
	expect_printable("\xc2\x9b"
			 "2J\xc2\x85",
			 "", "?2J?"); /* C1, as UTF-8 has it */
	expect_printable("\x9b"
			 "2J\xe9",
			 "", "?2J\xe9");                         /* and as Latin-1 has it */
	expect_printable("\xe2\x80\xaegnp.exe", "", "?gnp.exe"); /* right to left from here */
	expect_printable("cut \xe2\x80", "", "cut \xe2?");
}

Test(utf8, only_well_formed_sequences_are_characters)
{
	static const char *const bad[] = {"\x80",
					  "\xc0\x80",
					  "\xc1\xbf",
					  "\xe0\x9f\xbf",
					  "\xed\xa0\x80",
					  "\xf0\x8f\xbf\xbf",
					  "\xf4\x90\x80\x80",
					  "\xf5\x80\x80\x80",
					  "\xc3",
					  "\xe2\x82",
					  "\xf0\x9f\x98",
					  "\xc3(",
					  NULL};

	for (size_t i = 0; bad[i]; i++)
		cr_expect_eq(utf8_length(bad[i], strlen(bad[i])), 0, "case %zu", i);
	cr_expect_eq(utf8_length("\xf4\x8f\xbf\xbf", 4), 4);
	cr_expect_eq(utf8_decode("\xf4\x8f\xbf\xbf", 4), 0x10ffff);
	cr_expect_eq(utf8_decode("\xc3\xa9", 2), 0xe9);
	cr_expect_eq(utf8_length("", 0), 0);
}
