/*
 * cmd_snap.c - `snapdiff snap`: ask a running process for a snapshot.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/control.h"
#include "cli/cli.h"
#include "snap/control.h"

enum { TIMEOUT_MS = 120000 };

struct snap_options {
	const char *label;
	int holders; /* 1: who refers to whom; 2: retained sizes, too */
	bool census, resident;
};

static const char *const holders_choices[] = {"reach", "retained", NULL};

static const struct option snap_table[] = {
	{"label", 0, OPTION_TEXT, offsetof(struct snap_options, label), "TEXT",
	 "the snapshot's name", NULL},
	{"holders", 0, OPTION_OPTIONAL, offsetof(struct snap_options, holders), NULL,
	 "also say who holds what; =retained: and what would be freed with it", holders_choices},
	{"census", 0, OPTION_FLAG, offsetof(struct snap_options, census), NULL,
	 "also count the objects of a Python program by type and line", NULL},
	{"resident", 0, OPTION_FLAG, offsetof(struct snap_options, resident), NULL,
	 "also say, from now on, how much of each module is in memory; info shows it", NULL},
	{NULL, 0, OPTION_FLAG, 0, NULL, NULL, NULL},
};
static const struct option *const snap_tables[] = {snap_table, NULL};

/* After "ok" there may be a path. */
static enum snap_status print_answer(char *answer, uint64_t pid, struct snap_error *err)
{
	answer[strcspn(answer, "\n")] = '\0';
	if (strcmp(answer, SNAP_CONTROL_OK) == 0)
		return SNAP_OK;
	if (strncmp(answer, "ok ", 3) == 0) {
		printf("%s\n", answer + 3);
		return SNAP_OK;
	}
	if (strncmp(answer, "error ", 6) == 0)
		return fail(err, SNAP_ESYSTEM, "process %llu: %s", (unsigned long long)pid,
			    answer + 6);
	return fail(err, SNAP_ESYSTEM,
		    "process %llu gave an answer that snapdiff does not understand",
		    (unsigned long long)pid);
}

static enum snap_status send(uint64_t pid, const char *request, struct snap_error *err)
{
	char *answer = NULL;
	enum snap_status st = control_ask(pid, request, TIMEOUT_MS, &answer, err);

	if (st == SNAP_OK)
		st = print_answer(answer, pid, err);
	free(answer);
	return st;
}

static enum snap_status snap_run(const struct invocation *call, int *exit_code,
				 struct snap_error *err)
{
	const struct snap_options *options = call->options;
	static const char *const requests[2][3] = {
		{SNAP_CONTROL_SNAP, SNAP_CONTROL_HOLDERS, SNAP_CONTROL_RETAINED},
		{SNAP_CONTROL_CENSUS, SNAP_CONTROL_CENSUS "-" SNAP_CONTROL_HOLDERS,
		 SNAP_CONTROL_CENSUS "-" SNAP_CONTROL_RETAINED},
	};
	char request[SNAP_CONTROL_LINE_MAX];
	enum snap_status st;
	uint64_t pid;

	(void)exit_code;
	st = control_find(call->argv[0], &pid, err);
	if (st != SNAP_OK)
		return st;
	if ((size_t)snprintf(request, sizeof(request), "%s %s",
			     requests[options->census][options->holders],
			     options->label ? options->label : "") >= sizeof(request))
		return fail(err, SNAP_EUSAGE, "--label is too long");
	if (options->resident)
		st = send(pid, SNAP_CONTROL_RESIDENT, err);
	return st == SNAP_OK ? send(pid, request, err) : st;
}

const struct command cmd_snap = {
	.name = "snap",
	.summary = "Ask a running process for a snapshot; print its path",
	.usage = "[--label TEXT] [--holders[=retained]] [--census] [--resident] PID|DIR",
	.group = "capture",
	.details =
		"The process must have been started with 'snapdiff run', or link libsnap.  The "
		"path is\n"
		"printed once the file is durable.  A directory means the one process that "
		"records into it.  With --holders and --census the program's threads are stopped "
		"for some\n"
		"milliseconds while the process is copied; the copy finds out who holds what, and "
		"which\n"
		"objects there are.",
	.options = snap_tables,
	.options_size = sizeof(struct snap_options),
	.operands_min = 1,
	.operands_max = 1,
	.run = snap_run,
};
