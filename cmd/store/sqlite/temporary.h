/*
 * temporary.h - temporary tables and views of a report, which any SQLite can make: see --sql.
 */
#ifndef STORE_TEMPORARY_H
#define STORE_TEMPORARY_H

#include "store/sqlite/database.h"

/** Between these two calls a store that was opened for reading may write temporary tables, and
 * nothing else. */
enum snap_status temporary_begin(struct store *store, struct snap_error *err);
/** Returns `st`, or if that is SNAP_OK, what went wrong here. */
enum snap_status temporary_end(struct store *store, enum snap_status st, struct snap_error *err);

/** Run a statement without rows, and record it. */
enum snap_status temporary_run(struct store *store, const char *sql, struct snap_error *err);
/** Make a table in place of an earlier report's. */
enum snap_status temporary_table(struct store *store, const char *drop, const char *create,
				 struct snap_error *err);

#endif
