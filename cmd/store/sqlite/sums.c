/*
 * sums.c - the rows of reports: the relation between call stacks and rows, and its sums.
 *
 * temp.credit is the relation.  Its order is that of the sums, so that grouping needs no sorting.
 * Where call stacks count towards several rows, sums are asked of temp.held: what each pair of the
 * relation adds to its row.
 *
 * These tables show the arrays that were handed over (array_tables.h), and temp.held adds up what
 * it can in advance.  To be recorded for --sql, the relation is a real table, filled by statements
 * that any SQLite can run, and the others are views over it.
 */
#include "store/sqlite/bulk.h"

#include <stdlib.h>

#include "store/sqlite/sql.h"
#include "store/sqlite/temporary.h"

/* ---- recording ------------------------------------------------------------------------------- */

bool store_record(struct store *store)
{
	if (!store->recording)
		store->recording = open_memstream(&store->recorded, &store->recorded_size);
	return store->recording != NULL;
}

const char *store_recorded(struct store *store)
{
	if (!store->recording || fflush(store->recording) != 0)
		return "";
	return store->recorded;
}

/* ---- the relation ---------------------------------------------------------------------------- */

enum snap_status store_begin_rows(struct store *store, struct snap_error *err)
{
	enum snap_status st = temporary_begin(store, err);

	relation_clear(&store->relation);
	if (st == SNAP_OK && store->recording)
		st = temporary_table(store, sql_credit_drop, sql_credit_table, err);
	else if (st == SNAP_OK)
		st = database_run(store, sql_credit_array, "cannot be read", err);
	return temporary_end(store, st, err);
}

struct numbering {
	uint32_t side, place;
};

static int bind_credit(sqlite3_stmt *statement, int at, const void *row, const void *context)
{
	const struct store_credit *credit = row;
	const struct numbering *numbering = context;

	sqlite3_bind_int64(statement, at++, numbering->side);
	sqlite3_bind_int64(statement, at++, credit->row);
	sqlite3_bind_int64(statement, at++, credit->site_id);
	return at;
}

/* A table that shows an array; to be recorded, a view that any SQLite can make. */
static enum snap_status show_array(struct store *store, const char *array, const char *view,
				   struct snap_error *err)
{
	enum snap_status st = temporary_begin(store, err);

	if (st == SNAP_OK && store->recording)
		st = temporary_run(store, view, err);
	else if (st == SNAP_OK)
		st = database_run(store, array, "cannot be read", err);
	return temporary_end(store, st, err);
}

static enum snap_status record_credits(struct store *store, uint32_t side, struct snap_error *err)
{
	static const struct bulk put = {STATEMENT_credit_put, bind_credit,
					sizeof(struct store_credit), true};
	const struct numbering numbering = {.side = side};
	struct credit_side *credits = &store->relation.sides[side];
	enum snap_status st = temporary_begin(store, err);

	if (st == SNAP_OK && !relation_order_by_row(credits))
		st = fail_memory(err, "summing up call stacks");
	if (st == SNAP_OK)
		st = bulk_insert(store, &put, credits->by_row, credits->count, &numbering, err);
	return temporary_end(store, st, err);
}

enum snap_status store_credit_rows(struct store *store, uint32_t side,
				   const struct store_credit *credits, size_t count,
				   struct snap_error *err)
{
	enum snap_status st = SNAP_OK;

	if (!relation_put(&store->relation, side, credits, count))
		return fail_memory(err, "summing up call stacks");
	if (store->recording)
		st = record_credits(store, side, err);
	if (st == SNAP_OK && relation_side(&store->relation, side)->overlaps)
		st = show_array(store, sql_held_array, sql_held_view, err);
	return st;
}

/* The place of a row is its position in the list, whose begin is the context. */
static int bind_shown(sqlite3_stmt *statement, int at, const void *row, const void *first)
{
	const struct store_shown *shown = row;

	sqlite3_bind_int64(statement, at++, shown - (const struct store_shown *)first);
	sqlite3_bind_int64(statement, at++, shown->row);
	sqlite3_bind_text(statement, at++, shown->key, -1, SQLITE_STATIC);
	return at;
}

enum snap_status store_show_rows(struct store *store, const struct store_shown *shown, size_t count,
				 struct snap_error *err)
{
	static const struct bulk put = {STATEMENT_shown_put, bind_shown, sizeof(*shown), true};
	enum snap_status st = temporary_begin(store, err);

	if (st == SNAP_OK && !relation_show(&store->relation, shown, count))
		st = fail_memory(err, "summing up call stacks");
	if (st == SNAP_OK)
		st = temporary_table(store, sql_shown_drop, sql_shown_table, err);
	if (st == SNAP_OK)
		st = bulk_insert(store, &put, shown, count, shown, err);
	return temporary_end(store, st, err);
}

/* ---- sums ------------------------------------------------------------------------------------ */

/* Read stacks, figures and variances from `column` on; the first column after them. */
static int read_figures(sqlite3_stmt *row, int column, bool sampled, struct store_sum *sum)
{
	sum->stacks = (uint64_t)sqlite3_column_int64(row, column++);
	for (int i = 0; i < FIGURES; i++)
		sum->values[i] = database_u64(row, column++);
	for (int i = 0; sampled && i < FIGURES; i++)
		sum->variances[i] = sqlite3_column_double(row, column++);
	return column;
}

struct sum_walk {
	store_sum_fn *fn;
	void *user;
	bool sampled;
};

static enum snap_status sum_row(void *context, sqlite3_stmt *row)
{
	const struct sum_walk *walk = context;
	struct store_sum sum = {.row = (uint32_t)sqlite3_column_int64(row, 0)};

	read_figures(row, 1, walk->sampled, &sum);
	return walk->fn(walk->user, &sum);
}

static enum snap_status shown_row(void *context, sqlite3_stmt *row)
{
	const struct sum_walk *walk = context;
	struct store_sum sum = {.row = (uint32_t)sqlite3_column_int64(row, 1)};
	int next = read_figures(row, 2, walk->sampled, &sum);

	sum.heaviest = sqlite3_column_int64(row, next);
	sum.weight = (uint64_t)sqlite3_column_int64(row, next + 1);
	return walk->fn(walk->user, &sum);
}

static bool rows_overlap(const struct store *store, const struct store_sums *sums)
{
	const struct credit_side *side = relation_side(&store->relation, sums->side);

	return side && side->overlaps;
}

static sqlite3_stmt *sums_statement(struct store *store, enum statement exact,
				    enum statement sampled, const struct store_sums *sums,
				    struct snap_error *err)
{
	sqlite3_stmt *statement = database_statement(store, sums->sampled ? sampled : exact, err);

	if (!statement)
		return NULL;
	sqlite3_bind_int64(statement, 1, sums->snapshot_id);
	if (sqlite3_bind_parameter_count(statement) > 1)
		sqlite3_bind_int64(statement, 2, sums->side);
	return statement;
}

static enum snap_status take_known(void *context, sqlite3_stmt *row)
{
	*(bool *)context = sqlite3_column_int(row, 0) != 0;
	return SNAP_OK;
}

/* Checking each row for unknown parts is slow, and few snapshots have any. */
static bool is_all_known(struct store *store, int64_t snapshot_id)
{
	sqlite3_stmt *statement = database_statement(store, STATEMENT_all_known, NULL);
	bool known = false;

	if (!statement)
		return false;
	sqlite3_bind_int64(statement, 1, snapshot_id);
	return database_each_row(store, statement, take_known, &known, NULL) == SNAP_OK && known;
}

/* Record the statement, give its rows. */
static enum snap_status each_recorded(struct store *store, sqlite3_stmt *statement, row_fn *fn,
				      void *context, struct snap_error *err)
{
	database_record(store, statement);
	return database_each_row(store, statement, fn, context, err);
}

enum snap_status store_each_sum(struct store *store, const struct store_sums *sums,
				store_sum_fn *fn, void *user, struct snap_error *err)
{
	struct sum_walk walk = {fn, user, sums->sampled};
	bool overlap = rows_overlap(store, sums);
	bool known = !overlap && !sums->sampled && is_all_known(store, sums->snapshot_id);
	enum statement exact = overlap ? STATEMENT_sum_held
			       : known ? STATEMENT_sum_rows_known
				       : STATEMENT_sum_rows;
	sqlite3_stmt *statement = sums_statement(
		store, exact, overlap ? STATEMENT_sum_held : STATEMENT_sum_rows_sampled, sums, err);

	return statement ? each_recorded(store, statement, sum_row, &walk, err) : SNAP_ESYSTEM;
}

enum snap_status store_each_shown_sum(struct store *store, const struct store_sums *sums,
				      uint32_t figure, store_sum_fn *fn, void *user,
				      struct snap_error *err)
{
	bool overlap = rows_overlap(store, sums);
	struct sum_walk walk = {fn, user, overlap || sums->sampled};
	sqlite3_stmt *statement = sums_statement(
		store, overlap ? STATEMENT_sum_held_shown : STATEMENT_sum_shown,
		overlap ? STATEMENT_sum_held_shown : STATEMENT_sum_shown_sampled, sums, err);

	if (!statement)
		return SNAP_ESYSTEM;
	sqlite3_bind_text(statement, 3, figure_column_names[figure % FIGURES], -1, SQLITE_STATIC);
	return each_recorded(store, statement, shown_row, &walk, err);
}

struct total_walk {
	struct store_sum *out;
	bool sampled;
};

static enum snap_status total_row(void *context, sqlite3_stmt *row)
{
	const struct total_walk *walk = context;

	read_figures(row, 1, walk->sampled, walk->out);
	/* No call stack holds 0, not something unknown. */
	for (int i = 0; walk->out->stacks == 0 && i < FIGURES; i++)
		walk->out->values[i] = 0;
	return SNAP_OK;
}

enum snap_status store_total(struct store *store, const struct store_sums *sums,
			     enum store_scope scope, struct store_sum *out, struct snap_error *err)
{
	static const enum statement statements[][2] = {
		[STORE_SCOPE_ALL] = {STATEMENT_total_all, STATEMENT_total_all_sampled},
		[STORE_SCOPE_SELECTED] = {STATEMENT_total_selected,
					  STATEMENT_total_selected_sampled},
		[STORE_SCOPE_SHOWN] = {STATEMENT_total_shown, STATEMENT_total_shown_sampled},
	};
	struct total_walk walk = {out, sums->sampled};
	bool known = scope == STORE_SCOPE_ALL && !sums->sampled &&
		     is_all_known(store, sums->snapshot_id);
	enum statement exact = known ? STATEMENT_total_all_known : statements[scope][0];
	sqlite3_stmt *statement;
	enum snap_status st = SNAP_OK;

	*out = (struct store_sum){0};
	if (scope != STORE_SCOPE_ALL)
		st = show_array(store, sql_counted_array, sql_counted_view, err);
	if (st != SNAP_OK)
		return st;
	statement = sums_statement(store, exact, statements[scope][1], sums, err);
	return statement ? each_recorded(store, statement, total_row, &walk, err) : SNAP_ESYSTEM;
}

/* ---- long series ----------------------------------------------------------------------------- */

struct live_walk {
	store_live_sum_fn *fn;
	void *user;
	bool sampled, known;
};

static enum snap_status live_row(void *context, sqlite3_stmt *row)
{
	const struct live_walk *walk = context;
	struct store_live_sum sum = {
		.row = (uint32_t)sqlite3_column_int64(row, 0),
		.bytes = database_known(row, 1),
		.blocks = database_known(row, 2),
		.bytes_known = true,
		.blocks_known = true,
	};

	if (!walk->known) {
		int64_t stacks = sqlite3_column_int64(row, 3);

		sum.bytes_known = sqlite3_column_int64(row, 4) == stacks;
		sum.blocks_known = sqlite3_column_int64(row, 5) == stacks;
	}
	if (walk->sampled)
		sum.bytes_variance = sqlite3_column_double(row, 6);
	return walk->fn(walk->user, &sum);
}

/* Then a plain scan of the figures is enough: there is nothing to add up. */
static bool has_single_rows(const struct store *store, const struct store_sums *sums)
{
	const struct credit_side *side = relation_side(&store->relation, sums->side);

	return side && side->each_row_once;
}

enum snap_status store_each_live_sum(struct store *store, const struct store_sums *sums,
				     store_live_sum_fn *fn, void *user, struct snap_error *err)
{
	bool overlap = rows_overlap(store, sums);
	bool known = !overlap && !sums->sampled && is_all_known(store, sums->snapshot_id);
	struct live_walk walk = {fn, user, sums->sampled, known};
	enum statement exact = overlap                        ? STATEMENT_sum_held_live
			       : !known                       ? STATEMENT_sum_live
			       : has_single_rows(store, sums) ? STATEMENT_sum_live_single
							      : STATEMENT_sum_live_known;
	sqlite3_stmt *statement = sums_statement(
		store, exact, overlap ? STATEMENT_sum_held_live : STATEMENT_sum_live_sampled, sums,
		err);

	return statement ? each_recorded(store, statement, live_row, &walk, err) : SNAP_ESYSTEM;
}

static enum snap_status total_live_row(void *context, sqlite3_stmt *row)
{
	*(uint64_t *)context = database_known(row, 1);
	return SNAP_OK;
}

enum snap_status store_total_live(struct store *store, const struct store_sums *sums, bool shown,
				  uint64_t *bytes, struct snap_error *err)
{
	enum statement which = shown ? STATEMENT_total_live_shown : STATEMENT_total_live;
	sqlite3_stmt *statement = sums_statement(store, which, which, sums, err);

	*bytes = 0;
	return statement ? each_recorded(store, statement, total_live_row, bytes, err)
			 : SNAP_ESYSTEM;
}

/* ---- ages ------------------------------------------------------------------------------------ */

struct cohort_walk {
	store_cohort_sum_fn *fn;
	void *user;
};

static enum snap_status cohort_row(void *context, sqlite3_stmt *row)
{
	const struct cohort_walk *walk = context;
	const struct store_cohort_sum sum = {
		.row = (uint32_t)sqlite3_column_int64(row, 0),
		.birth_seq = (uint64_t)sqlite3_column_int64(row, 1),
		.blocks = database_u64(row, 2),
		.bytes = database_u64(row, 3),
	};

	return walk->fn(walk->user, &sum);
}

enum snap_status store_each_cohort_sum(struct store *store, const struct store_sums *sums,
				       store_cohort_sum_fn *fn, void *user, struct snap_error *err)
{
	struct cohort_walk walk = {fn, user};
	sqlite3_stmt *statement =
		sums_statement(store, STATEMENT_sum_cohorts, STATEMENT_sum_cohorts, sums, err);

	return statement ? each_recorded(store, statement, cohort_row, &walk, err) : SNAP_ESYSTEM;
}
