/*
 * cmd_leaks.c - `snapdiff leaks`: what nothing reaches.
 */
#include "base/fail.h"
#include "cli/cli.h"
#include "dataset/fetch.h"
#include "render/output.h"
#include "report/leaks.h"
#include "report/subject.h"
#include "suppression_file.h"

struct leaks_options {
	struct report_options shared;
	const char *confirm;
	struct text_list suppressions;
	bool exit_code;
};

#define AT(member) offsetof(struct leaks_options, member)
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

static const struct leaks_options leaks_defaults = {
	.shared = {.limit = REPORT_LIMIT_UNSET, .match = MATCH_FUZZY}};

/* What a report is made of. */
struct leaks_answer {
	const struct leaks_options *options;
	struct subject subject;
	struct dataset *dataset;
	struct graph graphs[2];
	struct suppressions suppressions;
	struct report *report;
};

static enum snap_status check_options(const struct leaks_options *options, struct snap_error *err)
{
	if (options->shared.sql)
		return fail(err, SNAP_EUSAGE,
			    "leaks has no statement for --sql; its rows are in the view leaks: "
			    "snapdiff query 'SELECT * FROM leaks' SNAP");
	if (options->shared.metric != METRIC_LIVE)
		return fail(err, SNAP_EUSAGE,
			    "leaks has one metric, what is live: leave --metric "
			    "out");
	return SNAP_OK;
}

static enum snap_status fetch_graphs(struct leaks_answer *answer, struct snap_error *err)
{
	struct store *store = session_store(answer->subject.session);
	enum snap_status st = SNAP_OK;

	for (size_t i = 0; st == SNAP_OK && i < answer->subject.count; i++) {
		int64_t id = answer->subject.ids[i];

		st = graph_fetch(&answer->graphs[i], store, answer->dataset, id, true, err);
		if (st == SNAP_OK)
			st = leaks_need_graph(answer->report, i, &answer->graphs[i], true, store,
					      id, err);
		if (st == SNAP_OK)
			st = leaks_warn(answer->report, i, store, id, err);
	}
	return st;
}

static enum snap_status make_report(struct leaks_answer *answer, struct snap_error *err)
{
	const struct leaks_options *options = answer->options;
	struct subject *subject = &answer->subject;
	struct leaks_request request = {
		.graph = &answer->graphs[0],
		.confirm = options->confirm ? &answer->graphs[1] : NULL,
		.options = &options->shared,
		.suppressions = options->suppressions.count ? &answer->suppressions : NULL,
		.today = suppression_today(),
	};
	enum snap_status st = SNAP_OK;

	if (request.suppressions)
		st = suppression_files_read(&answer->suppressions, options->suppressions.items,
					    options->suppressions.count, err);
	if (st == SNAP_OK)
		st = fetch_sites(&answer->dataset, session_store(subject->session), subject->ids,
				 subject->count, err);
	if (st != SNAP_OK)
		return st;
	request.dataset = answer->dataset;
	answer->report = leaks_report_new();
	st = subject_describe(subject, answer->report, err);
	if (st == SNAP_OK)
		st = fetch_graphs(answer, err);
	return st == SNAP_OK ? leaks_fill(answer->report, &request, err) : st;
}

static void release(struct leaks_answer *answer)
{
	report_free(answer->report);
	graph_release(&answer->graphs[0]);
	graph_release(&answer->graphs[1]);
	dataset_free(answer->dataset);
	suppressions_release(&answer->suppressions);
	subject_close(&answer->subject);
}

static enum snap_status leaks_run(const struct invocation *call, int *exit_code,
				  struct snap_error *err)
{
	struct leaks_answer answer = {.options = call->options};
	const struct leaks_options *options = answer.options;
	enum snap_status st = check_options(options, err);

	if (st == SNAP_OK)
		st = subject_open(&answer.subject, &options->shared, false, err);
	if (st == SNAP_OK)
		st = subject_add(&answer.subject, call->argv[0], err);
	if (st == SNAP_OK && options->confirm)
		st = subject_add(&answer.subject, options->confirm, err);
	if (st == SNAP_OK)
		st = make_report(&answer, err);
	if (st == SNAP_OK)
		st = output_report(answer.report, &options->shared, err);
	if (st == SNAP_OK && options->exit_code && answer.report->finding)
		*exit_code = EXIT_FINDING;
	release(&answer);
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
	.options_size = sizeof(struct leaks_options),
	.defaults = &leaks_defaults,
	.operands_min = 0,
	.operands_max = 1,
	.run = leaks_run,
};
