/*
 * operands.h - operands in the wrong place: say the command that was meant.
 */
#ifndef OPERANDS_H
#define OPERANDS_H

#include "cli/cli.h"

/** For `COMMAND REGEX [SNAP...]`: SNAP_EUSAGE if a file or directory stands in the place of the function.
 * With `db` snapshots are names in it, and everything is right. */
enum snap_status operands_check_function(const struct invocation *call, const char *command,
					 const char *db, struct snap_error *err);

/** For `COMMAND SNAP...`, which takes functions by option: SNAP_EUSAGE if one operand is no file, and another
 * one is, so that the first seems to be a function. */
enum snap_status operands_check_snapshots(const struct invocation *call, const char *command,
					  const char *db, struct snap_error *err);

#endif
