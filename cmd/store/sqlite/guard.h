/*
 * store/sqlite/guard.h - a database from a stranger can neither change another file nor make us
 * wait for one.
 */
#ifndef STORE_SQLITE_GUARD_H
#define STORE_SQLITE_GUARD_H

#include <errno.h>

/** The errno for a pipe, a socket or a device in the place of a file of SQLite's. */
#define GUARD_NO_FILE EMEDIUMTYPE

/** The name by which SQLite opens files so; NULL when memory is out. */
const char *guard_files(void);

#endif
