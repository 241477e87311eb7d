/*
 * test_query.c - ad-hoc SQL can read the database and nothing else.
 */
/* links: cmd_store cmd_model m */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fail.h"
#include "store/store.h"

static char directory[] = "/tmp/test_query.XXXXXX";

static struct store *open_file(enum store_mode mode)
{
	struct snap_error err = {0};
	struct store *store;
	char path[64];

	if (!strcmp(directory + strlen(directory) - 6, "XXXXXX"))
		cr_assert(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/a.db", directory);
	if (mode != STORE_CREATE) {
		cr_assert_eq(store_open(&store, path, STORE_CREATE, &err), SNAP_OK, "%s",
			     err.message);
		store_close(store);
	}
	cr_assert_eq(store_open(&store, path, mode, &err), SNAP_OK, "%s", err.message);
	return store;
}

static struct store *open_private(void)
{
	struct store *store;

	cr_assert_eq(store_open(&store, NULL, STORE_CREATE, NULL), SNAP_OK);
	return store;
}

/* The first value of the last row, as text; how many rows there were. */
struct seen {
	char text[256];
	size_t rows;
};

static enum snap_status look(void *user, size_t columns, const char *const *names,
			     const struct store_value *row)
{
	struct seen *seen = user;

	(void)columns;
	(void)names;
	if (!row)
		return SNAP_OK;
	seen->rows++;
	if (row[0].type == STORE_INTEGER)
		snprintf(seen->text, sizeof(seen->text), "%lld", (long long)row[0].integer);
	else if (row[0].type == STORE_REAL)
		snprintf(seen->text, sizeof(seen->text), "%g", row[0].real);
	else
		snprintf(seen->text, sizeof(seen->text), "%s", row[0].text ? row[0].text : "null");
	return SNAP_OK;
}

static enum snap_status ask(struct store *store, const char *sql,
			    const struct store_query_options *options, struct seen *seen,
			    bool *truncated, struct snap_error *err)
{
	memset(seen, 0, sizeof(*seen));
	return store_query(store, sql, options, look, seen, truncated, err);
}

static void gives(struct store *store, const char *sql, const char *expected)
{
	struct store_query_options options = {0};
	struct snap_error err = {0};
	struct seen seen;
	bool truncated;

	cr_assert_eq(ask(store, sql, &options, &seen, &truncated, &err), SNAP_OK, "%s: %s", sql,
		     err.message);
	cr_assert_str_eq(seen.text, expected, "%s gives %s", sql, seen.text);
}

static void is_refused(struct store *store, const char *sql, bool write)
{
	struct store_query_options options = {.write = write};
	struct snap_error err = {0};
	struct seen seen;
	bool truncated;

	cr_assert_eq(ask(store, sql, &options, &seen, &truncated, &err), SNAP_EUSAGE,
		     "%s is not refused: %s", sql, err.message);
	cr_assert(err.message[0]);
}

/* Each would change this database, make another file, or reach what is not in the database. */
static const char *const forbidden[] = {
	"INSERT INTO run(id) VALUES (1)",
	"UPDATE snapshot SET label = 'x'",
	"DELETE FROM live",
	"REPLACE INTO run(id) VALUES (1)",
	"WITH a AS (SELECT 1) DELETE FROM live",
	"CREATE TABLE t(x)",
	"CREATE TEMP TABLE t(x)",
	"CREATE TEMP VIEW t AS SELECT 1",
	"CREATE VIRTUAL TABLE t USING fts5(x)",
	"CREATE TRIGGER t AFTER INSERT ON run BEGIN DELETE FROM live; END",
	"CREATE INDEX t ON run(pid)",
	"DROP TABLE live",
	"DROP VIEW top",
	"ALTER TABLE run RENAME TO walk",
	"ATTACH 'other.db' AS other",
	"ATTACH ':memory:' AS other",
	"DETACH main",
	"VACUUM",
	"VACUUM INTO 'other.db'",
	"REINDEX",
	"ANALYZE",
	"BEGIN",
	"BEGIN IMMEDIATE",
	"COMMIT",
	"SAVEPOINT s",
	"PRAGMA user_version = 9",
	"PRAGMA application_id = 9",
	"PRAGMA journal_mode = WAL",
	"PRAGMA query_only = OFF",
	"PRAGMA writable_schema = ON",
	"PRAGMA trusted_schema = ON",
	"PRAGMA temp_store_directory = '/tmp'",
	"PRAGMA wal_checkpoint",
	"PRAGMA optimize",
	"PRAGMA incremental_vacuum",
	"PRAGMA encoding = 'UTF-16'",
	"PRAGMA page_size = 512",
	"UPDATE sqlite_master SET sql = ''",
	"SELECT load_extension('x')",
	"SELECT readfile('/etc/passwd')",
	"SELECT writefile('x', 'y')",
	"SELECT fts3_tokenizer('simple')",
	"SELECT 1; DELETE FROM live",
};

Test(query, refuses_everything_but_reading_a_file)
{
	struct store *store = open_file(STORE_READ);

	for (size_t i = 0; i < sizeof(forbidden) / sizeof(*forbidden); i++)
		is_refused(store, forbidden[i], false);
	gives(store,
	      "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'snapshot%' AND type = 'table'",
	      "1");
	store_close(store);
}

Test(query, refuses_everything_but_reading_a_private_database)
{
	struct store *store = open_private();

	for (size_t i = 0; i < sizeof(forbidden) / sizeof(*forbidden); i++)
		is_refused(store, forbidden[i], false);
	gives(store, "SELECT count(*) FROM run", "0");
	store_close(store);
}

Test(query, with_write_may_change_the_database_and_nothing_else)
{
	static const char *const outside[] = {
		"ATTACH 'other.db' AS other",           "VACUUM INTO 'other.db'",
		"SELECT load_extension('x')",           "PRAGMA writable_schema = ON",
		"CREATE VIRTUAL TABLE t USING fts5(x)",
	};
	struct store_query_options write = {.write = true};
	struct store *store = open_file(STORE_WRITE);
	struct snap_error err = {0};
	struct seen seen;
	bool truncated;

	for (size_t i = 0; i < sizeof(outside) / sizeof(*outside); i++)
		is_refused(store, outside[i], true);
	cr_assert_eq(
		ask(store,
		    "INSERT INTO run(pid) VALUES (7); CREATE TABLE note(text); SELECT pid FROM run",
		    &write, &seen, &truncated, &err),
		SNAP_OK, "%s", err.message);
	cr_assert_str_eq(seen.text, "7");
	store_close(store);
	store = open_file(STORE_READ);
	gives(store, "SELECT pid FROM run", "7");
	store_close(store);
}

Test(query, a_transaction_left_open_is_rolled_back)
{
	struct store_query_options write = {.write = true};
	struct store *store = open_private();
	struct seen seen;
	bool truncated;

	cr_assert_eq(ask(store, "BEGIN; INSERT INTO run(pid) VALUES (7)", &write, &seen, &truncated,
			 NULL),
		     SNAP_OK);
	gives(store, "SELECT count(*) FROM run", "0");
	store_close(store);
}

Test(query, allows_what_only_reads)
{
	struct store *store = open_private();

	gives(store,
	      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9) SELECT "
	      "sum(i) FROM n",
	      "45");
	gives(store, "SELECT group_concat(value) FROM json_each('[1,2]')", "1,2");
	gives(store, "PRAGMA user_version", "4");
	gives(store, "SELECT count(*) FROM pragma_table_info('live')", "6");
	gives(store, "-- nothing but a comment", "");
	store_close(store);
}

Test(query, has_functions_of_its_own)
{
	struct store *store = open_private();

	gives(store, "SELECT human(0)", "0 B");
	gives(store, "SELECT human(1023)", "1023 B");
	gives(store, "SELECT human(1536)", "1.5 KiB");
	gives(store, "SELECT human(-1048576)", "-1.0 MiB");
	gives(store, "SELECT human(NULL)", "null");
	gives(store, "SELECT 'cache_put' REGEXP '^cache_(put|get)$'", "1");
	gives(store, "SELECT 'cache_putt' REGEXP '^cache_(put|get)$'", "0");
	gives(store, "SELECT NULL REGEXP 'x'", "null");
	gives(store, "SELECT stack_text(12345)", "null");
	is_refused(store, "SELECT 'x' REGEXP '('", false);
	store_close(store);
}

static double last_minus_first(const double *x, const double *y, size_t count)
{
	return count ? y[count - 1] - y[0] + 100 * x[count - 1] : 0;
}

Test(query, series_functions_get_the_rows_in_order)
{
	struct store *store = open_private();

	cr_assert_eq(store_add_series_function(store, "rise", 2, last_minus_first, NULL), SNAP_OK);
	cr_assert_eq(store_add_series_function(store, "climb", 1, last_minus_first, NULL), SNAP_OK);
	gives(store, "SELECT rise(column1, column2) FROM (VALUES (5, 1), (NULL, 9), (7, 4))",
	      "703");
	gives(store, "SELECT climb(column1) FROM (VALUES (1), (NULL), (4), (6))", "205");
	gives(store, "SELECT climb(column1) FROM (VALUES (1)) WHERE 0", "null");
	store_close(store);
}

Test(query, stops_after_max_rows_and_says_so)
{
	struct store_query_options options = {.max_rows = 2};
	struct store *store = open_private();
	struct seen seen;
	bool truncated;

	cr_assert_eq(ask(store, "SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3", &options, &seen,
			 &truncated, NULL),
		     SNAP_OK);
	cr_assert_eq(seen.rows, 2);
	cr_assert(truncated);
	cr_assert_eq(ask(store, "SELECT 1 UNION ALL SELECT 2", &options, &seen, &truncated, NULL),
		     SNAP_OK);
	cr_assert_eq(seen.rows, 2);
	cr_assert_not(truncated);
	store_close(store);
}

Test(query, stops_at_its_timeout, .timeout = 1200)
{
	struct store_query_options options = {.timeout_ns = 50000000};
	struct store *store = open_private();
	struct snap_error err = {0};
	struct seen seen;
	bool truncated;

	cr_assert_eq(ask(store,
			 "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT "
			 "count(*) FROM n",
			 &options, &seen, &truncated, &err),
		     SNAP_ESYSTEM);
	cr_assert(strstr(err.message, "0.05 s"), "%s", err.message);
	gives(store, "SELECT 1", "1");
	store_close(store);
}

Test(query, says_what_is_wrong_with_the_sql)
{
	struct store_query_options options = {0};
	struct store *store = open_private();
	struct snap_error err = {0};
	struct seen seen;
	bool truncated;

	cr_assert_eq(ask(store, "SELECT * FROM snapshot_list", &options, &seen, &truncated, &err),
		     SNAP_EUSAGE);
	cr_assert(strstr(err.message, "no such table: snapshot_list"), "%s", err.message);
	store_close(store);
}

Test(query, knows_when_a_statement_is_whole)
{
	cr_assert(store_query_is_complete("SELECT 1;"));
	cr_assert_not(store_query_is_complete("SELECT 1"));
	cr_assert_not(store_query_is_complete("SELECT ';"));
}
