/*
 * watched.h - what `watch` and `browse --watch` follow: a directory that snapshots arrive in.
 */
#ifndef WATCHED_H
#define WATCHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snap/status.h"

struct watched {
	char *dir;
	uint64_t pid; /* that writes to it; 0: none was named */
};

/** `name` is a directory or a process.  Release with watched_release(), also after a failure. */
enum snap_status watched_find(struct watched *watched, const char *name, struct snap_error *err);
void watched_release(struct watched *watched);

/** True as long as the process runs that was named. */
bool watched_is_running(const struct watched *watched);
/** How many snapshots there are by now. */
size_t watched_count(const struct watched *watched);
/** Which snapshots there are, as a number that changes with their names; 0: none. */
uint64_t watched_names(const struct watched *watched);

#endif
