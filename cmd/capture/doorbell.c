/*
 * doorbell.c - send the signal to processes that may have no helper yet (see snap/control.h).
 *
 * The signal kills a process that does not handle it.  So we first check that it does, and that
 * libsnap is in the process: glibc also handles this signal, and ignores ours.
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

/* Calls that go on by themselves after a signal (SA_RESTART).  Others end early, with EINTR. */
static const long restarted[] = {SYS_read,   SYS_write,   SYS_readv,   SYS_writev,   SYS_wait4,
				 SYS_waitid, SYS_accept,  SYS_accept4, SYS_recvfrom, SYS_recvmsg,
				 SYS_sendto, SYS_sendmsg, SYS_futex};

static FILE *open_proc(uint64_t pid, const char *name)
{
	char path[PATH_ROOM];

	snprintf(path, sizeof(path), "/proc/%llu/%s", (unsigned long long)pid, name);
	return fopen(path, "re");
}

/* Is our signal in the set on line `key` of a status file? */
static bool has_signal(FILE *status, const char *key)
{
	unsigned long long set = 0;
	char line[256];

	while (status && !set && fgets(line, sizeof(line), status))
		if (strncmp(line, key, strlen(key)) == 0)
			set = strtoull(line + strlen(key), NULL, 16);
	if (status)
		fclose(status);
	return set >> (SNAP_CONTROL_DOORBELL - 1) & 1;
}

bool doorbell_is_hung(uint64_t pid)
{
	return has_signal(open_proc(pid, "status"), "SigCgt:");
}

/* Can thread `tid` get a signal without a system call of its own ending early? */
static bool can_be_interrupted(uint64_t pid, const char *tid)
{
	char name[PATH_ROOM / 2], text[64] = "";
	bool can = false;
	long call;
	FILE *file;

	snprintf(name, sizeof(name), "task/%.10s/syscall", tid);
	file = open_proc(pid, name);
	if (!file)
		return false;
	if (fgets(text, sizeof(text), file)) {
		can = strncmp(text, "running", 7) == 0;
		call = strtol(text, NULL, 10);
		for (size_t i = 0; !can && i < sizeof(restarted) / sizeof(*restarted); i++)
			can = isdigit((unsigned char)text[0]) && restarted[i] == call;
	}
	fclose(file);
	snprintf(name, sizeof(name), "task/%.10s/status", tid);
	return can && !has_signal(open_proc(pid, name), "SigBlk:");
}

/* A thread that the signal does not disturb, or 0. */
static pid_t find_thread(uint64_t pid)
{
	char path[PATH_ROOM];
	const struct dirent *entry;
	pid_t found = 0;
	DIR *threads;

	snprintf(path, sizeof(path), "/proc/%llu/task", (unsigned long long)pid);
	threads = opendir(path);
	while (threads && !found && (entry = readdir(threads)))
		if (isdigit((unsigned char)entry->d_name[0]) &&
		    can_be_interrupted(pid, entry->d_name))
			found = (pid_t)strtol(entry->d_name, NULL, 10);
	if (threads)
		closedir(threads);
	return found;
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
	pid_t thread;

	if (!has_libsnap(pid))
		return false;
	thread = find_thread(pid);
	if (!doorbell_is_hung(pid))
		return false; /* asked last: after an exec the signal would end the process */
	memset(&info, 0, sizeof(info));
	info.si_signo = SNAP_CONTROL_DOORBELL;
	info.si_code = SI_QUEUE;
	info.si_pid = getpid();
	info.si_uid = getuid();
	memcpy(&info.si_value, &secret, sizeof(secret));
	/* libc's sigqueue() refuses this signal. */
	if (thread &&
	    syscall(SYS_rt_tgsigqueueinfo, (pid_t)pid, thread, SNAP_CONTROL_DOORBELL, &info) == 0)
		return true;
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
