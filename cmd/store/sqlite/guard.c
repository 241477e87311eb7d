/*
 * guard.c - a database of a stranger touches no other file.
 *
 * The journal beside a database may be a stranger's, too, and may say that its transaction was of
 * several databases: it names the file that lists their journals.  SQLite deletes that file when
 * it has rolled the transaction back, whichever file it is.  Our transactions are of one database,
 * so there is no such list.
 */
#include "store/sqlite/guard.h"

#include <sqlite3.h>
#include <stddef.h>

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

const char *guard_files(void)
{
	if (!system_files) {
		system_files = sqlite3_vfs_find(NULL);
		if (!system_files)
			return NULL;
		guard = *system_files;
		guard.pNext = NULL;
		guard.zName = "snapdiff";
		guard.xOpen = open_file;
	}
	return sqlite3_vfs_register(&guard, 0) == SQLITE_OK ? guard.zName : NULL;
}
