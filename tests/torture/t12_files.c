/*
 * t12: file descriptors and directories.
 * Stands for: agents that write into a file which the host opened under their descriptor's number,
 * after a daemon closed everything; and results lost after chdir, chroot or a change of user.
 */
#include "torture.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";
	struct rlimit limit = {3, 3};
	struct stat before, after;
	int fds[20];

	churn(100);
	if (strcmp(how, "close") == 0) {
		char name[] = "/tmp/torture.XXXXXX";

		for (int fd = 0; fd < 1024; fd++)
			close(fd);
		for (int i = 0; i < 20; i++) { /* take the numbers over */
			fds[i] = open("/dev/null", O_RDWR);
			NEED(fds[i] == i);
		}
		fds[0] = mkstemp(name);
		unlink(name);
		for (int fd = 0; fd < 20; fd++)
			dup2(fds[0], fd); /* whoever writes to a stale number writes here */
		NEED(fstat(fds[0], &before) == 0);
		churn(2000);
		usleep(250000); /* the timer fires meanwhile */
		NEED(fstat(fds[0], &after) == 0 && after.st_size == before.st_size);
	} else if (strcmp(how, "nofile") == 0) {
		NEED(setrlimit(RLIMIT_NOFILE, &limit) == 0);
		churn(100);
		usleep(250000);
	} else if (strcmp(how, "chdir") == 0) {
		NEED(chdir("/") == 0);
	} else if (strcmp(how, "chroot") == 0) {
		if (geteuid() == 0)
			NEED(chroot("/usr") == 0 && chdir("/") == 0);
	} else if (strncmp(how, "mounts", 6) == 0) {
		int kinds = CLONE_NEWNS | (strcmp(how, "mounts_and_pids") == 0 ? CLONE_NEWPID : 0);

		if (geteuid() == 0)
			NEED(unshare(kinds) == 0 &&
			     mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
			     mount("none", "/tmp", "tmpfs", 0, NULL) == 0);
	} else if (strcmp(how, "setuid") == 0) {
		if (geteuid() == 0)
			NEED(setgid(65534) == 0 &&
			     setuid(65534) == 0); /* all threads must follow */
	}
	churn(100);
	return 0;
}
