/*
 * test_store.c - snapshots in SQLite: each is loaded whole and once, or not at all.
 */
/* links: cmd_store cmd_model */
#include <criterion/criterion.h>
#include <dirent.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/store.h"

/* ---- a model by hand ---- */

static uint32_t frame_at(struct model *model, const char *function, const char *file, uint32_t line)
{
	struct snap_module module = {.path = model_cstring(model, "/bin/server"),
				     .build_id = model_cstring(model, "abcd")};
	struct snap_frame frame = {model_cstring(model, function), model_cstring(model, file), line,
				   0};

	return model_symbolic_location(model, model_module_intern(model, &module), &frame);
}

static void site(struct model *model, uint32_t node, uint64_t bytes, uint64_t blocks)
{
	struct snap_site row = {.node = node,
				.domain = model_cstring(model, "malloc"),
				.live_bytes = bytes,
				.live_blocks = blocks,
				.allocated_bytes = bytes * 2,
				.allocated_blocks = blocks * 2,
				.cohort_count = 1};
	struct snap_cohort cohort = {0, blocks, bytes};

	model_site_add(model, &row, &cohort, NULL);
}

/* main -> cache_put holds `put` bytes in 2 blocks; main -> load holds 10 bytes in 1 block. */
static struct model *server_snapshot(unsigned seq, uint64_t put)
{
	struct model *model = model_new();
	char text[32];
	uint32_t top =
		model_node_intern(model, SNAP_NONE, frame_at(model, "main", "src/main.c", 3));

	snprintf(text, sizeof(text), "%u", seq);
	model_meta_set(model, "seq", text);
	snprintf(text, sizeof(text), "%u", 1000 + seq);
	model_meta_set(model, "time_ns", text);
	model_meta_set(model, "pid", "42");
	model_meta_set(model, "command", "./server -v");
	model_meta_set(model, "labels.phase", "after");
	model_meta_set(model, "metrics.rss", "4096");
	model_meta_set(model, "losses.dropped", "7");
	model_meta_set(model, "arch", "x86_64");
	site(model, model_node_intern(model, top, frame_at(model, "cache_put", "src/cache.c", 88)),
	     put, 2);
	site(model, model_node_intern(model, top, frame_at(model, "load", "src/load.c", 5)), 10, 1);
	model->digest = model_digest(model);
	return model;
}

static int64_t load(struct store *store, struct model *model, bool *already)
{
	struct snap_error err = {0};
	int64_t id = 0;
	enum snap_status st = store_load(store, model, NULL, STORE_ALL, NULL, &id, already, &err);

	cr_assert_eq(st, SNAP_OK, "%s", err.message);
	model_free(model);
	return id;
}

static struct store *private_store(void)
{
	struct snap_error err = {0};
	struct store *store;

	cr_assert_eq(store_open(&store, NULL, STORE_CREATE, &err), SNAP_OK, "%s", err.message);
	return store;
}

static char *scratch(const char *name)
{
	static char dir[] = "/tmp/test_store.XXXXXX";
	static bool made;
	char *path;

	if (!made)
		cr_assert(mkdtemp(dir));
	made = true;
	cr_assert_gt(asprintf(&path, "%s/%s", dir, name), 0);
	return path;
}

/* ---- asking ---- */

struct answer {
	char text[4096];
};

static enum snap_status collect(void *user, size_t columns, const char *const *names,
				const struct store_value *row)
{
	struct answer *answer = user;
	size_t used = strlen(answer->text);

	(void)names;
	for (size_t i = 0; row && i < columns && used < sizeof(answer->text); i++) {
		const char *end = i + 1 < columns ? "|" : "\n";

		if (row[i].type == STORE_INTEGER)
			used += (size_t)snprintf(answer->text + used, sizeof(answer->text) - used,
						 "%lld%s", (long long)row[i].integer, end);
		else if (row[i].type == STORE_REAL)
			used += (size_t)snprintf(answer->text + used, sizeof(answer->text) - used,
						 "%g%s", row[i].real, end);
		else
			used += (size_t)snprintf(answer->text + used, sizeof(answer->text) - used,
						 "%s%s", row[i].text ? row[i].text : "NULL", end);
	}
	return SNAP_OK;
}

static void expect(struct store *store, const char *sql, const char *expected)
{
	struct store_query_options options = {0};
	struct answer answer = {""};
	struct snap_error err = {0};
	bool truncated;

	cr_assert_eq(store_query(store, sql, &options, collect, &answer, &truncated, &err), SNAP_OK,
		     "%s: %s", sql, err.message);
	cr_assert_str_eq(answer.text, expected, "%s gives %s", sql, answer.text);
}

/* ---- loading ---- */

Test(store, sums_over_history_are_the_totals)
{
	struct store *store = private_store();
	bool already;

	load(store, server_snapshot(1, 100), &already);
	load(store, server_snapshot(2, 150), &already);
	expect(store,
	       "SELECT snapshot_id, sum(live_bytes), sum(live_blocks), sum(allocated_bytes), "
	       "sum(allocated_blocks) "
	       "FROM history GROUP BY 1",
	       "1|110|3|220|6\n2|160|3|320|6\n");
	expect(store,
	       "SELECT snapshot_id, live_bytes, live_blocks, allocated_bytes, allocated_blocks "
	       "FROM snapshots",
	       "1|110|3|220|6\n2|160|3|320|6\n");
	store_close(store);
}

Test(store, equal_content_is_loaded_once)
{
	struct store *store = private_store();
	bool already;
	int64_t first = load(store, server_snapshot(1, 100), &already);

	cr_assert_not(already);
	cr_assert_eq(load(store, server_snapshot(1, 100), &already), first);
	cr_assert(already);
	expect(store, "SELECT count(*) FROM live", "2\n");
	store_close(store);
}

Test(store, stacks_of_a_second_snapshot_are_found_again)
{
	struct store *store = private_store();
	bool already;

	load(store, server_snapshot(1, 100), &already);
	load(store, server_snapshot(2, 150), &already);
	expect(store,
	       "SELECT (SELECT count(*) FROM site), (SELECT count(*) FROM frame), (SELECT count(*) "
	       "FROM run)",
	       "2|3|1\n");
	store_close(store);
}

Test(store, stacks_are_found_again_by_another_process)
{
	char *path = scratch("again.db");
	struct store *store;
	bool already;

	for (unsigned i = 1; i <= 2; i++) {
		cr_assert_eq(store_open(&store, path, STORE_CREATE, NULL), SNAP_OK);
		load(store, server_snapshot(i, i * 100), &already);
		store_close(store);
	}
	cr_assert_eq(store_open(&store, path, STORE_READ, NULL), SNAP_OK);
	expect(store,
	       "SELECT (SELECT count(*) FROM site), (SELECT count(*) FROM frame), (SELECT count(*) "
	       "FROM live)",
	       "2|3|4\n");
	store_close(store);
	free(path);
}

Test(store, views_name_the_stack_newest_frame_first)
{
	struct store *store = private_store();
	bool already;

	load(store, server_snapshot(1, 100), &already);
	expect(store, "SELECT depth, stack FROM stacks ORDER BY stack",
	       "2|cache_put;main\n2|load;main\n");
	expect(store,
	       "SELECT position, function, file, line, module, inlined, address, build_id FROM "
	       "frames JOIN stacks USING (stack_id) WHERE stack LIKE 'cache_put%' ORDER BY "
	       "position",
	       "0|cache_put|src/cache.c|88|/bin/server|0|NULL|abcd\n1|main|src/main.c|3|/bin/"
	       "server|0|NULL|abcd\n");
	expect(store, "SELECT function, file, line, module, domain, live_bytes FROM top LIMIT 1",
	       "cache_put|src/cache.c|88|/bin/server|malloc|100\n");
	expect(store, "SELECT stack_text(site_id) FROM sites WHERE function = 'cache_put'",
	       "cache_put src/cache.c:88\nmain src/main.c:3\n");
	store_close(store);
}

Test(store, changes_pairs_consecutive_snapshots_of_a_run)
{
	struct store *store = private_store();
	struct model *third = server_snapshot(3, 150);
	bool already;

	load(store, server_snapshot(1, 100), &already);
	load(store, server_snapshot(2, 150), &already);
	third->site_count = 1; /* `load` let go of its block */
	third->digest = 77;
	load(store, third, &already);
	expect(store,
	       "SELECT old_snapshot_id, new_snapshot_id, function, old_bytes, new_bytes, "
	       "delta_bytes, delta_blocks "
	       "FROM changes ORDER BY 1, 2, 3",
	       "1|2|cache_put|100|150|50|0\n1|2|load|10|10|0|0\n2|3|cache_put|150|150|0|0\n2|3|"
	       "load|10|0|-10|-1\n");
	store_close(store);
}

Test(store, meta_goes_to_labels_metrics_losses_and_the_rest)
{
	struct store *store = private_store();
	bool already;

	load(store, server_snapshot(1, 100), &already);
	expect(store, "SELECT * FROM labels", "1|phase|after\n");
	expect(store, "SELECT name, value, typeof(value) FROM metrics", "rss|4096|integer\n");
	expect(store, "SELECT kind, count FROM losses", "dropped|7\n");
	expect(store, "SELECT value FROM meta WHERE key = 'arch'", "x86_64\n");
	expect(store, "SELECT program, pid, command, time FROM snapshots",
	       "server|42|./server -v|1970-01-01T00:00:00.000001001Z\n");
	store_close(store);
}

Test(store, unknown_figures_are_null)
{
	struct store *store = private_store();
	struct model *model = server_snapshot(1, 100);
	bool already;

	model->sites[0].row.allocated_bytes = SNAP_UNKNOWN;
	load(store, model, &already);
	expect(store, "SELECT allocated_bytes, live_bytes FROM top ORDER BY site_id",
	       "NULL|100\n20|10\n");
	expect(store, "SELECT allocated_bytes, live_bytes FROM snapshots", "NULL|110\n");
	store_close(store);
}

Test(store, rows_of_one_stack_are_added_up)
{
	struct store *store = private_store();
	struct model *model = server_snapshot(1, 100);
	bool already;

	site(model, model->sites[0].row.node, 11, 3);
	load(store, model, &already);
	expect(store, "SELECT live_bytes, live_blocks FROM top LIMIT 1", "111|5\n");
	expect(store,
	       "SELECT live_bytes, live_blocks FROM cohorts JOIN sites USING (site_id) "
	       "WHERE function = 'cache_put'",
	       "111|5\n");
	store_close(store);
}

Test(store, a_failed_load_leaves_the_database_as_it_was)
{
	struct store *store = private_store();
	struct model *model = server_snapshot(2, 100);
	struct snap_error err = {0};
	bool already;
	int64_t id;

	load(store, server_snapshot(1, 100), &already);
	model->sites[1].row.live_bytes = (uint64_t)INT64_MAX + 1;
	cr_assert_eq(store_load(store, model, NULL, STORE_ALL, NULL, &id, &already, &err),
		     SNAP_ECORRUPT);
	expect(store,
	       "SELECT count(*), (SELECT count(*) FROM live), (SELECT count(*) FROM run) FROM "
	       "snapshot",
	       "1|2|1\n");
	model->sites[1].row.live_bytes = 10;
	load(store, model, &already);
	expect(store, "SELECT count(*) FROM live", "4\n");
	store_close(store);
}

static void limit_file_size(rlim_t size)
{
	struct rlimit limit;

	cr_assert_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = size < limit.rlim_max ? size : limit.rlim_max;
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* `count` call stacks of one frame each. */
static struct model *wide_snapshot(unsigned seq, unsigned count)
{
	struct model *model = server_snapshot(seq, 100);

	for (unsigned i = 0; i < count; i++)
		site(model,
		     model_node_intern(model, SNAP_NONE, frame_at(model, "wide", "wide.c", i + 1)),
		     1, 1);
	model->digest = model_digest(model);
	return model;
}

Test(store, a_disk_that_fills_up_half_way_leaves_the_database_as_it_was)
{
	char *path = scratch("full.db");
	struct model *model = wide_snapshot(2, 20000);
	struct snap_error err = {0};
	struct store *store;
	bool already;
	int64_t id;

	signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(store_open(&store, path, STORE_CREATE, NULL), SNAP_OK);
	load(store, server_snapshot(1, 100), &already);
	limit_file_size(1 << 20);
	cr_assert_eq(store_load(store, model, NULL, STORE_ALL, NULL, &id, &already, &err),
		     SNAP_ESYSTEM);
	cr_assert(strstr(err.message, path), "%s", err.message);
	limit_file_size(RLIM_INFINITY);
	expect(store,
	       "SELECT count(*), (SELECT count(*) FROM site), (SELECT count(*) FROM frame) FROM "
	       "snapshot",
	       "1|2|3\n");
	load(store, model, &already);
	expect(store, "SELECT count(*), sum(live_bytes) FROM history WHERE snapshot_id = 2",
	       "20002|20110\n");
	store_close(store);
	free(path);
}

/* ---- the SQL that ships ---- */

static char *read_text(const char *path)
{
	FILE *in = fopen(path, "re");
	char *text = calloc(1, 1 << 16);

	cr_assert(in && text, "%s", path);
	cr_assert_gt(fread(text, 1, (1 << 16) - 1, in), 0);
	fclose(in);
	return text;
}

/* Prepare every statement of `sql`; CREATE is only prepared where the object is not there yet. */
static void prepares(sqlite3 *db, const char *name, const char *sql)
{
	while (*sql) {
		sqlite3_stmt *statement = NULL;
		int code = sqlite3_prepare_v2(db, sql, -1, &statement, &sql);

		cr_assert_eq(code, SQLITE_OK, "%s: %s", name, sqlite3_errmsg(db));
		sqlite3_finalize(statement);
	}
}

static void no_function(sqlite3_context *context, int count, sqlite3_value **values)
{
	(void)count;
	(void)values;
	sqlite3_result_null(context);
}

Test(sql, every_file_says_what_it_answers_and_prepares)
{
	static const char *const made[] = {SOURCE_DIR "/cmd/store/sqlite/sql/credit_table.sql",
					   SOURCE_DIR "/cmd/store/sqlite/sql/shown_table.sql",
					   SOURCE_DIR "/cmd/store/sqlite/sql/node_table.sql",
					   SOURCE_DIR "/cmd/store/sqlite/sql/member_table.sql",
					   SOURCE_DIR "/cmd/store/sqlite/sql/lost_table.sql",
					   SOURCE_DIR "/cmd/store/sqlite/sql/link_table.sql",
					   SOURCE_DIR "/cmd/store/sqlite/sql/size_table.sql",
					   SOURCE_DIR "/cmd/store/sqlite/sql/held_view.sql",
					   SOURCE_DIR "/cmd/store/sqlite/sql/counted_view.sql"};
	char *path = scratch("sql.db");
	DIR *dir = opendir(SOURCE_DIR "/cmd/store/sqlite/sql");
	struct store *store;
	sqlite3 *db;

	cr_assert_eq(store_open(&store, path, STORE_CREATE, NULL), SNAP_OK);
	store_close(store);
	cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
	/* Migrations use it; here it only has to be known. */
	sqlite3_create_function(db, "site_key", 1, SQLITE_UTF8, NULL, no_function, NULL, NULL);
	/* What reports make before they ask. */
	for (size_t i = 0; i < sizeof(made) / sizeof(*made); i++) {
		char *sql = read_text(made[i]);

		cr_assert_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK, "%s", made[i]);
		free(sql);
	}
	cr_assert(dir);
	for (struct dirent *entry; (entry = readdir(dir));) {
		char *file, *sql;

		if (!strstr(entry->d_name, ".sql"))
			continue;
		cr_assert_gt(asprintf(&file, SOURCE_DIR "/cmd/store/sqlite/sql/%s", entry->d_name),
			     0);
		sql = read_text(file);
		cr_assert_eq(strncmp(sql, "-- Question:   ", 15), 0, "%s does not say its question",
			     file);
		cr_assert(strstr(sql, "\n-- Parameters: ") && strstr(sql, "\n-- Columns:    "),
			  "%s", file);
		if (!strstr(sql, "\nCREATE "))
			prepares(db, file, sql);
		free(sql);
		free(file);
	}
	closedir(dir);
	sqlite3_close(db);
	free(path);
}

Test(sql, documented_columns_are_the_columns_of_the_views)
{
	struct store *store = private_store();
	struct answer expected;
	char sql[128];

	for (const struct store_view_doc *view = store_views(); view->name; view++) {
		expected.text[0] = '\0';
		for (const struct store_column_doc *column = view->columns; column->name;
		     column++) {
			strcat(expected.text, column->name);
			strcat(expected.text, "\n");
		}
		snprintf(sql, sizeof(sql), "SELECT name FROM pragma_table_info('%s')", view->name);
		expect(store, sql, expected.text);
	}
	store_close(store);
}

/* ---- files that are not what they should be ---- */

static void refuses(const char *path, enum store_mode mode, enum snap_status st, const char *word)
{
	struct snap_error err = {0};
	struct store *store;

	cr_assert_eq(store_open(&store, path, mode, &err), st, "%s: %s", path, err.message);
	cr_assert_null(store);
	cr_assert(strstr(err.message, word) && strstr(err.message, path), "'%s' should say '%s'",
		  err.message, word);
}

static void make_database(const char *path, const char *sql)
{
	sqlite3 *db;

	cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
	cr_assert_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK, "%s", sqlite3_errmsg(db));
	sqlite3_close(db);
}

Test(open, refuses_what_is_not_a_database_of_ours)
{
	char *text = scratch("text.db"), *empty = scratch("empty.db"), *other = scratch("other.db");
	char *gutted = scratch("gutted.db");
	char *newer = scratch("newer.db"), *absent = scratch("absent.db"),
	     *deep = scratch("no/such/dir.db");
	FILE *out = fopen(text, "we");

	cr_assert(out);
	for (int i = 0; i < 100; i++)
		fputs("this is no database at all\n", out);
	fclose(out);
	refuses(text, STORE_READ, SNAP_ECORRUPT, "not a database");
	refuses(text, STORE_CREATE, SNAP_ECORRUPT, "not a database");
	fclose(fopen(empty, "we"));
	refuses(empty, STORE_READ, SNAP_ECORRUPT, "empty");
	make_database(other, "CREATE TABLE t(x)");
	refuses(other, STORE_CREATE, SNAP_ECORRUPT, "another program");
	make_database(newer, "PRAGMA application_id = 1397637456; PRAGMA user_version = 99");
	refuses(newer, STORE_READ, SNAP_EVERSION, "newer snapdiff");
	make_database(gutted, "PRAGMA application_id = 1397637456; PRAGMA user_version = 2;"
			      "CREATE TABLE t(x)");
	refuses(gutted, STORE_READ, SNAP_ECORRUPT, "tables are missing");
	refuses(absent, STORE_READ, SNAP_ENOTFOUND, "No such file");
	refuses(deep, STORE_CREATE, SNAP_ESYSTEM, "No such file");
	refuses("/tmp", STORE_READ, SNAP_EUNSUPPORTED, "not a file");
	free(gutted), free(text), free(empty), free(other), free(newer), free(absent), free(deep);
}

/* A sound database, which SQL then changes. */
static char *changed_database(const char *name, const char *sql)
{
	char *path = scratch(name);
	struct store *store;
	bool already;

	cr_assert_eq(store_open(&store, path, STORE_CREATE, NULL), SNAP_OK);
	load(store, server_snapshot(1, 100), &already);
	store_close(store);
	make_database(path, sql);
	return path;
}

Test(open, refuses_tables_and_views_that_are_not_as_we_made_them)
{
	static const char *const changes[] = {
		("DROP VIEW snapshots; CREATE VIEW snapshots AS WITH RECURSIVE n(i) AS (SELECT 1 "
		 "UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"),
		"DROP TABLE live; CREATE VIEW live AS SELECT 1 AS snapshot_id",
		"ALTER TABLE snapshot RENAME COLUMN time_ns TO pime_ns",
		"DROP TABLE cohort",
		"DROP VIEW history",
	};
	char name[32];

	for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
		char *path;

		snprintf(name, sizeof(name), "changed%zu.db", i);
		path = changed_database(name, changes[i]);
		refuses(path, STORE_READ, SNAP_ECORRUPT, "damaged");
		refuses(path, STORE_CREATE, SNAP_ECORRUPT, "damaged");
		free(path);
	}
}

Test(open, allows_tables_and_views_of_the_users_own)
{
	char *path = changed_database("own.db", "CREATE TABLE notes(x); CREATE VIEW large AS "
						"SELECT * FROM history WHERE live_bytes > 50");
	struct store *store;

	cr_assert_eq(store_open(&store, path, STORE_READ, NULL), SNAP_OK);
	expect(store, "SELECT count(*) FROM large", "1\n");
	store_close(store);
	free(path);
}

static enum snap_status ignore_cell(void *user, const struct store_cell *row)
{
	(void)user;
	(void)row;
	return SNAP_OK;
}

static enum snap_status ignore_frame(void *user, const struct store_frame *row)
{
	(void)user;
	(void)row;
	return SNAP_OK;
}

/* Of one snapshot among two: then the frames are looked for one by one. */
static void expect_stray_frame(const char *name, const char *change)
{
	char sql[400];
	struct snap_error err = {0};
	struct store *store;
	const int64_t id = 1;
	char *path;

	snprintf(sql, sizeof(sql),
		 "INSERT INTO snapshot(id, run_id, digest, sample_period, sites) "
		 "SELECT 99, run_id, digest + 1, 0, 0 FROM snapshot LIMIT 1; %s",
		 change);
	path = changed_database(name, sql);
	cr_assert_eq(store_open(&store, path, STORE_READ, &err), SNAP_OK, "%s", err.message);
	cr_expect_eq(store_each_frame(store, &id, 1, ignore_frame, NULL, &err), SNAP_ECORRUPT);
	cr_expect(strstr(err.message, "which is not there"), "%s", err.message);
	store_close(store);
	free(path);
}

Test(open, a_frame_that_is_not_there_is_damage_and_costs_no_memory)
{
	expect_stray_frame("far.db", "UPDATE site SET frames = '[99999999999]'");
	expect_stray_frame("near.db", "UPDATE site SET frames = '[4294967295]'");
	expect_stray_frame("there.db", "UPDATE frame SET id = 4294967295 WHERE id = 1; "
				       "UPDATE site SET frames = '[4294967295]'");
}

Test(open, a_page_that_is_damaged_is_said_to_be)
{
	char *path = changed_database("page.db", "SELECT 1");
	struct snap_error err = {0};
	struct store *store;
	const int64_t id = 1;
	FILE *file;

	file = fopen(path, "r+e");
	/* Overwrite every page but the first, which has the schema. */
	cr_assert_eq(fseek(file, 4096, SEEK_SET), 0);
	for (int i = 0; i < 15 * 4096; i++)
		fputc(0xff, file);
	fclose(file);
	cr_assert_eq(store_open(&store, path, STORE_READ, &err), SNAP_OK, "%s", err.message);
	cr_assert_eq(store_each_cell(store, &id, 1, ignore_cell, NULL, &err), SNAP_ECORRUPT);
	cr_assert(strstr(err.message, "damaged"), "%s", err.message);
	store_close(store);
	free(path);
}

Test(open, a_load_that_was_killed_half_way_leaves_the_database_as_before)
{
	char *path = scratch("killed.db");
	struct store *store;
	bool already;
	pid_t child;

	cr_assert_eq(store_open(&store, path, STORE_CREATE, NULL), SNAP_OK);
	load(store, server_snapshot(1, 100), &already);
	store_close(store);
	child = fork();
	if (child == 0) {
		sqlite3 *db;

		/* A cache of one page makes the half-written transaction reach the file before we
		 * die. */
		sqlite3_open(path, &db);
		sqlite3_exec(db,
			     "PRAGMA cache_size = 1; BEGIN IMMEDIATE; DELETE FROM live;"
			     "WITH RECURSIVE n(i) AS (SELECT 9 UNION ALL SELECT i + 1 FROM n WHERE "
			     "i < 20000)"
			     "INSERT INTO live SELECT i, i, i, i, i, i FROM n",
			     NULL, NULL, NULL);
		_exit(0);
	}
	cr_assert_eq(waitpid(child, NULL, 0), child);
	cr_assert_eq(store_open(&store, path, STORE_READ, NULL), SNAP_OK);
	expect(store, "SELECT count(*), sum(live_bytes) FROM history", "2|110\n");
	store_close(store);
	free(path);
}

/* ---- reading back ---- */

struct read_back {
	char text[1024];
};

static enum snap_status note_site(void *user, const struct store_site *row)
{
	struct read_back *back = user;

	snprintf(back->text + strlen(back->text), sizeof(back->text) - strlen(back->text),
		 "%s %u:%lld,%lld\n", row->domain, row->depth, (long long)row->frames[0],
		 (long long)row->frames[1]);
	return SNAP_OK;
}

static enum snap_status note_frame(void *user, const struct store_frame *row)
{
	struct read_back *back = user;

	snprintf(back->text + strlen(back->text), sizeof(back->text) - strlen(back->text),
		 "%lld %s %s:%u %s\n", (long long)row->id, row->function, row->file, row->line,
		 row->module);
	return SNAP_OK;
}

static enum snap_status note_cell(void *user, const struct store_cell *row)
{
	struct read_back *back = user;

	snprintf(back->text + strlen(back->text), sizeof(back->text) - strlen(back->text),
		 "%u/ %llu %llu\n", row->snapshot, (unsigned long long)row->live_bytes,
		 (unsigned long long)row->allocated_blocks);
	return SNAP_OK;
}

Test(read, gives_only_what_the_snapshots_use)
{
	struct store *store = private_store();
	struct model *first = server_snapshot(1, 100);
	struct read_back back = {""};
	bool already;
	int64_t ids[2];

	first->site_count = 1;
	ids[1] = load(store, first, &already);
	ids[0] = load(store, server_snapshot(2, 150), &already);
	cr_assert_eq(store_each_site(store, &ids[1], 1, note_site, &back, NULL), SNAP_OK);
	cr_assert_str_eq(back.text, "malloc 2:2,1\n", "%s", back.text);
	back.text[0] = '\0';
	cr_assert_eq(store_each_frame(store, &ids[1], 1, note_frame, &back, NULL), SNAP_OK);
	cr_assert_str_eq(
		back.text,
		"1 main src/main.c:3 /bin/server\n2 cache_put src/cache.c:88 /bin/server\n", "%s",
		back.text);
	back.text[0] = '\0';
	cr_assert_eq(store_each_cell(store, ids, 2, note_cell, &back, NULL), SNAP_OK);
	cr_assert_str_eq(back.text, "0/ 150 4\n0/ 10 2\n1/ 100 4\n", "%s", back.text);
	store_close(store);
}

Test(read, refuses_a_stack_that_is_no_list_of_frames)
{
	char *path = scratch("stack.db");
	struct store_query_options write = {.write = true};
	struct snap_error err = {0};
	struct read_back back = {""};
	struct store *store;
	bool already, truncated;
	int64_t id;

	cr_assert_eq(store_open(&store, path, STORE_CREATE, NULL), SNAP_OK);
	id = load(store, server_snapshot(1, 100), &already);
	cr_assert_eq(store_query(store, "UPDATE site SET frames = '[1,{}]'", &write, collect, NULL,
				 &truncated, &err),
		     SNAP_OK, "%s", err.message);
	cr_assert_eq(store_each_site(store, &id, 1, note_site, &back, &err), SNAP_ECORRUPT);
	cr_assert(strstr(err.message, "a stack that cannot be read"), "%s", err.message);
	store_close(store);
	free(path);
}

/* ---- symbols ---- */

Test(symbols, what_was_put_is_got_in_order)
{
	char *path = scratch("symbols.db");
	const struct store_symbol put[] = {{"inner(int)", "a.c", 7, true},
					   {"outer", "b.c", 9, false}};
	struct store_symbol got[4];
	struct store *store;
	size_t count;

	cr_assert_eq(store_open(&store, path, STORE_CACHE, NULL), SNAP_OK);
	store_symbol_put(store, "abcd", 0xfffffffffffff000u, put, 2);
	store_close(store);
	cr_assert_eq(store_open(&store, path, STORE_CACHE, NULL), SNAP_OK);
	cr_assert(store_symbol_get(store, "abcd", 0xfffffffffffff000u, got, 4, &count));
	cr_assert_eq(count, 2);
	cr_assert_str_eq(got[0].function, "inner(int)");
	cr_assert_str_eq(got[1].file, "b.c");
	cr_assert_eq(got[1].line, 9);
	cr_assert(got[0].inlined && !got[1].inlined);
	cr_assert_not(store_symbol_get(store, "abcd", 1, got, 4, &count));
	cr_assert_not(store_symbol_get(store, "ef", 0xfffffffffffff000u, got, 4, &count));
	store_close(store);
	free(path);
}
