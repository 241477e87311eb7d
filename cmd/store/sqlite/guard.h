/*
 * store/sqlite/guard.h - a database of a stranger touches no other file.
 */
#ifndef STORE_SQLITE_GUARD_H
#define STORE_SQLITE_GUARD_H

/** The name by which SQLite opens files so; NULL when memory is out. */
const char *guard_files(void);

#endif
