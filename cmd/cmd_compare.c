/*
 * cmd_compare.c - `snapdiff compare`: what changed between two snapshots.
 */
#include <string.h>

#include "base/fail.h"
#include "cli/cli.h"
#include "compare_command.h"
#include "render/output.h"
#include "tracemalloc/compat.h"

struct compare_options {
	struct compare_command plain; /* first: the shared options stand at its beginning */
	struct compat_options compat;
};

static const struct option compare_table[] = {
	{.name = "exit-code",
	 .type = OPTION_FLAG,
	 .offset = offsetof(struct compare_options, plain.exit_code),
	 .help = "exit with 1 when any row is new or grew"},
	{.name = "normalize",
	 .type = OPTION_TEXT,
	 .value_name = "UNIT",
	 .offset = offsetof(struct compare_options, plain.normalize),
	 .help = "judge rows per unit of each run: allocations, seconds, or a label that says a "
		 "number"},
	COMPAT_OPTION_ROWS(offsetof(struct compare_options, compat)),
	{.name = NULL},
};

static const struct option *const compare_options[] = {compare_table,      report_option_table,
						       match_option_table, cli_memory_table,
						       cli_symbols_table,  NULL};

static const struct compare_options compare_defaults = {
	.plain.shared = {.limit = REPORT_LIMIT_UNSET, .match = PAIR_FUZZY}};

static enum snap_status compare_with_compat(const struct invocation *call,
					    const struct compare_options *options,
					    struct snap_error *err)
{
	if (call->argc != 2)
		return fail(err, SNAP_EUSAGE,
			    "--compat compares two dumps: name one on either side");
	if (options->plain.normalize)
		return fail(err, SNAP_EUSAGE,
			    "--compat does not work with --normalize: leave one of them out");
	return compat_run(&options->compat, &options->plain.shared, call->argv[1], call->argv[0],
			  err);
}

/* --map alone goes with and without --compat. */
static enum snap_status check_options(const struct compare_options *options, struct snap_error *err)
{
	struct compat_options compat = options->compat;

	if (compat.with == COMPAT_NONE)
		compat.map.count = 0;
	for (size_t i = 0; i < options->compat.map.count; i++)
		if (!strchr(options->compat.map.items[i], '='))
			return fail(err, SNAP_EUSAGE, "--map wants OLD=NEW, not '%s'",
				    options->compat.map.items[i]);
	return compat_check(&compat, &options->plain.shared, err);
}

static enum snap_status compare_run(const struct invocation *call, int *exit_code,
				    struct snap_error *err)
{
	const struct compare_options *options = call->options;
	const struct report_options *shared = &options->plain.shared;
	struct compare_command plain;
	struct report *report;
	enum snap_status st = check_options(options, err);

	if (st != SNAP_OK)
		return st;
	if (options->compat.with != COMPAT_NONE)
		return compare_with_compat(call, options, err);
	plain = options->plain;
	plain.map = options->compat.map;
	st = report_fold(&plain.shared, err);
	if (st != SNAP_OK)
		return st;
	st = compare_make(&report, &plain, (const char *const *)call->argv, (size_t)call->argc,
			  err);
	if (st == SNAP_OK && report)
		st = output_report(report, shared, err);
	if (st == SNAP_OK && report && options->plain.exit_code && report->finding)
		*exit_code = EXIT_FINDING;
	report_free(report);
	return st;
}

const struct command cmd_compare = {
	.name = "compare",
	.alias = "diff",
	.summary = "Show what changed between two snapshots",
	.usage = "[options] OLD NEW | OLD... -- NEW...",
	.group = "reports",
	.details = "Call stacks are paired first, at the first level that fits and --match "
		   "permits; rows are\n"
		   "grouped afterwards and named by the new side.  Rows that are the same appear "
		   "with --all.\n"
		   "--sort takes change (the size of the change; default), key, or any figure of "
		   "the rows,\n"
		   "such as new_bytes or delta_blocks.\n"
		   "With several snapshots on a side their medians are compared, stack by stack, "
		   "and a\n"
		   "difference counts only where the runs of the two sides do not overlap.",
	.options = compare_options,
	.options_size = sizeof(struct compare_options),
	.defaults = &compare_defaults,
	.operands_min = 2,
	.if_too_few = "what grew within one directory: snapdiff growth DIR",
	.operands_max = -1,
	.keeps_separator = true,
	.run = compare_run,
};
