/*
 * fuzz_options.c - hostile command lines for the option tables of every command.
 *
 * The input is words, one a line; the first picks the command.  What is refused is refused with a
 * message; operands are words of the line, in their order; and an accepted line means the same when
 * it is read again.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/settings.h"
#include "cli/cli.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { WORDS_MAX = 64, OPTIONS_MAX = 4096 };

struct line {
	int argc;
	char *argv[WORDS_MAX + 1];
};

struct parsed {
	enum snap_status status;
	struct snap_error err;
	_Alignas(max_align_t) char options[OPTIONS_MAX];
	int count, help;
	char *operands[WORDS_MAX + 1];
};

static void must(bool condition)
{
	if (!condition)
		abort();
}

static void split(struct line *line, char *text)
{
	char *word, *rest = text;

	line->argc = 0;
	while (line->argc < WORDS_MAX && (word = strsep(&rest, "\n")))
		line->argv[line->argc++] = word;
	line->argv[line->argc] = NULL;
}

static const struct command *pick(const char *word)
{
	const struct command *const *all = cli_commands();
	const struct command *command = cli_find(word);
	size_t count = 0;

	while (all[count])
		count++;
	return command ? command : all[(unsigned char)word[0] % count];
}

static void parse(const struct command *command, struct line *line, struct parsed *out)
{
	memset(out, 0, sizeof(*out));
	memset(settings(), 0, sizeof(*settings()));
	must(command->options_size <= sizeof(out->options));
	out->status = cli_parse(command, line->argc, line->argv, out->options, &out->count,
				out->operands, &out->help, &out->err);
}

/* Operands are words of the line, in their order. */
static void check_operands(const struct command *command, const struct line *line,
			   const struct parsed *parsed)
{
	int at = 1;

	must(parsed->count >= command->operands_min && parsed->operands[parsed->count] == NULL);
	must(command->operands_max < 0 || parsed->count <= command->operands_max);
	for (int i = 0; i < parsed->count; i++, at++) {
		while (at < line->argc && line->argv[at] != parsed->operands[i])
			at++;
		must(at < line->argc);
	}
}

static void check_option(const struct option *option, const char *options)
{
	const char *const *choice = option->choices;
	int index, choices = 0;

	while (choice && choice[choices])
		choices++;
	if (option->type != OPTION_CHOICE && option->type != OPTION_OPTIONAL)
		return;
	memcpy(&index, options + option->offset, sizeof(index));
	/* Before anything is chosen, -1 may stand there. */
	must(index >= -1 && index < choices + (option->type == OPTION_OPTIONAL));
}

static void check(const struct command *command, const struct line *line,
		  const struct parsed *parsed)
{
	struct option_cursor cursor = {0};
	const struct option *option;

	if (parsed->status != SNAP_OK) {
		must(parsed->err.message[0] != '\0');
		return;
	}
	if (parsed->help)
		return;
	check_operands(command, line, parsed);
	while ((option = cli_next_option(command, &cursor)))
		check_option(option, parsed->options);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct parsed first, second;
	const struct command *command;
	char *text = size < 8192 ? malloc(size + 1) : NULL;
	struct line line;

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	split(&line, text);
	command = pick(line.argv[0]);
	parse(command, &line, &first);
	check(command, &line, &first);
	parse(command, &line, &second);
	must(first.status == second.status && first.count == second.count);
	must(strcmp(first.err.message, second.err.message) == 0);
	cli_release(command, first.options);
	cli_release(command, second.options);
	free(text);
	return 0;
}
