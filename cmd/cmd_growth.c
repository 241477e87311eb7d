/*
 * cmd_growth.c - `snapdiff growth`: what keeps growing, over a series of snapshots.
 */
#include "cli/cli.h"
#include "growth_command.h"
#include "operands.h"

static const struct option *const growth_options[] = {growth_option_table, report_option_table,
						      match_option_table,  cli_memory_table,
						      cli_symbols_table,   NULL};

static const struct growth_command growth_defaults = {
	.shared = {.limit = REPORT_LIMIT_UNSET, .match = PAIR_FUZZY}};

static enum snap_status growth_run(const struct invocation *call, int *exit_code,
				   struct snap_error *err)
{
	struct growth_command options = *(const struct growth_command *)call->options;
	bool finding = false;
	enum snap_status st = report_fold(&options.shared, err);

	if (st == SNAP_OK)
		st = operands_check_snapshots(call, "growth", options.shared.db, err);
	if (st == SNAP_OK)
		st = growth_print(&options, (const char *const *)call->argv, (size_t)call->argc,
				  &finding, err);
	if (st == SNAP_OK && options.exit_code && finding)
		*exit_code = EXIT_FINDING;
	return st;
}

const struct command cmd_growth = {
	.name = "growth",
	.summary = "Show what keeps growing over a series of snapshots",
	.usage = "[options] [SNAP...]",
	.group = "reports",
	.details =
		"Each call site gets a verdict, which is one of "
#define VERDICT(verdict, name, ...) name ", "
#include "base/verdicts.def"
#undef VERDICT
		"and how sure it is, and why.  Three snapshots are the\n"
		"least that can be judged, eight the least for a sure verdict.  Stable rows appear "
		"with\n"
		"--all.  A restart of the program is recognised: nothing is subtracted across it.\n"
		"--sort takes growth (default), bytes_per_snapshot, first_bytes, last_bytes or "
		"key.",
	.options = growth_options,
	.options_size = sizeof(struct growth_command),
	.defaults = &growth_defaults,
	.operands_min = 0,
	.operands_max = -1,
	.run = growth_run,
};
