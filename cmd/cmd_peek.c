/*
 * cmd_peek.c - `snapdiff peek`: callers and callees of the functions that match.
 */
#include "cli/cli.h"
#include "operands.h"
#include "print_sql.h"
#include "render/output.h"
#include "report/comparable.h"
#include "dataset/fetch.h"
#include "report/subject.h"
#include "report/peek.h"
#include "snapshots/snapshots.h"

#include <string.h>
#include <unistd.h>

static const struct option *const peek_options[] = {moment_option_table, report_option_table,
						    cli_memory_table, cli_symbols_table, NULL};

static const struct report_options peek_defaults = {
	.group = GROUP_FUNCTION, .limit = REPORT_LIMIT_UNSET, .match = PAIR_FUZZY};

static enum snap_status print_report(const struct subject *subject, const char *pattern,
				     const struct report_options *options, struct snap_error *err)
{
	struct store *store = snapshots_store(subject->snapshots);
	struct dataset *dataset = NULL;
	struct report *report = NULL;
	struct notices notices = {0};
	bool are_runs;
	enum snap_status st = print_sql_begin(subject, options, err);

	/* Which modules are on which side takes cells, and is asked of two snapshots only. */
	if (st == SNAP_OK)
		st = (subject->count == 2 ? fetch_dataset : fetch_sites)(
			&dataset, store, subject->ids, subject->count, err);
	if (st == SNAP_OK) {
		report = peek_report_new();
		st = subject_describe(subject, report, err);
	}
	if (st == SNAP_OK && subject->count == 2)
		st = comparable_warn(&notices, subject, dataset, 1, &are_runs, err);
	if (report)
		report_notices(report, &notices);
	notices_release(&notices);
	if (st == SNAP_OK)
		st = peek_fill(report, dataset, pattern, options, err);
	if (st == SNAP_OK)
		st = options->sql ? print_sql(subject, report, options, err)
				  : output_report(report, options, err);
	report_free(report);
	dataset_free(dataset);
	return st;
}

static enum snap_status peek_run(const struct invocation *call, int *exit_code,
				 struct snap_error *err)
{
	const struct report_options *options = call->options;
	struct subject subject = {0};
	enum snap_status st = operands_check_function(call, "peek", options->db, err);

	(void)exit_code;
	if (st != SNAP_OK)
		return st;
	st = subject_open(&subject, options, false, err);
	if (st == SNAP_OK)
		snapshots_expect(subject.snapshots, (const char *const *)call->argv + 1,
				 (size_t)call->argc - 1);
	if (st == SNAP_OK)
		st = subject_add(&subject, call->argv[1], err);
	if (st == SNAP_OK && call->argc == 3)
		st = subject_add(&subject, call->argv[2], err);
	if (st == SNAP_OK)
		st = print_report(&subject, call->argv[0], options, err);
	subject_close(&subject);
	return st;
}

const struct command cmd_peek = {
	.name = "peek",
	.summary = "Show callers and callees of the matching functions",
	.usage = "[options] REGEX [SNAP | OLD NEW]",
	.group = "reports",
	.details =
		"REGEX is a POSIX extended expression on function names.  A stack counts once per "
		"function,\n"
		"however often it recurs, so that a function's callers add up to what it holds, "
		"and so do\n"
		"its callees together with '(itself)'.  -n limits the functions, not their "
		"neighbours.\n"
		"--group takes function (default here) or line.\n"
		"Of two snapshots the figures of both are shown, the largest change first.\n"
		"--sort takes live_bytes, live_blocks, allocated_bytes, allocated_blocks, key or, "
		"of two\n"
		"snapshots, change.",
	.options = peek_options,
	.options_size = sizeof(struct report_options),
	.defaults = &peek_defaults,
	.operands_min = 1,
	.operands_max = 3,
	.run = peek_run,
};
