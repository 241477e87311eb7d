/*
 * completion.c - completion scripts for shells, from the tables.
 */
#include "cli/cli.h"

#include <string.h>

/* "--group --metric ..." */
static void print_option_words(FILE *out, const struct command *command)
{
	struct option_cursor cursor = {0};
	const struct option *option;

	while ((option = cli_next_option(command, &cursor)))
		fprintf(out, " --%s", option->name);
	fputs(" --help", out);
}

static void print_command_words(FILE *out)
{
	for (const struct command *const *command = cli_commands(); *command; command++)
		fprintf(out, " %s", (*command)->name);
}

static void print_patterns(FILE *out, const struct command *command)
{
	fputs(command->name, out);
	if (command->alias)
		fprintf(out, "|%s", command->alias);
}

/* `command/--option) words="..."` for options that are one of a few words. */
static void print_bash_choices(FILE *out, const struct command *command)
{
	struct option_cursor cursor = {0};
	const struct option *option;

	while ((option = cli_next_option(command, &cursor))) {
		if (!option->choices)
			continue;
		fprintf(out, "\t%s/--%s", command->name, option->name);
		if (option->letter)
			fprintf(out, "|%s/-%c", command->name, option->letter);
		fputs(") words=\"", out);
		for (size_t i = 0; option->choices[i]; i++)
			fprintf(out, "%s%s", i ? " " : "", option->choices[i]);
		fputs("\" ;;\n", out);
	}
}

static void print_bash(FILE *out)
{
	fputs("_snapdiff() {\n"
	      "\tlocal word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} words=\n"
	      "\tif [ \"$COMP_CWORD\" -eq 1 ]; then\n"
	      "\t\tCOMPREPLY=($(compgen -W '",
	      out);
	print_command_words(out);
	fputs("' -- \"$word\"))\n"
	      "\t\treturn\n"
	      "\tfi\n"
	      "\tcase ${COMP_WORDS[1]}/$before in\n",
	      out);
	for (const struct command *const *command = cli_commands(); *command; command++)
		print_bash_choices(out, *command);
	fputs("\tesac\n"
	      "\tif [ \"${COMP_WORDS[1]}\" = help ]; then\n"
	      "\t\twords='",
	      out);
	print_command_words(out);
	fputs("'\n"
	      "\telif [ -z \"$words\" ] && [[ $word == -* ]]; then\n"
	      "\t\tcase ${COMP_WORDS[1]} in\n",
	      out);
	for (const struct command *const *command = cli_commands(); *command; command++) {
		fputs("\t\t", out);
		print_patterns(out, *command);
		fputs(") words='", out);
		print_option_words(out, *command);
		fputs("' ;;\n", out);
	}
	fputs("\t\tesac\n"
	      "\tfi\n"
	      "\tif [ -n \"$words\" ]; then\n"
	      "\t\tCOMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
	      "\tfi\n"
	      "}\n"
	      "complete -o default -F _snapdiff snapdiff\n",
	      out);
}

void cli_completion(const char *shell, FILE *out)
{
	/* zsh runs bash's completion functions. */
	if (strcmp(shell, "zsh") == 0)
		fputs("autoload -U +X bashcompinit && bashcompinit\n", out);
	print_bash(out);
}
