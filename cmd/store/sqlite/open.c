/*
 * open.c - open and close a database.
 */
#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/sqlite/array_tables.h"
#include "store/sqlite/database.h"
#include "store/sqlite/guard.h"
#include "store/sqlite/sql.h"

#define CACHE_PAGES     65536 /* of 4 KiB: a symbol cache that grew beyond begins anew */
#define BUSY_TIMEOUT_MS 10000 /* how long to wait for another loader */

/*
 * A private database: its call stacks and figures are arrays (arrays.h).  SQLite keeps the other
 * tables in memory up to the size of its cache (in KiB) and puts what exceeds that into a temporary
 * file, which it unlinks when it makes it.
 */
#define PRIVATE_DATABASE ""
#define PRIVATE_SETTINGS                                                                           \
	"PRAGMA page_size = 16384; PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; "       \
	"PRAGMA cache_size = -32768; "                                                             \
	"PRAGMA temp_store = MEMORY"
#define FILE_SETTINGS                                                                              \
	"PRAGMA cell_size_check = ON; PRAGMA cache_size = -65536; PRAGMA temp_store = MEMORY"

/* Small pieces of memory for statements, which allocate and free some for each row. */
#define LOOKASIDE_SIZE  256 /* bytes */
#define LOOKASIDE_SLOTS 1000

/* A file may be hostile. With an honest file, none of our statements needs this much memory. */
#define HEAP_LIMIT (INT64_C(2) << 30) /* bytes, of all databases of the process */
#define TEXT_LIMIT (256 << 20)        /* bytes of a text or of a row */

/* A file may be hostile: its schema may run only plain computation. */
static enum snap_status configure(struct store *store, enum store_mode mode, struct snap_error *err)
{
	sqlite3_db_config(store->db, SQLITE_DBCONFIG_LOOKASIDE, NULL, LOOKASIDE_SIZE,
			  LOOKASIDE_SLOTS);
	sqlite3_db_config(store->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(store->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(store->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	sqlite3_db_config(store->db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
	sqlite3_busy_timeout(store->db, mode == STORE_CACHE ? 0 : BUSY_TIMEOUT_MS);
	if (store->in_memory)
		return database_run(store, PRIVATE_SETTINGS, "cannot be created", err);
	sqlite3_limit(store->db, SQLITE_LIMIT_LENGTH, TEXT_LIMIT);
	sqlite3_hard_heap_limit64(HEAP_LIMIT);
	database_begin_opening(store);
	if (sqlite3_exec(store->db, FILE_SETTINGS, NULL, NULL, NULL) != SQLITE_OK)
		return database_fail(store, err, "cannot be read");
	if (mode == STORE_CACHE)
		return database_run(store, "PRAGMA synchronous = OFF", "cannot be written", err);
	return SNAP_OK;
}

static enum snap_status check_file(const char *path, enum store_mode mode, struct snap_error *err)
{
	struct stat info;

	if (!*path)
		return fail(err, SNAP_ESYSTEM, "the name of the database is empty");
	if (stat(path, &info) != 0) {
		bool is_missing = errno == ENOENT;

		if (is_missing && database_may_be_made(mode))
			return SNAP_OK;
		return fail(err, is_missing ? SNAP_ENOTFOUND : SNAP_ESYSTEM, "%s: %s", path,
			    strerror(errno));
	}
	if (!S_ISREG(info.st_mode))
		return fail(err, SNAP_EUNSUPPORTED, "%s: is not a file, so it cannot be a database",
			    path);
	return SNAP_OK;
}

/* SQLite reports only its last attempt, reading a missing file; the system's error says more.
 */
static bool may_be_made(const char *path)
{
	char *directory = strdup(path);
	bool may = !directory || access(path, F_OK) == 0 ||
		   access(dirname(directory), W_OK | X_OK) == 0;
	int cause = errno;

	free(directory);
	errno = cause;
	return may;
}

/* For SQLite some names are no files: ":memory:" would keep nothing. */
static int open_named(struct store *store, const char *path, int flags)
{
	const char *files = guard_files();
	char *name = NULL;
	int code = SQLITE_NOMEM;

	if (files && asprintf(&name, "%s%s", *path == '/' ? "" : "./", path) >= 0)
		code = sqlite3_open_v2(name, &store->db, flags, files);
	free(name);
	return code;
}

static bool counts_memory;

void store_count_memory(void)
{
	counts_memory = true;
}

/* Even a reader opens the file for writing if it may: then an unfinished transaction of a killed
   loader is rolled back. */
static enum snap_status connect_file(struct store *store, const char *path, enum store_mode mode,
				     struct snap_error *err)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
	int code;

	/* Counting memory takes a lock each time, and is needed only for limits.  It cannot be
	 * changed once SQLite is in use, and then stays as it is. */
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS,
		       counts_memory || (path != NULL && mode != STORE_CACHE));
	if (database_may_be_made(mode))
		flags |= SQLITE_OPEN_CREATE;
	code = path ? open_named(store, path, flags)
		    : sqlite3_open_v2(PRIVATE_DATABASE, &store->db, flags, NULL);
	if (code == SQLITE_OK)
		return SNAP_OK;
	if (!store->db)
		return fail_memory(err, "opening a database");
	if (path && database_may_be_made(mode) && !may_be_made(path))
		return fail(err, SNAP_ESYSTEM, "%s: cannot be opened: %s", path, strerror(errno));
	return database_fail(store, err, "cannot be opened");
}

/* Every rebuild of a program adds symbols under a new build-id, and the old ones are never used
 * again. */
static void trim_cache(struct store *store)
{
	int pages = 0, unused = 0;

	if (database_query_int(store, "PRAGMA page_count", &pages) &&
	    database_query_int(store, "PRAGMA freelist_count", &unused) &&
	    pages - unused > CACHE_PAGES)
		sqlite3_exec(store->db, sql_symbol_clear, NULL, NULL, NULL);
}

static enum snap_status open_steps(struct store *store, const char *path, enum store_mode mode,
				   struct snap_error *err)
{
	enum snap_status st = path ? check_file(path, mode, err) : SNAP_OK;

	if (st == SNAP_OK)
		st = connect_file(store, path, path ? mode : STORE_CREATE, err);
	if (st == SNAP_OK)
		st = configure(store, mode, err);
	if (st == SNAP_OK)
		st = functions_register(store, err);
	if (st == SNAP_OK)
		st = array_tables_register(store, err);
	if (st == SNAP_OK)
		st = database_check_version(store, path ? mode : STORE_CREATE, err);
	if (st == SNAP_OK && mode == STORE_CACHE)
		trim_cache(store);
	if (st == SNAP_OK && path && mode == STORE_READ)
		st = database_run(store, "PRAGMA query_only = ON", "cannot be read", err);
	return st;
}

enum snap_status store_open(struct store **out, const char *path, enum store_mode mode,
			    struct snap_error *err)
{
	struct store *store = calloc(1, sizeof(*store));
	enum snap_status st;

	*out = NULL;
	if (!store)
		return fail_memory(err, "opening a database");
	store->in_memory = !path;
	store->writable = !path || mode != STORE_READ;
	store->name = strdup(path ? path : "the private database");
	st = store->name ? open_steps(store, path, mode, err)
			 : fail_memory(err, "opening a database");
	if (st == SNAP_OK)
		*out = store;
	else
		store_close(store);
	return st;
}

void store_close(struct store *store)
{
	if (!store)
		return;
	if (store->db)
		store_symbol_flush(store);
	for (size_t i = 0; i < STATEMENT_COUNT; i++) {
		sqlite3_finalize(store->statements[i]);
		sqlite3_finalize(store->batches[i]);
	}
	sqlite3_close_v2(store->db);
	if (store->recording)
		fclose(store->recording);
	free(store->recorded);
	intern_clear(&store->modules);
	intern_clear(&store->frames);
	intern_clear(&store->sites);
	arrays_release(&store->arrays);
	relation_release(&store->relation);
	free(store->texts);
	free(store->name);
	free(store);
}

int store_migrated_from(const struct store *store)
{
	return store->migrated_from;
}
