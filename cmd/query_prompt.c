/*
 * query_prompt.c - a plain prompt: statements until `;`, and a few commands that begin with a dot.
 */
#include "query_prompt.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "cli/report_options.h"
#include "cookbook.h"
#include "store/store.h"

static const char help[] =
	"A statement ends with a semicolon and may take several lines.  Ctrl-C stops it.\n"
	".views           the documented views (.tables is the same)\n"
	".schema [VIEW]   their columns\n"
	".examples [N]    questions with their SQL; N shows one\n"
	".mode FORMAT     how results are printed; without FORMAT, which formats there are\n"
	".output [FILE]   where results go; without FILE, here\n"
	".timer on|off    say how long each statement took\n"
	".read FILE       run the statements of a file\n"
	".help            this\n"
	".quit            leave (so does the end of input)\n"
	"Tab completes views, columns, functions and keywords.\n"
	"Functions: human(bytes), stack_text(site_id), own_frame(site_id), theil_sen(x, y),\n"
	"mann_kendall(y), x REGEXP pattern; 'snapdiff schema' says what they do\n";

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

static void show_examples(FILE *out, const char *number)
{
	unsigned long wanted = *number ? strtoul(number, NULL, 10) : 0;

	if ((*number && wanted == 0) || !cookbook_print(out, wanted))
		fprintf(out, "there is no example %s; .examples lists them\n", number);
}

static void set_mode(const struct prompt_host *host, FILE *out, const char *format)
{
	if (*format && host->set_mode(host->user, format))
		return;
	if (*format)
		fprintf(out, "there is no format '%s': ", format);
	else
		fputs(".mode wants a format: ", out);
	for (size_t i = 0; report_formats[i]; i++)
		fprintf(out, "%s%s", i ? ", " : "", report_formats[i]);
	fputc('\n', out);
}

static void read_file(const struct prompt_host *host, FILE *out, const char *path)
{
	if (*path)
		host->read_file(host->user, path);
	else
		fputs(".read wants a file\n", out);
}

static void switch_timer(const struct prompt_host *host, FILE *out, const char *word)
{
	bool on = strcmp(word, "on") == 0;

	if (on || strcmp(word, "off") == 0)
		host->set_timer(host->user, on);
	else
		fputs(".timer is on or off\n", out);
}

/* The next word of `*rest`, NULL: none.  Quotes hold blanks together: .read 'my file.sql' */
static char *next_word(char **rest)
{
	static const char blanks[] = " \t\n";
	char *word = *rest + strspn(*rest, blanks), *end;
	bool quoted = *word == '\'' || *word == '"';
	const char quote[] = {*word, '\0'};

	if (!*word)
		return NULL;
	word += quoted;
	end = word + strcspn(word, quoted ? quote : blanks);
	*rest = end + (*end != '\0');
	*end = '\0';
	return word;
}

/* False to leave. */
static bool run_dot_command(const struct prompt_host *host, FILE *out, char *line)
{
	char *rest = line;
	const char *word = next_word(&rest), *argument = next_word(&rest);

	if (strcmp(word, ".quit") == 0 || strcmp(word, ".exit") == 0)
		return false;
	if (strcmp(word, ".tables") == 0 || strcmp(word, ".views") == 0)
		list_views(out);
	else if (strcmp(word, ".schema") == 0)
		list_columns(out, argument ? argument : "");
	else if (strcmp(word, ".examples") == 0)
		show_examples(out, argument ? argument : "");
	else if (strcmp(word, ".mode") == 0)
		set_mode(host, out, argument ? argument : "");
	else if (strcmp(word, ".output") == 0)
		host->set_output(host->user, argument);
	else if (strcmp(word, ".timer") == 0)
		switch_timer(host, out, argument ? argument : "on");
	else if (strcmp(word, ".read") == 0)
		read_file(host, out, argument ? argument : "");
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

	if (!array_room(&statement->text, &statement->capacity, statement->size + size + 1, 1))
		return false;
	memcpy(statement->text + statement->size, line, size + 1);
	statement->size += size;
	return true;
}

/* One line; false to leave. */
static bool take_line(const struct prompt_host *host, FILE *out, struct statement *statement,
		      const char *line)
{
	const char *start = line + strspn(line, " \t\n");
	char *copy;
	bool more;

	if (statement->size == 0 && *start == '.') {
		copy = strdup(line);
		more = copy && run_dot_command(host, out, copy);
		free(copy);
		return more;
	}
	if (statement->size == 0 && !*start)
		return true;
	if (!statement_add(statement, line))
		return false;
	if (store_query_is_complete(statement->text)) {
		host->remember(host->user, statement->text);
		host->run(host->user, statement->text);
		statement->size = 0;
	}
	return true;
}

void query_prompt(const struct prompt_host *host, FILE *out)
{
	struct statement statement = {0};
	const char *line;
	bool more = true, interrupted;

	fputs("SQL on snapshots; .help for help, .views for what there is\n", out);
	while (more) {
		fflush(out);
		line = host->line(host->user, statement.size ? "    ...> " : "snapdiff> ",
				  &interrupted);
		if (interrupted)
			statement.size = 0;
		else
			more = line && take_line(host, out, &statement, line);
	}
	fputc('\n', out);
	free(statement.text);
}
