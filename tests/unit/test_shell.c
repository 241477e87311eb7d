/*
 * test_shell.c - names in commands that people copy: a shell reads each quoted name as the name
 * itself.
 */
/* links: cmd_base */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/shell.h"

static void expect_word(const char *text, const char *expected)
{
	char *word = shell_word(text);

	cr_expect_str_eq(word, expected);
	free(word);
}

Test(shell, plain_names_stay_as_they_are)
{
	expect_word("snaps", "snaps");
	expect_word("./a/b-c_d.0001.snap", "./a/b-c_d.0001.snap");
}

Test(shell, other_names_are_quoted)
{
	expect_word("sn aps", "'sn aps'");
	expect_word("$HOME", "'$HOME'");
	expect_word("it's", "'it'\\''s'");
	expect_word("größer", "'größer'");
	expect_word("", "''");
	expect_word("a\tb'c\\", "$'a\\011b\\'c\\\\'");
	/* U+009B begins a terminal's sequences, U+202E turns the direction. */
	expect_word("a\xc2\x9b"
		    "31m",
		    "$'a\\302\\23331m'");
	expect_word("\xe2\x80\xaegnp", "$'\\342\\200\\256gnp'");
}

/* bash itself is the judge. */
Test(shell, a_shell_reads_the_name_back)
{
	static const char *const names[] = {
		"a b", "'",   "\"$(echo x)`",   "a\nb",      "\x01'\\", "*?[a]{1,2}",
		"~/x", "#no", "a;b&c|d<e>f(g)", "\xc2\x9bZ", "\x9b",    "\xe9t\xe9"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *word = shell_word(names[i]), command[256], got[64] = "";
		FILE *shell;

		snprintf(command, sizeof(command), "printf %%s. %s", word);
		setenv("WORDS", command, 1);
		shell = popen("exec bash -c \"$WORDS\"", "r");
		cr_assert(shell);
		got[fread(got, 1, sizeof(got) - 1, shell)] = '\0';
		cr_assert_eq(pclose(shell), 0, "%s", command);
		cr_assert(strlen(got) > 0 && got[strlen(got) - 1] == '.');
		got[strlen(got) - 1] = '\0';
		cr_expect_str_eq(got, names[i]);
		free(word);
	}
}
