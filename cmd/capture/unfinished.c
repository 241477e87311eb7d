/*
 * capture/unfinished.c - find and remove temporary files of killed processes.
 */
#include "capture/unfinished.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { HEX_DIGITS = 16, OLD_S = 600 };

/* ".PROGRAM.PID.HEX.tmp": the pid; 0 if it is no such name.  The program's name may have dots. */
static uint64_t pid_of_temporary(const char *name)
{
	static const char end[] = ".tmp";
	size_t size = strlen(name), left = sizeof(end) - 1 + HEX_DIGITS;
	const char *hex, *pid;

	if (name[0] != '.' || size < left + 5 || strcmp(name + size - sizeof(end) + 1, end) != 0)
		return 0;
	hex = name + size - left;
	if (strspn(hex, "0123456789abcdef") != HEX_DIGITS || hex[-1] != '.')
		return 0;
	for (pid = hex - 1; pid[-1] >= '0' && pid[-1] <= '9'; pid--)
		;
	return pid[-1] == '.' && pid > name + 1 ? strtoull(pid, NULL, 10) : 0;
}

/* A lease for reading is refused while anybody has the file open for writing. */
static bool has_no_writer(int fd)
{
	bool granted = fcntl(fd, F_SETLEASE, F_RDLCK) == 0;

	if (granted)
		(void)fcntl(fd, F_SETLEASE, F_UNLCK);
	return granted;
}

static bool is_abandoned(int directory, const char *name, bool has_ended)
{
	int fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	struct stat info;
	bool abandoned;

	if (fd < 0)
		return false;
	abandoned = fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_uid == geteuid() &&
		    (has_ended || time(NULL) - info.st_mtim.tv_sec > OLD_S) && has_no_writer(fd);
	close(fd);
	return abandoned;
}

size_t unfinished_remove(const struct hello *hello, const char *dir)
{
	/* Whoever opens a file that we have a lease on has this signal sent to us. */
	const struct sigaction ignored = {.sa_handler = SIG_IGN};
	struct sigaction before;
	const struct dirent *entry;
	DIR *handle = opendir(dir);
	size_t removed = 0;

	if (!handle)
		return 0;
	sigaction(SIGIO, &ignored, &before);
	while ((entry = readdir(handle))) {
		uint64_t pid = pid_of_temporary(entry->d_name);
		bool has_ended = pid && hello_has_ended(hello, pid);

		if (pid && is_abandoned(dirfd(handle), entry->d_name, has_ended) &&
		    unlinkat(dirfd(handle), entry->d_name, 0) == 0)
			removed += has_ended;
	}
	sigaction(SIGIO, &before, NULL);
	closedir(handle);
	return removed;
}
