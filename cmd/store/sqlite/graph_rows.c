/*
 * graph_rows.c - the rows of reports on holders: summed up in tables and statements that any SQLite
 * can run.
 *
 * temp.member says which group of blocks or root counts towards which row, temp.node what rows are
 * called, and temp.shown which are shown.  temp.lost is what counts as lost of each group; temp.link
 * and temp.size are the edges and the nodes of the graph, added up by row.
 */
#include "store/holders.h"

#include <string.h>

#include "store/sqlite/bulk.h"
#include "store/sqlite/sql.h"
#include "store/sqlite/temporary.h"

static int bind_node(sqlite3_stmt *statement, int at, const void *row, const void *context)
{
	const struct store_node *node = row;

	(void)context;
	sqlite3_bind_int64(statement, at++, node->row);
	sqlite3_bind_text(statement, at++, node->key, -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, at++, node->kind, -1, SQLITE_STATIC);
	return at;
}

static int bind_member(sqlite3_stmt *statement, int at, const void *row, const void *context)
{
	const struct store_member *member = row;

	(void)context;
	sqlite3_bind_int64(statement, at++, member->side);
	sqlite3_bind_int(statement, at++, member->is_root);
	sqlite3_bind_int64(statement, at++, member->id);
	sqlite3_bind_int64(statement, at++, member->row);
	return at;
}

/* Make a temporary table anew, put the rows into it, and index it where there is an index. */
static enum snap_status put_anew(struct store *store, const char *const texts[3],
				 const struct bulk *put, const void *rows, size_t count,
				 struct snap_error *err)
{
	enum snap_status st = temporary_begin(store, err);

	if (st == SNAP_OK)
		st = temporary_table(store, texts[0], texts[1], err);
	if (st == SNAP_OK)
		st = bulk_insert(store, put, rows, count, NULL, err);
	if (st == SNAP_OK && texts[2])
		st = temporary_run(store, texts[2], err);
	return temporary_end(store, st, err);
}

enum snap_status store_put_members(struct store *store, const struct store_member *members,
				   size_t count, struct snap_error *err)
{
	static const struct bulk put = {STATEMENT_member_put, bind_member, sizeof(*members), true};
	static const char *const texts[] = {sql_member_drop, sql_member_table, sql_member_index};

	return put_anew(store, texts, &put, members, count, err);
}

enum snap_status store_put_nodes(struct store *store, const struct store_node *nodes, size_t count,
				 struct snap_error *err)
{
	static const struct bulk put = {STATEMENT_node_put, bind_node, sizeof(*nodes), true};
	static const char *const texts[] = {sql_node_drop, sql_node_table, NULL};

	return put_anew(store, texts, &put, nodes, count, err);
}

/* ---- asking ---------------------------------------------------------------------------------- */

/* ?1, ?2 and ?3, as far as the statement has them. */
struct question {
	enum statement which;
	int64_t first, second, third;
};

static sqlite3_stmt *bound(struct store *store, const struct question *question,
			   struct snap_error *err)
{
	sqlite3_stmt *statement = database_statement(store, question->which, err);
	int count = statement ? sqlite3_bind_parameter_count(statement) : 0;

	if (count > 0)
		sqlite3_bind_int64(statement, 1, question->first);
	if (count > 1)
		sqlite3_bind_int64(statement, 2, question->second);
	if (count > 2)
		sqlite3_bind_int64(statement, 3, question->third);
	return statement;
}

static enum snap_status ask(struct store *store, const struct question *question, row_fn *fn,
			    void *context, struct snap_error *err)
{
	sqlite3_stmt *statement = bound(store, question, err);

	if (!statement)
		return SNAP_ESYSTEM;
	database_record(store, statement);
	return database_each_row(store, statement, fn, context, err);
}

static enum snap_status ignore_row(void *context, sqlite3_stmt *row)
{
	(void)context;
	(void)row;
	return SNAP_OK;
}

/* Make a temporary table anew, have a statement fill it, and index it where there is an index. */
static enum snap_status fill_anew(struct store *store, const char *const texts[3],
				  const struct question *fill, struct snap_error *err)
{
	enum snap_status st = temporary_begin(store, err);

	if (st == SNAP_OK)
		st = temporary_table(store, texts[0], texts[1], err);
	if (st == SNAP_OK)
		st = ask(store, fill, ignore_row, NULL, err);
	if (st == SNAP_OK && texts[2])
		st = temporary_run(store, texts[2], err);
	return temporary_end(store, st, err);
}

/* ---- what nothing reaches -------------------------------------------------------------------- */

struct lost_walk {
	store_lost_fn *fn;
	void *user;
};

static struct store_lost lost_of(sqlite3_stmt *row)
{
	return (struct store_lost){
		.direct = database_known(row, 1),
		.direct_blocks = database_known(row, 2),
		.indirect = database_known(row, 3),
		.indirect_blocks = database_known(row, 4),
		.ring_blocks = database_known(row, 5),
		.live = database_known(row, 6),
		.live_blocks = database_known(row, 7),
	};
}

static enum snap_status lost_row(void *context, sqlite3_stmt *row)
{
	const struct lost_walk *walk = context;
	const struct store_lost lost = lost_of(row);

	return walk->fn(walk->user, (uint32_t)sqlite3_column_int64(row, 0), &lost);
}

static enum snap_status each_lost(struct store *store, enum statement which, store_lost_fn *fn,
				  void *user, struct snap_error *err)
{
	struct lost_walk walk = {fn, user};

	return ask(store, &(struct question){.which = which}, lost_row, &walk, err);
}

enum snap_status store_each_credited_lost(struct store *store, int64_t snapshot_id, uint32_t side,
					  store_lost_fn *fn, void *user, struct snap_error *err)
{
	const struct question question = {
		.which = STATEMENT_lost_credits, .first = snapshot_id, .second = side};
	struct lost_walk walk = {fn, user};

	return ask(store, &question, lost_row, &walk, err);
}

enum snap_status store_count_lost(struct store *store, int64_t snapshot_id, int64_t confirm_id,
				  store_lost_fn *fn, void *user, struct snap_error *err)
{
	const struct question fill = {
		.which = confirm_id ? STATEMENT_lost_put_confirmed : STATEMENT_lost_put,
		.first = snapshot_id,
		.second = confirm_id,
	};
	static const char *const texts[] = {sql_lost_drop, sql_lost_table, NULL};
	enum snap_status st = fill_anew(store, texts, &fill, err);

	return st == SNAP_OK ? each_lost(store, STATEMENT_lost_groups, fn, user, err) : st;
}

enum snap_status store_each_lost(struct store *store, store_lost_fn *fn, void *user,
				 struct snap_error *err)
{
	return each_lost(store, STATEMENT_lost_rows, fn, user, err);
}

enum snap_status store_each_shown_lost(struct store *store, store_lost_fn *fn, void *user,
				       struct snap_error *err)
{
	return each_lost(store, STATEMENT_lost_shown, fn, user, err);
}

static bool is_scope_all(sqlite3_stmt *row)
{
	return strcmp(database_text(row, 0), "all") == 0;
}

static enum snap_status lost_total(void *context, sqlite3_stmt *row)
{
	struct store_lost **totals = context;

	*totals[is_scope_all(row) ? 0 : 1] = lost_of(row);
	return SNAP_OK;
}

enum snap_status store_total_lost(struct store *store, struct store_lost *all,
				  struct store_lost *shown, struct snap_error *err)
{
	struct store_lost *totals[] = {all, shown};

	*all = *shown = (struct store_lost){0};
	return ask(store, &(struct question){.which = STATEMENT_lost_total}, lost_total, totals,
		   err);
}

static enum snap_status two_figures(void *context, sqlite3_stmt *row)
{
	uint64_t **figures = context;

	*figures[0] = database_known(row, 0);
	*figures[1] = database_known(row, 1);
	return SNAP_OK;
}

enum snap_status store_unconfirmed(struct store *store, int64_t snapshot_id, uint64_t *bytes,
				   uint64_t *blocks, struct snap_error *err)
{
	const struct question question = {.which = STATEMENT_lost_unconfirmed,
					  .first = snapshot_id};
	uint64_t *figures[] = {bytes, blocks};

	*bytes = *blocks = 0;
	return ask(store, &question, two_figures, figures, err);
}

/* ---- of rows of call stacks ------------------------------------------------------------------ */

struct presence {
	bool *has, *sized;
};

static enum snap_status presence_row(void *context, sqlite3_stmt *row)
{
	const struct presence *presence = context;

	*presence->has = sqlite3_column_int64(row, 0) > 0;
	*presence->sized = sqlite3_column_int64(row, 2) > 0;
	return SNAP_OK;
}

enum snap_status store_has_graph(struct store *store, int64_t snapshot_id, bool *has, bool *sized,
				 struct snap_error *err)
{
	const struct question question = {.which = STATEMENT_graph_size, .first = snapshot_id};
	struct presence presence = {has, sized};
	sqlite3_stmt *statement = bound(store, &question, err);

	return statement ? database_each_row(store, statement, presence_row, &presence, err)
			 : SNAP_ESYSTEM;
}

struct reach_walk {
	store_reach_fn *fn;
	void *user;
};

static enum snap_status reach_row(void *context, sqlite3_stmt *row)
{
	const struct reach_walk *walk = context;
	const struct store_reach reach = {database_known(row, 1), database_u64(row, 2)};

	return walk->fn(walk->user, (uint32_t)sqlite3_column_int64(row, 0), &reach);
}

enum snap_status store_each_shown_reach(struct store *store, int64_t snapshot_id, uint32_t side,
					bool overlap, store_reach_fn *fn, void *user,
					struct snap_error *err)
{
	const struct question question = {STATEMENT_graph_shown, snapshot_id, side, overlap};
	struct reach_walk walk = {fn, user};

	return ask(store, &question, reach_row, &walk, err);
}

struct objects_walk {
	store_objects_fn *fn;
	void *user;
};

static enum snap_status objects_row(void *context, sqlite3_stmt *row)
{
	const struct objects_walk *walk = context;
	const struct store_objects objects = {
		.row = (uint32_t)sqlite3_column_int64(row, 0),
		.type = database_text(row, 1),
		.is_reuse = sqlite3_column_int(row, 2) != 0,
		.objects = database_known(row, 3),
		.bytes = database_known(row, 4),
	};

	return walk->fn(walk->user, &objects);
}

enum snap_status store_each_objects(struct store *store, int64_t snapshot_id, uint32_t side,
				    store_objects_fn *fn, void *user, struct snap_error *err)
{
	const struct question question = {
		.which = STATEMENT_object_rows, .first = snapshot_id, .second = side};
	struct objects_walk walk = {fn, user};

	return ask(store, &question, objects_row, &walk, err);
}

/* ---- what rows have -------------------------------------------------------------------------- */

struct size_walk {
	store_size_fn *fn;
	void *user;
};

static enum snap_status size_row(void *context, sqlite3_stmt *row)
{
	const struct size_walk *walk = context;
	const struct store_size size = {
		.bytes = database_known(row, 1),
		.blocks = database_known(row, 2),
		.lost_blocks = database_known(row, 3),
		.retained_bytes = database_known(row, 4),
		.sized = sqlite3_column_int(row, 5) != 0,
	};

	return walk->fn(walk->user, (uint32_t)sqlite3_column_int64(row, 0), &size);
}

static enum snap_status each_size(struct store *store, enum statement which, store_size_fn *fn,
				  void *user, struct snap_error *err)
{
	struct size_walk walk = {fn, user};

	return ask(store, &(struct question){.which = which}, size_row, &walk, err);
}

enum snap_status store_sum_graph(struct store *store, int64_t snapshot_id, store_size_fn *fn,
				 void *user, struct snap_error *err)
{
	static const char *const link_texts[] = {sql_link_drop, sql_link_table, sql_link_index};
	static const char *const size_texts[] = {sql_size_drop, sql_size_table, NULL};
	const struct question links = {.which = STATEMENT_link_put, .first = snapshot_id};
	const struct question sizes = {.which = STATEMENT_size_put, .first = snapshot_id};
	enum snap_status st = fill_anew(store, link_texts, &links, err);

	if (st == SNAP_OK)
		st = fill_anew(store, size_texts, &sizes, err);
	return st == SNAP_OK ? each_size(store, STATEMENT_size_rows, fn, user, err) : st;
}

enum snap_status store_each_shown_size(struct store *store, store_size_fn *fn, void *user,
				       struct snap_error *err)
{
	return each_size(store, STATEMENT_size_shown, fn, user, err);
}

static enum snap_status size_total(void *context, sqlite3_stmt *row)
{
	struct store_size **totals = context;

	*totals[is_scope_all(row) ? 0 : 1] = (struct store_size){.bytes = database_known(row, 1),
								 .blocks = database_known(row, 2)};
	return SNAP_OK;
}

enum snap_status store_total_size(struct store *store, int64_t snapshot_id, struct store_size *all,
				  struct store_size *shown, struct snap_error *err)
{
	const struct question question = {.which = STATEMENT_size_total, .first = snapshot_id};
	struct store_size *totals[] = {all, shown};

	return ask(store, &question, size_total, totals, err);
}

/* ---- who holds whom -------------------------------------------------------------------------- */

struct link_walk {
	store_link_fn *fn;
	void *user;
};

static enum snap_status link_row(void *context, sqlite3_stmt *row)
{
	const struct link_walk *walk = context;
	const struct store_link link = {
		.place = (uint32_t)sqlite3_column_int64(row, 0),
		.row = (uint32_t)sqlite3_column_int64(row, 1),
		.links = database_known(row, 2),
		.bytes = database_known(row, 3),
		.blocks = database_known(row, 4),
		.references = database_known(row, 5),
		.retained_bytes = database_u64(row, 6),
	};

	return walk->fn(walk->user, &link);
}

static enum snap_status each_link(struct store *store, enum statement which, size_t limit,
				  store_link_fn *fn, void *user, struct snap_error *err)
{
	struct link_walk walk = {fn, user};
	const struct question question = {.which = which,
					  .first = limit > INT64_MAX ? INT64_MAX : (int64_t)limit};

	return ask(store, &question, link_row, &walk, err);
}

enum snap_status store_each_holder(struct store *store, size_t limit, store_link_fn *fn, void *user,
				   struct snap_error *err)
{
	return each_link(store, STATEMENT_held_by, limit, fn, user, err);
}

enum snap_status store_each_held(struct store *store, size_t limit, store_link_fn *fn, void *user,
				 struct snap_error *err)
{
	return each_link(store, STATEMENT_holds, limit, fn, user, err);
}

struct new_holder_walk {
	store_new_holder_fn *fn;
	void *user;
};

static enum snap_status new_holder_row(void *context, sqlite3_stmt *row)
{
	const struct new_holder_walk *walk = context;
	const struct store_new_holder holder = {
		.row = (uint32_t)sqlite3_column_int64(row, 0),
		.holder = (uint32_t)sqlite3_column_int64(row, 1),
		.blocks = database_known(row, 2),
		.bytes = database_known(row, 3),
		.old_blocks = database_known(row, 4),
		.new_blocks = database_known(row, 5),
	};

	return walk->fn(walk->user, &holder);
}

enum snap_status store_each_new_holder(struct store *store, int64_t old_id, int64_t new_id,
				       store_new_holder_fn *fn, void *user, struct snap_error *err)
{
	const struct question question = {
		.which = STATEMENT_new_holders, .first = old_id, .second = new_id};
	struct new_holder_walk walk = {fn, user};

	return ask(store, &question, new_holder_row, &walk, err);
}
