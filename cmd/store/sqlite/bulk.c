/*
 * bulk.c - insert many rows with few statements.
 */
#include "store/sqlite/bulk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH_ROWS = 64 }; /* more rows make the statement larger, but not faster */

/* The statement for `rows` rows, malloc'ed. */
static char *repeat_row(const char *single, size_t rows)
{
	const char *row = strrchr(single, '('), *end = strrchr(single, ')') + 1;
	const char *head = strstr(single, "\nINSERT") + 1; /* after the comment */
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	fwrite(head, 1, (size_t)(end - head), out);
	for (size_t i = 1; i < rows; i++)
		fprintf(out, ", %.*s", (int)(end - row), row);
	fputc(';', out);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

static enum snap_status prepare(struct store *store, enum statement insert, size_t rows,
				sqlite3_stmt **out, struct snap_error *err)
{
	char *text = repeat_row(database_sql(insert), rows);
	int code;

	*out = NULL;
	if (!text)
		return fail_memory(err, "writing rows");
	code = sqlite3_prepare_v3(store->db, text, -1, SQLITE_PREPARE_PERSISTENT, out, NULL);
	free(text);
	return code == SQLITE_OK ? SNAP_OK : database_fail(store, err, "cannot be written");
}

static enum snap_status insert_batch(struct store *store, const struct bulk *bulk,
				     sqlite3_stmt *statement, const char *rows, size_t count,
				     const void *context, struct snap_error *err)
{
	int at = 1;

	for (size_t i = 0; i < count; i++)
		at = bulk->bind(statement, at, rows + i * bulk->row_size, context);
	if (bulk->recorded)
		database_record(store, statement);
	return database_step(store, statement, "cannot be written", err);
}

/* Full batches use one statement that the store keeps; the rows that are left get their own. */
enum snap_status bulk_insert(struct store *store, const struct bulk *bulk, const void *rows,
			     size_t count, const void *context, struct snap_error *err)
{
	sqlite3_stmt **batch = &store->batches[bulk->insert], *rest = NULL;
	enum snap_status st = SNAP_OK;
	const char *row = rows;

	if (count >= BATCH_ROWS && !*batch)
		st = prepare(store, bulk->insert, BATCH_ROWS, batch, err);
	for (; st == SNAP_OK && count >= BATCH_ROWS; count -= BATCH_ROWS) {
		st = insert_batch(store, bulk, *batch, row, BATCH_ROWS, context, err);
		row += BATCH_ROWS * bulk->row_size;
	}
	if (st != SNAP_OK || count == 0)
		return st;
	st = prepare(store, bulk->insert, count, &rest, err);
	if (st == SNAP_OK)
		st = insert_batch(store, bulk, rest, row, count, context, err);
	sqlite3_finalize(rest);
	return st;
}
