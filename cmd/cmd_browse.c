/*
 * cmd_browse.c - `snapdiff browse`: the report and its call stacks on the terminal.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fail.h"
#include "browse/browse.h"
#include "cli/cli.h"
#include "page_holders.h"
#include "page_make.h"
#include "page_sources.h"
#include "render/output.h"
#include "watched.h"

struct browse_options {
	struct page_options page;
	bool watch;
};

static const struct option browse_table[] = {
	{"watch", 0, OPTION_FLAG, offsetof(struct browse_options, watch), NULL,
	 "SNAP is a process or a directory: follow its snapshots as they arrive", NULL},
	{NULL, 0, OPTION_FLAG, 0, NULL, NULL, NULL},
};
static const struct option *const browse_tables[] = {page_option_table, browse_table,
						     cli_memory_table, cli_symbols_table, NULL};

static const struct browse_options browse_defaults = {
	.page.shared = {.limit = REPORT_LIMIT_UNSET, .match = PAIR_FUZZY}};

/* ---- what is shown ---- */

struct browsing {
	const struct browse_options *options;
	struct report_options shared;
	const char *const *names;
	size_t count;
	char **inputs; /* paths of the series, which may be compared two by two */
	size_t input_count;
	struct page_made made;
	struct page_sources sources;
	struct page_holders holders;
	struct watched watched;
	size_t seen;    /* snapshots in the directory that is watched */
	size_t damaged; /* files of the series that are left out */
};

static void forget_inputs(struct browsing *browsing)
{
	for (size_t i = 0; i < browsing->input_count; i++)
		free(browsing->inputs[i]);
	free(browsing->inputs);
	browsing->inputs = NULL;
	browsing->input_count = 0;
}

static enum snap_status keep_inputs(struct browsing *browsing, struct snap_error *err)
{
	const struct value *inputs = value_get(&browsing->made.report->head, "inputs");
	size_t count = inputs && inputs->kind == VALUE_LIST ? inputs->list.count : 0;

	forget_inputs(browsing);
	browsing->inputs = calloc(count + 1, sizeof(*browsing->inputs));
	if (!browsing->inputs)
		return fail_memory(err, "listing snapshots");
	for (size_t i = 0; i < count; i++) {
		const struct value *path = value_get(&inputs->list.items[i], "path");

		browsing->inputs[browsing->input_count++] =
			strdup(path && path->kind == VALUE_TEXT ? path->text.data : "");
	}
	return SNAP_OK;
}

static enum snap_status make(struct browsing *browsing, const struct browse_wish *wish,
			     struct page_made *made, struct snap_error *err)
{
	const char *pair[2];

	browsing->shared.group = wish->group;
	if (!wish->pair)
		return page_make(made, &browsing->shared, browsing->names, browsing->count, err);
	if (wish->old >= browsing->input_count || wish->new_ >= browsing->input_count ||
	    !browsing->inputs[wish->old] || !browsing->inputs[wish->new_])
		return fail(err, SNAP_ENOTFOUND, "this snapshot did not come from a file");
	pair[0] = browsing->inputs[wish->old];
	pair[1] = browsing->inputs[wish->new_];
	return page_make(made, &browsing->shared, pair, 2, err);
}

static enum snap_status browse_load(void *user, const struct browse_wish *wish, struct page *out,
				    struct snap_error *err)
{
	struct browsing *browsing = user;
	struct page_made made;
	enum snap_status st;

	if (browsing->options->watch)
		browsing->seen = watched_count(&browsing->watched);
	st = make(browsing, wish, &made, err);
	if (st != SNAP_OK) {
		page_made_release(&made);
		return st;
	}
	page_made_release(&browsing->made);
	page_sources_release(&browsing->sources);
	page_holders_release(&browsing->holders);
	browsing->made = made;
	if (!wish->pair)
		browsing->damaged = made.report->damaged;
	st = page_sources_read(&browsing->sources, made.report, browsing->options->page.source,
			       err);
	if (st == SNAP_OK)
		st = page_holders_make(&browsing->holders, &browsing->made, err);
	if (st == SNAP_OK && !wish->pair)
		st = keep_inputs(browsing, err);
	*out = (struct page){made.mode,
			     browsing->made.report,
			     &browsing->made.stacks,
			     browsing->sources.items,
			     browsing->sources.count,
			     browsing->holders.items,
			     browsing->holders.count};
	return st;
}

static bool browse_is_newer(void *user)
{
	struct browsing *browsing = user;

	return watched_count(&browsing->watched) != browsing->seen;
}

/* ---- the command ---- */

static enum snap_status watch_named(struct browsing *browsing, struct snap_error *err)
{
	enum snap_status st;

	if (browsing->count != 1)
		return fail(err, SNAP_EUSAGE, "--watch takes one process or directory");
	st = watched_find(&browsing->watched, browsing->names[0], err);
	if (st == SNAP_OK && browsing->watched.pid && !browsing->shared.pid)
		browsing->shared.pid = browsing->watched.pid;
	browsing->names = (const char *const *)&browsing->watched.dir;
	return st;
}

static enum snap_status browse_command(const struct invocation *call, int *exit_code,
				       struct snap_error *err)
{
	const struct browse_options *options = call->options;
	struct browsing browsing = {.options = options,
				    .shared = options->page.shared,
				    .names = (const char *const *)call->argv,
				    .count = (size_t)call->argc};
	struct browse_source source = {.load = browse_load, .user = &browsing};
	enum snap_status st = SNAP_OK;

	(void)exit_code;
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return fail(err, SNAP_EUSAGE,
			    "browse needs a terminal; growth, compare and top print text, and "
			    "report -o writes a page");
	browsing.shared.all = true;
	browsing.shared.quiet = true;
	browsing.shared.keep_progress = true;
	if (options->watch) {
		source.is_newer = browse_is_newer;
		st = watch_named(&browsing, err);
	}
	if (st == SNAP_OK)
		st = browse_run(&source, options->page.shared.group, err);
	if (st == SNAP_OK && browsing.made.report) {
		browsing.made.report->damaged = browsing.damaged;
		output_warnings(browsing.made.report, &options->page.shared);
		st = output_left_out(browsing.made.report, err);
	}
	page_made_release(&browsing.made);
	page_sources_release(&browsing.sources);
	page_holders_release(&browsing.holders);
	forget_inputs(&browsing);
	watched_release(&browsing.watched);
	return st;
}

const struct command cmd_browse = {
	.name = "browse",
	.summary = "Look at snapshots on the terminal",
	.usage = "[options] SNAP...",
	.group = "files",
	.details = "One snapshot gives what holds the most, two what changed, a directory or more "
		   "than two\n"
		   "what keeps growing.  ? lists the keys.",
	.options = browse_tables,
	.options_size = sizeof(struct browse_options),
	.defaults = &browse_defaults,
	.operands_min = 1,
	.operands_max = -1,
	.run = browse_command,
};
