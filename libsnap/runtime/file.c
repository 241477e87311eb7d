/*
 * runtime/file.c - a new file in the output directory: whole under its name, or absent.
 */
#include "runtime/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h> /* renameat */
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/os_linux.h"
#include "runtime/process.h"
#include "runtime/text.h"
#include "write/sys.h"

#define NAME_TRIES 8

#ifndef GRND_NONBLOCK
#define GRND_NONBLOCK 1
#endif
#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1
#endif

static uint64_t random_number(void)
{
	uint64_t number = 0;

	if (syscall(SYS_getrandom, &number, sizeof(number), GRND_NONBLOCK) == (long)sizeof(number))
		return number;
	number = snap__os_wall_ns() ^ (uint64_t)(uintptr_t)&number << 20;
	return (number ^ (uint64_t)snap__sys_getpid() << 48) * 0x9e3779b97f4a7c15ull;
}

static void name_temporary(struct snap__file *file, const char *name)
{
	static const char digits[] = "0123456789abcdef";
	struct snap__text text = SNAP__TEXT(file->temporary);
	uint64_t number = random_number();

	snap__text_add(&text, ".");
	snap__text_add(&text, name);
	snap__text_add(&text, ".");
	snap__text_add_u64(&text, (uint64_t)snap__process_self()->pid);
	snap__text_add(&text, ".");
	for (unsigned i = 0; i < 16; i++)
		snap__text_add_bytes(&text, &digits[number >> (4 * i) & 15], 1);
	snap__text_add(&text, ".tmp");
}

static void close_directory(const struct snap__file *file)
{
	if (file->owns_directory)
		snap__sys_close(file->directory);
}

int snap__file_create(struct snap__file *file, int directory, const char *path, const char *name)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY;
	int error;

	file->directory = directory;
	file->owns_directory = directory < 0;
	if (directory < 0)
		file->directory = snap__sys_open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (file->directory < 0)
		return errno;
	for (unsigned i = 0; i < NAME_TRIES; i++) {
		name_temporary(file, name);
		file->fd = snap__sys_openat(file->directory, file->temporary, flags, 0600);
		if (file->fd >= 0)
			return 0;
		if (errno != EEXIST)
			break;
	}
	error = errno;
	close_directory(file);
	return error;
}

/* Some file systems cannot sync: that is not an error. */
static int sync_descriptor(int fd)
{
	if (syscall(SYS_fsync, fd) == 0 || errno == EINVAL || errno == EROFS || errno == EBADF)
		return 0;
	return errno;
}

static void sync_directory(int directory)
{
	int fd = snap__sys_openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);

	if (fd < 0)
		return; /* a directory with write and search permission but no read permission cannot be synced */
	(void)sync_descriptor(fd);
	snap__sys_close(fd);
}

/*
 * Some errors come only with close().  But while the file has its temporary name, one descriptor must stay
 * open: `run` removes a temporary file that nobody writes.  So a copy of the descriptor is closed here.
 */
int snap__file_finish(struct snap__file *file, bool is_durable)
{
	int error = is_durable ? sync_descriptor(file->fd) : 0;
	int copy = (int)syscall(SYS_fcntl, file->fd, F_DUPFD_CLOEXEC, 0);

	if (snap__sys_close(copy >= 0 ? copy : file->fd) != 0 && error == 0 && errno != EINTR)
		error = errno;
	if (copy < 0)
		file->fd = -1;
	return error;
}

static bool exists(int at, const char *name)
{
	struct stat info;

	return snap__sys_lstat(at, name, &info) == 0;
}

/* Some file systems cannot rename without replacing. */
int snap__file_rename(struct snap__file *file, const char *name)
{
	int at = file->directory;

	if (syscall(SYS_renameat2, at, file->temporary, at, name, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return errno;
	if (syscall(SYS_linkat, at, file->temporary, at, name, 0) == 0) {
		snap__sys_unlinkat(at, file->temporary);
		return 0;
	}
	if (errno == EEXIST || exists(at, name))
		return EEXIST;
	return snap__sys_renameat(at, file->temporary, at, name) == 0 ? 0 : errno;
}

int snap__file_replace(struct snap__file *file, const char *name)
{
	int at = file->directory;

	return snap__sys_renameat(at, file->temporary, at, name) == 0 ? 0 : errno;
}

void snap__file_close(struct snap__file *file, bool is_kept, bool is_durable)
{
	int saved = errno;

	if (file->fd >= 0)
		snap__sys_close(file->fd);
	if (!is_kept)
		snap__sys_unlinkat(file->directory, file->temporary);
	else if (is_durable)
		sync_directory(file->directory);
	close_directory(file);
	errno = saved;
}
