/*
 * symbol_cache.c - remember between runs which function and line an address of a build belongs to.
 *
 * If anything fails here, the cache has no answer; that is never an error.  Answers are put in one
 * transaction, which store_symbol_flush() commits.
 */
#include "store/sqlite/database.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"

static bool begin_collecting(struct store *store)
{
	if (!store->symbols_open)
		store->symbols_open =
			sqlite3_exec(store->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK;
	return store->symbols_open;
}

/* One transaction for many reads: separate ones would each lock the file and check whether it
   changed.
 */
void store_symbol_begin(struct store *store)
{
	if (!store->symbols_open && !store->symbols_read)
		store->symbols_read =
			sqlite3_exec(store->db, "BEGIN", NULL, NULL, NULL) == SQLITE_OK;
}

void store_symbol_end(struct store *store)
{
	if (store->symbols_read)
		sqlite3_exec(store->db, "COMMIT", NULL, NULL, NULL);
	store->symbols_read = false;
}

void store_symbol_flush(struct store *store)
{
	if (!store->symbols_open)
		return;
	if (sqlite3_exec(store->db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
		sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
	store->symbols_open = false;
}

void store_symbol_put(struct store *store, const char *build_id, uint64_t address,
		      const struct store_symbol *frames, size_t count)
{
	struct snap_error ignored = {0};

	if (!begin_collecting(store))
		return;
	for (size_t i = 0; i < count; i++) {
		sqlite3_stmt *statement = database_statement(store, STATEMENT_symbol_put, &ignored);

		if (!statement)
			return;
		sqlite3_bind_text(statement, 1, build_id, -1, SQLITE_STATIC);
		sqlite3_bind_int64(statement, 2, (int64_t)address);
		sqlite3_bind_int64(statement, 3, (int64_t)i);
		sqlite3_bind_text(statement, 4, frames[i].function, -1, SQLITE_STATIC);
		sqlite3_bind_text(statement, 5, frames[i].file, -1, SQLITE_STATIC);
		sqlite3_bind_int64(statement, 6, frames[i].line);
		sqlite3_bind_int(statement, 7, frames[i].inlined);
		sqlite3_step(statement);
		sqlite3_reset(statement);
	}
}

/* Append `text` with its NUL to the texts of the current answer; its offset, or SIZE_MAX without
 * memory. */
static size_t keep_text(struct store *store, const char *text, size_t *used)
{
	size_t size = strlen(text) + 1;
	size_t at = *used;

	if (!array_room(&store->texts, &store->texts_capacity, at + size, 1))
		return SIZE_MAX;
	memcpy(store->texts + at, text, size);
	*used = at + size;
	return at;
}

/* `texts` may move while it grows, so frames get their pointers only when all rows are in. */
static void point_into_texts(struct store *store, struct store_symbol *frames, size_t count)
{
	const char *at = store->texts;

	for (size_t i = 0; i < count; i++) {
		frames[i].function = at;
		at += strlen(at) + 1;
		frames[i].file = at;
		at += strlen(at) + 1;
	}
}

bool store_symbol_get(struct store *store, const char *build_id, uint64_t address,
		      struct store_symbol *frames, size_t max, size_t *count)
{
	struct snap_error ignored = {0};
	sqlite3_stmt *statement = database_statement(store, STATEMENT_symbol_get, &ignored);
	size_t used = 0;
	bool whole = statement != NULL;
	int code = SQLITE_DONE;

	*count = 0;
	if (!statement)
		return false;
	sqlite3_bind_text(statement, 1, build_id, -1, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 2, (int64_t)address);
	while (whole && *count < max && (code = sqlite3_step(statement)) == SQLITE_ROW) {
		whole = keep_text(store, database_text(statement, 0), &used) != SIZE_MAX &&
			keep_text(store, database_text(statement, 1), &used) != SIZE_MAX;
		frames[*count].line = (uint32_t)sqlite3_column_int64(statement, 2);
		frames[*count].inlined = sqlite3_column_int(statement, 3) != 0;
		++*count;
	}
	sqlite3_reset(statement);
	if (!whole || code != SQLITE_DONE)
		return false;
	point_into_texts(store, frames, *count);
	return *count > 0;
}
