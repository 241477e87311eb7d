/*
 * guard.c - a database from a stranger can neither change another file nor make us wait for one.
 *
 * The journal beside a database may also come from a stranger.  It may state that its transaction
 * covered several databases, and name the file that lists their journals.  SQLite deletes that file
 * when it has rolled the transaction back, whichever file it is.  Our transactions cover one
 * database, so there is no such list.
 *
 * A file beside the database with the name of a journal, a log or its index may be a pipe, for
 * which SQLite would wait, or a device.
 */
#include "store/sqlite/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stddef.h>
#include <sys/stat.h>
#include <unistd.h>

static sqlite3_vfs *system_files;
static sqlite3_vfs guard;

static int open_file(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
		     int *given_flags)
{
	(void)vfs;
	if (!(flags & SQLITE_OPEN_SUPER_JOURNAL))
		return system_files->xOpen(system_files, name, file, flags, given_flags);
	file->pMethods = NULL;
	return SQLITE_CORRUPT;
}

/* Nothing waits here: a pipe that took the place of a file since is refused when it is open. */
static int open_plain(const char *path, int flags, int mode)
{
	struct stat info;
	int fd;

	if (stat(path, &info) == 0 && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode)) {
		errno = GUARD_NO_FILE;
		return -1;
	}
	fd = open(path, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, mode);
	if (fd < 0 || (fstat(fd, &info) == 0 && (S_ISREG(info.st_mode) || S_ISDIR(info.st_mode))))
		return fd;
	close(fd);
	errno = GUARD_NO_FILE;
	return -1;
}

const char *guard_files(void)
{
	if (!system_files) {
		system_files = sqlite3_vfs_find(NULL);
		if (!system_files)
			return NULL;
		system_files->xSetSystemCall(system_files, "open",
					     (sqlite3_syscall_ptr)(void (*)(void))open_plain);
		guard = *system_files;
		guard.pNext = NULL;
		guard.zName = "snapdiff";
		guard.xOpen = open_file;
	}
	return sqlite3_vfs_register(&guard, 0) == SQLITE_OK ? guard.zName : NULL;
}
