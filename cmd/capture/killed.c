/*
 * killed.c - did memory run out while the command ran?
 */
#include "capture/killed.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where a version of cgroups has its figures. */
struct group_files {
	const char *root, *events, *limit, *peak;
};

static const struct group_files version_1 = {"/sys/fs/cgroup/memory", "memory.oom_control",
					     "memory.limit_in_bytes", "memory.max_usage_in_bytes"};
static const struct group_files version_2 = {"/sys/fs/cgroup", "memory.events", "memory.max",
					     "memory.peak"};

static FILE *open_in(const char *root, const char *path, const char *name)
{
	char file[PATH_MAX * 2];

	snprintf(file, sizeof(file), "%s%s/%s", root, path, name);
	return fopen(file, "re");
}

/* The number behind `key` at the start of a line; with an empty key the first number there is. */
static uint64_t number_in(FILE *file, const char *key)
{
	uint64_t number = UINT64_MAX;
	char line[256], *end;

	while (file && number == UINT64_MAX && fgets(line, sizeof(line), file)) {
		unsigned long long found;

		if (strncmp(line, key, strlen(key)) != 0)
			continue;
		found = strtoull(line + strlen(key), &end, 10);
		if (end != line + strlen(key))
			number = found;
	}
	if (file)
		fclose(file);
	return number;
}

static void read_group(struct killed *now, const struct group_files *files, const char *path)
{
	uint64_t limit = number_in(open_in(files->root, path, files->limit), "");

	now->group = number_in(open_in(files->root, path, files->events), "oom_kill ");
	now->peak = number_in(open_in(files->root, path, files->peak), "");
	now->limit =
		limit < INT64_MAX / 2 ? limit : UINT64_MAX; /* version 1: none is a large number */
}

/* Lines are "ID:CONTROLLERS:PATH"; version 2 has no controllers. */
static void read_own_group(struct killed *now)
{
	char line[PATH_MAX + 64];
	FILE *groups = fopen("/proc/self/cgroup", "re");

	while (groups && now->group == UINT64_MAX && fgets(line, sizeof(line), groups)) {
		char *controllers = strchr(line, ':');
		char *path = controllers ? strchr(controllers + 1, ':') : NULL;
		const struct group_files *files;

		if (!path)
			continue;
		line[strcspn(line, "\n")] = '\0';
		*path++ = '\0';
		if (controllers[1] != '\0' && !strstr(controllers, "memory"))
			continue;
		files = controllers[1] ? &version_1 : &version_2;
		read_group(now, files, path);
		if (now->group == UINT64_MAX) /* in a container the mount's root is our group */
			read_group(now, files, "");
	}
	if (groups)
		fclose(groups);
}

void killed_read(struct killed *now)
{
	*now = (struct killed){UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX};
	read_own_group(now);
	now->machine = number_in(fopen("/proc/vmstat", "re"), "oom_kill ");
}

static bool rose(uint64_t before, uint64_t after)
{
	return before != UINT64_MAX && after != UINT64_MAX && after > before;
}

bool killed_in_group(const struct killed *before, const struct killed *after)
{
	return rose(before->group, after->group);
}

static double mebibytes(uint64_t bytes)
{
	return (double)bytes / (1024.0 * 1024.0);
}

void killed_explain(const struct killed *before, const struct killed *after, char *text,
		    unsigned size)
{
	char figures[128] = "";

	if (after->limit != UINT64_MAX && after->peak != UINT64_MAX)
		snprintf(figures, sizeof(figures), ", which used at most %.1f of %.1f MiB",
			 mebibytes(after->peak), mebibytes(after->limit));
	if (killed_in_group(before, after))
		snprintf(text, size,
			 "memory ran out: the kernel killed %" PRIu64 " process%s of its cgroup%s",
			 after->group - before->group,
			 after->group - before->group == 1 ? "" : "es", figures);
	else if (rose(before->machine, after->machine))
		snprintf(text, size,
			 "most likely memory ran out: the kernel killed %" PRIu64
			 " process%s for lack of memory in that time",
			 after->machine - before->machine,
			 after->machine - before->machine == 1 ? "" : "es");
	else if (before->machine == UINT64_MAX)
		snprintf(text, size, "perhaps because memory ran out");
	else
		snprintf(text, size,
			 "by a user or a process: in that time the kernel killed nothing for lack "
			 "of memory");
}
