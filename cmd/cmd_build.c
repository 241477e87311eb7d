/*
 * cmd_build.c - `snapdiff build`: a snapshot file from its text form.
 */
#include "cli/cli.h"

#include <string.h>

#include "input/input.h"
#include "model/bounds.h"

struct build_options {
	const char *output;
};

static const struct option build_table[] = {
	{.name = "output",
	 .letter = 'o',
	 .type = OPTION_TEXT,
	 .offset = offsetof(struct build_options, output),
	 .value_name = "SNAP",
	 .help = "The snapshot file to write"},
	{.name = NULL},
};

static const struct option *const build_options[] = {build_table, cli_memory_table, NULL};

static enum snap_status build_run(const struct invocation *call, int *exit_code,
				  struct snap_error *err)
{
	const struct build_options *options = call->options;
	struct model *model = NULL;
	enum snap_status st;

	(void)exit_code;
	if (!options->output)
		return fail(err, SNAP_EUSAGE, "name the file to write with -o SNAP");
	if (strcmp(options->output, "-") == 0)
		return fail(err, SNAP_EUSAGE,
			    "a snapshot is written to a file, not to standard output");
	st = input_read(&model, call->argv[0], NULL, err);
	if (st == SNAP_OK)
		st = model_check_contents(model, err); /* no report could read another snapshot */
	if (st == SNAP_OK) {
		st = input_write_snap(model, options->output, err);
		if (st == SNAP_EIO)
			st = SNAP_ESYSTEM; /* the output's fault, not an input's */
	}
	model_free(model);
	return st;
}

const struct command cmd_build = {
	.name = "build",
	.summary = "Make a snapshot file from its text form",
	.usage = "TEXT -o SNAP",
	.group = "store",
	.details =
		"The inverse of 'snapdiff dump': same rows, same totals.  TEXT may be - for "
		"standard\n"
		"input, and any other format that snapdiff reads.  Equal text gives equal bytes.",
	.options = build_options,
	.options_size = sizeof(struct build_options),
	.operands_min = 1,
	.operands_max = 1,
	.run = build_run,
};
