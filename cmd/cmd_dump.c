/*
 * cmd_dump.c - `snapdiff dump`: the text form of a snapshot.
 */
#include "cli/cli.h"

#include <stdlib.h>

#include "input/input.h"
#include "model/bounds.h"
#include "read_symbolised.h"
#include "render/output.h"

struct dump_options {
	const char *output;
	bool quiet;
};

static const struct option dump_table[] = {
	{.name = "output",
	 .letter = 'o',
	 .type = OPTION_TEXT,
	 .offset = offsetof(struct dump_options, output),
	 .value_name = "FILE",
	 .help = "Write to FILE, whole or not at all"},
	{.name = "quiet",
	 .letter = 'q',
	 .type = OPTION_FLAG,
	 .offset = offsetof(struct dump_options, quiet),
	 .help = "Do not warn about modules that cannot be used"},
	{.name = NULL},
};

static const struct option *const dump_options[] = {dump_table, cli_memory_table, cli_symbols_table,
						    NULL};

/* To `path`, or standard output for NULL. */
static enum snap_status write_output(const struct model *model, const char *path,
				     struct snap_error *err)
{
	const struct report_options to = {.output = path};
	struct output output;
	enum snap_status st = output_open(&output, &to, false, err);

	if (st != SNAP_OK)
		return st;
	st = input_write_text(model, output.stream, err);
	return output_close(&output, st == SNAP_EIO ? SNAP_OK : st, err); /* it names the file */
}

static enum snap_status read_named(struct model **model, const char *name, bool quiet,
				   size_t *damaged, struct snap_error *err)
{
	const struct snapshots_options which = {.quiet = quiet, .notice = cli_print_warning};
	enum snap_status st = SNAP_OK;
	char *path = NULL;

	if (snapshots_is_directory(name))
		st = find_snapshot_file(&path, damaged, name, &which, err);
	if (st == SNAP_OK)
		st = read_symbolised(model, path ? path : name, true, quiet, err);
	free(path);
	return st;
}

/* It is printed as it is, but the text cannot be built again, and no report reads the file. */
static bool is_refused_elsewhere(const struct model *model)
{
	struct snap_error why = {0};

	if (model_check_contents(model, &why) == SNAP_OK)
		return false;
	cli_message("warning: %s: 'snapdiff build' and reports refuse it", why.message);
	return true;
}

static enum snap_status dump_run(const struct invocation *call, int *exit_code,
				 struct snap_error *err)
{
	const struct dump_options *options = call->options;
	struct model *model = NULL;
	size_t damaged = 0;
	enum snap_status st = read_named(&model, call->argv[0], options->quiet, &damaged, err);

	if (st == SNAP_OK)
		st = write_output(model, options->output, err);
	if (st == SNAP_OK && model->torn &&
	    !snapshots_is_directory(call->argv[0])) /* otherwise the message was already printed */
		cli_message("warning: %s", model->torn);
	if (st == SNAP_OK && (is_refused_elsewhere(model) || model->torn || damaged))
		*exit_code = EXIT_INPUT;
	model_free(model);
	return st;
}

const struct command cmd_dump = {
	.name = "dump",
	.summary = "Print the text form of a snapshot",
	.usage = "[options] SNAP",
	.group = "store",
	.details =
		"Prints one line per call stack: four figures, the domain, the cohorts, and the\n"
		"frames, newest first.  'snapdiff build' makes a snapshot of such text again.\n"
		"Of a damaged file, everything before the damage is printed, and the exit code is "
		"3.",
	.options = dump_options,
	.options_size = sizeof(struct dump_options),
	.operands_min = 1,
	.operands_max = 1,
	.run = dump_run,
};
