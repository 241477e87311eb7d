/*
 * cli/cli.h - commands and options as data: parsing, help, completion and the man-page test come
 * from it.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/fail.h"
#include "base/notice.h"
#include "base/sizes.h"

enum option_type {
	OPTION_FLAG,     /* bool */
	OPTION_TEXT,     /* const char * */
	OPTION_LIST,     /* struct text_list: may be repeated */
	OPTION_COUNT,    /* uint64_t, decimal */
	OPTION_SIZE,     /* uint64_t bytes: 4096, 64KiB, 1.5MiB */
	OPTION_DURATION, /* uint64_t nanoseconds: 500ms, 10s, 5m */
	OPTION_CHOICE,   /* int: index into choices */
	OPTION_REGEX,    /* const char *: checked to be a valid POSIX extended expression */
	OPTION_PATTERNS, /* struct text_list: may be repeated; --name alone adds "*" */
	OPTION_OPTIONAL, /* int: 0 not given; --name: 1; --name=CHOICE: index into choices, plus 1 */
};

struct text_list {
	const char **items;
	size_t count;
};

struct option {
	const char *name; /* long name without dashes */
	char letter;      /* short form or 0 */
	enum option_type type;
	size_t offset;              /* of the value in the command's options struct */
	const char *value_name;     /* "FILE", "SIZE"; NULL for flags */
	const char *help;           /* one line; NULL: list the choices, the first of which is the
				   default */
	const char *const *choices; /* NULL-terminated, for OPTION_CHOICE and OPTION_OPTIONAL; for
				       OPTION_LIST the words allowed before `=` in the value */
};

/** Tables for commands that read files of others (it bounds their memory) and for commands that
 * look up symbols.  Their values are in settings(). */
extern const struct option cli_memory_table[], cli_symbols_table[];

struct command;

/** What a command gets. argv holds the operands only (NULL-terminated), after options and "--". */
struct invocation {
	const struct command *command;
	const void *options; /* the command's options struct, defaults applied, then parsed */
	int argc;
	char **argv;
};

struct command {
	const char *name;
	const char *alias;   /* NULL none */
	const char *summary; /* "Show what holds the most memory" */
	const char *usage;   /* "[options] [SNAP]" */
	const char *group;   /* "capture", "store", "reports", "gate", "files" */
	const char *details; /* paragraphs for --help; NULL none */
	const struct option *const
		*options; /* NULL-terminated list of tables, each ended by a NULL name */
	size_t options_size;
	const void *defaults;           /* initial content of the options struct; NULL zeros */
	int operands_min, operands_max; /* max -1: any number */
	const char *if_too_few;    /* what was meant by fewer, for the message; NULL: nothing */
	bool operands_end_options; /* `run`: the first operand ends option parsing */
	bool keeps_separator;      /* `compare A B -- C D`: "--" ends options and stays among the
				 operands */
	/**
	 * Returns SNAP_OK and sets *exit_code (0 on entry), or an error that main prints and maps
	 * to an exit code; an error with *exit_code set exits with that.
	 */
	enum snap_status (*run)(const struct invocation *call, int *exit_code,
				struct snap_error *err);
};

/* Exit codes: a contract, which the manual and README state. */
enum exit_code {
	EXIT_FINE = 0,
	EXIT_FINDING = 1,
	EXIT_USAGE = 2,
	EXIT_INPUT = 3,
	EXIT_SYSTEM = 4,
	EXIT_INCONCLUSIVE = 5,
};

/** All commands, NULL-terminated.  The program provides it (cmd/commands.c, from commands.def). */
const struct command *const *cli_commands(void);
/** By name or alias; NULL if there is none. */
const struct command *cli_find(const char *name);

/**
 * Parse argv[1..] of one command into `options` (options_size bytes): the defaults first, then what
 * argv says. The operands go to `operands` (room for argc pointers), NULL-terminated.  On
 * SNAP_EUSAGE err names the nearest option.  `*help` is set to 'h' or 'H' where -h or --help was
 * met: nothing else counts then. Release with cli_release(), also after a failure.
 */
enum snap_status cli_parse(const struct command *command, int argc, char **argv, void *options,
			   int *operand_count, char **operands, int *help, struct snap_error *err);
/** All options of a command, one after the other: begin with a cursor of zeros; NULL after the
 * last. */
struct option_cursor {
	size_t table, row;
};
const struct option *cli_next_option(const struct command *command, struct option_cursor *cursor);

/** Does the command read files of others? */
bool cli_is_reading(const struct command *command);

/** Free the lists in a parsed options struct. */
void cli_release(const struct command *command, void *options);

/** Usage and options of one command; with `details`, its paragraphs too. */
void cli_help(const struct command *command, bool details, FILE *out);
/** The help of an option, or its choices in words, which are written to `buffer`. */
enum { CLI_OPTION_HELP_SIZE = 256 };
const char *cli_option_help(const struct option *option, char buffer[CLI_OPTION_HELP_SIZE]);
/** What `snapdiff` alone prints; and the list of all commands. */
void cli_overview(FILE *out);
void cli_list(FILE *out);

/** Nearest candidate to `word` by edit distance within reason, or NULL. */
const char *cli_nearest(const char *word, const char *const *candidates);

/**
 * "did you mean --a or --b?": all nearest candidates, each after `prefix`; "" if none is near.  The
 * second function does this for commands; if none is near, it says where they are listed.  Both
 * return `buffer`.
 */
enum { CLI_HINT_SIZE = 192 };
const char *cli_hint(char buffer[CLI_HINT_SIZE], const char *word, const char *const *candidates,
		     const char *prefix);
const char *cli_command_hint(char buffer[CLI_HINT_SIZE], const char *word);

/** A completion script for "bash", "zsh" or "fish". */
void cli_completion(const char *shell, FILE *out);

/**
 * Lines on standard error: "snapdiff top: <sentence>", "snapdiff top: warning: <sentence>". Control
 * characters in the sentence (it may quote a hostile file) are shown as '?'.
 */
void cli_message(const char *format, ...) __attribute__((format(printf, 1, 2)));
void cli_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
/** Print a notice if it is a warning; a notice_fn. */
void cli_print_warning(void *user, const struct notice *notice);
/** The command that messages name from now on; NULL for none. */
void cli_speak_as(const char *command);

/** "0.1.0" */
const char *cli_version(void);

#endif
