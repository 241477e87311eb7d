/*
 * render/output.h - where output goes: standard output, a pager, or a file that appears whole or
 * not at all.
 */
#ifndef RENDER_OUTPUT_H
#define RENDER_OUTPUT_H

#include <stdio.h>

#include "cli/report_options.h"
#include "report/report.h"

/**
 * Render `report` as options->format and the terminal ask, to options->output or standard output
 * (through a pager on a terminal).  Its warnings go to standard error: output_warnings(); before
 * the report, for a pipe may be closed early, but after it on a terminal.
 * Returns SNAP_OK, or SNAP_ESYSTEM when the output cannot be written.
 */
enum snap_status output_report(const struct report *report, const struct report_options *options,
			       struct snap_error *err);

/** Print the report's warnings to standard error; if quiet, those of damaged files only. */
void output_warnings(const struct report *report, const struct report_options *options);

/** SNAP_ECORRUPT if damaged files were left out: the exit code must not say "no finding". */
enum snap_status output_left_out(const struct report *report, struct snap_error *err);

/** Write plain text (the answer to --sql) to the same places; add a final newline if it lacks one.
 */
enum snap_status output_text(const char *text, const struct report_options *options,
			     struct snap_error *err);

/* ---- for commands that write by themselves ---- */

struct output {
	FILE *stream;           /* write here */
	char *path, *temporary; /* a file's name, and its name until it is whole */
	bool terminal;          /* a terminal shows it, now or behind the pager */
	bool pager;
};

/** Open the output that `options` names; `page`: through the pager on a terminal. */
enum snap_status output_open(struct output *output, const struct report_options *options, bool page,
			     struct snap_error *err);
/**
 * Finish: with `st` SNAP_OK flush, check for write errors and rename into place; otherwise
 * throw a file away. Returns `st`, or SNAP_ESYSTEM when writing failed.
 */
enum snap_status output_close(struct output *output, enum snap_status st, struct snap_error *err);

/** Flush standard output.  SNAP_ESYSTEM, once, if not all that was printed was written. */
enum snap_status output_finish(struct snap_error *err);

/** Remove a file that is not whole yet: for a program that ends at once, see base/memory.h. */
void output_abandon(void);

#endif
