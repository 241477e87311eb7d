/*
 * cmd_watch.c - `snapdiff watch`: the growth report of a running process, drawn again whenever it
 * has written another snapshot.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "growth_command.h"
#include "watched.h"
#include "base/fail.h"
#include "base/terminal.h"

enum { POLL_NS = 200000000 };

struct watch_command {
	struct growth_command growth;
	uint64_t for_ns;
};

static const struct option watch_table[] = {
	{.name = "for",
	 .type = OPTION_DURATION,
	 .offset = offsetof(struct watch_command, for_ns),
	 .value_name = "DUR",
	 .help = "stop after this long; else with the process, or at Ctrl-C"},
	{.name = NULL},
};

static const struct option *const watch_options[] = {watch_table,
						     growth_option_table,
						     report_option_table,
						     match_option_table,
						     cli_memory_table,
						     cli_symbols_table,
						     NULL};

static const struct watch_command watch_defaults = {
	.growth.shared = {.limit = REPORT_LIMIT_UNSET, .match = MATCH_FUZZY, .no_pager = true}};

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal)
{
	(void)signal;
	interrupted = 1;
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* On a terminal the report replaces the one before, if the terminal can do that. */
static void clear_screen(void)
{
	if (terminal_takes_codes(STDOUT_FILENO))
		fputs("\033[H\033[2J", stdout);
}

static enum snap_status draw(const struct watched *watched, const struct growth_command *options,
			     bool *finding, struct snap_error *err)
{
	const char *const names[] = {watched->dir, NULL};
	struct growth_command drawn = *options;

	if (watched->pid && !drawn.shared.pid)
		drawn.shared.pid = watched->pid;
	clear_screen();
	return growth_print(&drawn, names, 1, finding, err);
}

static enum snap_status follow(const struct watched *watched, const struct watch_command *options,
			       bool *finding, struct snap_error *err)
{
	const struct timespec pause = {.tv_nsec = POLL_NS};
	uint64_t end = options->for_ns ? now_ns() + options->for_ns : UINT64_MAX;
	size_t drawn = 0;
	enum snap_status st = SNAP_OK;
	bool last = false;

	while (st == SNAP_OK && !last) {
		size_t count;

		last = interrupted || now_ns() >= end || !watched_is_running(watched);
		count = watched_count(watched);
		if (count != drawn)
			st = draw(watched, &options->growth, finding, err);
		drawn = count;
		if (!last)
			nanosleep(&pause, NULL);
	}
	if (st == SNAP_OK && drawn == 0)
		return fail(err, SNAP_ENOTFOUND, "%s: no snapshot was written while it was watched",
			    watched->dir);
	return st;
}

static enum snap_status watch_run(const struct invocation *call, int *exit_code,
				  struct snap_error *err)
{
	const struct watch_command *options = call->options;
	const struct sigaction action = {.sa_handler = on_interrupt};
	struct watched watched;
	bool finding = false;
	enum snap_status st = watched_find(&watched, call->argv[0], err);

	sigaction(SIGINT, &action, NULL);
	if (st == SNAP_OK)
		st = follow(&watched, options, &finding, err);
	if (st == SNAP_OK && options->growth.exit_code && finding)
		*exit_code = EXIT_FINDING;
	watched_release(&watched);
	return st;
}

const struct command cmd_watch = {
	.name = "watch",
	.summary = "Follow a running process: growth, drawn again with every snapshot",
	.usage = "[options] PID|DIR",
	.group = "reports",
	.details = "The report is that of growth, and so are its options.  Watching ends with the "
		   "process\n"
		   "(when a PID was named), after --for, or at Ctrl-C.",
	.options = watch_options,
	.options_size = sizeof(struct watch_command),
	.defaults = &watch_defaults,
	.operands_min = 1,
	.operands_max = 1,
	.run = watch_run,
};
