/*
 * test_query_prompt.c - what is typed at the prompt of `snapdiff query`.
 */
/* links: cmd_store cmd_model */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "query_prompt.c" /* part of the program, not of a library */

/* Statements in the order in which they ran, each in brackets. */
struct ran {
	char text[512];
};

static void note(void *user, const char *sql)
{
	struct ran *ran = user;

	snprintf(ran->text + strlen(ran->text), sizeof(ran->text) - strlen(ran->text), "[%s]", sql);
}

/* Type `input`; what the prompt printed is the caller's. */
static char *type(const char *input, struct ran *ran)
{
	char *copy = strdup(input), *printed = NULL;
	size_t size = 0;
	FILE *in = fmemopen(copy, strlen(copy), "r");
	FILE *out = open_memstream(&printed, &size);

	cr_assert(in && out);
	query_prompt(in, out, note, ran);
	fclose(in);
	fclose(out);
	free(copy);
	return printed;
}

static void runs(const char *input, const char *expected)
{
	struct ran ran = {""};

	free(type(input, &ran));
	cr_assert_str_eq(ran.text, expected, "%s runs %s", input, ran.text);
}

static void prints(const char *input, const char *expected)
{
	struct ran ran = {""};
	char *printed = type(input, &ran);

	cr_assert(strstr(printed, expected), "%s prints %s", input, printed);
	cr_assert_str_eq(ran.text, "");
	free(printed);
}

Test(prompt, a_statement_runs_at_its_semicolon)
{
	runs("SELECT 1;\n", "[SELECT 1;\n]");
	runs("SELECT\n 1\n;\nSELECT 2;\n", "[SELECT\n 1\n;\n][SELECT 2;\n]");
	runs("SELECT ';\n';\n", "[SELECT ';\n';\n]");
}

Test(prompt, what_is_not_finished_does_not_run)
{
	runs("SELECT 1", "");
	runs("\n  \n", "");
}

Test(prompt, dot_commands_are_not_sql)
{
	prints(".help\n", ".schema [VIEW]");
	prints(".tables\n", "history    what each site held");
	prints(".schema losses\n", "kind ");
	prints(".schema nothing\n", "there is no view 'nothing'");
	prints(".foo\n", "there is no .foo");
	prints("   .help\n", ".quit");
}

Test(prompt, quit_leaves_the_rest_alone)
{
	runs("SELECT 1;\n.quit\nSELECT 2;\n", "[SELECT 1;\n]");
}

Test(prompt, a_line_that_begins_with_a_dot_inside_a_statement_belongs_to_it)
{
	runs("SELECT 1\n.5;\n", "[SELECT 1\n.5;\n]");
}
