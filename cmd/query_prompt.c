/*
 * query_prompt.c - a plain prompt: statements until `;`, and a few commands that begin with a dot.
 */
#include "query_prompt.h"

#include <stdlib.h>
#include <string.h>

#include "store/store.h"

static const char help[] = "A statement ends with a semicolon and may take several lines.\n"
			   ".tables          the documented views\n"
			   ".schema [VIEW]   their columns\n"
			   ".help            this\n"
			   ".quit            leave (so does the end of input)\n"
			   "Functions: human(bytes), stack_text(site_id), theil_sen(x, y), "
			   "mann_kendall(y), x REGEXP pattern\n";

static void list_views(FILE *out)
{
	for (const struct store_view_doc *view = store_views(); view->name; view++)
		fprintf(out, "%-10s %s\n", view->name, view->description);
}

static void list_columns(FILE *out, const char *wanted)
{
	bool found = false;

	for (const struct store_view_doc *view = store_views(); view->name; view++) {
		if (*wanted && strcmp(view->name, wanted) != 0)
			continue;
		found = true;
		fprintf(out, "%s: %s\n", view->name, view->description);
		for (const struct store_column_doc *column = view->columns; column->name; column++)
			fprintf(out, "    %-18s %-8s %s\n", column->name, column->type,
				column->description);
	}
	if (!found)
		fprintf(out, "there is no view '%s'; .tables lists them\n", wanted);
}

/* False to leave. */
static bool run_dot_command(FILE *out, char *line)
{
	char *word = strtok(line, " \t\n");
	char *argument = strtok(NULL, " \t\n");

	if (strcmp(word, ".quit") == 0 || strcmp(word, ".exit") == 0)
		return false;
	if (strcmp(word, ".tables") == 0)
		list_views(out);
	else if (strcmp(word, ".schema") == 0)
		list_columns(out, argument ? argument : "");
	else if (strcmp(word, ".help") == 0)
		fputs(help, out);
	else
		fprintf(out, "there is no %s; .help lists what there is\n", word);
	return true;
}

/* What has been typed of the current statement. */
struct statement {
	char *text;
	size_t size, capacity;
};

static bool statement_add(struct statement *statement, const char *line)
{
	size_t size = strlen(line);

	if (!statement->text || statement->size + size + 1 > statement->capacity) {
		size_t capacity = (statement->size + size + 1) * 2;
		char *text = realloc(statement->text, capacity);

		if (!text)
			return false;
		statement->text = text;
		statement->capacity = capacity;
	}
	memcpy(statement->text + statement->size, line, size + 1);
	statement->size += size;
	return true;
}

/* One line; false to leave. */
static bool take_line(FILE *out, struct statement *statement, char *line, prompt_run_fn *run,
		      void *user)
{
	const char *start = line + strspn(line, " \t\n");

	if (statement->size == 0 && *start == '.')
		return run_dot_command(out, line);
	if (statement->size == 0 && !*start)
		return true;
	if (!statement_add(statement, line))
		return false;
	if (store_query_is_complete(statement->text)) {
		run(user, statement->text);
		statement->size = 0;
	}
	return true;
}

void query_prompt(FILE *in, FILE *out, prompt_run_fn *run, void *user)
{
	struct statement statement = {0};
	char *line = NULL;
	size_t capacity = 0;
	bool more = true;

	fputs("SQL on snapshots; .help for help, .tables for what there is\n", out);
	while (more) {
		fputs(statement.size ? "    ...> " : "snapdiff> ", out);
		fflush(out);
		more = getline(&line, &capacity, in) >= 0 &&
		       take_line(out, &statement, line, run, user);
	}
	if (feof(in))
		fputc('\n', out);
	free(line);
	free(statement.text);
}
