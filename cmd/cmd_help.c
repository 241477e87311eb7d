/*
 * cmd_help.c - `snapdiff help`: print what the tables of commands and options contain.
 */
#include <string.h>

#include "cli/cli.h"
#include "cli/report_options.h"
#include "report/report.h"
#include "render/output.h"

static const char *const shells[] = {"bash", "zsh", "fish", NULL};

struct help_options {
	bool all;
	bool json;
	int completion; /* index into shells[], -1 none */
};

static const struct option help_table[] = {
	{"all", 'a', OPTION_FLAG, offsetof(struct help_options, all), NULL, "list all commands",
	 NULL},
	{"json", 0, OPTION_FLAG, offsetof(struct help_options, json), NULL,
	 "every command and option as one JSON object, for tools", NULL},
	{"completion", 0, OPTION_CHOICE, offsetof(struct help_options, completion), "SHELL",
	 "print a completion script for bash, zsh or fish", shells},
	{0},
};

static const struct help_options help_defaults = {.completion = -1};
static const struct option *const help_tables[] = {help_table, NULL};

/* ---- the tables as JSON ---- */

static const char *const type_names[] = {
	[OPTION_FLAG] = "flag",         [OPTION_TEXT] = "text",   [OPTION_LIST] = "list",
	[OPTION_COUNT] = "count",       [OPTION_SIZE] = "size",   [OPTION_DURATION] = "duration",
	[OPTION_CHOICE] = "choice",     [OPTION_REGEX] = "regex", [OPTION_OPTIONAL] = "optional",
	[OPTION_PATTERNS] = "patterns",
};

static struct value choices_value(struct report *report, const char *const *choices)
{
	struct value list;
	size_t count = 0;

	while (choices && choices[count])
		count++;
	list = value_list(report, count);
	for (size_t i = 0; i < count; i++)
		list.list.items[i] = value_text(report, choices[i]);
	return list;
}

static struct value option_value(struct report *report, const struct option *option)
{
	const char letter[2] = {option->letter, '\0'};
	char help[CLI_OPTION_HELP_SIZE];
	struct value object = value_object();

	value_field(report, &object, "name", value_text(report, option->name));
	value_field(report, &object, "letter", value_text(report, option->letter ? letter : NULL));
	value_field(report, &object, "type", value_text(report, type_names[option->type]));
	value_field(report, &object, "value", value_text(report, option->value_name));
	value_field(report, &object, "help", value_text(report, cli_option_help(option, help)));
	value_field(report, &object, "choices", choices_value(report, option->choices));
	return object;
}

static struct value options_value(struct report *report, const struct command *command)
{
	struct option_cursor cursor = {0}, again = {0};
	struct value list;
	size_t count = 0;

	while (cli_next_option(command, &cursor))
		count++;
	list = value_list(report, count);
	for (size_t i = 0; i < count; i++)
		list.list.items[i] = option_value(report, cli_next_option(command, &again));
	return list;
}

static enum snap_status print_tables(struct snap_error *err)
{
	static const struct column columns[] = {
		{"name", "command", COLUMN_TEXT, 0},
		{"alias", "alias", COLUMN_TEXT, 0},
		{"group", "group", COLUMN_TEXT, 0},
		{"summary", "summary", COLUMN_TEXT, 0},
		{"usage", "usage", COLUMN_TEXT, 0},
		{"operands_min", "least", COLUMN_COUNT, 0},
		{"operands_max", "most", COLUMN_COUNT, 0},
		{"options", "options", COLUMN_TREE, 0},
	};
	struct report *report =
		report_new("snapdiff.help/1", columns, sizeof(columns) / sizeof(*columns));
	struct report_options options = report_option_defaults;
	enum snap_status st;

	for (const struct command *const *command = cli_commands(); *command; command++) {
		struct value *row = report_row(report);

		row[0] = value_text(report, (*command)->name);
		row[1] = value_text(report, (*command)->alias);
		row[2] = value_text(report, (*command)->group);
		row[3] = value_text(report, (*command)->summary);
		row[4] = value_text(report, (*command)->usage);
		row[5] = value_int((*command)->operands_min);
		row[6] = value_int((*command)->operands_max);
		row[7] = options_value(report, *command);
	}
	while (strcmp(report_formats[options.format], "json") != 0)
		options.format++;
	st = output_report(report, &options, err);
	report_free(report);
	return st;
}

static enum snap_status help_on(const char *name, struct snap_error *err)
{
	const struct command *command = cli_find(name);
	char hint[CLI_HINT_SIZE];

	if (!command)
		return fail(err, SNAP_EUSAGE, "there is no command '%s'; %s", name,
			    cli_command_hint(hint, name));
	cli_help(command, true, stdout);
	return SNAP_OK;
}

static enum snap_status help_run(const struct invocation *call, int *exit_code,
				 struct snap_error *err)
{
	const struct help_options *options = call->options;

	(void)exit_code;
	if (options->json)
		return print_tables(err);
	if (options->completion >= 0) {
		cli_completion(shells[options->completion], stdout);
		return SNAP_OK;
	}
	if (call->argc)
		return help_on(call->argv[0], err);
	if (options->all)
		cli_list(stdout);
	else
		cli_overview(stdout);
	return SNAP_OK;
}

const struct command cmd_help = {
	.name = "help",
	.summary = "Explain a command",
	.usage = "[--all] [COMMAND]",
	.group = "help",
	.details = "Without a command, the three that most people want; with --all, the list of "
		   "them.\n"
		   "\n"
		   "To complete commands and options in a shell:\n"
		   "  eval \"$(snapdiff help --completion bash)\"",
	.options = help_tables,
	.options_size = sizeof(struct help_options),
	.defaults = &help_defaults,
	.operands_max = 1,
	.run = help_run,
};
