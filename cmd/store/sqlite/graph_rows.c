/*
 * graph_rows.c - the rows of reports on holders, in tables and statements that any SQLite can run.
 *
 * The reports sum up the graph themselves.  For --sql the same sums are asked in SQL: temp.member
 * says which group of blocks or root counts towards which row, temp.node what rows are called, and
 * temp.shown which are shown.
 */
#include "store/holders.h"

#include "store/sqlite/bulk.h"
#include "store/sqlite/sql.h"
#include "store/sqlite/temporary.h"

static int bind_node(sqlite3_stmt *statement, int at, const void *row, const void *context)
{
	const struct store_node *node = row;

	(void)context;
	sqlite3_bind_int64(statement, at++, node->row);
	sqlite3_bind_text(statement, at++, node->key, -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, at++, node->kind, -1, SQLITE_STATIC);
	return at;
}

static int bind_member(sqlite3_stmt *statement, int at, const void *row, const void *context)
{
	const struct store_member *member = row;

	(void)context;
	sqlite3_bind_int(statement, at++, member->is_root);
	sqlite3_bind_int64(statement, at++, member->id);
	sqlite3_bind_int64(statement, at++, member->row);
	return at;
}

/* Make a temporary table anew, and put the rows into it. */
static enum snap_status put_anew(struct store *store, const char *drop, const char *table,
				 const struct bulk *put, const void *rows, size_t count,
				 struct snap_error *err)
{
	enum snap_status st = temporary_begin(store, err);

	if (st == SNAP_OK)
		st = temporary_table(store, drop, table, err);
	if (st == SNAP_OK)
		st = bulk_insert(store, put, rows, count, NULL, err);
	return temporary_end(store, st, err);
}

enum snap_status store_put_members(struct store *store, const struct store_member *members,
				   size_t count, struct snap_error *err)
{
	static const struct bulk put = {STATEMENT_member_put, bind_member, sizeof(*members), true};

	return put_anew(store, sql_member_drop, sql_member_table, &put, members, count, err);
}

enum snap_status store_put_nodes(struct store *store, const struct store_node *nodes, size_t count,
				 struct snap_error *err)
{
	static const struct bulk put = {STATEMENT_node_put, bind_node, sizeof(*nodes), true};

	return put_anew(store, sql_node_drop, sql_node_table, &put, nodes, count, err);
}

static enum snap_status ignore_row(void *context, sqlite3_stmt *row)
{
	(void)context;
	(void)row;
	return SNAP_OK;
}

/* ?1 snapshot, ?2 limit where the statement has one. */
static enum snap_status ask(struct store *store, enum statement which, int64_t snapshot_id,
			    size_t limit, struct snap_error *err)
{
	sqlite3_stmt *statement = database_statement(store, which, err);

	if (!statement)
		return SNAP_ESYSTEM;
	sqlite3_bind_int64(statement, 1, snapshot_id);
	if (sqlite3_bind_parameter_count(statement) > 1)
		sqlite3_bind_int64(statement, 2, limit > INT64_MAX ? INT64_MAX : (int64_t)limit);
	database_record(store, statement);
	return database_each_row(store, statement, ignore_row, NULL, err);
}

enum snap_status store_ask_leaks(struct store *store, int64_t snapshot_id, struct snap_error *err)
{
	enum snap_status st = ask(store, STATEMENT_lost_shown, snapshot_id, 0, err);

	return st == SNAP_OK ? ask(store, STATEMENT_lost_total, snapshot_id, 0, err) : st;
}

enum snap_status store_ask_holders(struct store *store, int64_t snapshot_id, size_t limit,
				   struct snap_error *err)
{
	static const enum statement all[] = {STATEMENT_held_by, STATEMENT_blocks_shown,
					     STATEMENT_holds, STATEMENT_blocks_total};
	enum snap_status st = SNAP_OK;

	for (size_t i = 0; st == SNAP_OK && i < sizeof(all) / sizeof(*all); i++)
		st = ask(store, all[i], snapshot_id, limit, err);
	return st;
}
