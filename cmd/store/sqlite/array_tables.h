/*
 * array_tables.h - arrays as tables: SQL reads them where they lie.
 *
 * `frame`, `site`, `live`, `variance` and `cohort` are tables of a private database (arrays.h).
 * Every database has those of the relation between call stacks and the rows of a report
 * (relation.h): temp.credit is the relation, temp.held the figures of its rows, and temp.counted
 * the call stacks that count at all.
 */
#ifndef STORE_ARRAY_TABLES_H
#define STORE_ARRAY_TABLES_H

#include "store/sqlite/relation.h"

/** Make the modules of these tables known to the database. */
enum snap_status array_tables_register(struct store *store, struct snap_error *err);

#endif
