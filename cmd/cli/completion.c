/*
 * completion.c - completion scripts for shells, from the tables.
 *
 * The command's usage says what an operand is: PID is a process that is being recorded (it has
 * libsnap mapped), VIEW is a view of a database, other operands are files.
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

/* "table json", and "table= json=" of an option whose value is WORD=TEXT. */
static void print_choices(FILE *out, const struct option *option)
{
	for (size_t i = 0; option->choices[i]; i++)
		fprintf(out, "%s%s%s", i ? " " : "", option->choices[i],
			option->type == OPTION_LIST ? "=" : "");
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
		print_choices(out, option);
		fputs(option->type == OPTION_LIST ? "\" named=1 ;;\n" : "\" ;;\n", out);
	}
}

/* The shell command that prints what an operand may be; NULL: the operand is a file. */
static const char *operand_words(const struct command *command)
{
	if (strstr(command->usage, "PID"))
		return "grep -ls libsnap.so /proc/[0-9]*/maps 2>/dev/null | cut -d/ -f3";
	if (strstr(command->usage, "VIEW"))
		return "snapdiff schema -f tsv 2>/dev/null | cut -f1 | sort -u | grep -v -x view";
	return NULL;
}

static void print_bash_operands(FILE *out)
{
	fputs("\telif [ -z \"$words\" ] && [[ $before != -* ]]; then\n"
	      "\t\tcase ${COMP_WORDS[1]} in\n",
	      out);
	for (const struct command *const *command = cli_commands(); *command; command++) {
		if (!operand_words(*command))
			continue;
		fputs("\t\t", out);
		print_patterns(out, *command);
		fprintf(out, ") words=$(%s) ;;\n", operand_words(*command));
	}
	fputs("\t\tesac\n", out);
}

/* The words before the one that is completed.  Bash makes three words of --format=json, zsh one. */
static void print_bash_words(FILE *out)
{
	fputs("\tlocal word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} words=\n"
	      "\tlocal equals= named=\n"
	      "\tif [ \"$before\" = -- ]; then\n"
	      "\t\tCOMPREPLY=($(compgen -c -- \"$word\"))\n"
	      "\t\treturn\n"
	      "\tfi\n"
	      "\tcase \" ${COMP_WORDS[*]:1:$((COMP_CWORD-1))} \" in *' -- '*) return ;; esac\n"
	      "\tif [ \"$before\" = = ]; then\n"
	      "\t\tbefore=${COMP_WORDS[COMP_CWORD-2]}\n"
	      "\telif [ \"$word\" = = ]; then\n"
	      "\t\tword=\n"
	      "\telif [[ $word == --*=* ]]; then\n"
	      "\t\tbefore=${word%%=*} equals=${word%%=*}= word=${word#*=}\n"
	      "\tfi\n",
	      out);
}

static void print_bash(FILE *out)
{
	fputs("_snapdiff() {\n", out);
	print_bash_words(out);
	fputs("\tif [ \"$COMP_CWORD\" -eq 1 ]; then\n"
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
	fputs("\t\tesac\n", out);
	print_bash_operands(out);
	/* WORD=FILE: Bash makes three words of it and never comes here with the file; zsh does. */
	fputs("\tfi\n"
	      "\tif [ -n \"$named\" ] && [[ $word == *=* ]]; then\n"
	      "\t\tCOMPREPLY=($(compgen -P \"$equals${word%%=*}=\" -f -- \"${word#*=}\"))\n"
	      "\telif [ -n \"$words\" ]; then\n"
	      "\t\t[ -z \"$named\" ] || compopt -o nospace 2>/dev/null\n"
	      "\t\tCOMPREPLY=($(compgen -P \"$equals\" -W \"$words\" -- \"$word\"))\n"
	      "\tfi\n"
	      "}\n"
	      "complete -o default -F _snapdiff snapdiff\n",
	      out);
}

/* ---- fish ---- */

static void print_fish_quoted(FILE *out, const char *text)
{
	fputc('\'', out);
	for (; *text; text++) {
		if (*text == '\'' || *text == '\\')
			fputc('\\', out);
		fputc(*text, out);
	}
	fputc('\'', out);
}

static void print_fish_begin(FILE *out, const struct command *command)
{
	fprintf(out, "complete -c snapdiff -n '__fish_seen_subcommand_from %s%s%s'", command->name,
		command->alias ? " " : "", command->alias ? command->alias : "");
}

static void print_fish_option(FILE *out, const struct command *command, const struct option *option)
{
	char help[CLI_OPTION_HELP_SIZE];

	print_fish_begin(out, command);
	fprintf(out, " -l %s", option->name);
	if (option->letter)
		fprintf(out, " -s %c", option->letter);
	if (option->choices) {
		fputs(option->type == OPTION_LIST ? " -r -a '" : " -x -a '", out);
		print_choices(out, option);
		fputc('\'', out);
	} else if (option->value_name && option->type != OPTION_OPTIONAL) {
		fputs(" -r", out);
	}
	fputs(" -d ", out);
	print_fish_quoted(out, cli_option_help(option, help));
	fputc('\n', out);
}

static void print_fish_command(FILE *out, const struct command *command)
{
	struct option_cursor cursor = {0};
	const struct option *option;

	fprintf(out, "complete -c snapdiff -n __fish_use_subcommand -f -a %s -d ", command->name);
	print_fish_quoted(out, command->summary);
	fputc('\n', out);
	while ((option = cli_next_option(command, &cursor)))
		print_fish_option(out, command, option);
	if (operand_words(command)) {
		print_fish_begin(out, command);
		fprintf(out, " -a \"(sh -c '%s')\"\n", operand_words(command));
	}
}

static void print_fish(FILE *out)
{
	for (const struct command *const *command = cli_commands(); *command; command++)
		print_fish_command(out, *command);
	fputs("complete -c snapdiff -n '__fish_seen_subcommand_from help' -f -a '", out);
	print_command_words(out);
	fputs("'\n", out);
}

/* ---- zsh ---- */

/* zsh runs bash's completion functions, but cannot omit the blank after WORD=. */
static void print_zsh(FILE *out)
{
	struct option_cursor cursor;
	const struct option *option;

	fputs("autoload -U +X bashcompinit && bashcompinit\n", out);
	print_bash(out);
	fputs("_snapdiff_zsh() {\n"
	      "\tlocal before=${words[CURRENT-1]} word=${words[CURRENT]}\n"
	      "\t[[ $word != --*=* ]] || before=${word%%=*}\n"
	      "\tcase ${words[2]}/$before in\n",
	      out);
	for (const struct command *const *command = cli_commands(); *command; command++) {
		cursor = (struct option_cursor){0};
		while ((option = cli_next_option(*command, &cursor))) {
			if (option->type != OPTION_LIST || !option->choices)
				continue;
			fprintf(out, "\t%s/--%s)\n\t\tcompset -P '--%s='\n", (*command)->name,
				option->name, option->name);
			fputs("\t\tif compset -P '*='; then _files; else compadd -S '' -- ", out);
			print_choices(out, option);
			fputs("; fi ;;\n", out);
		}
	}
	fputs("\t*) _bash_complete -o default -F _snapdiff ;;\n"
	      "\tesac\n"
	      "}\n"
	      "compdef _snapdiff_zsh snapdiff\n",
	      out);
}

void cli_completion(const char *shell, FILE *out)
{
	if (strcmp(shell, "fish") == 0)
		print_fish(out);
	else if (strcmp(shell, "zsh") == 0)
		print_zsh(out);
	else
		print_bash(out);
}
