/*
 * cmd_status.c - `snapdiff status`: what a running process records, and at what cost.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/control.h"
#include "cli/cli.h"
#include "render/output.h"
#include "render/render.h"
#include "snap/control.h"

enum { TIMEOUT_MS = 10000 };

static const struct option *const status_tables[] = {output_option_table, NULL};

static const struct column status_columns[] = {
	{"key", "what", COLUMN_TEXT, COLUMN_HIDDEN},
	{"value", "value", COLUMN_TEXT, COLUMN_HIDDEN},
	{"name", "what", COLUMN_TEXT, COLUMN_TABLE_ONLY},
	{"shown", "value", COLUMN_TEXT, COLUMN_TABLE_ONLY},
};

/* A number stays a number, so that scripts can count with it. */
static struct value value_of(struct report *report, const char *text)
{
	char *end;
	long long number = strtoll(text, &end, 10);
	double real;

	if (end != text && *end == '\0')
		return value_int(number);
	real = strtod(text, &end);
	return end != text && *end == '\0' ? value_real(real) : value_text(report, text);
}

static struct value shown_of(struct report *report, const char *name, struct value value)
{
	char buffer[32];

	if (value.kind != VALUE_INT)
		return value;
	return value_text(report, render_fact(name, value.integer, buffer));
}

/* "recorder_cpu_ns" has a time with its unit beside it: "recorder cpu". */
static struct value name_of(struct report *report, const char *key)
{
	size_t size = strlen(key);
	char *name = report_alloc(report, size + 1);

	memcpy(name, key, size + 1);
	if (size > 3 && strcmp(name + size - 3, "_ns") == 0)
		name[size - 3] = '\0';
	for (char *at = name; *at; at++)
		if (*at == '_')
			*at = ' ';
	return value_text(report, name);
}

static struct report *status_report(char *answer, uint64_t pid)
{
	struct report *report = report_new("snapdiff.status/1", status_columns, 4);
	char *line, *rest = answer;

	report->title = report_text(report, "process %llu", (unsigned long long)pid);
	value_field(report, &report->head, "pid", value_int((int64_t)pid));
	while ((line = strsep(&rest, "\n")) && *line) {
		char *space = strchr(line, ' ');
		struct value *row = report_row(report);

		if (space)
			*space = '\0';
		row[0] = value_text(report, line);
		row[1] = value_of(report, space ? space + 1 : "");
		row[2] = name_of(report, line);
		row[3] = shown_of(report, line, row[1]);
	}
	report_note(report, "A snapshot now: snapdiff snap %llu", (unsigned long long)pid);
	return report;
}

static enum snap_status status_run(const struct invocation *call, int *exit_code,
				   struct snap_error *err)
{
	const struct report_options *options = call->options;
	struct report *report;
	enum snap_status st;
	char *answer;
	uint64_t pid;

	(void)exit_code;
	st = control_find(call->argv[0], &pid, err);
	if (st == SNAP_OK)
		st = control_ask(pid, SNAP_CONTROL_STATUS, TIMEOUT_MS, &answer, err);
	if (st != SNAP_OK)
		return st;
	report = status_report(answer, pid);
	st = output_report(report, options, err);
	report_free(report);
	free(answer);
	return st;
}

const struct command cmd_status = {
	.name = "status",
	.summary = "Show what a running process records, and at what cost",
	.usage = "[options] PID|DIR",
	.group = "capture",
	.options = status_tables,
	.options_size = sizeof(struct report_options),
	.defaults = &report_option_defaults,
	.operands_min = 1,
	.operands_max = 1,
	.run = status_run,
};
