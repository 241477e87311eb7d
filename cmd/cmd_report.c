/*
 * cmd_report.c - `snapdiff report`: one page to look at, from one snapshot, two, or a series.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "compare_command.h"
#include "dataset/fetch.h"
#include "growth_command.h"
#include "page_sources.h"
#include "render/html.h"
#include "render/output.h"
#include "report/page.h"
#include "report/subject.h"
#include "report/top.h"
#include "snapshots/session.h"

struct report_command_options {
	struct report_options shared;
	const char *source;
};

#define AT(member) offsetof(struct report_command_options, member)
static const struct option report_table[] = {
	{"output", 'o', OPTION_TEXT, AT(shared.output), "FILE",
	 "write the page to FILE (default: standard output)", NULL},
	{"source", 0, OPTION_TEXT, AT(source), "DIR", "show source lines, from files below DIR",
	 NULL},
	{"group", 'g', OPTION_CHOICE, AT(shared.group), "KEY",
	 "rows by line (default), function, file, module or stack", report_groups},
	{"own", 0, OPTION_LIST, AT(shared.own), "GLOB",
	 "functions, files and modules that match are the user's own code", NULL},
	{"library", 0, OPTION_LIST, AT(shared.library), "GLOB",
	 "those that match are a library's, which names no site", NULL},
	{"match", 0, OPTION_CHOICE, AT(shared.match), "LEVEL",
	 "pair stacks up to exact, line, function or fuzzy likeness (default fuzzy)",
	 report_matches},
	{"pid", 0, OPTION_COUNT, AT(shared.pid), "PID", "only snapshots of this process", NULL},
	{"program", 0, OPTION_TEXT, AT(shared.program), "NAME", "only snapshots of this program",
	 NULL},
	{"quiet", 'q', OPTION_FLAG, AT(shared.quiet), NULL, "no progress and no warnings", NULL},
	{NULL, 0, OPTION_FLAG, 0, NULL, NULL, NULL},
};
static const struct option *const report_tables[] = {report_table, NULL};

static const struct report_command_options report_defaults = {
	.shared = {.limit = REPORT_LIMIT_UNSET, .match = MATCH_FUZZY}};

/* The page while it is made. */
struct making {
	const struct report_options *options;
	const char *const *names;
	size_t count;
	struct report *report;
	struct subject subject; /* of the snapshots whose stacks are drawn */
	struct dataset *dataset;
	struct page_stacks stacks;
	struct page page;
};

/* ---- which snapshots' stacks are drawn ---- */

static const char *input_path(const struct report *report, size_t index, int64_t *pid)
{
	const struct value *inputs = value_get(&report->head, "inputs");
	const struct value *input = &inputs->list.items[index];
	const struct value *path = value_get(input, "path"), *number = value_get(input, "pid");

	*pid = number && number->kind == VALUE_INT ? number->integer : 0;
	return path && path->kind == VALUE_TEXT ? path->text.data : NULL;
}

/* Of a series: the first and the last snapshot of the process that has the last one. */
static void choose_ends(const struct report *report, const char *ends[2])
{
	const struct value *inputs = value_get(&report->head, "inputs");
	size_t count = inputs && inputs->kind == VALUE_LIST ? inputs->list.count : 0;
	int64_t last = 0, pid;

	ends[0] = ends[1] = NULL;
	if (count)
		ends[1] = input_path(report, count - 1, &last);
	for (size_t i = 0; i < count && !ends[0]; i++) {
		const char *path = input_path(report, i, &pid);

		if (pid == last)
			ends[0] = path;
	}
}

static enum snap_status fetch_stacks(struct making *making, const char *const *names, size_t count,
				     struct snap_error *err)
{
	enum snap_status st = subject_open(&making->subject, making->options, false, err);

	for (size_t i = 0; st == SNAP_OK && i < count; i++)
		st = subject_add(&making->subject, names[i], err);
	if (st == SNAP_OK)
		st = fetch_dataset(&making->dataset, session_store(making->subject.session),
				   making->subject.ids, making->subject.count, err);
	if (st == SNAP_OK)
		st = page_stacks_make(&making->stacks, making->dataset, 0, count - 1, err);
	return st;
}

/* ---- the three kinds of pages ---- */

static enum snap_status make_top(struct making *making, struct snap_error *err)
{
	enum snap_status st = fetch_stacks(making, making->names, 1, err);

	making->page.mode = "top";
	if (st != SNAP_OK)
		return st;
	making->report = top_report_new(making->dataset->snapshots[0].sampled);
	st = subject_describe(&making->subject, making->report, err);
	return st == SNAP_OK ? top_fill(making->report, making->dataset, making->options, err) : st;
}

static enum snap_status make_compare(struct making *making, struct snap_error *err)
{
	struct compare_command command = {.shared = *making->options};
	enum snap_status st =
		compare_make(&making->report, &command, making->names, making->count, err);

	making->page.mode = "compare";
	return st == SNAP_OK ? fetch_stacks(making, making->names, 2, err) : st;
}

static enum snap_status make_growth(struct making *making, struct snap_error *err)
{
	struct growth_command command = {.shared = *making->options};
	const char *ends[2];
	enum snap_status st =
		growth_make(&making->report, &command, making->names, making->count, err);

	making->page.mode = "growth";
	if (st != SNAP_OK)
		return st;
	choose_ends(making->report, ends);
	if (!ends[0] || !ends[1])
		return fail(err, SNAP_EUNSUPPORTED, "the series does not say where its files are");
	return fetch_stacks(making, ends, 2, err);
}

static enum snap_status make_page(struct making *making, struct snap_error *err)
{
	if (making->count > 2 || (making->count == 1 && session_is_directory(making->names[0])))
		return make_growth(making, err);
	return making->count == 2 ? make_compare(making, err) : make_top(making, err);
}

/* ---- writing ---- */

static enum snap_status write_page(struct making *making, const char *source,
				   struct snap_error *err)
{
	struct page_sources sources = {0};
	struct output output;
	enum snap_status st = page_sources_read(&sources, making->report, source, err);

	making->page.report = making->report;
	making->page.stacks = &making->stacks;
	making->page.sources = sources.items;
	making->page.source_count = sources.count;
	if (st == SNAP_OK)
		st = output_open(&output, making->options, false, err);
	if (st == SNAP_OK) {
		st = html_write(&making->page, output.stream);
		if (st == SNAP_ENOMEM)
			fail_memory(err, "writing the page");
		st = output_close(&output, st, err);
	}
	page_sources_release(&sources);
	return st;
}

static enum snap_status report_run(const struct invocation *call, int *exit_code,
				   struct snap_error *err)
{
	const struct report_command_options *options = call->options;
	struct report_options shared = options->shared;
	struct making making = {.options = &shared,
				.names = (const char *const *)call->argv,
				.count = (size_t)call->argc};
	enum snap_status st;

	(void)exit_code;
	shared.all = true;
	st = make_page(&making, err);
	if (st == SNAP_OK)
		st = write_page(&making, options->source, err);
	page_stacks_release(&making.stacks);
	report_free(making.report);
	dataset_free(making.dataset);
	subject_close(&making.subject);
	return st;
}

const struct command cmd_report = {
	.name = "report",
	.summary = "Write one HTML page to look at",
	.usage = "[options] -o FILE.html SNAP...",
	.group = "files",
	.details =
		"One snapshot gives what holds the most, two what changed, a directory or more "
		"than two\n"
		"what keeps growing.  The page loads nothing from anywhere: it can be sent, kept, "
		"and\n"
		"opened from a disk.  Without scripts it shows the summary and the first 100 rows.",
	.options = report_tables,
	.options_size = sizeof(struct report_command_options),
	.defaults = &report_defaults,
	.operands_min = 1,
	.operands_max = -1,
	.run = report_run,
};
