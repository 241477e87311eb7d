/*
 * doorbell.c - ring at processes that may have no helper yet (see snap/control.h).
 *
 * The signal is deadly to a process that does not handle it, so this is looked up first, and also
 * whether libsnap is in the process: glibc handles the same signal, and ignores ours.
 */
#include "capture/doorbell.h"

#include <ctype.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "snap/control.h"

enum { PATH_ROOM = 64 };

static FILE *open_proc(uint64_t pid, const char *name)
{
	char path[PATH_ROOM];

	snprintf(path, sizeof(path), "/proc/%llu/%s", (unsigned long long)pid, name);
	return fopen(path, "re");
}

static bool handles_it(uint64_t pid)
{
	FILE *file = open_proc(pid, "status");
	unsigned long long caught = 0;
	char line[256];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "SigCgt: %llx", &caught) == 1)
			break;
	if (file)
		fclose(file);
	return caught >> (SNAP_CONTROL_DOORBELL - 1) & 1;
}

static bool has_libsnap(uint64_t pid)
{
	FILE *file = open_proc(pid, "maps");
	char *line = NULL;
	size_t room = 0;
	bool found = false;

	while (file && !found && getline(&line, &room, file) >= 0)
		found = strstr(line, "/libsnap.so") != NULL;
	free(line);
	if (file)
		fclose(file);
	return found;
}

bool doorbell_ring(uint64_t pid, uint64_t secret)
{
	siginfo_t info;

	if (!handles_it(pid) || !has_libsnap(pid))
		return false;
	memset(&info, 0, sizeof(info));
	info.si_signo = SNAP_CONTROL_DOORBELL;
	info.si_code = SI_QUEUE;
	info.si_pid = getpid();
	info.si_uid = getuid();
	memcpy(&info.si_value, &secret, sizeof(secret));
	/* libc's sigqueue() refuses this signal. */
	return syscall(SYS_rt_sigqueueinfo, (pid_t)pid, SNAP_CONTROL_DOORBELL, &info) == 0;
}

/* Was the process started with SNAP_OUT=`dir`? */
static bool records_into(uint64_t pid, const char *dir)
{
	FILE *file = open_proc(pid, "environ");
	char *entry = NULL;
	size_t room = 0;
	bool found = false;

	while (file && !found && getdelim(&entry, &room, '\0', file) >= 0)
		found = strncmp(entry, "SNAP_OUT=", 9) == 0 && strcmp(entry + 9, dir) == 0;
	free(entry);
	if (file)
		fclose(file);
	return found;
}

void doorbell_each(const char *dir, void (*fn)(uint64_t pid, void *user), void *user)
{
	DIR *processes = opendir("/proc");
	const struct dirent *entry;

	while (processes && (entry = readdir(processes))) {
		uint64_t pid = isdigit((unsigned char)entry->d_name[0])
				       ? strtoull(entry->d_name, NULL, 10)
				       : 0;

		if (pid && records_into(pid, dir))
			fn(pid, user);
	}
	if (processes)
		closedir(processes);
}
