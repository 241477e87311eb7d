/*
 * cmd_holders.c - `snapdiff holders`: who keeps blocks alive.
 */
#include "base/fail.h"
#include "cli/cli.h"
#include "dataset/fetch.h"
#include "operands.h"
#include "print_sql.h"
#include "render/output.h"
#include "report/holders.h"
#include "report/leaks.h"
#include "report/subject.h"

static const struct option *const holders_options[] = {report_option_table, cli_memory_table,
						       cli_symbols_table, NULL};

static const struct report_options holders_defaults = {.limit = REPORT_LIMIT_UNSET,
						       .match = PAIR_FUZZY};

static enum snap_status check_options(const struct report_options *options, struct snap_error *err)
{
	if (options->metric != FIGURE_LIVE_BYTES)
		return fail(err, SNAP_EUSAGE, "holders shows live memory only: leave --metric out");
	return SNAP_OK;
}

static enum snap_status print_report(const struct subject *subject, const char *pattern,
				     const struct report_options *options, struct snap_error *err)
{
	struct store *store = snapshots_store(subject->snapshots);
	struct report *report = holders_report_new();
	struct dataset *dataset = NULL;
	struct holding *holding = NULL;
	struct graph graph = {0};
	enum snap_status st = print_sql_begin(subject, options, err);

	if (st == SNAP_OK)
		st = fetch_sites(&dataset, store, subject->ids, subject->count, err);
	if (st == SNAP_OK)
		st = subject_describe(subject, report, err);
	if (st == SNAP_OK)
		st = graph_fetch(&graph, store, dataset, subject->ids[0], false, err);
	if (st == SNAP_OK)
		st = leaks_need_graph(report, 0, &graph, false, store, subject->ids[0], err);
	if (st == SNAP_OK)
		st = leaks_warn(report, 0, store, subject->ids[0], err);
	if (st == SNAP_OK)
		st = holding_new(&holding, &graph, options, err);
	if (st == SNAP_OK)
		st = holders_fill(report, holding, pattern, err);
	if (st != SNAP_OK)
		output_warnings(report, options); /* its warnings may say why */
	else
		st = options->sql ? print_sql(subject, report, options, err)
				  : output_report(report, options, err);
	report_free(report);
	holding_free(holding);
	graph_release(&graph);
	dataset_free(dataset);
	return st;
}

static enum snap_status holders_run(const struct invocation *call, int *exit_code,
				    struct snap_error *err)
{
	const struct report_options *options = call->options;
	struct subject subject = {0};
	enum snap_status st = check_options(options, err);

	(void)exit_code;
	if (st == SNAP_OK)
		st = operands_check_function(call, "holders", options->db, err);
	if (st == SNAP_OK)
		st = subject_open(&subject, options, false, err);
	if (st == SNAP_OK)
		st = subject_add(&subject, call->argv[1], err);
	if (st == SNAP_OK)
		st = print_report(&subject, call->argv[0], options, err);
	subject_close(&subject);
	return st;
}

const struct command cmd_holders = {
	.name = "holders",
	.summary = "Show who keeps blocks alive, and whom they keep alive",
	.usage = "[options] REGEX [SNAP]",
	.group = "holders",
	.details =
		"REGEX is a POSIX extended expression on the names of functions that allocated, "
		"types\n"
		"and roots (global variables, stacks, ...).  Needs a snapshot that says who holds "
		"what:\n"
		"'snapdiff snap --holders' or, for retained sizes, '--holders=retained'.",
	.options = holders_options,
	.options_size = sizeof(struct report_options),
	.defaults = &holders_defaults,
	.operands_min = 1,
	.operands_max = 2,
	.run = holders_run,
};
