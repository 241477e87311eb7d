/*
 * temporary.c - temporary tables and views of a report.
 */
#include "store/sqlite/temporary.h"

enum snap_status temporary_begin(struct store *store, struct snap_error *err)
{
	return store->writable
		       ? SNAP_OK
		       : database_run(store, "PRAGMA query_only = OFF", "cannot be read", err);
}

enum snap_status temporary_end(struct store *store, enum snap_status st, struct snap_error *err)
{
	enum snap_status closed = SNAP_OK;

	if (!store->writable)
		closed = database_run(store, "PRAGMA query_only = ON", "cannot be read",
				      st == SNAP_OK ? err : NULL);
	return st == SNAP_OK ? closed : st;
}

enum snap_status temporary_run(struct store *store, const char *sql, struct snap_error *err)
{
	sqlite3_stmt *statement = NULL;
	enum snap_status st;

	if (sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL) != SQLITE_OK)
		return database_fail(store, err, "cannot be read");
	database_record(store, statement);
	st = database_step(store, statement, "cannot be read", err);
	sqlite3_finalize(statement);
	return st;
}

enum snap_status temporary_table(struct store *store, const char *drop, const char *create,
				 struct snap_error *err)
{
	enum snap_status st = temporary_run(store, drop, err);

	return st == SNAP_OK ? temporary_run(store, create, err) : st;
}
