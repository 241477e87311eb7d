/*
 * bulk.h - insert many rows with few statements.
 *
 * The statement inserts one row, "... VALUES (?, ?, ?)".  Its last parenthesis is repeated, so that
 * one step inserts a batch of rows.
 */
#ifndef STORE_BULK_H
#define STORE_BULK_H

#include "store/sqlite/database.h"

/** Bind the values of one row, the first of them to parameter `at`; return the next parameter. */
typedef int bulk_bind_fn(sqlite3_stmt *statement, int at, const void *row, const void *context);

struct bulk {
	enum statement insert;
	bulk_bind_fn *bind;
	size_t row_size;
	bool recorded; /* part of what a report asks for: see database_record() */
};

/** Insert `count` rows in their order.  `context` is handed to `bind`. */
enum snap_status bulk_insert(struct store *store, const struct bulk *bulk, const void *rows,
			     size_t count, const void *context, struct snap_error *err);

#endif
