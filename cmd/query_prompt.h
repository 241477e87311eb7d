/*
 * query_prompt.h - `snapdiff query` on a terminal: read statements, give them to somebody who runs
 * them.
 */
#ifndef QUERY_PROMPT_H
#define QUERY_PROMPT_H

#include <stdio.h>

/** Runs whole statements and reports what went wrong by itself. */
typedef void prompt_run_fn(void *user, const char *sql);

/**
 * Read lines from `in` until its end or `.quit`; prompts and help go to `out`.  A statement may
 * take many lines, up to its semicolon.
 */
void query_prompt(FILE *in, FILE *out, prompt_run_fn *run, void *user);

#endif
