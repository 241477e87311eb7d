/*
 * runtime/command.h - the command line of a process, as it is written to snapshots.
 */
#ifndef SNAP_RUNTIME_COMMAND_H
#define SNAP_RUNTIME_COMMAND_H

#include <stddef.h>

#include "runtime/config.h"
#include "runtime/text.h"

/** Add the arguments in `raw` (each ended by a NUL, as in /proc/self/cmdline; one more NUL follows
 *  its `size` bytes), separated by blanks and quoted where a shell would need it. */
void snap__command_add(struct snap__text *out, const char *raw, size_t size,
		       enum snap__command_wish wish);

#endif
