/*
 * commands.c - the list of commands, from commands.def.
 */
#include "cli/cli.h"

#define COMMAND(name) extern const struct command cmd_##name;
#include "commands.def"
#undef COMMAND

const struct command *const *cli_commands(void)
{
#define COMMAND(name) &cmd_##name,
	static const struct command *const all[] = {
#include "commands.def"
		NULL,
	};
#undef COMMAND

	return all;
}
