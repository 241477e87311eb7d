/*
 * cmd_version.c - `snapdiff version`.
 */
#include "cli/cli.h"

static enum snap_status version_run(const struct invocation *call, int *exit_code,
				    struct snap_error *err)
{
	(void)call;
	(void)exit_code;
	(void)err;
	printf("snapdiff %s\n", cli_version());
	return SNAP_OK;
}

const struct command cmd_version = {
	.name = "version",
	.summary = "Print the version",
	.usage = "",
	.group = "help",
	.run = version_run,
};
