/*
 * query_prompt.h - `snapdiff query` on a terminal: read statements, pass them to a function that
 * runs them, and answer the commands that begin with a dot.
 */
#ifndef QUERY_PROMPT_H
#define QUERY_PROMPT_H

#include <stdbool.h>
#include <stdio.h>

/** Functions of the prompt's owner.  Each prints its own errors. */
struct prompt_host {
	void *user;
	/** The next line with its newline, the host's until the next call; NULL at the end.  When
	 * *interrupted is set, the typed part of the statement is dropped. */
	const char *(*line)(void *user, const char *prompt, bool *interrupted);
	void (*run)(void *user, const char *sql);         /* whole statements */
	void (*remember)(void *user, const char *sql);    /* for the history */
	bool (*set_mode)(void *user, const char *format); /* false: there is no such format */
	void (*set_output)(void *user, const char *path); /* NULL: the terminal */
	void (*set_timer)(void *user, bool on);
	void (*read_file)(void *user, const char *path);
};

/** Read lines until their end or `.quit`; help goes to `out`.  A statement may take many lines,
 * up to its semicolon. */
void query_prompt(const struct prompt_host *host, FILE *out);

#endif
