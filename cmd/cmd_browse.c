/*
 * cmd_browse.c - `snapdiff browse`: the report and its call stacks on the terminal.
 */
#include <unistd.h>

#include "browse/browse.h"
#include "cli/cli.h"
#include "page_make.h"

#define AT(member) offsetof(struct report_options, member)
static const struct option browse_table[] = {
	{"group", 'g', OPTION_CHOICE, AT(group), "KEY",
	 "rows by line (default), function, file, module or stack", report_groups},
	{"own", 0, OPTION_LIST, AT(own), "GLOB",
	 "functions, files and modules that match are the user's own code", NULL},
	{"library", 0, OPTION_LIST, AT(library), "GLOB",
	 "those that match are a library's, which names no site", NULL},
	{"match", 0, OPTION_CHOICE, AT(match), "LEVEL",
	 "pair stacks up to exact, line, function or fuzzy likeness (default fuzzy)",
	 report_matches},
	{"pid", 0, OPTION_COUNT, AT(pid), "PID", "only snapshots of this process", NULL},
	{"program", 0, OPTION_TEXT, AT(program), "NAME", "only snapshots of this program", NULL},
	{NULL, 0, OPTION_FLAG, 0, NULL, NULL, NULL},
};
static const struct option *const browse_tables[] = {browse_table, NULL};

static const struct report_options browse_defaults = {.limit = REPORT_LIMIT_UNSET,
						      .match = MATCH_FUZZY};

static enum snap_status browse_command(const struct invocation *call, int *exit_code,
				       struct snap_error *err)
{
	struct report_options shared = *(const struct report_options *)call->options;
	struct page_made made;
	enum snap_status st;

	(void)exit_code;
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return fail(err, SNAP_EUSAGE,
			    "browse needs a terminal; growth, compare and top print, report -o "
			    "writes a page");
	shared.all = true;
	shared.quiet = true;
	st = page_make(&made, &shared, (const char *const *)call->argv, (size_t)call->argc, err);
	if (st == SNAP_OK) {
		struct browse_subject subject = {made.mode, made.report, &made.stacks};

		st = browse_run(&subject, err);
	}
	page_made_release(&made);
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
	.options_size = sizeof(struct report_options),
	.defaults = &browse_defaults,
	.operands_min = 1,
	.operands_max = -1,
	.run = browse_command,
};
