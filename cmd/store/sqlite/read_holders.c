/*
 * read_holders.c - who holds what, read back.  A database may be hostile: ids are checked.
 */
#include "store/holders.h"

#include "snap/format.h"
#include "store/sqlite/database.h"

struct walk {
	union {
		store_group_fn *group;
		store_root_fn *root;
		store_edge_fn *edge;
		store_path_fn *path;
	};
	void *user;
	struct store *store;
	struct snap_error *err;
	int64_t next; /* the id that the next row must have */
	int64_t groups, roots;
	struct snap_path under_way; /* whose steps are read */
	int64_t path_id;
	struct snap_step steps[SNAP_PATH_STEPS_MAX];
};

static enum snap_status refuse(const struct walk *walk)
{
	return fail(walk->err, SNAP_ECORRUPT,
		    "%s: who holds what: a row refers to one that is not there", walk->store->name);
}

static enum snap_status each(struct walk *walk, enum statement which, int64_t snapshot_id,
			     row_fn *fn)
{
	sqlite3_stmt *statement = database_statement(walk->store, which, walk->err);

	if (!statement)
		return SNAP_ESYSTEM;
	sqlite3_bind_int64(statement, 1, snapshot_id);
	return database_each_row(walk->store, statement, fn, walk, walk->err);
}

static uint32_t u32(sqlite3_stmt *row, int column)
{
	return (uint32_t)sqlite3_column_int64(row, column);
}

static uint64_t plain(sqlite3_stmt *row, int column)
{
	return (uint64_t)sqlite3_column_int64(row, column);
}

/* ---- groups and roots ------------------------------------------------------------------------ */

static enum snap_status group_row(void *context, sqlite3_stmt *row)
{
	struct walk *walk = context;
	struct store_group group = {
		.kind = u32(row, 1),
		.label = database_text(row, 2),
		.site_id = sqlite3_column_int64(row, 3),
		.blocks = database_known(row, 4),
		.bytes = database_known(row, 5),
		.direct_blocks = database_known(row, 6),
		.direct_bytes = database_known(row, 7),
		.indirect_blocks = database_known(row, 8),
		.indirect_bytes = database_known(row, 9),
		.ring_blocks = database_known(row, 10),
		.retained_bytes = database_u64(row, 11),
	};

	if (sqlite3_column_int64(row, 0) != walk->next++)
		return refuse(walk);
	return walk->group(walk->user, &group);
}

enum snap_status store_each_group(struct store *store, int64_t snapshot_id, store_group_fn *fn,
				  void *user, struct snap_error *err)
{
	struct walk walk = {.group = fn, .user = user, .store = store, .err = err};

	return each(&walk, STATEMENT_groups_of, snapshot_id, group_row);
}

static enum snap_status root_row(void *context, sqlite3_stmt *row)
{
	struct walk *walk = context;
	struct store_root root = {
		.kind = u32(row, 1),
		.name = database_text(row, 2),
		.label = database_text(row, 3),
		.module = database_text(row, 4),
		.thread = u32(row, 5),
		.address = plain(row, 6),
		.size = plain(row, 7),
		.symbol = database_text(row, 8),
		.offset = plain(row, 9),
		.retained_bytes = database_u64(row, 10),
	};

	if (sqlite3_column_int64(row, 0) != walk->next++)
		return refuse(walk);
	return walk->root(walk->user, &root);
}

enum snap_status store_each_root(struct store *store, int64_t snapshot_id, store_root_fn *fn,
				 void *user, struct snap_error *err)
{
	struct walk walk = {.root = fn, .user = user, .store = store, .err = err};

	return each(&walk, STATEMENT_roots_of, snapshot_id, root_row);
}

/* ---- edges and paths, whose rows refer to these ---------------------------------------------- */

static enum snap_status count_row(void *context, sqlite3_stmt *row)
{
	struct walk *walk = context;

	walk->groups = sqlite3_column_int64(row, 0);
	walk->roots = sqlite3_column_int64(row, 1);
	return SNAP_OK;
}

static bool is_below(sqlite3_stmt *row, int column, int64_t count)
{
	int64_t id = sqlite3_column_int64(row, column);

	return id >= 0 && id < count;
}

static bool is_null(sqlite3_stmt *row, int column)
{
	return sqlite3_column_type(row, column) == SQLITE_NULL;
}

static enum snap_status edge_row(void *context, sqlite3_stmt *row)
{
	struct walk *walk = context;
	bool from_root = !is_null(row, 0);
	struct snap_edge edge = {
		.from_root = from_root,
		.from = u32(row, from_root ? 0 : 1),
		.to = u32(row, 2),
		.references = database_known(row, 3),
		.blocks = database_known(row, 4),
		.bytes = database_known(row, 5),
		.dominated_blocks = database_u64(row, 6),
		.dominated_bytes = database_u64(row, 7),
	};

	if (!is_below(row, from_root ? 0 : 1, from_root ? walk->roots : walk->groups) ||
	    !is_below(row, 2, walk->groups))
		return refuse(walk);
	return walk->edge(walk->user, &edge);
}

enum snap_status store_each_edge(struct store *store, int64_t snapshot_id, store_edge_fn *fn,
				 void *user, struct snap_error *err)
{
	struct walk walk = {.edge = fn, .user = user, .store = store, .err = err};
	enum snap_status st = each(&walk, STATEMENT_graph_size, snapshot_id, count_row);

	return st == SNAP_OK ? each(&walk, STATEMENT_edges_of, snapshot_id, edge_row) : st;
}

static enum snap_status wrong_edge(void *context, sqlite3_stmt *row)
{
	(void)row;
	return refuse(context);
}

enum snap_status store_check_edges(struct store *store, int64_t snapshot_id, struct snap_error *err)
{
	struct walk walk = {.store = store, .err = err};
	enum snap_status st = each(&walk, STATEMENT_graph_size, snapshot_id, count_row);
	sqlite3_stmt *statement =
		st == SNAP_OK ? database_statement(store, STATEMENT_edge_wrong, err) : NULL;

	if (!statement)
		return st == SNAP_OK ? SNAP_ESYSTEM : st;
	sqlite3_bind_int64(statement, 1, snapshot_id);
	sqlite3_bind_int64(statement, 2, walk.groups);
	sqlite3_bind_int64(statement, 3, walk.roots);
	return database_each_row(store, statement, wrong_edge, &walk, err);
}

static enum snap_status end_path(struct walk *walk)
{
	enum snap_status st = SNAP_OK;

	if (walk->path_id >= 0)
		st = walk->path(walk->user, &walk->under_way, walk->steps);
	walk->path_id = -1;
	return st;
}

static bool begin_path(struct walk *walk, sqlite3_stmt *row)
{
	walk->path_id = sqlite3_column_int64(row, 0);
	walk->under_way = (struct snap_path){
		.group = u32(row, 1),
		.root = is_null(row, 2) ? SNAP_NONE : u32(row, 2),
		.offset = plain(row, 3),
		.skipped = plain(row, 4),
	};
	return walk->path_id >= 0 && is_below(row, 1, walk->groups) &&
	       (is_null(row, 2) || is_below(row, 2, walk->roots));
}

static enum snap_status step_row(void *context, sqlite3_stmt *row)
{
	struct walk *walk = context;
	struct snap_path *path = &walk->under_way;
	enum snap_status st = SNAP_OK;

	if (sqlite3_column_int64(row, 0) != walk->path_id) {
		st = end_path(walk);
		if (st == SNAP_OK && !begin_path(walk, row))
			st = refuse(walk);
	}
	if (st != SNAP_OK || is_null(row, 5))
		return st;
	if (!is_below(row, 5, walk->groups) || path->step_count == SNAP_PATH_STEPS_MAX)
		return refuse(walk);
	walk->steps[path->step_count++] = (struct snap_step){
		.group = u32(row, 5),
		.address = plain(row, 6),
		.size = plain(row, 7),
		.offset = plain(row, 8),
	};
	return SNAP_OK;
}

enum snap_status store_each_path(struct store *store, int64_t snapshot_id, store_path_fn *fn,
				 void *user, struct snap_error *err)
{
	struct walk walk = {.path = fn, .user = user, .store = store, .err = err, .path_id = -1};
	enum snap_status st = each(&walk, STATEMENT_graph_size, snapshot_id, count_row);

	if (st == SNAP_OK)
		st = each(&walk, STATEMENT_paths_of, snapshot_id, step_row);
	return st == SNAP_OK ? end_path(&walk) : st;
}
