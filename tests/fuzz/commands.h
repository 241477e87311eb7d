/*
 * commands.h - commands of snapdiff, run in this process as main() would.
 */
#ifndef FUZZ_COMMANDS_H
#define FUZZ_COMMANDS_H

#include "base/fail.h"

/** Run the command words[0] with the words behind it, up to a NULL.  A failure that says nothing ends
 * the program. */
enum snap_status run_command(const char *const *words);

#endif
