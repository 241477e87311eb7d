/*
 * array_tables.h - arrays as tables: SQL reads them where they lie.
 *
 * Two kinds: `frame`, `site`, `live`, `variance` and `cohort` of a private database (arrays.h), and
 * temp.credit, the relation between call stacks and the rows of a report, of every database.
 */
#ifndef STORE_ARRAY_TABLES_H
#define STORE_ARRAY_TABLES_H

#include "store/sqlite/ids.h"
#include "store/store.h"

/** One side of the relation. */
struct credit_side {
	struct store_credit *by_row; /* by rising row, then by site */
	size_t count;
	struct store_credit *by_site; /* the same by rising site, then by row; NULL: not asked yet
				       */
	struct ids sites;             /* of by_site */
};

struct credit_table {
	struct credit_side *sides;
	size_t count, capacity;
};

/** Take a copy of the relation of `side`.  False when memory is out. */
bool credit_table_put(struct credit_table *table, uint32_t side, const struct store_credit *credits,
		      size_t count);
void credit_table_clear(struct credit_table *table);
void credit_table_release(struct credit_table *table);

/** Make the modules of these tables known to the database. */
enum snap_status array_tables_register(struct store *store, struct snap_error *err);

#endif
