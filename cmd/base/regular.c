/*
 * regular.c - open a file that somebody else named, and nothing but a regular file.
 */
#include "base/regular.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { OPEN_FLAGS = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY };

/** File systems whose files act when they are read. */
static bool is_of_kernel(const struct statfs *system)
{
	switch ((uint32_t)system->f_type) {
	case PROC_SUPER_MAGIC:
	case SYSFS_MAGIC:
	case DEBUGFS_MAGIC:
	case TRACEFS_MAGIC:
	case SECURITYFS_MAGIC:
	case SELINUX_MAGIC:
	case BPF_FS_MAGIC:
	case CGROUP_SUPER_MAGIC:
	case CGROUP2_SUPER_MAGIC:
	case EFIVARFS_MAGIC:
	case PSTOREFS_MAGIC:
		return true;
	default:
		return false;
	}
}

/** What is wrong with the file, as an errno; 0 if nothing is. */
static int fault_of(int fd, uint64_t most, struct stat *info)
{
	struct statfs system;

	if (fstat(fd, info) != 0 || fstatfs(fd, &system) != 0)
		return errno;
	if (S_ISDIR(info->st_mode))
		return EISDIR;
	if (!S_ISREG(info->st_mode) || is_of_kernel(&system))
		return EINVAL;
	return info->st_size < 0 || (uint64_t)info->st_size > most ? EFBIG : 0;
}

/** Open the file that `place`, a descriptor that only marks it, refers to. */
static int open_marked(int place, int directory, const char *path, const struct stat *marked)
{
	char link[64];
	struct stat info;
	int fd;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", place);
	fd = open(link, OPEN_FLAGS);
	if (fd >= 0 || errno != ENOENT)
		return fd;
	fd = openat(directory, path, OPEN_FLAGS); /* there is no /proc here */
	if (fd >= 0 && (fstat(fd, &info) != 0 || info.st_dev != marked->st_dev ||
			info.st_ino != marked->st_ino)) {
		close(fd);
		errno = EAGAIN;
		fd = -1;
	}
	return fd;
}

/**
 * Get a descriptor that only marks the file and does not open it (O_PATH), so that a later change
 * of the name does not matter. -1 with errno if the file is refused.
 */
static int mark(int directory, const char *path, uint64_t most, struct stat *info)
{
	int place = -1, fault = 0;

	if (fstatat(directory, path, info, 0) != 0)
		return -1;
	if (S_ISDIR(info->st_mode))
		fault = EISDIR;
	else if (!S_ISREG(info->st_mode))
		fault = EINVAL;
	if (!fault) {
		place = openat(directory, path, O_PATH | O_CLOEXEC);
		fault = place < 0 ? errno : fault_of(place, most, info);
	}
	if (fault && place >= 0) {
		close(place);
		place = -1;
	}
	errno = fault;
	return place;
}

int regular_open(int directory, const char *path, uint64_t most, uint64_t *size)
{
	struct stat info;
	int place = mark(directory, path, most, &info), fd, error;

	if (place < 0)
		return -1;
	fd = open_marked(place, directory, path, &info);
	error = errno;
	close(place);
	errno = error;
	if (fd >= 0 && size)
		*size = (uint64_t)info.st_size;
	return fd;
}

int regular_fault(int directory, const char *path, uint64_t most, uint64_t *size)
{
	struct stat info;
	int place = mark(directory, path, most, &info);

	if (place < 0)
		return errno;
	close(place);
	*size = (uint64_t)info.st_size;
	return 0;
}
