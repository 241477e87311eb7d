/*
 * test_store_race.c - a database that another process makes while it is opened.
 */
/* links: cmd_store cmd_input cmd_model */
#include <criterion/criterion.h>
#include <dlfcn.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/store.h"

static char made[64], empty[64];
static unsigned attempts;

/* The other process makes all of a new database in one transaction, unless it is being read at
 * that moment. */
static void other_process_makes_it(void)
{
	sqlite3 *from = NULL, *to = NULL;
	sqlite3_backup *copy;

	cr_assert_eq(sqlite3_open(made, &from), SQLITE_OK);
	cr_assert_eq(sqlite3_open(empty, &to), SQLITE_OK);
	copy = sqlite3_backup_init(to, "main", from, "main");
	cr_assert(copy);
	sqlite3_backup_step(copy, -1);
	sqlite3_backup_finish(copy);
	sqlite3_close(from);
	sqlite3_close(to);
	attempts++;
}

/* The store calls this one, not SQLite's. */
int sqlite3_prepare_v2(sqlite3 *db, const char *sql, int size, sqlite3_stmt **statement,
		       const char **tail)
{
	int (*prepare)(sqlite3 *, const char *, int, sqlite3_stmt **, const char **);
	void *found = dlsym(RTLD_NEXT, "sqlite3_prepare_v2");

	memcpy(&prepare, &found, sizeof(prepare));
	if (*empty && attempts == 0 && strcmp(sql, "PRAGMA user_version") == 0)
		other_process_makes_it();
	return prepare(db, sql, size, statement, tail);
}

static void open_and_close(const char *path)
{
	struct snap_error err = {0};
	struct store *store = NULL;

	cr_assert_eq(store_open(&store, path, STORE_CREATE, &err), SNAP_OK, "%s", err.message);
	store_close(store);
}

Test(race, a_database_that_is_made_meanwhile_is_ours, .timeout = 120)
{
	char directory[] = "/tmp/test_store_race.XXXXXX";

	cr_assert(mkdtemp(directory));
	snprintf(made, sizeof(made), "%s/made.db", directory);
	open_and_close(made);
	snprintf(empty, sizeof(empty), "%s/empty.db", directory);
	open_and_close(empty);
	cr_assert_eq(attempts, 1);
	cr_assert_eq(unlink(made), 0);
	cr_assert_eq(unlink(empty), 0);
	cr_assert_eq(rmdir(directory), 0);
}
