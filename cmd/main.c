/*
 * main.c - global options, dispatch, exit codes.  Only this file prints errors and exits.
 */
#include "base/memory.h"
#include "base/settings.h"
#include "cli/cli.h"
#include "render/output.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int exit_code_of(enum snap_status st)
{
	if (st == SNAP_EUSAGE || st == SNAP_ENOSERIES)
		return EXIT_USAGE;
	switch (st) {
	case SNAP_OK:
		return EXIT_FINE;
	case SNAP_EINVAL:
		return EXIT_USAGE;
	case SNAP_EIO:
	case SNAP_EVERSION:
	case SNAP_ECORRUPT:
	case SNAP_ETRUNCATED:
	case SNAP_EUNSUPPORTED:
	case SNAP_ENOTFOUND:
		return EXIT_INPUT;
	case SNAP_ENOMEM:
	case SNAP_ESTATE:
	case SNAP_ESYSTEM:
		return EXIT_SYSTEM;
	}
	return EXIT_SYSTEM;
}

/* Why memory may be out, and what to do then. */
static const char *memory_hint(void)
{
	static char hint[96];

	if (!memory_limited_to())
		return "";
	snprintf(hint, sizeof(hint), "; it may take %llu MiB: --max-memory SIZE allows more",
		 (unsigned long long)(memory_limited_to() >> 20));
	return hint;
}

/* Do not flush: half a report must not look like a whole one. */
static void out_of_memory(const char *doing)
{
	output_abandon();
	cli_message("out of memory while %s%s", doing, memory_hint());
	_exit(EXIT_SYSTEM);
}

/* No command can start with less than this. */
static bool limit_memory(const struct command *command)
{
	const uint64_t least = UINT64_C(16) << 20;
	uint64_t most = settings()->max_memory;

	if (!cli_is_reading(command))
		return true;
	if (most && most < least) {
		cli_message("--max-memory wants at least 16MiB");
		return false;
	}
	memory_keep();
	memory_limit(most);
	return true;
}

/* Run with parsed options, and print errors. */
static int call(const struct command *command, const void *options, int argc, char **argv)
{
	struct invocation invocation = {command, options, argc, argv};
	struct snap_error err = {0};
	int exit_code = EXIT_FINE;
	enum snap_status st = command->run(&invocation, &exit_code, &err);

	if (st == SNAP_OK)
		return exit_code;
	cli_message("%s%s", err.message[0] ? err.message : snap_status_name(st),
		    st == SNAP_ENOMEM ? memory_hint() : "");
	return exit_code != EXIT_FINE ? exit_code : exit_code_of(st);
}

/* Parse into memory that the caller frees, then run or explain. */
static int parse_into(const struct command *command, int argc, char **argv, void *options,
		      char **operands)
{
	struct snap_error err = {0};
	int count, help;
	enum snap_status st =
		cli_parse(command, argc, argv, options, &count, operands, &help, &err);

	if (st != SNAP_OK) {
		cli_message("%s", err.message);
		return exit_code_of(st);
	}
	if (help) {
		cli_help(command, help == 'H', stdout);
		return EXIT_FINE;
	}
	return limit_memory(command) ? call(command, options, count, operands) : EXIT_USAGE;
}

static int parse_and_call(const struct command *command, int argc, char **argv)
{
	char **operands = calloc((size_t)argc + 1, sizeof(*operands));
	void *options = calloc(1, command->options_size + 1);
	int exit_code = EXIT_SYSTEM;

	if (operands && options) {
		exit_code = parse_into(command, argc, argv, options, operands);
		cli_release(command, options);
	} else {
		cli_message("out of memory while reading the command line");
	}
	free(operands);
	free(options);
	return exit_code;
}

static bool is_one_of(const char *word, const char *const *words)
{
	while (*words && strcmp(word, *words) != 0)
		words++;
	return *words != NULL;
}

static int unknown_command(const char *name)
{
	static const char *const to_run[] = {"record", "start", "exec", "trace", "launch", NULL};
	char hint[CLI_HINT_SIZE];

	if (strcmp(name, "attach") == 0)
		cli_message("there is no command 'attach': a process is recorded from its start: "
			    "snapdiff run -- COMMAND (one that is recorded already: snapdiff snap "
			    "PID)");
	else if (is_one_of(name, to_run))
		cli_message("there is no command '%s': snapdiff run -- COMMAND", name);
	else
		cli_message("there is no command '%s'; %s", name, cli_command_hint(hint, name));
	return EXIT_USAGE;
}

static int unknown_option(const char *word)
{
	static const char *const known[] = {"--version", "--help", NULL};
	char hint[CLI_HINT_SIZE];

	cli_message("unknown option %s before the command; %s", word,
		    *cli_hint(hint, word, known, "") ? hint
						     : "a command's options follow its name");
	return EXIT_USAGE;
}

static bool is_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

/* `snapdiff --version` and `snapdiff --help COMMAND` are the commands of these names. */
static const char *command_name(const char *word)
{
	if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0)
		return "version";
	return is_help(word) ? "help" : word;
}

static int dispatch(int argc, char **argv)
{
	const struct command *command;

	if (argc < 2) {
		cli_overview(stdout);
		return EXIT_FINE;
	}
	if (argc == 2 && is_help(argv[1])) {
		cli_list(stdout);
		return EXIT_FINE;
	}
	command = cli_find(command_name(argv[1]));
	if (!command && argv[1][0] == '-')
		return unknown_option(argv[1]);
	if (!command)
		return unknown_command(argv[1]);
	cli_speak_as(command->name);
	/* The reader of our output may close it early; a command that we run keeps the inherited
	 * disposition. */
	if (!command->operands_end_options)
		signal(SIGPIPE, SIG_DFL);
	return parse_and_call(command, argc - 1, argv + 1);
}

/* Data that did not reach standard output must not look like success. */
static int finish_output(int exit_code)
{
	struct snap_error err;

	if (output_finish(&err) == SNAP_OK)
		return exit_code;
	cli_message("%s", err.message);
	return EXIT_SYSTEM;
}

/*
 * A file that we open must not get descriptor 0, 1 or 2 because the caller had closed that.  A
 * closed standard output cannot be written to afterwards either, so that lost data is noticed.
 */
static bool open_standard_files(void)
{
	static const int modes[] = {O_RDONLY, O_RDONLY, O_RDWR};

	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", modes[fd]) != fd)
			return false;
	return true;
}

int main(int argc, char **argv)
{
	if (!open_standard_files())
		return EXIT_SYSTEM;
	memory_on_failure(out_of_memory);
	return finish_output(dispatch(argc, argv));
}
