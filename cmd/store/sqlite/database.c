/*
 * database.c - check, create and migrate a database; its prepared statements and its errors.
 */
#include "store/sqlite/database.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "store/sqlite/guard.h"
#include "store/sqlite/sql.h"

#define APPLICATION_ID 0x534e4150 /* "SNAP": how `file` and other tools know the database */

/* A file may be hostile. With an honest file, none of our statements needs this much time. */
#define STATEMENT_SECONDS 600
#define PROGRESS_STEPS    1000000 /* virtual machine steps between two looks at the clock */

/* Of CPU time.  For each name of a schema SQLite searches all names: a schema of 200,000 tables
   takes a minute before one of our statements begins. */
#define OPENING_SECONDS 3
#define OPENING_STEPS   1000

/*
 * Step n makes version n + 1 out of version n.  Steps are only ever added.  To add one:
 *   1. Write sql/version_<n + 1>.sql and append it here.  It may use the functions of functions.c.
 *   2. sql/schema.sql stays what version 1 was.  If the step makes or changes a table, the text of
 *	its CREATE TABLE is in the step, and the table is listed in `tables` below.
 *   3. Keep a small database of version n in testdata/store/, and list it in
 *	tests/unit/test_migration.c, which opens it and compares it with a new one.
 * Views are made anew after the steps, from sql/view_*.sql: a view that changes is a new version, too.
 */
static const char *const migrations[] = {sql_schema, sql_version_2, sql_version_3, sql_version_4};
#define SCHEMA_VERSION ((int)(sizeof(migrations) / sizeof(*migrations)))

/* And the version that brought each. */
static const struct table {
	const char *name;
	int since;
} tables[] = {
	{"run", 1},  {"snapshot", 1}, {"label", 1},       {"metric", 1}, {"loss", 1},
	{"meta", 1}, {"module", 1},   {"mapping", 1},     {"frame", 1},  {"site", 1},
	{"live", 1}, {"variance", 1}, {"cohort", 1},      {"object", 1}, {"symbol", 1},
	{"root", 3}, {"edge", 3},     {"block_group", 3}, {"path", 3},   {"step", 3},
};

enum { TABLES = sizeof(tables) / sizeof(*tables) };

/* Made anew by every migration; in order of dependency. */
static const struct view {
	const char *name, *sql;
} views[] = {
#define VIEW(name) {#name, sql_view_##name},
#include "store/sqlite/views.def"
#undef VIEW
};

static const char *const statement_texts[] = {
#define STATEMENT(name) sql_##name,
#include "store/sqlite/statements.def"
#undef STATEMENT
};

static enum snap_status status_of(int code)
{
	switch (code & 0xff) {
	case SQLITE_NOMEM:
		return SNAP_ENOMEM;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_CONSTRAINT:
	case SQLITE_INTERRUPT:
	case SQLITE_TOOBIG:
		return SNAP_ECORRUPT;
	default:
		return SNAP_ESYSTEM;
	}
}

/* SQLite follows no link to a journal, and guard.c opens plain files only. */
static bool is_no_plain_file(int code, int cause)
{
	return (code & 0xff) == SQLITE_CANTOPEN && (cause == GUARD_NO_FILE || cause == ELOOP);
}

/* SQLite's error `code` in words that help. */
static const char *reason(int code, int cause, const char *message)
{
	if (is_no_plain_file(code, cause))
		return "its -journal, -wal or -shm is no plain file: remove that";
	if (code == SQLITE_READONLY_DBMOVED)
		return "another file took its place while it was open";
	switch (code & 0xff) {
	case SQLITE_NOTADB:
		return "the file is not a database";
	case SQLITE_CORRUPT:
		return "the database is damaged";
	case SQLITE_CONSTRAINT:
		return DATABASE_EQUAL_KEYS;
	case SQLITE_INTERRUPT:
		return "a statement took longer than any should: the database may be damaged";
	case SQLITE_TOOBIG:
		return "a value is larger than any should be: the database may be damaged";
	case SQLITE_FULL:
		return "the disk is full";
	case SQLITE_BUSY:
		return "another process is writing to it";
	case SQLITE_CANTOPEN:
	case SQLITE_IOERR:
		return cause ? strerror(cause) : message;
	default:
		return message;
	}
}

static int is_no_ok(void *user, int count, char **values, char **names)
{
	(void)names;
	*(bool *)user = count < 1 || !values[0] || strcmp(values[0], "ok") != 0;
	return 0;
}

/* Our statements are correct.  If one fails, the file may be damaged.  Only our tables are looked
 * at: the constraints of other tables may call functions that never end. */
static bool is_damaged(struct store *store, int code)
{
	bool damaged = false;

	if (code != SQLITE_ERROR || store->in_memory)
		return false;
	for (size_t i = 0; !damaged && i < TABLES; i++) {
		char check[64];

		snprintf(check, sizeof(check), "PRAGMA quick_check('%s')", tables[i].name);
		if (sqlite3_exec(store->db, check, is_no_ok, &damaged, NULL) != SQLITE_OK)
			damaged = true;
	}
	return damaged;
}

enum snap_status database_fail(struct store *store, struct snap_error *err, const char *doing)
{
	int code = sqlite3_extended_errcode(store->db);
	int cause = sqlite3_system_errno(store->db);
	char message[200];

	snprintf(message, sizeof(message), "%s", sqlite3_errmsg(store->db));
	if (strcmp(message, "integer overflow") == 0)
		return fail(err, SNAP_ECORRUPT, "%s: %s: its figures add up to more than 64 bits",
			    store->name, doing);
	if (is_damaged(store, code))
		code = SQLITE_CORRUPT;
	return fail(err, is_no_plain_file(code, cause) ? SNAP_ECORRUPT : status_of(code),
		    "%s: %s: %s", store->name, doing, reason(code, cause, message));
}

enum snap_status database_run(struct store *store, const char *sql, const char *doing,
			      struct snap_error *err)
{
	if (sqlite3_exec(store->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		return database_fail(store, err, doing);
	return SNAP_OK;
}

const char *database_sql(enum statement which)
{
	return statement_texts[which];
}

sqlite3_stmt *database_statement(struct store *store, enum statement which, struct snap_error *err)
{
	sqlite3_stmt **slot = &store->statements[which];

	if (*slot) {
		sqlite3_reset(*slot);
		sqlite3_clear_bindings(*slot);
		return *slot;
	}
	if (sqlite3_prepare_v3(store->db, statement_texts[which], -1, SQLITE_PREPARE_PERSISTENT,
			       slot, NULL) != SQLITE_OK)
		database_fail(store, err, "cannot be read");
	return *slot;
}

enum snap_status database_step(struct store *store, sqlite3_stmt *statement, const char *doing,
			       struct snap_error *err)
{
	enum snap_status st = SNAP_OK;

	if (sqlite3_step(statement) != SQLITE_DONE)
		st = database_fail(store, err, doing);
	sqlite3_reset(statement);
	return st;
}

void database_record(struct store *store, sqlite3_stmt *statement)
{
	char *text = store->recording ? sqlite3_expanded_sql(statement) : NULL;

	if (text)
		fprintf(store->recording, "%s\n", text);
	sqlite3_free(text);
}

int database_bind_u64(sqlite3_stmt *statement, int at, uint64_t value)
{
	return value == SNAP_UNKNOWN ? sqlite3_bind_null(statement, at)
				     : sqlite3_bind_int64(statement, at, (int64_t)value);
}

/* No figure is negative: a negative one in a file counts as unknown. */
uint64_t database_u64(sqlite3_stmt *statement, int column)
{
	sqlite3_int64 value = sqlite3_column_int64(statement, column);

	if (value < 0 || (value == 0 && sqlite3_column_type(statement, column) == SQLITE_NULL))
		return SNAP_UNKNOWN;
	return (uint64_t)value;
}

uint64_t database_known(sqlite3_stmt *statement, int column)
{
	uint64_t value = database_u64(statement, column);

	return value == SNAP_UNKNOWN ? 0 : value;
}

const char *database_text(sqlite3_stmt *statement, int column)
{
	const unsigned char *text = sqlite3_column_text(statement, column);

	return text ? (const char *)text : "";
}

bool database_query_int(struct store *store, const char *sql, int *value)
{
	sqlite3_stmt *statement = NULL;
	bool found = sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL) == SQLITE_OK &&
		     sqlite3_step(statement) == SQLITE_ROW;

	if (found)
		*value = sqlite3_column_int(statement, 0);
	sqlite3_finalize(statement);
	return found;
}

static enum snap_status remake_view(struct store *store, const struct view *view,
				    struct snap_error *err)
{
	char drop[96];
	enum snap_status st;

	snprintf(drop, sizeof(drop), "DROP VIEW IF EXISTS %s", view->name);
	st = database_run(store, drop, "cannot be brought up to date", err);
	return st == SNAP_OK ? database_run(store, view->sql, "cannot be created", err) : st;
}

/* Bring the schema from `version` to ours, in the transaction that is open. */
static enum snap_status migrate_steps(struct store *store, int version, struct snap_error *err)
{
	enum snap_status st = SNAP_OK;
	char pragma[96];

	for (int step = version; st == SNAP_OK && step < SCHEMA_VERSION; step++)
		st = database_run(store, migrations[step], "cannot be brought up to date", err);
	if (st == SNAP_OK && version == 0)
		st = database_run(store, store->in_memory ? sql_private_tables : sql_indexes,
				  "cannot be created", err);
	for (size_t i = 0; st == SNAP_OK && i < sizeof(views) / sizeof(*views); i++)
		st = remake_view(store, &views[i], err);
	if (st != SNAP_OK)
		return st;
	snprintf(pragma, sizeof(pragma), "PRAGMA application_id = %d; PRAGMA user_version = %d",
		 APPLICATION_ID, SCHEMA_VERSION);
	return database_run(store, pragma, "cannot be created", err);
}

/* The kind of database that the header of `path` states.  `*version` is 0 for an empty database. */
static enum snap_status identify(struct store *store, int *version, struct snap_error *err)
{
	int application = 0, objects = 0;

	if (!database_query_int(store, "PRAGMA application_id", &application) ||
	    !database_query_int(store, "PRAGMA user_version", version) ||
	    !database_query_int(store, "SELECT count(*) FROM sqlite_schema", &objects))
		return database_fail(store, err, "cannot be read");
	if (application == 0 && *version == 0 && objects == 0)
		return SNAP_OK;
	if (application != APPLICATION_ID || *version < 1)
		return fail(err, SNAP_ECORRUPT,
			    "%s: is a database of another program, not of snapdiff", store->name);
	if (*version > SCHEMA_VERSION)
		return fail(err, SNAP_EVERSION,
			    "%s: was written by a newer snapdiff (schema version %d; this one "
			    "knows %d)",
			    store->name, *version, SCHEMA_VERSION);
	return SNAP_OK;
}

/* Another process may create or migrate at the same time: look again once we are the only writer.
 */
static enum snap_status migrate(struct store *store, struct snap_error *err)
{
	int version = 0;
	enum snap_status st = database_run(store, "BEGIN IMMEDIATE", "cannot be written", err);

	if (st != SNAP_OK)
		return st;
	st = identify(store, &version, err);
	if (st == SNAP_OK && version < SCHEMA_VERSION)
		st = migrate_steps(store, version, err);
	if (st == SNAP_OK)
		st = database_run(store, "COMMIT", "cannot be written", err);
	if (st != SNAP_OK)
		sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
	return st;
}

/* ---- is it as we made it? -------------------------------------------------------------------- */

/* Is `made`, the text that SQLite keeps, one of our statements? */
static bool is_statement_of(const char *ours, const char *made)
{
	const char *at = made && strncmp(made, "CREATE ", 7) == 0 ? strstr(ours, made) : NULL;

	return at && (at == ours || at[-1] == '\n') && at[strlen(made)] == ';';
}

const char *database_table(size_t i)
{
	return i < TABLES ? tables[i].name : NULL;
}

static const struct table *our_table(const char *name)
{
	for (size_t i = 0; i < TABLES; i++)
		if (strcmp(tables[i].name, name) == 0)
			return &tables[i];
	return NULL;
}

static size_t tables_of_version(int version)
{
	size_t count = 0;

	for (size_t i = 0; i < TABLES; i++)
		count += tables[i].since <= version;
	return count;
}

static const struct view *our_view(const char *name)
{
	for (size_t i = 0; i < sizeof(views) / sizeof(*views); i++)
		if (strcmp(views[i].name, name) == 0)
			return &views[i];
	return NULL;
}

struct inspection {
	int version;
	size_t tables, views; /* of ours, as we made them */
	bool with_views;
	char strange[64]; /* the name of one that is not */
};

/* Other tables and views may be there: nothing of ours reads them. */
static void inspect(struct inspection *inspection, const char *type, const char *name,
		    const char *made)
{
	const struct table *table = our_table(name);
	const struct view *view = our_view(name);
	bool is_ours = true;

	if (table && table->since <= inspection->version) {
		is_ours = strcmp(type, "table") == 0 &&
			  is_statement_of(migrations[table->since - 1], made);
		inspection->tables += is_ours;
	} else if (view && inspection->with_views) {
		is_ours = strcmp(type, "view") == 0 && is_statement_of(view->sql, made);
		inspection->views += is_ours;
	}
	if (!is_ours)
		snprintf(inspection->strange, sizeof(inspection->strange), "%s", name);
}

/*
 * Reports read our tables and views.  A view in the place of a table, or another definition, could
 * make reading endless, or return anything.
 */
static enum snap_status check_schema(struct store *store, int version, bool with_views,
				     struct snap_error *err)
{
	struct inspection inspection = {.version = version, .with_views = with_views};
	sqlite3_stmt *row = NULL;
	int code = sqlite3_prepare_v2(store->db, sql_schema_objects, -1, &row, NULL);

	while (code == SQLITE_OK || code == SQLITE_ROW) {
		code = sqlite3_step(row);
		if (code == SQLITE_ROW)
			inspect(&inspection, database_text(row, 0), database_text(row, 1),
				database_text(row, 2));
	}
	sqlite3_finalize(row);
	if (code != SQLITE_DONE)
		return database_fail(store, err, "cannot be read");
	if (inspection.strange[0])
		return fail(err, SNAP_ECORRUPT,
			    "%s: is damaged, or was changed: its '%s' is not what snapdiff makes",
			    store->name, inspection.strange);
	if (inspection.tables != tables_of_version(version) ||
	    (with_views && inspection.views != sizeof(views) / sizeof(*views)))
		return fail(err, SNAP_ECORRUPT, "%s: is damaged: tables are missing", store->name);
	return SNAP_OK;
}

/* A row of PRAGMA index_xinfo: the second column is where a column stands in its table, and -2 for an
 * expression. */
static int find_expression(void *user, int count, char **values, char **names)
{
	(void)names;
	*(bool *)user |= count > 1 && values[1] && strcmp(values[1], "-2") == 0;
	return 0;
}

static bool is_of_expression(struct store *store, const char *index)
{
	char *sql = sqlite3_mprintf("PRAGMA main.index_xinfo(\"%w\")", index);
	bool found = false;
	int code = sql ? sqlite3_exec(store->db, sql, find_expression, &found, NULL) : SQLITE_NOMEM;

	sqlite3_free(sql);
	return found || code != SQLITE_OK;
}

struct indexes {
	struct store *store;
	char strange[64]; /* the name of one that computes */
};

/* A row of PRAGMA index_list: number, name, unique, origin, partial. */
static int judge_index(void *user, int count, char **values, char **names)
{
	struct indexes *indexes = user;
	bool is_partial = count < 5 || !values[4] || strcmp(values[4], "0") != 0;

	(void)names;
	if (count > 1 && values[1] && (is_partial || is_of_expression(indexes->store, values[1])))
		snprintf(indexes->strange, sizeof(indexes->strange), "%s", values[1]);
	return 0;
}

/*
 * An index of somebody's own on columns of our tables is fine.  One that computes may call
 * functions that never end, for each row that `load` adds; SQLite cannot be interrupted in them.
 */
static enum snap_status check_indexes(struct store *store, struct snap_error *err)
{
	struct indexes indexes = {.store = store};

	for (size_t i = 0; i < TABLES; i++) {
		char list[64];

		snprintf(list, sizeof(list), "PRAGMA main.index_list(%s)", tables[i].name);
		if (sqlite3_exec(store->db, list, judge_index, &indexes, NULL) != SQLITE_OK)
			return database_fail(store, err, "cannot be read");
	}
	if (indexes.strange[0])
		return fail(err, SNAP_ECORRUPT,
			    "%s: was changed: its index '%s' sorts by an expression or has only "
			    "some of the rows; snapdiff makes no such index: drop it",
			    store->name, indexes.strange);
	return SNAP_OK;
}

/* Another process may create or migrate it just now: one transaction reads one state of it. */
static enum snap_status examine(struct store *store, int *version, struct snap_error *err)
{
	enum snap_status st = database_run(store, "BEGIN", "cannot be read", err);

	if (st == SNAP_OK)
		st = identify(store, version, err);
	if (st == SNAP_OK && *version)
		st = check_schema(store, *version, *version == SCHEMA_VERSION, err);
	if (st == SNAP_OK && *version)
		st = check_indexes(store, err);
	sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
	return st;
}

/* Bring an older file up to date, whatever it was opened for. */
static enum snap_status update(struct store *store, int version, struct snap_error *err)
{
	enum snap_status st;

	if (sqlite3_db_readonly(store->db, "main"))
		return fail(err, SNAP_EVERSION,
			    "%s: was written by an older snapdiff and has to be brought up to "
			    "date, but cannot be written: name a copy that can be written",
			    store->name);
	st = migrate(store, err);
	if (st == SNAP_OK)
		store->migrated_from = version;
	return st;
}

enum snap_status database_check_version(struct store *store, enum store_mode mode,
					struct snap_error *err)
{
	int version = 0;
	enum snap_status st = examine(store, &version, err);

	database_begin_limits(store);
	if (st != SNAP_OK || version == SCHEMA_VERSION)
		return st;
	if (version == 0 && !database_may_be_made(mode))
		return fail(err, SNAP_ECORRUPT,
			    "%s: is empty, not a database that `snapdiff load` made", store->name);
	return update(store, version, err);
}

/* ---- limits --------------------------------------------------------------------------------- */

static uint64_t now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (uint64_t)now.tv_sec;
}

static uint64_t cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int is_slow_to_open(void *user)
{
	const struct store *store = user;

	return cpu_ns() - store->opening_ns > OPENING_SECONDS * UINT64_C(1000000000);
}

void database_begin_opening(struct store *store)
{
	store->opening_ns = cpu_ns();
	sqlite3_progress_handler(store->db, OPENING_STEPS, is_slow_to_open, store);
}

static int is_late(void *user)
{
	const struct store *store = user;

	return now_s() - store->begun_s > STATEMENT_SECONDS;
}

void database_begin_limits(struct store *store)
{
	if (store->in_memory)
		return;
	store->begun_s = now_s();
	sqlite3_progress_handler(store->db, PROGRESS_STEPS, is_late, store);
}
