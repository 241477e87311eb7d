/*
 * help.c - print the help of commands and options.
 */
#include "cli/cli.h"

#include <string.h>

enum { LINE_WIDTH = 80, OPTION_INDENT = 28 };

const struct command *cli_find(const char *name)
{
	for (const struct command *const *command = cli_commands(); *command; command++)
		if (strcmp((*command)->name, name) == 0 ||
		    ((*command)->alias && strcmp((*command)->alias, name) == 0))
			return *command;
	return NULL;
}

/* Print `text` from column `column` on, broken between words before LINE_WIDTH; lines begin at
 * `indent`. */
static void print_wrapped(FILE *out, const char *text, int column, int indent)
{
	while (*text) {
		int size = (int)strcspn(text, " ");

		if (column > indent && column + 1 + size > LINE_WIDTH) {
			fprintf(out, "\n%*s", indent, "");
			column = indent;
		} else if (column > indent) {
			fputc(' ', out);
			column++;
		}
		fprintf(out, "%.*s", size, text);
		column += size;
		text += size;
		text += strspn(text, " ");
	}
	fputc('\n', out);
}

/* The line at `text` stands alone: an empty one, or one that begins with a space and is printed as
 * it is. */
static bool is_verbatim(const char *text)
{
	return *text == ' ' || *text == '\n' || *text == '\0';
}

/* Lines are joined into paragraphs and wrapped anew; a verbatim line ends a paragraph. */
static void print_paragraphs(FILE *out, const char *text)
{
	char paragraph[4096];
	size_t size = 0;

	while (*text) {
		size_t line = strcspn(text, "\n");

		if (is_verbatim(text))
			fprintf(out, "%.*s\n", (int)line, text);
		else if (size + line + 2 < sizeof(paragraph))
			size += (size_t)snprintf(paragraph + size, sizeof(paragraph) - size,
						 "%.*s ", (int)line, text);
		text += line;
		text += *text == '\n';
		if (size && is_verbatim(text)) {
			print_wrapped(out, paragraph, 0, 0);
			size = 0;
		}
	}
}

/* "table (default), json, csv or folded" */
const char *cli_option_help(const struct option *option, char buffer[CLI_OPTION_HELP_SIZE])
{
	size_t size = 0;

	if (option->help)
		return option->help;
	for (size_t i = 0; option->choices[i] && size < CLI_OPTION_HELP_SIZE; i++)
		size += (size_t)snprintf(buffer + size, CLI_OPTION_HELP_SIZE - size, "%s%s%s",
					 i == 0                   ? ""
					 : option->choices[i + 1] ? ", "
								  : " or ",
					 option->choices[i], i ? "" : " (default)");
	return buffer;
}

static void print_option(FILE *out, const struct option *option)
{
	const char letter[] = {'-', option->letter, ',', '\0'};
	char left[96], help[CLI_OPTION_HELP_SIZE];
	int size = snprintf(left, sizeof(left), "  %3s --%s%s%s", option->letter ? letter : "",
			    option->name, option->value_name ? " " : "",
			    option->value_name ? option->value_name : "");

	if (size + 2 > OPTION_INDENT)
		fprintf(out, "%s\n%*s", left, OPTION_INDENT, "");
	else
		fprintf(out, "%-*s", OPTION_INDENT, left);
	print_wrapped(out, cli_option_help(option, help), OPTION_INDENT, OPTION_INDENT);
}

static void print_options(FILE *out, const struct command *command)
{
	struct option_cursor cursor = {0};
	const struct option *option;

	fprintf(out, "\nOptions:\n");
	while ((option = cli_next_option(command, &cursor)))
		print_option(out, option);
	fprintf(out, "  -h, --help                print this help\n");
}

void cli_help(const struct command *command, bool details, FILE *out)
{
	fprintf(out, "usage: snapdiff %s%s%s\n", command->name, *command->usage ? " " : "",
		command->usage);
	if (command->alias)
		fprintf(out, "   or: snapdiff %s %s\n", command->alias, command->usage);
	fprintf(out, "\n");
	print_wrapped(out, command->summary, 0, 0);
	if (details && command->details) {
		fprintf(out, "\n");
		print_paragraphs(out, command->details);
	}
	print_options(out, command);
}

void cli_overview(FILE *out)
{
	fputs("snapdiff tells what holds a program's memory, what changed, and what keeps "
	      "growing.\n"
	      "\n"
	      "The three commands that most people want:\n"
	      "  snapdiff run -- COMMAND        record COMMAND; snapshots go to the directory "
	      "snaps\n"
	      "  snapdiff growth snaps          what keeps growing (record with run --every 10s)\n"
	      "  snapdiff compare OLD NEW       what changed between two snapshots\n"
	      "\n"
	      "What holds the most memory now: snapdiff top snaps\n"
	      "To look at it: snapdiff browse snaps, or snapdiff report -o FILE.html snaps\n"
	      "\n"
	      "  snapdiff help --all            all commands\n"
	      "  snapdiff help COMMAND          one of them\n",
	      out);
}

void cli_list(FILE *out)
{
	const char *group = "";

	fputs("usage: snapdiff COMMAND [options] [operands]\n", out);
	for (const struct command *const *command = cli_commands(); *command; command++) {
		const char *own = (*command)->group ? (*command)->group : "";

		if (strcmp(own, group) != 0)
			fprintf(out, "\n%s\n", own);
		group = own;
		fprintf(out, "  %-10s", (*command)->name);
		print_wrapped(out, (*command)->summary, 12, 12);
	}
	fputs("\nsnapdiff help COMMAND tells more about one of them.\n", out);
}
