/*
 * run_report.h - what `snapdiff run` says when its command has ended.
 */
#ifndef RUN_REPORT_H
#define RUN_REPORT_H

#include <stdbool.h>

#include "capture/launch.h"

struct run_report {
	const char *out;        /* the output directory, as the user named it */
	bool wants_python;      /* --python on */
	bool wants_exit;        /* an exit snapshot was to be taken */
	bool is_quiet, is_full; /* say nothing that is not a failure; name every program */
};

/** What several runs of one command wrote. */
struct run_totals {
	size_t snapshots;
	bool has_series; /* three of them or more are one process's */
	char newest[NAME_MAX + 1];
	bool interrupted; /* the last one, at the terminal */
};

void run_totals_add(struct run_totals *totals, const struct launch_result *result);

/** How many snapshots there are, and the command that looks at them next. */
void run_report_written(const struct run_totals *totals, const char *out, const char *next);

/** Of one run: why it wrote nothing, what was not recorded, and memory that was not seen. */
void run_report_print(const struct run_report *report, const struct launch_result *result);

#endif
