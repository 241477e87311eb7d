/*
 * query.c - ad-hoc SQL: by default it can read the database and nothing else.
 *
 * The authorizer decides when a statement is compiled, so nothing that it refuses ever runs.  It
 * lists what is allowed, not what is forbidden: a new feature of SQLite is refused until it is
 * listed.
 */
#include "store/sqlite/database.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* virtual machine steps between two looks at the clock: each may be slow */
#define PROGRESS_STEPS 500

/* Limits of one value and of one pattern: both limit the cost of a single step of SQLite. */
enum { TEXT_LIMIT = 64 << 20, LIKE_LIMIT = 1000 };

/* Pragmas that change nothing. */
static const char *const telling_pragmas[] = {
	"application_id",   "collation_list",  "compile_options", "database_list", "encoding",
	"foreign_key_list", "freelist_count",  "function_list",   "index_info",    "index_list",
	"index_xinfo",      "integrity_check", "page_count",      "page_size",     "quick_check",
	"schema_version",   "table_info",      "table_list",      "table_xinfo",   "user_version",
};

/* Pragmas whose argument names what to show.  An argument to any other pragma would set something.
 */
static const char *const pragmas_with_argument[] = {
	"foreign_key_list", "index_info", "index_list", "index_xinfo", "integrity_check",
	"quick_check",      "table_info", "table_list", "table_xinfo",
};

/* Functions that reach outside the database.  Some builds of SQLite have them. */
static const char *const forbidden_functions[] = {
	"load_extension", "readfile",         "writefile", "edit",
	"fts3_tokenizer", "sqlite3_filename", "lsdir",     "fsdir"};

static bool is_listed(const char *name, const char *const *list, size_t count)
{
	for (size_t i = 0; name && i < count; i++)
		if (sqlite3_stricmp(name, list[i]) == 0)
			return true;
	return false;
}
#define IS_LISTED(name, list) is_listed(name, list, sizeof(list) / sizeof(*(list)))

static bool pragma_only_tells(const char *name, const char *argument)
{
	return IS_LISTED(name, telling_pragmas) &&
	       (!argument || IS_LISTED(name, pragmas_with_argument));
}

static int authorize_reading(void *user, int action, const char *first, const char *second,
			     const char *database, const char *trigger)
{
	(void)user;
	(void)database;
	(void)trigger;
	switch (action) {
	case SQLITE_SELECT:
	case SQLITE_READ:
	case SQLITE_RECURSIVE:
		return SQLITE_OK;
	case SQLITE_UPDATE:
		/* Asked when a table-valued function such as json_each() is first used.  A
		 * statement that means it is refused by SQLite itself: the schema is not writable.
		 */
		return strcmp(first, "sqlite_master") == 0 ? SQLITE_OK : SQLITE_DENY;
	case SQLITE_FUNCTION:
		return IS_LISTED(second, forbidden_functions) ? SQLITE_DENY : SQLITE_OK;
	case SQLITE_PRAGMA:
		return pragma_only_tells(first, second) ? SQLITE_OK : SQLITE_DENY;
	default:
		return SQLITE_DENY;
	}
}

/* With --write the database itself is the user's; other files and native code stay out of reach. */
static int authorize_writing(void *user, int action, const char *first, const char *second,
			     const char *database, const char *trigger)
{
	switch (action) {
	case SQLITE_ATTACH:
	case SQLITE_DETACH:
	case SQLITE_CREATE_VTABLE:
	case SQLITE_DROP_VTABLE:
		return SQLITE_DENY;
	case SQLITE_FUNCTION:
	case SQLITE_PRAGMA:
		return authorize_reading(user, action, first, second, database, trigger);
	default:
		return SQLITE_OK;
	}
}

struct deadline {
	uint64_t at_ns; /* 0: none */
	const volatile sig_atomic_t *cancel;
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int is_late(void *user)
{
	const struct deadline *deadline = user;

	return (deadline->cancel && *deadline->cancel) ||
	       (deadline->at_ns && now_ns() >= deadline->at_ns);
}

/* ---- running --------------------------------------------------------------------------------- */

struct query {
	struct store *store;
	const struct store_query_options *options;
	store_row_fn *fn;
	void *user;
	bool *truncated;
	uint64_t rows;
	struct snap_error *err;
};

#define READ_ONLY " (queries are read-only without --write)"

static enum snap_status query_fail(struct query *query)
{
	sqlite3 *db = query->store->db;

	switch (sqlite3_errcode(db)) {
	case SQLITE_INTERRUPT:
		if (query->options->cancel && *query->options->cancel)
			return fail(query->err, SNAP_ESYSTEM, "interrupted");
		return fail(query->err, SNAP_ESYSTEM,
			    "the query took longer than %.3g s and was stopped",
			    (double)query->options->timeout_ns / 1e9);
	case SQLITE_NOMEM:
		return fail(query->err, SNAP_ESYSTEM,
			    "the query needs more memory than is allowed (--max-memory)");
	case SQLITE_AUTH:
	case SQLITE_READONLY:
		return fail(query->err, SNAP_EUSAGE, "refused: %s%s", sqlite3_errmsg(db),
			    query->options->write ? "" : READ_ONLY);
	case SQLITE_ERROR:
		if (strstr(sqlite3_errmsg(db), "because it is a view"))
			return fail(query->err, SNAP_EUSAGE,
				    "refused: %s (views are read-only; --write opens the tables "
				    "behind them)",
				    sqlite3_errmsg(db));
		__attribute__((fallthrough));
	case SQLITE_RANGE:
	case SQLITE_MISMATCH:
	case SQLITE_CONSTRAINT:
	case SQLITE_TOOBIG:
		return fail(query->err, SNAP_EUSAGE, "SQL: %s", sqlite3_errmsg(db));
	default:
		return database_fail(query->store, query->err, "the query failed");
	}
}

static struct store_value column_value(sqlite3_stmt *row, int column)
{
	struct store_value value = {.type = STORE_NULL};

	switch (sqlite3_column_type(row, column)) {
	case SQLITE_INTEGER:
		value.type = STORE_INTEGER;
		value.integer = sqlite3_column_int64(row, column);
		break;
	case SQLITE_FLOAT:
		value.type = STORE_REAL;
		value.real = sqlite3_column_double(row, column);
		break;
	case SQLITE_TEXT:
		value.type = STORE_TEXT;
		value.text = (const char *)sqlite3_column_text(row, column);
		value.size = (size_t)sqlite3_column_bytes(row, column);
		break;
	case SQLITE_BLOB:
		value.type = STORE_BLOB;
		value.text = sqlite3_column_blob(row, column);
		value.size = (size_t)sqlite3_column_bytes(row, column);
		break;
	default:
		break;
	}
	return value;
}

static enum snap_status give_rows(struct query *query, sqlite3_stmt *statement, const char **names,
				  struct store_value *values, int columns)
{
	enum snap_status st;
	int code;

	for (int i = 0; i < columns; i++)
		names[i] = sqlite3_column_name(statement, i);
	st = query->fn(query->user, (size_t)columns, names, NULL);
	while (st == SNAP_OK && (code = sqlite3_step(statement)) != SQLITE_DONE) {
		if (code != SQLITE_ROW)
			return query_fail(query);
		if (query->options->max_rows && query->rows == query->options->max_rows) {
			*query->truncated = true;
			break;
		}
		query->rows++;
		for (int i = 0; i < columns; i++)
			values[i] = column_value(statement, i);
		st = query->fn(query->user, (size_t)columns, names, values);
	}
	return st;
}

static enum snap_status run_statement(struct query *query, sqlite3_stmt *statement)
{
	int columns = sqlite3_column_count(statement);
	const char **names;
	struct store_value *values;
	enum snap_status st;

	if (columns == 0) {
		int code = sqlite3_step(statement);

		return code == SQLITE_DONE || code == SQLITE_ROW ? SNAP_OK : query_fail(query);
	}
	query->rows = 0;
	names = calloc((size_t)columns, sizeof(*names));
	values = calloc((size_t)columns, sizeof(*values));
	st = names && values ? give_rows(query, statement, names, values, columns)
			     : fail_memory(query->err, "running a query");
	free(names);
	free(values);
	return st;
}

/* ---- parameters ------------------------------------------------------------------------------ */

static int bind_value(sqlite3_stmt *statement, int index, const char *value)
{
	char *end;
	long long integer;
	double real;

	errno = 0;
	integer = strtoll(value, &end, 10);
	if (*value && *end == '\0' && errno == 0)
		return sqlite3_bind_int64(statement, index, integer);
	real = strtod(value, &end);
	if (*value && *end == '\0')
		return sqlite3_bind_double(statement, index, real);
	return sqlite3_bind_text(statement, index, value, -1, SQLITE_TRANSIENT);
}

static const char *param_value(const struct store_query_options *options, const char *name)
{
	for (size_t i = 0; i < options->param_count; i++)
		if (name && *name && strcmp(options->params[i].name, name + 1) == 0) {
			options->params[i].used = true;
			return options->params[i].value;
		}
	return NULL;
}

static enum snap_status bind_params(struct query *query, sqlite3_stmt *statement)
{
	for (int i = 1; i <= sqlite3_bind_parameter_count(statement); i++) {
		const char *name = sqlite3_bind_parameter_name(statement, i);
		const char *value = param_value(query->options, name);

		if (!value)
			return fail(query->err, SNAP_EUSAGE,
				    "the parameter %s has no value: --param name=value",
				    name ? name : "?");
		if (bind_value(statement, i, value) != SQLITE_OK)
			return query_fail(query);
	}
	return SNAP_OK;
}

/* The text of a line around `at`, and a mark below it. */
static void show_place(FILE *out, const char *line, const char *at)
{
	enum { BEFORE = 60, AFTER = 40 };
	const char *begin = at - line > BEFORE ? at - BEFORE : line;
	const char *end = at + strnlen(at, AFTER);

	while (begin < at && ((unsigned char)*begin & 0xc0) == 0x80) /* inside a character */
		begin++;
	while (end > at && ((unsigned char)*end & 0xc0) == 0x80)
		end--;
	fputs("\n  ", out);
	for (const char *c = begin; c < end && *c != '\n'; c++)
		fputc((unsigned char)*c < ' ' ? ' ' : *c, out);
	fputs("\n  ", out);
	for (const char *c = begin; c < at; c++)
		if (((unsigned char)*c & 0xc0) != 0x80)
			fputc(' ', out);
	fputc('^', out);
}

/* Where in the text that was given the error is: a line of it, with a mark. */
static void add_place(struct snap_error *err, const char *whole, const char *at)
{
	size_t used = err ? strlen(err->message) : 0;
	size_t lines = 1;
	const char *line = whole;
	FILE *out;

	if (!err || used >= sizeof(err->message) - 1)
		return;
	for (const char *c = whole; c < at; c++)
		if (*c == '\n') {
			lines++;
			line = c + 1;
		}
	out = fmemopen(err->message + used, sizeof(err->message) - used, "w");
	if (!out)
		return;
	fprintf(out, " (line %zu)", lines);
	show_place(out, line, at);
	fclose(out);
	err->message[sizeof(err->message) - 1] = '\0';
}

/* It does not compile; SQLite says where, if it knows. */
static enum snap_status compile_fail(struct query *query, const char *whole, const char *statement)
{
	enum snap_status st = query_fail(query);
	int offset = -1;

#if SQLITE_VERSION_NUMBER >= 3038000
	offset = sqlite3_error_offset(query->store->db);
#endif
	if (st == SNAP_EUSAGE && offset >= 0)
		add_place(query->err, whole, statement + offset);
	return st;
}

static enum snap_status run_statements(struct query *query, const char *sql)
{
	enum snap_status st = SNAP_OK;
	const char *whole = sql;

	while (st == SNAP_OK && *sql) {
		sqlite3_stmt *statement = NULL;
		const char *begin = sql;

		if (sqlite3_prepare_v2(query->store->db, sql, -1, &statement, &sql) != SQLITE_OK)
			return compile_fail(query, whole, begin);
		if (statement)
			st = bind_params(query, statement);
		if (statement && st == SNAP_OK)
			st = run_statement(query, statement);
		sqlite3_finalize(statement);
	}
	return st;
}

enum snap_status store_query(struct store *store, const char *sql,
			     const struct store_query_options *options, store_row_fn *fn,
			     void *user, bool *truncated, struct snap_error *err)
{
	struct query query = {store, options, fn, user, truncated, 0, err};
	struct deadline deadline = {options->timeout_ns ? now_ns() + options->timeout_ns : 0,
				    options->cancel};
	int length = sqlite3_limit(store->db, SQLITE_LIMIT_LENGTH, -1);
	int pattern = sqlite3_limit(store->db, SQLITE_LIMIT_LIKE_PATTERN_LENGTH, LIKE_LIMIT);
	sqlite3_int64 memory = 0;
	enum snap_status st;

	*truncated = false;
	store_symbol_flush(store);
	if (!options->write) /* a second protection, in case the first one has a gap */
		sqlite3_exec(store->db, "PRAGMA query_only = ON", NULL, NULL, NULL);
	sqlite3_set_authorizer(store->db, options->write ? authorize_writing : authorize_reading,
			       NULL);
	/* The user decides how long the user's own SQL may take. */
	sqlite3_progress_handler(store->db, deadline.at_ns || deadline.cancel ? PROGRESS_STEPS : 0,
				 is_late, &deadline);
	sqlite3_limit(store->db, SQLITE_LIMIT_LENGTH, length < TEXT_LIMIT ? length : TEXT_LIMIT);
	if (options->max_memory)
		memory = sqlite3_hard_heap_limit64((sqlite3_int64)options->max_memory);
	st = run_statements(&query, sql);
	if (options->max_memory)
		sqlite3_hard_heap_limit64(memory);
	sqlite3_progress_handler(store->db, 0, NULL, NULL);
	sqlite3_set_authorizer(store->db, NULL, NULL);
	sqlite3_limit(store->db, SQLITE_LIMIT_LENGTH, length);
	sqlite3_limit(store->db, SQLITE_LIMIT_LIKE_PATTERN_LENGTH, pattern);
	if (store->writable)
		sqlite3_exec(store->db, "PRAGMA query_only = OFF", NULL, NULL, NULL);
	/* End a transaction that a BEGIN without COMMIT left open: it would block the next
	 * command. */
	if (!sqlite3_get_autocommit(store->db))
		sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
	return st;
}

bool store_query_is_complete(const char *sql)
{
	return sqlite3_complete(sql) != 0;
}

/* ---- words ----------------------------------------------------------------------------------- */

void store_each_word(struct store *store, void (*fn)(void *user, const char *word), void *user)
{
	sqlite3_stmt *functions = NULL;

	for (int i = 0; i < sqlite3_keyword_count(); i++) {
		const char *word;
		char copy[64];
		int size;

		if (sqlite3_keyword_name(i, &word, &size) != SQLITE_OK || size >= (int)sizeof(copy))
			continue;
		memcpy(copy, word, (size_t)size);
		copy[size] = '\0';
		fn(user, copy);
	}
	if (sqlite3_prepare_v2(store->db, "SELECT DISTINCT name FROM pragma_function_list", -1,
			       &functions, NULL) != SQLITE_OK)
		return;
	while (sqlite3_step(functions) == SQLITE_ROW)
		fn(user, (const char *)sqlite3_column_text(functions, 0));
	sqlite3_finalize(functions);
}
