/*
 * cmd_report.c - `snapdiff report`: one page to look at, from one snapshot, two, or a series.
 */
#include "cli/cli.h"
#include "page_holders.h"
#include "page_make.h"
#include "page_sources.h"
#include "render/html.h"
#include "render/output.h"
#include "report/page.h"

#define AT(member) offsetof(struct page_options, member)
static const struct option report_table[] = {
	{"output", 'o', OPTION_TEXT, AT(shared.output), "FILE",
	 "write the page to FILE (default: standard output)", NULL},
	{"quiet", 'q', OPTION_FLAG, AT(shared.quiet), NULL, "no progress and no warnings", NULL},
	{NULL, 0, OPTION_FLAG, 0, NULL, NULL, NULL},
};
static const struct option *const report_tables[] = {report_table, page_option_table,
						     cli_memory_table, cli_symbols_table, NULL};

static enum snap_status write_page(const struct page_made *made, const struct page_options *options,
				   struct snap_error *err)
{
	struct page_sources sources = {0};
	struct page_holders holders = {0};
	struct page page = {.mode = made->mode, .report = made->report, .stacks = &made->stacks};
	struct output output;
	enum snap_status st = page_sources_read(&sources, made->report, options->source, err);

	if (st == SNAP_OK)
		st = page_holders_make(&holders, made, err);
	page.held = holders.items;
	page.held_count = holders.count;
	page.sources = sources.items;
	page.source_count = sources.count;
	if (st == SNAP_OK)
		st = output_open(&output, &options->shared, false, err);
	if (st == SNAP_OK) {
		st = html_write(&page, output.stream);
		if (st == SNAP_ENOMEM)
			fail_memory(err, "writing the page");
		st = output_close(&output, st, err);
	}
	page_holders_release(&holders);
	page_sources_release(&sources);
	return st;
}

static enum snap_status report_run(const struct invocation *call, int *exit_code,
				   struct snap_error *err)
{
	const struct page_options *options = call->options;
	struct report_options shared = options->shared;
	struct page_made made;
	enum snap_status st;

	(void)exit_code;
	shared.all = true;
	st = page_make(&made, &shared, (const char *const *)call->argv, (size_t)call->argc, err);
	if (made.report)
		output_warnings(made.report, &shared);
	if (st == SNAP_OK)
		st = write_page(&made, options, err);
	if (st == SNAP_OK)
		st = output_left_out(made.report, err);
	page_made_release(&made);
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
	.options_size = sizeof(struct page_options),
	.defaults = &page_option_defaults,
	.operands_min = 1,
	.operands_max = -1,
	.run = report_run,
};
