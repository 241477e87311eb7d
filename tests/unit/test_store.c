/*
 * test_store.c - snapshots in SQLite: what goes in comes out, once, or not at all.
 */
/* links: cmd_store cmd_model */
#include <criterion/criterion.h>
#include <dirent.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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
	enum snap_status status = store_load(store, model, NULL, NULL, NULL, 0, &id, already, &err);

	cr_assert_eq(status, SNAP_OK, "%s", err.message);
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
	expect(store, "SELECT stack_id, depth, stack FROM stacks",
	       "1|2|cache_put;main\n2|2|load;main\n");
	expect(store, "SELECT * FROM frames WHERE stack_id = 1",
	       "1|0|cache_put|src/cache.c|88|/bin/server|0|NULL|abcd\n1|1|main|src/main.c|3|/bin/"
	       "server|0|NULL|abcd\n");
	expect(store, "SELECT function, file, line, module, domain, live_bytes FROM top LIMIT 1",
	       "cache_put|src/cache.c|88|/bin/server|malloc|100\n");
	expect(store, "SELECT stack_text(1)", "cache_put src/cache.c:88\nmain src/main.c:3\n");
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
	expect(store, "SELECT live_bytes, live_blocks FROM cohorts WHERE site_id = 1", "111|5\n");
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
	cr_assert_eq(store_load(store, model, NULL, NULL, NULL, 0, &id, &already, &err),
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
