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
#include "render/output.h"
#include "report/subject.h"

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
	.growth.shared = {.limit = REPORT_LIMIT_UNSET, .match = PAIR_FUZZY, .no_pager = true}};

static volatile sig_atomic_t interrupted;
static volatile sig_atomic_t is_judging;
static volatile sig_atomic_t code_so_far; /* the exit code that the last report asks for */

static void on_interrupt(int signal)
{
	(void)signal;
	interrupted = 1;
	if (is_judging)
		_exit(code_so_far);
}

/* The watched process, and the snapshots that were read so far. */
struct watching {
	struct watched watched;
	struct subject subject;
};

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

/* As many rows as the screen has room for, besides the title and the closing lines. */
static void fit_screen(struct report_options *options)
{
	enum { OTHER_LINES = 12, FEWEST_ROWS = 3 };
	unsigned height = terminal_height(STDOUT_FILENO), room;

	if (!height || options->output || options->all)
		return;
	options->height = height;
	room = height > OTHER_LINES + FEWEST_ROWS ? height - OTHER_LINES : FEWEST_ROWS;
	if (report_limit(options) > room && options->limit == REPORT_LIMIT_UNSET)
		options->limit = room;
}

/* Nothing of the report has been printed yet, so Ctrl-C may end the program at once. */
static enum snap_status judge(struct report **report, const struct watched *watched,
			      const struct growth_command *options, struct snap_error *err)
{
	const char *const names[] = {watched->dir, NULL};
	enum snap_status st;

	is_judging = 1;
	st = growth_make(report, options, names, 1, err);
	is_judging = 0;
	return st;
}

/* A screen has no room for warnings. */
static void count_warnings(struct report *report, const struct watched *watched)
{
	if (report->warning_count)
		report_fact(report, "%zu warning%s: snapdiff growth %s shows them.",
			    report->warning_count, report->warning_count == 1 ? "" : "s",
			    watched->dir);
	report->warning_count = 0;
}

static enum snap_status draw(struct watching *watching, const struct growth_command *options,
			     struct snap_error *err)
{
	struct growth_command drawn = growth_as_printed(options);
	struct report *report = NULL;
	enum snap_status st;

	if (watching->watched.pid && !drawn.shared.pid)
		drawn.shared.pid = watching->watched.pid;
	fit_screen(&drawn.shared);
	drawn.kept = &watching->subject;
	st = judge(&report, &watching->watched, &drawn, err);
	if (report) {
		code_so_far = options->exit_code && report->finding ? EXIT_FINDING : 0;
		clear_screen();
		if (drawn.shared.height)
			count_warnings(report, &watching->watched);
		st = output_report(report, &drawn.shared, err);
	}
	report_free(report);
	return st;
}

/* Errors that the next snapshot may resolve: too few snapshots, a file that is gone or not
 * complete yet. */
static bool may_pass(const struct watching *watching, enum snap_status st)
{
	if (st == SNAP_EUSAGE || st == SNAP_ENOSERIES)
		return watching->subject.snapshots && watching->subject.count == 0;
	return st == SNAP_ENOTFOUND || st == SNAP_ECORRUPT || st == SNAP_ETRUNCATED ||
	       st == SNAP_EIO;
}

static enum snap_status follow(struct watching *watching, const struct watch_command *options,
			       struct snap_error *err)
{
	const struct timespec pause = {.tv_nsec = POLL_NS};
	uint64_t end = options->for_ns ? now_ns() + options->for_ns : UINT64_MAX;
	uint64_t drawn = 0;
	enum snap_status st = SNAP_OK;
	bool last = false;

	while ((st == SNAP_OK || may_pass(watching, st)) && !last) {
		uint64_t seen;

		last = interrupted || now_ns() >= end || !watched_is_running(&watching->watched);
		seen = watched_names(&watching->watched);
		if (seen && seen != drawn)
			st = draw(watching, &options->growth, err);
		drawn = seen;
		if (!last)
			nanosleep(&pause, NULL);
	}
	if (st == SNAP_OK && drawn == 0)
		return fail(err, SNAP_ENOTFOUND, "%s: no snapshot was written while it was watched",
			    watching->watched.dir);
	return st;
}

static enum snap_status watch_run(const struct invocation *call, int *exit_code,
				  struct snap_error *err)
{
	const struct watch_command *options = call->options;
	/* The report that is being printed is finished; only the pause is cut short. */
	const struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = SA_RESTART};
	struct watching watching = {0};
	enum snap_status st = watched_find(&watching.watched, call->argv[0], err);

	sigaction(SIGINT, &action, NULL);
	if (st == SNAP_OK)
		st = follow(&watching, options, err);
	if (st == SNAP_OK)
		*exit_code = code_so_far;
	subject_close(&watching.subject);
	watched_release(&watching.watched);
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
