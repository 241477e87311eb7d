/*
 * commands.c - the list of commands, from commands.def.
 */
#include "cli/cli.h"

#define COMMAND(name) extern const struct command cmd_##name __attribute__((weak));
#include "commands.def"
#undef COMMAND

const struct command *const *cli_commands(void)
{
#define COMMAND(name) &cmd_##name,
	static const struct command *const all[] = {
#include "commands.def"
	};
#undef COMMAND
	static const struct command *present[sizeof(all) / sizeof(*all) + 1];
	size_t count = 0;

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (all[i])
			present[count++] = all[i];
	return present;
}
