/*
 * fuzz_database.c - foreign databases under every report.
 *
 * The input changes a sound database in two ways: values of rows, through SQL, so that pages stay
 * whole and what is in them makes no sense; and bytes of the file.  The first byte says which report
 * reads it, the second how many values are changed.  Reports come back, and say why they refuse it.
 */
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/commands.h"
#include "fuzz/patch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- values ---- */

enum { COLUMNS_MAX = 256 };
static struct column_of {
	char table[64], column[64];
} columns[COLUMNS_MAX];
static unsigned column_count;

static int add_column(void *user, int count, char **values, char **names)
{
	(void)user;
	(void)count;
	(void)names;
	if (column_count < COLUMNS_MAX) {
		struct column_of *column = &columns[column_count++];

		snprintf(column->table, sizeof(column->table), "%s", values[0]);
		snprintf(column->column, sizeof(column->column), "%s", values[1]);
	}
	return 0;
}

static void list_columns(sqlite3 *db)
{
	if (column_count)
		return;
	sqlite3_exec(
		db,
		"SELECT s.name, c.name FROM sqlite_schema AS s, pragma_table_info(s.name) AS c "
		"WHERE s.type = 'table' ORDER BY s.name, c.cid",
		add_column, NULL, NULL);
	if (!column_count)
		abort();
}

static void bind(sqlite3_stmt *statement, struct bytes *from)
{
	static const int64_t edges[] = {0, -1, 1, INT64_MAX, INT64_MIN, 0x7fffffff, 0xffffffff};
	uint8_t kind = (uint8_t)take(from, 1);
	size_t size = kind / 6u < from->size ? kind / 6u : from->size;

	if (kind % 6 == 0)
		sqlite3_bind_null(statement, 1);
	else if (kind % 6 == 1)
		sqlite3_bind_int64(statement, 1, (int64_t)take(from, 8));
	else if (kind % 6 == 2)
		sqlite3_bind_int64(statement, 1, edges[kind / 6u % 7]);
	else if (kind % 6 == 3)
		sqlite3_bind_double(statement, 1, (double)(int64_t)take(from, 8) * 1e-3);
	else if (kind % 6 == 4)
		sqlite3_bind_text(statement, 1, (const char *)from->data, (int)size, NULL);
	else
		sqlite3_bind_blob(statement, 1, from->data, (int)size, NULL);
	if (kind % 6 >= 4)
		*from = (struct bytes){from->data + size, from->size - size};
}

/* One value of one table: of all rows, or of those whose turn it is. */
static void change_value(sqlite3 *db, struct bytes *from)
{
	const struct column_of *column = &columns[take(from, 1) % column_count];
	unsigned which = (unsigned)take(from, 1);
	sqlite3_stmt *statement;
	char sql[256];

	snprintf(sql, sizeof(sql), "UPDATE OR IGNORE \"%s\" SET \"%s\" = ?1%s", column->table,
		 column->column,
		 which % 3 == 0   ? ""
		 : which % 3 == 1 ? " WHERE abs(random()) % 2 = 0"
				  : " WHERE \"snapshot_id\" = 1");
	if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
		return; /* no such column there */
	bind(statement, from);
	sqlite3_step(statement);
	sqlite3_finalize(statement);
}

static void change_values(const char *path, struct bytes *from, unsigned count)
{
	sqlite3 *db;

	if (sqlite3_open(path, &db) != SQLITE_OK)
		abort();
	list_columns(db);
	sqlite3_exec(db,
		     "PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY;"
		     "PRAGMA ignore_check_constraints = ON; BEGIN",
		     NULL, NULL, NULL);
	while (count-- && from->size)
		change_value(db, from);
	sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
	sqlite3_close(db);
}

/* ---- reports ---- */

#define OF_DATABASE(path) "-q", "-o", "/dev/null", "--db", path

static void run_one(const char *db, uint64_t which)
{
	const char *const lines[][12] = {
		{"ls", OF_DATABASE(db), "-f", "json"},
		{"top", OF_DATABASE(db), "-f", "json", "--all"},
		{"top", OF_DATABASE(db), "--cumulative"},
		{"compare", OF_DATABASE(db), "@1", "@-1"},
		{"growth", OF_DATABASE(db), "-f", "json"},
		{"peek", OF_DATABASE(db), "."},
		{"holders", OF_DATABASE(db), "."},
		{"leaks", OF_DATABASE(db)},
		{"query", OF_DATABASE(db), "--timeout", "5s",
		 "SELECT * FROM top; SELECT * FROM changes; SELECT * FROM stacks; SELECT * FROM "
		 "holders"},
	};

	(void)run_command(lines[which % (sizeof(lines) / sizeof(*lines))]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t *sound;
	static size_t sound_size;
	struct bytes from = {data, size};
	size_t changed_size;
	uint64_t which = take(&from, 1);
	unsigned values = (unsigned)take(&from, 1) % 16;
	uint8_t *changed;

	if (!sound)
		sound = file_content(FUZZ_DATABASE, &sound_size);
	scratch_write(sound, sound_size);
	change_values(scratch_path(), &from, values);
	if (from.size) {
		changed = file_content(scratch_path(), &changed_size);
		patch(changed, changed_size, &from);
		scratch_write(changed, changed_size);
		free(changed);
	}
	run_one(scratch_path(), which);
	return 0;
}
