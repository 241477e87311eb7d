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

#include "capture/control.h"
#include "cli/cli.h"
#include "growth_command.h"
#include "input/input.h"
#include "base/fail.h"
#include "base/terminal.h"
#include "snap/control.h"
#include "snapshots/session.h"

enum { TIMEOUT_MS = 10000, POLL_NS = 200000000 };

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

/* What is watched: a directory, and the process that writes to it, if one was named. */
struct watched {
	char *dir;
	uint64_t pid; /* 0: none was named, the directory is watched until the end */
};

static enum snap_status find_watched(struct watched *watched, const char *name,
				     struct snap_error *err)
{
	char *answer;
	enum snap_status st;

	*watched = (struct watched){0};
	if (session_is_directory(name)) {
		watched->dir = strdup(name);
		return watched->dir ? SNAP_OK : fail_memory(err, "watching");
	}
	st = control_find(name, &watched->pid, err);
	if (st == SNAP_OK)
		st = control_ask(watched->pid, SNAP_CONTROL_DIR, TIMEOUT_MS, &answer, err);
	if (st != SNAP_OK)
		return st;
	answer[strcspn(answer, "\n")] = '\0';
	if (strncmp(answer, "ok ", 3) == 0)
		watched->dir = strdup(answer + 3);
	else
		st = fail(err, SNAP_ESYSTEM,
			  "process %" PRIu64 " does not say where its snapshots are", watched->pid);
	free(answer);
	return st == SNAP_OK && !watched->dir ? fail_memory(err, "watching") : st;
}

static bool is_running(const struct watched *watched)
{
	return watched->pid == 0 || kill((pid_t)watched->pid, 0) == 0;
}

static size_t count_snapshots(const char *dir)
{
	struct snap_error ignored = {0};
	size_t count = 0;
	char **paths;

	if (input_list_directory(dir, NULL, NULL, &paths, &count, &ignored) != SNAP_OK)
		return 0;
	input_free_list(paths, count);
	return count;
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

		last = interrupted || now_ns() >= end || !is_running(watched);
		count = count_snapshots(watched->dir);
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
	enum snap_status st = find_watched(&watched, call->argv[0], err);

	sigaction(SIGINT, &action, NULL);
	if (st == SNAP_OK)
		st = follow(&watched, options, &finding, err);
	if (st == SNAP_OK && options->growth.exit_code && finding)
		*exit_code = EXIT_FINDING;
	free(watched.dir);
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
