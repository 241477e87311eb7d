/*
 * machine.c - the memory that we may use: the machine's, or the limit of our cgroup.
 */
#include "base/machine.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The number in the file ROOT/PATH/NAME; UINT64_MAX if there is none ("max"). */
static uint64_t limit_in(const char *root, const char *path, const char *name)
{
	char file[PATH_MAX * 2], line[64] = "", *end;
	unsigned long long limit;
	FILE *in;

	snprintf(file, sizeof(file), "%s%s/%s", root, path, name);
	in = fopen(file, "re");
	if (!in)
		return UINT64_MAX;
	if (!fgets(line, sizeof(line), in))
		line[0] = '\0';
	fclose(in);
	limit = strtoull(line, &end, 10);
	return end == line ? UINT64_MAX : limit;
}

/* The least limit of the group at `path` and of those around it. */
static uint64_t limit_of_group(const char *root, char *path, const char *name)
{
	uint64_t least = UINT64_MAX;

	while (true) {
		uint64_t limit = limit_in(root, path, name);
		char *slash = strrchr(path, '/');

		if (limit < least)
			least = limit;
		if (!slash)
			return least;
		*slash = '\0';
	}
}

/* Lines are "ID:CONTROLLERS:PATH"; version 2 has no controllers. */
static uint64_t cgroup_limit(void)
{
	char line[PATH_MAX + 64];
	uint64_t least = UINT64_MAX, limit;
	FILE *groups = fopen("/proc/self/cgroup", "re");

	while (groups && fgets(line, sizeof(line), groups)) {
		char *controllers = strchr(line, ':');
		char *path = controllers ? strchr(controllers + 1, ':') : NULL;

		if (!path)
			continue;
		line[strcspn(line, "\n")] = '\0';
		*path++ = '\0';
		if (controllers[1] == '\0')
			limit = limit_of_group("/sys/fs/cgroup", path, "memory.max");
		else if (strstr(controllers, "memory"))
			limit = limit_of_group("/sys/fs/cgroup/memory", path,
					       "memory.limit_in_bytes");
		else
			continue;
		if (limit < least)
			least = limit;
	}
	if (groups)
		fclose(groups);
	return least;
}

uint64_t machine_memory(void)
{
	long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
	uint64_t machine = pages > 0 && page > 0 ? (uint64_t)pages * (uint64_t)page : 0;
	uint64_t group = cgroup_limit();

	return group < machine ? group : machine;
}
