/*
 * fuzz_query.c - hostile SQL for `query`: without --write it changes nothing and reaches no file.
 *
 * The database is a private one with two snapshots.  Each query may take a second and 64 MiB.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "input/input.h"
#include "store/store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct store *store;
static char directory[] = "/tmp/snapdiff-fuzz-XXXXXX";

static void must(bool condition)
{
	if (!condition)
		abort();
}

static void load(const char *path)
{
	struct snap_error err = {0};
	struct model *model;
	bool already;
	int64_t id;

	must(input_read(&model, path, NULL, &err) == SNAP_OK);
	must(store_load(store, model, NULL, STORE_ALL, NULL, &id, &already, &err) == SNAP_OK);
	model_free(model);
}

static void leave(void)
{
	store_close(store);
	rmdir(directory);
}

/* Files that a query makes would be made here. */
static void set_up(void)
{
	struct snap_error err = {0};

	store_count_memory();
	must(store_open(&store, NULL, STORE_CREATE, &err) == SNAP_OK);
	load(FUZZ_TESTDATA "/store/first.txt");
	load(FUZZ_TESTDATA "/store/second.txt");
	must(mkdtemp(directory) && chdir(directory) == 0);
	atexit(leave);
}

/* ---- what must stay as it is ---- */

static enum snap_status add_row(void *user, size_t columns, const char *const *names,
				const struct store_value *row)
{
	uint64_t *sum = user;

	(void)names;
	for (size_t i = 0; row && i < columns; i++) {
		*sum = *sum * 31 + (uint64_t)row[i].integer;
		for (size_t j = 0; j < row[i].size; j++)
			*sum = *sum * 31 + (unsigned char)row[i].text[j];
	}
	return SNAP_OK;
}

static uint64_t sum_of(const char *sql)
{
	const struct store_query_options options = {0};
	struct snap_error err = {0};
	uint64_t sum = 0;
	bool truncated;

	must(store_query(store, sql, &options, add_row, &sum, &truncated, &err) == SNAP_OK);
	return sum;
}

/* The schema, what is attached, settings, and the content. */
static uint64_t state(void)
{
	return sum_of(
		"SELECT type, name, sql FROM sqlite_schema; SELECT name FROM sqlite_temp_schema;"
		"PRAGMA database_list; PRAGMA user_version; PRAGMA application_id;"
		"SELECT * FROM history; SELECT * FROM snapshots; SELECT * FROM metrics;"
		"SELECT * FROM run; SELECT * FROM meta; SELECT * FROM label");
}

static bool is_empty(void)
{
	const struct dirent *entry;
	DIR *files = opendir(".");
	bool empty = true;

	must(files);
	while ((entry = readdir(files)))
		empty = empty && entry->d_name[0] == '.';
	closedir(files);
	return empty;
}

/* ---- one query ---- */

static enum snap_status touch(void *user, size_t columns, const char *const *names,
			      const struct store_value *row)
{
	volatile char sink = 0;

	(void)user;
	for (size_t i = 0; i < columns; i++) {
		must(names[i]);
		for (size_t j = 0; row && j < row[i].size; j++)
			sink = (char)(sink ^ row[i].text[j]);
	}
	return SNAP_OK;
}

static void ask(const char *sql)
{
	const struct store_query_options options = {
		.timeout_ns = 1000000000, .max_rows = 1000, .max_memory = 64 << 20};
	struct snap_error err = {0};
	bool truncated;

	(void)store_query_is_complete(sql);
	if (store_query(store, sql, &options, touch, NULL, &truncated, &err) != SNAP_OK)
		must(err.message[0] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint64_t before;
	char *sql = size < 4096 ? malloc(size + 1) : NULL;

	if (!sql)
		return 0;
	if (!store) {
		set_up();
		before = state();
	}
	memcpy(sql, data, size);
	sql[size] = '\0';
	ask(sql);
	must(state() == before && is_empty());
	free(sql);
	return 0;
}
