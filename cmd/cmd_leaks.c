/*
 * cmd_leaks.c - `snapdiff leaks`: what nothing reaches.
 */
#include "cli/cli.h"
#include "leaks_command.h"
#include "render/output.h"

#define AT(member) offsetof(struct leaks_command, member)
static const struct option leaks_table[] = {
	{"confirm", 0, OPTION_TEXT, AT(confirm), "SNAP2",
	 "count only what a later snapshot of the process says as well", NULL},
	{"suppressions", 0, OPTION_LIST, AT(suppressions), "FILE",
	 "do not count what FILE names (LeakSanitizer's syntax); may be repeated", NULL},
	{"exit-code", 0, OPTION_FLAG, AT(exit_code), NULL,
	 "exit with 1 when anything is unreachable", NULL},
	{.name = NULL},
};

static const struct option *const leaks_option_tables[] = {
	leaks_table, report_option_table, cli_memory_table, cli_symbols_table, NULL};

static const struct leaks_command leaks_defaults = {
	.shared = {.limit = REPORT_LIMIT_UNSET, .match = PAIR_FUZZY}};

static enum snap_status leaks_run(const struct invocation *call, int *exit_code,
				  struct snap_error *err)
{
	const struct leaks_command *options = call->options;
	struct report *report;
	enum snap_status st = leaks_make(&report, options, call->argv[0], err);

	if (st == SNAP_OK && report)
		st = output_report(report, &options->shared, err);
	if (st == SNAP_OK && options->exit_code && report && report->finding)
		*exit_code = EXIT_FINDING;
	report_free(report);
	return st;
}

const struct command cmd_leaks = {
	.name = "leaks",
	.summary = "Show what nothing reaches any more",
	.usage = "[options] [SNAP]",
	.group = "holders",
	.details =
		"Needs a snapshot that says who holds what: 'snapdiff snap --holders', "
		"'snapdiff run --holders'.\n"
		"A block is lost directly if nothing refers to it, and indirectly if only lost "
		"blocks do.\n"
		"--sort takes unreachable_bytes, unreachable_blocks, direct_bytes, indirect_bytes "
		"or key.",
	.options = leaks_option_tables,
	.options_size = sizeof(struct leaks_command),
	.defaults = &leaks_defaults,
	.operands_min = 0,
	.operands_max = 1,
	.run = leaks_run,
};
