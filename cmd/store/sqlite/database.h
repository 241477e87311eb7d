/*
 * database.h - shared by the files of this directory: the handle, its statements, its errors.
 */
#ifndef STORE_DATABASE_H
#define STORE_DATABASE_H

#include <sqlite3.h>
#include <stdio.h>

#include "base/fail.h"
#include "store/sqlite/arrays.h"
#include "store/sqlite/intern.h"
#include "store/sqlite/relation.h"
#include "store/store.h"

/** Every statement that the store keeps prepared. */
enum statement {
#define STATEMENT(name) STATEMENT_##name,
#include "store/sqlite/statements.def"
#undef STATEMENT
	STATEMENT_COUNT
};

struct store {
	sqlite3 *db;
	char *name; /* for messages: the path, or "the private database" */
	bool in_memory;
	bool writable;
	int migrated_from;   /* schema version that opening brought up to date; 0 none */
	uint64_t begun_s;    /* when the statement at hand began: see database_begin_limits() */
	uint64_t opening_ns; /* of CPU time, when opening it began */
	bool symbols_read;   /* a transaction of store_symbol_begin() is open */
	bool symbols_open;   /* a transaction of store_symbol_put() is open */
	sqlite3_stmt *statements[STATEMENT_COUNT]; /* prepared when first used */
	sqlite3_stmt *batches[STATEMENT_COUNT];    /* the same for many rows: see bulk.h */
	FILE *recording;                           /* the statements of a report (--sql), or NULL */
	char *recorded;
	size_t recorded_size;
	struct intern modules; /* content -> row id, of the rows met so far */
	struct intern frames;
	struct intern sites;
	bool forgot;              /* a rollback emptied these three */
	struct arrays arrays;     /* the call stacks of a private database; else empty */
	struct relation relation; /* what temp.credit, temp.held and temp.counted show */
	char *texts;              /* of the last answer of the symbol cache */
	size_t texts_capacity;
};

/** The error for a row whose key exists already. */
#define DATABASE_EQUAL_KEYS "two different call stacks have the same key"

/** Its text. */
const char *database_sql(enum statement which);

/** The prepared statement, reset, without bindings; NULL with `err` set when it cannot be prepared.
 */
sqlite3_stmt *database_statement(struct store *store, enum statement which, struct snap_error *err);

/** Turn SQLite's last error into a status and a sentence: "<name>: <doing>: <why>". */
enum snap_status database_fail(struct store *store, struct snap_error *err, const char *doing);

/** Names of the base tables, one after the other; NULL after the last. */
const char *database_table(size_t i);

/** May opening in this mode make the file? */
static inline bool database_may_be_made(enum store_mode mode)
{
	return mode == STORE_CREATE || mode == STORE_CACHE;
}

/** Check that the database is ours; create or migrate it where the mode says so. */
enum snap_status database_check_version(struct store *store, enum store_mode mode,
					struct snap_error *err);

/** The integer that a statement gives; false when there is none. */
bool database_query_int(struct store *store, const char *sql, int *value);

/** Rows that are gone from the tables (rolled back, deleted) are not found again by their hashes. */
void database_forget_rows(struct store *store);

/** A statement on a file begins: see STATEMENT_SECONDS. */
void database_begin_limits(struct store *store);
/** The same for the statements that open a file, until database_check_version(): see
 * OPENING_SECONDS. */
void database_begin_opening(struct store *store);

/** Run statements that return nothing. */
enum snap_status database_run(struct store *store, const char *sql, const char *doing,
			      struct snap_error *err);

/** Step a statement that returns nothing, and reset it. */
enum snap_status database_step(struct store *store, sqlite3_stmt *statement, const char *doing,
			       struct snap_error *err);

typedef enum snap_status row_fn(void *context, sqlite3_stmt *row);

/** Step `statement` through.  Each row goes to `fn`, which ends the iteration unless it returns
 * SNAP_OK. */
enum snap_status database_each_row(struct store *store, sqlite3_stmt *statement, row_fn *fn,
				   void *context, struct snap_error *err);

/** Add the statement, with the values that are bound, to the recording, if there is one. */
void database_record(struct store *store, sqlite3_stmt *statement);

/** SNAP_UNKNOWN <-> NULL. */
int database_bind_u64(sqlite3_stmt *statement, int at, uint64_t value);
uint64_t database_u64(sqlite3_stmt *statement, int column);
/** An unknown value counts as 0. */
uint64_t database_known(sqlite3_stmt *statement, int column);
/** NULL becomes "". */
const char *database_text(sqlite3_stmt *statement, int column);

/** human(), stack_text(), regexp: what snapdiff adds to SQL (functions.c). */
enum snap_status functions_register(struct store *store, struct snap_error *err);

#endif
