/*
 * commands.c - commands of snapdiff, run in this process.
 */
#include "fuzz/commands.h"

#include <stdlib.h>
#include <string.h>

#include "base/settings.h"
#include "cli/cli.h"

enum { WORDS_MAX = 32 };

static enum snap_status parse_and_run(const struct command *command, int argc, char **argv,
				      void *options, struct snap_error *err)
{
	char *operands[WORDS_MAX + 1];
	int count, help, exit_code = 0;
	enum snap_status st = cli_parse(command, argc, argv, options, &count, operands, &help, err);
	struct invocation call = {command, options, count, operands};

	if (st == SNAP_OK && !help)
		st = command->run(&call, &exit_code, err);
	return st;
}

enum snap_status run_command(const char *const *words)
{
	const struct command *command = cli_find(words[0]);
	struct snap_error err = {0};
	char *argv[WORDS_MAX + 1];
	enum snap_status st;
	void *options;
	int argc = 0;

	if (!command)
		abort();
	while (words[argc] && argc < WORDS_MAX) {
		argv[argc] = strdup(words[argc]);
		argc++;
	}
	argv[argc] = NULL;
	setenv("XDG_CACHE_HOME", "/dev/null", 1); /* symbols of earlier inputs are not remembered */
	options = calloc(1, command->options_size + 1);
	memset(settings(), 0, sizeof(*settings()));
	st = parse_and_run(command, argc, argv, options, &err);
	if (st != SNAP_OK && !err.message[0])
		abort();
	cli_release(command, options);
	free(options);
	for (int i = 0; i < argc; i++)
		free(argv[i]);
	return st;
}
