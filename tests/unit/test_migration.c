/*
 * test_migration.c - databases of older schema versions, as they were written then, become what a
 * new database is.
 */
/* links: cmd_store cmd_input cmd_model */
#include <criterion/criterion.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "input/input.h"
#include "store/store.h"

/* Databases of all older versions, of the same snapshots. */
static const char *const versions[] = {"version_1.sql", "version_2.sql", "version_3.sql"};
static const char *const snapshots[] = {"first.txt", "second.txt", "sampled.txt"};

enum { SIZE = 1 << 20 };

static char *directory(void)
{
	static char dir[] = "/tmp/test_migration.XXXXXX";

	if (strstr(dir, "XXXXXX"))
		cr_assert(mkdtemp(dir));
	return dir;
}

/* Make the database that a dump in testdata/store describes. */
static char *old_database(const char *dump)
{
	static char sql[SIZE];
	char source[512], *path;
	sqlite3 *db;
	FILE *in;

	snprintf(source, sizeof(source), TESTDATA "/store/%s", dump);
	in = fopen(source, "re");
	cr_assert(in, "%s", source);
	sql[fread(sql, 1, SIZE - 1, in)] = '\0';
	fclose(in);
	cr_assert_gt(asprintf(&path, "%s/%s.db", directory(), dump), 0);
	cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
	cr_assert_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK, "%s", sqlite3_errmsg(db));
	sqlite3_close(db);
	return path;
}

static void load(struct store *store, const char *name)
{
	struct input_options options = {0};
	struct snap_error err = {0};
	struct model *model;
	char path[512];
	bool already;
	int64_t id;

	snprintf(path, sizeof(path), TESTDATA "/store/%s", name);
	cr_assert_eq(input_read(&model, path, &options, &err), SNAP_OK, "%s", err.message);
	cr_assert_eq(store_load(store, model, NULL, STORE_ALL, NULL, &id, &already, &err), SNAP_OK,
		     "%s", err.message);
	model_free(model);
}

/* The same snapshots in a new database. */
static char *new_database(void)
{
	struct snap_error err = {0};
	struct store *store;
	char *path;

	cr_assert_gt(asprintf(&path, "%s/new.db", directory()), 0);
	cr_assert_eq(store_open(&store, path, STORE_CREATE, &err), SNAP_OK, "%s", err.message);
	for (size_t i = 0; i < sizeof(snapshots) / sizeof(*snapshots); i++)
		load(store, snapshots[i]);
	store_close(store);
	return path;
}

/* What plain SQLite answers, one line per row. */
static char *answer(const char *path, const char *sql)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	sqlite3_stmt *row;
	sqlite3 *db;

	cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
	cr_assert_eq(sqlite3_prepare_v2(db, sql, -1, &row, NULL), SQLITE_OK, "%s: %s", sql,
		     sqlite3_errmsg(db));
	while (sqlite3_step(row) == SQLITE_ROW)
		for (int i = 0; i < sqlite3_column_count(row); i++)
			fprintf(out, "%s%s", sqlite3_column_text(row, i),
				i + 1 < sqlite3_column_count(row) ? "|" : "\n");
	sqlite3_finalize(row);
	sqlite3_close(db);
	fclose(out);
	return text;
}

static void check_same(const char *migrated, const char *fresh, const char *sql)
{
	char *is = answer(migrated, sql), *should = answer(fresh, sql);

	cr_expect_str_eq(is, should, "%s gives %s, not %s", sql, is, should);
	free(is);
	free(should);
}

Test(migration, an_older_database_becomes_what_a_new_one_is)
{
	static const char *const same[] = {
		"SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY 1, 2",
		"PRAGMA user_version",
		"SELECT site_id, domain, depth, function, file, line, module FROM sites ORDER BY 1",
		"SELECT snapshot_id, seq, site_id, function, live_bytes, live_blocks, "
		"allocated_bytes, allocated_blocks FROM history ORDER BY 1, 3",
		"SELECT * FROM cohorts ORDER BY 1, 2, 3",
		"SELECT old_snapshot_id, new_snapshot_id, site_id, delta_bytes FROM changes "
		"ORDER BY 1, 2, 3",
	};
	char *fresh = new_database();

	for (size_t v = 0; v < sizeof(versions) / sizeof(*versions); v++) {
		char *path = old_database(versions[v]);
		struct snap_error err = {0};
		struct store *store;

		cr_assert_eq(store_open(&store, path, STORE_READ, &err), SNAP_OK, "%s",
			     err.message);
		cr_assert_eq(store_migrated_from(store), (int)v + 1);
		store_close(store);
		for (size_t i = 0; i < sizeof(same) / sizeof(*same); i++)
			check_same(path, fresh, same[i]);
		/* Every site of `variance` is one of `live`. */
		check_same(path, fresh,
			   "SELECT count(*) FROM variance AS v WHERE NOT EXISTS (SELECT 1 FROM "
			   "live AS l WHERE l.snapshot_id = v.snapshot_id AND l.site_id = "
			   "v.site_id)");
		cr_assert_eq(store_open(&store, path, STORE_READ, &err), SNAP_OK);
		cr_assert_eq(store_migrated_from(store), 0, "it is brought up to date once");
		store_close(store);
		free(path);
	}
	free(fresh);
}

/* A table or a view that changes without a new version would make every user's database a damaged one. */
Test(migration, a_database_of_the_present_version_needs_no_step)
{
	char *path = old_database("version_4.sql");
	struct snap_error err = {0};
	struct store *store;

	cr_assert_eq(store_open(&store, path, STORE_READ, &err), SNAP_OK, "%s", err.message);
	cr_expect_eq(store_migrated_from(store), 0);
	store_close(store);
	free(path);
}

Test(migration, the_same_snapshot_is_found_again_afterwards)
{
	char *path = old_database(versions[0]);
	struct snap_error err = {0};
	struct store *store;

	cr_assert_eq(store_open(&store, path, STORE_CREATE, &err), SNAP_OK, "%s", err.message);
	load(store, "second.txt");
	store_close(store);
	cr_expect_str_eq(answer(path, "SELECT count(*) FROM snapshot"), "3\n");
	cr_expect_str_eq(answer(path, "SELECT count(*) FROM site"), "4\n");
	free(path);
}

Test(migration, a_database_that_cannot_be_written_is_refused_and_left_alone)
{
	char *path = old_database(versions[0]);
	struct snap_error err = {0};
	struct store *store;

	if (geteuid() == 0)
		cr_skip_test("root may write everything");
	cr_assert_eq(chmod(path, 0400), 0);
	cr_assert_eq(store_open(&store, path, STORE_READ, &err), SNAP_EVERSION);
	cr_assert(strstr(err.message, "copy"), "%s", err.message);
	free(path);
}
