/*
 * watched.c - a process or a directory by what the user calls it, and its snapshots as they arrive.
 */
#include "watched.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/hash.h"
#include "capture/control.h"
#include "input/input.h"
#include "snap/control.h"
#include "snapshots/snapshots.h"

enum { TIMEOUT_MS = 10000 };

enum snap_status watched_find(struct watched *watched, const char *name, struct snap_error *err)
{
	char *answer;
	enum snap_status st;

	*watched = (struct watched){0};
	if (snapshots_is_directory(name)) {
		watched->dir = strdup(name);
		return watched->dir ? SNAP_OK : fail_memory(err, "watching");
	}
	st = control_find(name, &watched->pid, err);
	if (st == SNAP_OK)
		st = control_ask(watched->pid, SNAP_CONTROL_DIR, TIMEOUT_MS, &answer, err);
	if (st != SNAP_OK)
		return st;
	answer[strcspn(answer, "\n")] = '\0';
	if (strncmp(answer, "ok ", 3) == 0)
		watched->dir = strdup(answer + 3);
	else
		st = fail(err, SNAP_ESYSTEM,
			  "process %" PRIu64 " does not say where its snapshots are", watched->pid);
	free(answer);
	return st == SNAP_OK && !watched->dir ? fail_memory(err, "watching") : st;
}

bool watched_is_running(const struct watched *watched)
{
	return watched->pid == 0 || kill((pid_t)watched->pid, 0) == 0;
}

size_t watched_count(const struct watched *watched)
{
	struct snap_error ignored = {0};
	size_t count = 0;
	char **paths;

	if (input_list_directory(watched->dir, NULL, NULL, &paths, &count, &ignored) != SNAP_OK)
		return 0;
	input_free_list(paths, count);
	return count;
}

uint64_t watched_names(const struct watched *watched)
{
	struct snap_error ignored = {0};
	uint64_t names = 0;
	size_t count = 0;
	char **paths;

	if (input_list_directory(watched->dir, NULL, NULL, &paths, &count, &ignored) != SNAP_OK)
		return 0;
	for (size_t i = 0; i < count; i++)
		names = hash_fold(names, hash_of_bytes(paths[i], strlen(paths[i])));
	input_free_list(paths, count);
	return count && !names ? 1 : names;
}

void watched_release(struct watched *watched)
{
	free(watched->dir);
	*watched = (struct watched){0};
}
