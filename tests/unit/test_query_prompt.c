/*
 * test_query_prompt.c - what is typed at the prompt of `snapdiff query`.
 */
/* links: cmd_store cmd_model cmd_cli PkgConfig::EDIT */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cookbook.c" /* parts of the program, not of a library */
#include "query_editor.c"
#include "query_prompt.c"

/* Statements in the order in which they ran, each in brackets; what else the host was told. */
struct ran {
	char text[512];
	FILE *in;
	char *line;
	size_t capacity;
};

static const char *next_line(void *user, const char *prompt, bool *interrupted)
{
	struct ran *ran = user;

	(void)prompt;
	*interrupted = false;
	if (getline(&ran->line, &ran->capacity, ran->in) < 0)
		return NULL;
	if (strcmp(ran->line, "^C\n") == 0)
		*interrupted = true;
	return ran->line;
}

static void add(struct ran *ran, const char *before, const char *text, const char *after)
{
	size_t size = strlen(ran->text);

	snprintf(ran->text + size, sizeof(ran->text) - size, "%s%s%s", before, text, after);
}

static void note(void *user, const char *sql)
{
	add(user, "[", sql, "]");
}

static void remember(void *user, const char *sql)
{
	(void)user;
	(void)sql;
}

static bool host_mode(void *user, const char *format)
{
	add(user, "mode(", format, ")");
	return strcmp(format, "csv") == 0;
}

static void set_output(void *user, const char *path)
{
	add(user, "output(", path ? path : "", ")");
}

static void set_timer(void *user, bool on)
{
	add(user, "timer(", on ? "on" : "off", ")");
}

static void host_read(void *user, const char *path)
{
	add(user, "read(", path, ")");
}

/* Type `input`; what the prompt printed is the caller's. */
static char *type(const char *input, struct ran *ran)
{
	const struct prompt_host host = {ran,       next_line,  note,      remember,
					 host_mode, set_output, set_timer, host_read};
	char *copy = strdup(input), *printed = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&printed, &size);

	ran->in = fmemopen(copy, strlen(copy), "r");
	cr_assert(ran->in && out);
	query_prompt(&host, out);
	fclose(ran->in);
	fclose(out);
	free(ran->line);
	free(copy);
	return printed;
}

static void runs(const char *input, const char *expected)
{
	struct ran ran = {.text = ""};

	free(type(input, &ran));
	cr_assert_str_eq(ran.text, expected, "%s runs %s", input, ran.text);
}

static void prints(const char *input, const char *expected)
{
	struct ran ran = {.text = ""};
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

Test(prompt, dot_commands_reach_the_host)
{
	runs(".mode csv\n.output a.csv\n.output\n.timer on\n.timer off\n.read b.sql\n",
	     "mode(csv)output(a.csv)output()timer(on)timer(off)read(b.sql)");
}

Test(prompt, examples_are_listed_and_shown)
{
	prints(".examples\n", "1. Which modules hold the most memory now?");
	prints(".examples 25\n", "LIKE '%libstdc++%'");
	prints(".examples 99\n", "there is no example 99");
	prints(".examples x\n", "there is no example x");
}

Test(prompt, ctrl_c_forgets_what_was_typed_of_a_statement)
{
	runs("SELECT 1\n^C\nSELECT 2;\n", "[SELECT 2;\n]");
}

Test(editor, tab_completes_what_all_candidates_share)
{
	static const char *const words[] = {"live_blocks", "live_bytes", "SELECT", "snapshots",
					    NULL};
	char common[64];

	cr_assert_eq(query_editor_complete(words, "sel", common, sizeof(common)), 1);
	cr_assert_str_eq(common, "ECT");
	cr_assert_eq(query_editor_complete(words, "SELECT li", common, sizeof(common)), 2);
	cr_assert_str_eq(common, "ve_b");
	cr_assert_eq(query_editor_complete(words, "SELECT live_b", common, sizeof(common)), 2);
	cr_assert_str_eq(common, "");
	cr_assert_eq(query_editor_complete(words, "SELECT ", common, sizeof(common)), 0);
	cr_assert_eq(query_editor_complete(words, "nothing", common, sizeof(common)), 0);
}
