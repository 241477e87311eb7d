/*
 * forget.c - delete snapshots from a database, and everything that no other snapshot uses:
 * processes, call stacks, frames, modules.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "store/sqlite/database.h"

/* The order matters: each statement depends on what the earlier ones deleted. */
static const enum statement sweeping[] = {STATEMENT_sweep_runs, STATEMENT_sweep_sites,
					  STATEMENT_sweep_frames, STATEMENT_sweep_modules};

/* Delete from every table whose rows belong to one snapshot each. */
static enum snap_status delete_of_snapshots(struct store *store, const char *ids,
					    struct snap_error *err)
{
	const char *name;
	enum snap_status st = SNAP_OK;

	for (size_t i = 0; st == SNAP_OK && (name = database_table(i)); i++) {
		char *sql =
			sqlite3_mprintf("DELETE FROM \"%w\" WHERE snapshot_id IN (%s)", name, ids);
		char *has = sqlite3_mprintf("SELECT 1 FROM pragma_table_info('%q') WHERE "
					    "name = 'snapshot_id'",
					    name);
		sqlite3_stmt *asked = NULL;

		if (!sql || !has)
			st = fail_memory(err, "deleting snapshots");
		else if (sqlite3_prepare_v2(store->db, has, -1, &asked, NULL) != SQLITE_OK)
			st = database_fail(store, err, "cannot be read");
		else if (sqlite3_step(asked) == SQLITE_ROW)
			st = database_run(store, sql, "cannot be written", err);
		sqlite3_finalize(asked);
		sqlite3_free(has);
		sqlite3_free(sql);
	}
	return st;
}

static enum snap_status delete_all(struct store *store, const char *ids, struct snap_error *err)
{
	char *sql = sqlite3_mprintf("DELETE FROM snapshot WHERE id IN (%s)", ids);
	enum snap_status st =
		sql ? delete_of_snapshots(store, ids, err) : fail_memory(err, "deleting snapshots");

	if (st == SNAP_OK)
		st = database_run(store, sql, "cannot be written", err);
	sqlite3_free(sql);
	for (size_t i = 0; st == SNAP_OK && i < sizeof(sweeping) / sizeof(*sweeping); i++) {
		sqlite3_stmt *sweep = database_statement(store, sweeping[i], err);

		st = sweep ? database_step(store, sweep, "cannot be written", err) : SNAP_ESYSTEM;
	}
	return st;
}

/* "1,2,3"; malloc'ed, NULL when memory is out. */
static char *list_of(const int64_t *ids, size_t count)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	for (size_t i = 0; i < count; i++)
		fprintf(out, "%s%lld", i ? "," : "", (long long)ids[i]);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

enum snap_status store_forget(struct store *store, const int64_t *ids, size_t count,
			      struct snap_error *err)
{
	char *list = list_of(ids, count);
	enum snap_status st;

	if (!list)
		return fail_memory(err, "deleting snapshots");
	store_symbol_flush(store);
	st = database_run(store, "BEGIN IMMEDIATE", "cannot be written", err);
	if (st == SNAP_OK) {
		st = delete_all(store, list, err);
		if (st == SNAP_OK)
			st = database_run(store, "COMMIT", "cannot be written", err);
		if (st != SNAP_OK)
			sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
		database_forget_rows(store);
	}
	free(list);
	return st;
}
