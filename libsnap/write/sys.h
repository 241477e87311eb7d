/*
 * write/sys.h - the few system calls that libsnap makes without the C library's functions.
 *
 * write(), open() and their like can be interposed by another preloaded library, whose own set-up
 * may not have run when we start; they are also cancellation points.  A guest must avoid both.
 * Arguments, results and errno are those of the C library's functions.
 */
#ifndef SNAP_WRITE_SYS_H
#define SNAP_WRITE_SYS_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

static inline ssize_t snap__sys_read(int fd, void *buffer, size_t size)
{
	return syscall(SYS_read, fd, buffer, size);
}

static inline ssize_t snap__sys_pread(int fd, void *buffer, size_t size, off_t offset)
{
	return syscall(SYS_pread64, fd, buffer, size, offset);
}

static inline ssize_t snap__sys_write(int fd, const void *data, size_t size)
{
	return syscall(SYS_write, fd, data, size);
}

/** O_LARGEFILE is implied: off_t has 64 bits wherever we run. */
static inline int snap__sys_openat(int directory, const char *path, int flags, mode_t mode)
{
	return (int)syscall(SYS_openat, directory, path, flags, mode);
}

static inline int snap__sys_open(const char *path, int flags)
{
	return snap__sys_openat(AT_FDCWD, path, flags, 0);
}

/** With an empty `path`: of the file that `directory` is open on. */
static inline int snap__sys_stat(int directory, const char *path, struct stat *st)
{
	return (int)syscall(SYS_newfstatat, directory, path, st, path[0] ? 0 : AT_EMPTY_PATH);
}

/** Of a symbolic link itself. */
static inline int snap__sys_lstat(int directory, const char *path, struct stat *st)
{
	return (int)syscall(SYS_newfstatat, directory, path, st, AT_SYMLINK_NOFOLLOW);
}

/** With AT_EACCESS where the kernel knows that. */
static inline int snap__sys_access(const char *path, int mode)
{
#ifdef SYS_faccessat2
	int result = (int)syscall(SYS_faccessat2, AT_FDCWD, path, mode, AT_EACCESS);

	if (result == 0 || (errno != ENOSYS && errno != EPERM))
		return result;
#endif
	return (int)syscall(SYS_faccessat, AT_FDCWD, path, mode);
}

static inline int snap__sys_mkdir(const char *path, mode_t mode)
{
	return (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
}

static inline ssize_t snap__sys_readlink(const char *path, char *into, size_t size)
{
	return syscall(SYS_readlinkat, AT_FDCWD, path, into, size);
}

static inline int snap__sys_unlinkat(int directory, const char *path)
{
	return (int)syscall(SYS_unlinkat, directory, path, 0);
}

static inline int snap__sys_renameat(int from, const char *old_path, int to, const char *path)
{
#ifdef SYS_renameat
	return (int)syscall(SYS_renameat, from, old_path, to, path);
#else
	return (int)syscall(SYS_renameat2, from, old_path, to, path, 0);
#endif
}

/** The current directory, if it can be reached from the root. */
static inline bool snap__sys_getcwd(char *into, size_t size)
{
	return syscall(SYS_getcwd, into, size) > 0 && into[0] == '/';
}

static inline int snap__sys_getpid(void)
{
	return (int)syscall(SYS_getpid);
}

static inline int snap__sys_getppid(void)
{
	return (int)syscall(SYS_getppid);
}

static inline uid_t snap__sys_geteuid(void)
{
	return (uid_t)syscall(SYS_geteuid);
}

static inline int snap__sys_madvise(void *base, size_t size, int advice)
{
	return (int)syscall(SYS_madvise, base, size, advice);
}

static inline int snap__sys_close(int fd)
{
	return (int)syscall(SYS_close, fd);
}

#endif
