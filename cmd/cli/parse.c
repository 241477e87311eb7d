/*
 * parse.c - parse a command line by a command's option tables.
 */
#include "cli/cli.h"

#include <stdlib.h>
#include <string.h>

#include "base/pattern.h"
#include "base/settings.h"

/* The command line while it is read. */
struct parse {
	const struct command *command;
	int argc, next; /* argv[next] is read next */
	char **argv;
	char *options; /* the struct being filled */
	struct snap_error *err;
};

const struct option cli_memory_table[] = {
	{.name = "max-memory",
	 .type = OPTION_SIZE,
	 .offset = offsetof(struct settings, max_memory),
	 .value_name = "SIZE",
	 .help = "take at most SIZE of memory (default half of the machine's)"},
	{.name = NULL},
};

const struct option cli_symbols_table[] = {
	{.name = "debuginfod",
	 .type = OPTION_FLAG,
	 .offset = offsetof(struct settings, debuginfod),
	 .help = "ask DEBUGINFOD_URLS about snapshots of other machines, too"},
	{.name = NULL},
};

static bool is_of_program(const struct option *option)
{
	return option == cli_memory_table || option == cli_symbols_table;
}

bool cli_is_reading(const struct command *command)
{
	for (size_t i = 0; command->options && command->options[i]; i++)
		if (command->options[i] == cli_memory_table ||
		    command->options[i] == cli_symbols_table)
			return true;
	return false;
}

/* ---- finding an option ----------------------------------------------------------------------- */

const struct option *cli_next_option(const struct command *command, struct option_cursor *cursor)
{
	while (command->options && command->options[cursor->table]) {
		const struct option *option = &command->options[cursor->table][cursor->row];

		if (option->name) {
			cursor->row++;
			return option;
		}
		cursor->table++;
		cursor->row = 0;
	}
	return NULL;
}

static const struct option *find_letter(const struct command *command, char letter)
{
	struct option_cursor cursor = {0};
	const struct option *option;

	while ((option = cli_next_option(command, &cursor)))
		if (option->letter == letter)
			return option;
	return NULL;
}

/* The option of this name, or the only one whose name begins with it; *rivals counts those that
 * do. */
static const struct option *find_long(const struct command *command, const char *name, size_t size,
				      size_t *rivals)
{
	struct option_cursor cursor = {0};
	const struct option *option, *found = NULL;

	*rivals = 0;
	while ((option = cli_next_option(command, &cursor))) {
		if (strncmp(option->name, name, size) != 0)
			continue;
		if (option->name[size] == '\0') {
			*rivals = 1;
			return option;
		}
		found = option;
		++*rivals;
	}
	return *rivals == 1 ? found : NULL;
}

/* ---- when there is none ---------------------------------------------------------------------- */

/* "compare and growth": the other commands that have an option of this name; false if none has. */
static bool owners_of(const char *name, char *text, size_t size)
{
	size_t used = 0, rivals;

	for (const struct command *const *command = cli_commands(); *command; command++) {
		const struct option *option = find_long(*command, name, strlen(name), &rivals);

		if (!option || strcmp(option->name, name) != 0 || used >= size)
			continue;
		used += (size_t)snprintf(text + used, size - used, "%s%s", used ? ", " : "",
					 (*command)->name);
	}
	return used > 0;
}

/* Whether a word is what -f takes in this command: --json is meant as -f json. */
static bool is_format(const struct command *command, const char *word)
{
	size_t rivals;
	const struct option *option = find_long(command, "format", strlen("format"), &rivals);

	if (!option || option->letter != 'f' || option->type != OPTION_CHOICE)
		return false;
	for (size_t i = 0; option->choices[i]; i++)
		if (strcmp(option->choices[i], word) == 0)
			return true;
	return false;
}

static enum snap_status unknown_long(const struct parse *parse, const char *name, size_t size)
{
	const char *candidates[128] = {NULL};
	struct option_cursor cursor = {0};
	const struct option *option;
	char word[64], owners[128];
	char hint[CLI_HINT_SIZE];
	size_t count = 0;

	snprintf(word, sizeof(word), "%.*s", (int)(size < sizeof(word) ? size : sizeof(word) - 1),
		 name);
	if (is_format(parse->command, word))
		return fail(parse->err, SNAP_EUSAGE, "there is no option --%s; write -f %s", word,
			    word);
	if (owners_of(word, owners, sizeof(owners)))
		return fail(parse->err, SNAP_EUSAGE,
			    "this command has no option --%s; it belongs to: %s", word, owners);
	while (count < 127 && (option = cli_next_option(parse->command, &cursor)))
		candidates[count++] = option->name;
	if (*cli_hint(hint, word, candidates, "--"))
		return fail(parse->err, SNAP_EUSAGE, "unknown option --%s; %s", word, hint);
	return fail(parse->err, SNAP_EUSAGE, "unknown option --%s; see snapdiff %s --help", word,
		    parse->command->name);
}

static enum snap_status ambiguous_long(const struct parse *parse, const char *name, size_t size)
{
	struct option_cursor cursor = {0};
	const struct option *option;
	char list[256] = "";
	size_t used = 0;

	while ((option = cli_next_option(parse->command, &cursor)) && used < sizeof(list))
		if (strncmp(option->name, name, size) == 0)
			used += (size_t)snprintf(list + used, sizeof(list) - used, "%s--%s",
						 used ? ", " : "", option->name);
	return fail(parse->err, SNAP_EUSAGE, "--%.*s is short for several options: %s", (int)size,
		    name, list);
}

/* ---- values ---------------------------------------------------------------------------------- */

static enum snap_status bad_value(const struct parse *parse, const struct option *option,
				  const char *text, const char *wanted)
{
	return fail(parse->err, SNAP_EUSAGE, "--%s wants %s, not '%s'", option->name, wanted, text);
}

static enum snap_status set_choice(const struct parse *parse, const struct option *option,
				   const char *text, int *value)
{
	char list[256] = "";
	char hint[CLI_HINT_SIZE];
	size_t used = 0;

	for (int i = 0; option->choices[i]; i++) {
		if (strcmp(option->choices[i], text) == 0) {
			*value = i;
			return SNAP_OK;
		}
		if (used < sizeof(list))
			used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s",
						 used ? ", " : "", option->choices[i]);
	}
	if (*cli_hint(hint, text, option->choices, ""))
		return fail(parse->err, SNAP_EUSAGE, "--%s has no '%s'; %s  It is one of %s",
			    option->name, text, hint, list);
	return fail(parse->err, SNAP_EUSAGE, "--%s has no '%s'; it is one of %s", option->name,
		    text, list);
}

static enum snap_status set_optional(const struct parse *parse, const struct option *option,
				     const char *text, int *value)
{
	int index = 0;
	enum snap_status st = text ? set_choice(parse, option, text, &index) : SNAP_OK;

	*value = index + 1;
	return st;
}

static enum snap_status add_to_list(const struct parse *parse, const char *text,
				    struct text_list *list)
{
	const char **items = realloc(list->items, (list->count + 1) * sizeof(*items));

	if (!items)
		return fail_memory(parse->err, "reading the command line");
	list->items = items;
	list->items[list->count++] = text;
	return SNAP_OK;
}

static enum snap_status set_regex(const struct parse *parse, const struct option *option,
				  const char *text, const char **value)
{
	regex_t compiled;
	char why[PATTERN_WHY];
	enum snap_status st = pattern_compile(&compiled, text, why);

	if (st != SNAP_OK)
		return fail(parse->err, st, "--%s: '%s' is not a regular expression: %s",
			    option->name, text, why);
	regfree(&compiled);
	*value = text;
	return SNAP_OK;
}

static bool is_number(const char *text)
{
	return *text && text[strspn(text, "0123456789")] == '\0';
}

/* Store `text` (NULL for a flag) where `option` says. */
static enum snap_status set_value(const struct parse *parse, const struct option *option,
				  const char *text)
{
	char *base = is_of_program(option) ? (char *)settings() : parse->options;
	void *at = base + option->offset;

	switch (option->type) {
	case OPTION_FLAG:
		*(bool *)at = true;
		return SNAP_OK;
	case OPTION_TEXT:
		*(const char **)at = text;
		return SNAP_OK;
	case OPTION_LIST:
	case OPTION_PATTERNS:
		return add_to_list(parse, text, at);
	case OPTION_COUNT:
		return count_parse(text, at) ? SNAP_OK
					     : bad_value(parse, option, text,
							 is_number(text) ? "a number below 2^64"
									 : "a whole number");
	case OPTION_SIZE:
		return size_parse(text, at) ? SNAP_OK
					    : bad_value(parse, option, text,
							"a size like 4096, 64KiB or 1.5MiB");
	case OPTION_DURATION:
		return duration_parse(text, at)
			       ? SNAP_OK
			       : bad_value(parse, option, text,
					   is_number(text) ? "a unit, as in 500ms, 10s or 5m"
							   : "a duration like 500ms, 10s or 5m");
	case OPTION_CHOICE:
		return set_choice(parse, option, text, at);
	case OPTION_REGEX:
		return set_regex(parse, option, text, at);
	case OPTION_OPTIONAL:
		return set_optional(parse, option, text, at);
	}
	return fail(parse->err, SNAP_EUSAGE, "--%s is of no known type", option->name);
}

/* "--name PATTERN -- COMMAND": a pattern is not attached to its option only where it cannot be the
   command. */
static const char *pattern_ahead(struct parse *parse)
{
	const char *const *ahead = (const char *const *)parse->argv + parse->next;

	if (parse->argc - parse->next < 2 || ahead[0][0] == '-' || strcmp(ahead[1], "--") != 0)
		return "*";
	parse->next++;
	return ahead[0];
}

/* The value of `option`: `attached`, or the next argument. */
static enum snap_status take_value(struct parse *parse, const struct option *option,
				   const char *attached)
{
	if (option->type == OPTION_FLAG || (option->type == OPTION_OPTIONAL && !attached))
		return set_value(parse, option, NULL);
	if (!attached && option->type == OPTION_PATTERNS)
		attached = pattern_ahead(parse);
	if (!attached) {
		if (parse->next >= parse->argc)
			return fail(parse->err, SNAP_EUSAGE, "--%s needs a value: %s", option->name,
				    option->value_name ? option->value_name : "VALUE");
		attached = parse->argv[parse->next++];
	}
	return set_value(parse, option, attached);
}

/* `--name`, `--name=value`; `argument` is past the dashes. */
static enum snap_status parse_long(struct parse *parse, const char *argument)
{
	const char *equals = strchr(argument, '=');
	size_t size = equals ? (size_t)(equals - argument) : strlen(argument), rivals = 0;
	const struct option *option =
		size ? find_long(parse->command, argument, size, &rivals) : NULL;

	if (!option && rivals > 1)
		return ambiguous_long(parse, argument, size);
	if (!option)
		return unknown_long(parse, argument, size);
	if (equals && option->type == OPTION_FLAG)
		return fail(parse->err, SNAP_EUSAGE, "--%s takes no value", option->name);
	return take_value(parse, option, equals ? equals + 1 : NULL);
}

/* `-n 5`, `-n5`, `-qv`; `letters` is past the dash. */
static enum snap_status parse_letters(struct parse *parse, const char *letters)
{
	for (; *letters; letters++) {
		const struct option *option = find_letter(parse->command, *letters);
		enum snap_status st;

		if (!option)
			return fail(parse->err, SNAP_EUSAGE,
				    "unknown option -%c; see snapdiff %s --help", *letters,
				    parse->command->name);
		if (option->type != OPTION_FLAG)
			return take_value(parse, option, letters[1] ? letters + 1 : NULL);
		st = set_value(parse, option, NULL);
		if (st != SNAP_OK)
			return st;
	}
	return SNAP_OK;
}

/* ---- the whole line -------------------------------------------------------------------------- */

static enum snap_status check_operands(const struct parse *parse, int count, char **operands)
{
	const struct command *command = parse->command;

	if (count < command->operands_min)
		return fail(parse->err, SNAP_EUSAGE, "too few operands; usage: snapdiff %s %s%s%s",
			    command->name, command->usage, command->if_too_few ? "; " : "",
			    command->if_too_few ? command->if_too_few : "");
	if (command->operands_max >= 0 && count > command->operands_max)
		return fail(parse->err, SNAP_EUSAGE,
			    "too many operands, from '%s' on; usage: snapdiff %s %s",
			    operands[command->operands_max], command->name, command->usage);
	return SNAP_OK;
}

static bool is_help(const char *argument, int *help)
{
	if (strcmp(argument, "-h") == 0)
		*help = 'h';
	else if (strcmp(argument, "--help") == 0)
		*help = 'H';
	return *help != 0;
}

/* "-" is standard input, and "-- text" a comment of SQL. */
static bool is_operand(const char *argument)
{
	return argument[0] != '-' || argument[1] == '\0' || strncmp(argument, "-- ", 3) == 0;
}

enum snap_status cli_parse(const struct command *command, int argc, char **argv, void *options,
			   int *operand_count, char **operands, int *help, struct snap_error *err)
{
	struct parse parse = {command, argc, 1, argv, options, err};
	bool only_operands = false;
	int count = 0;
	enum snap_status st = SNAP_OK;

	*help = 0;
	if (command->defaults)
		memcpy(options, command->defaults, command->options_size);
	else
		memset(options, 0, command->options_size);
	while (st == SNAP_OK && parse.next < argc) {
		char *argument = argv[parse.next++];

		if (only_operands || is_operand(argument)) {
			operands[count++] = argument;
			only_operands = only_operands || command->operands_end_options;
		} else if (strcmp(argument, "--") == 0) {
			only_operands = true;
			if (command->keeps_separator)
				operands[count++] = argument;
		} else if (is_help(argument, help)) {
			return SNAP_OK;
		} else if (argument[1] == '-') {
			st = parse_long(&parse, argument + 2);
		} else {
			st = parse_letters(&parse, argument + 1);
		}
	}
	operands[count] = NULL;
	*operand_count = count;
	return st == SNAP_OK ? check_operands(&parse, count, operands) : st;
}

void cli_release(const struct command *command, void *options)
{
	struct option_cursor cursor = {0};
	const struct option *option;

	while ((option = cli_next_option(command, &cursor))) {
		struct text_list *list = (void *)((char *)options + option->offset);

		if (option->type == OPTION_LIST)
			free(list->items);
	}
}
