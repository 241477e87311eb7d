/*
 * t30 HOW: a process that can no longer write a file, nor open one.
 * Stands for: a snapshot that is missing, for a reason that nobody hears.
 */
#include "torture.h"

#include <grp.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

static void *volatile keep[2000];

static void limit(int what, rlim_t value)
{
	const struct rlimit limits = {value, value};

	NEED(setrlimit(what, &limits) == 0);
}

static void become_mute(const char *how)
{
	if (strcmp(how, "user") == 0)
		NEED(setgroups(0, NULL) == 0 && setgid(65534) == 0 && setuid(65534) == 0);
	else if (strcmp(how, "files") == 0)
		limit(RLIMIT_NOFILE, 0);
	else if (strcmp(how, "size") == 0)
		limit(RLIMIT_FSIZE, 0);
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";

	if (strcmp(how, "signal") == 0)
		raise(SIGSYS);
	become_mute(how);
	for (int n = 0; n < 3; n++) {
		pid_t child = fork();
		int status = 0;

		if (child == 0) {
			for (int i = 0; i < 2000; i++)
				keep[i] = malloc(100);
			exit(5);
		}
		NEED(waitpid(child, &status, 0) == child && status == 5 << 8);
	}
	return 3;
}
