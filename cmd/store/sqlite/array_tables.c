/*
 * array_tables.c - virtual tables (https://www.sqlite.org/vtab.html) over arrays; they are only
 * read.
 *
 * All tables work in the same way.  Their rows lie by rising keys.  A table of figures has one part
 * for each snapshot, and those of the relation have one for each side.  A statement reads a range
 * of rows in one part, or in all parts.
 */
#include "store/sqlite/array_tables.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/search.h"
#include "store/sqlite/database.h"

enum { KEYS = 3 };
#define KEY(n)    (1 << (n))
#define PART_ROWS 1e5 /* approximate number of rows; the planner gets it */

struct cursor;

/* What a statement wants: a value for some of the keys. */
struct wanted {
	bool is_set[KEYS];
	int64_t value[KEYS];
};

struct table_kind {
	const char *module, *declaration;
	int keys;        /* the first columns of the table; rows lie in their order */
	bool unique;     /* values for all keys name one row */
	bool has_parts;  /* the first key names a part */
	bool is_private; /* for private databases only */
	int needed;      /* keys that a statement has to give a value */
	int unordered;   /* where just these keys have a value, rows are in no order */
	size_t (*parts)(struct store *store);
	/* Find the rows wanted of a part: cursor->at, cursor->end. */
	int (*open_part)(struct cursor *cursor);
	void (*column)(struct cursor *cursor, sqlite3_context *context, int column);
};

struct table {
	sqlite3_vtab base;
	struct store *store;
	const struct table_kind *kind;
};

struct cursor {
	sqlite3_vtab_cursor base;
	struct store *store;
	const struct table_kind *kind;
	struct wanted wanted;
	size_t part, last_part; /* the current row, and the one after the last wanted row */
	size_t named_part;      /* the one that the statement named last */
	size_t at, end;         /* rows of this part */
	struct array_page *page;
	const struct store_credit *credits;
	size_t behind; /* the row behind those of the last site that was asked for */
};

/* ---- frames ---------------------------------------------------------------------------------- */

static size_t one_part(struct store *store)
{
	(void)store;
	return 1;
}

static int open_frames(struct cursor *cursor)
{
	size_t count = cursor->store->arrays.frame_count;
	int64_t id = cursor->wanted.value[0];

	cursor->at = 0;
	cursor->end = count;
	if (cursor->wanted.is_set[0]) {
		bool is_there = id > 0 && (uint64_t)id <= count;

		cursor->at = is_there ? (size_t)id - 1 : 0;
		cursor->end = is_there ? (size_t)id : 0;
	}
	return SQLITE_OK;
}

static void result_text(sqlite3_context *context, struct snap_text text)
{
	if (text.size)
		sqlite3_result_text64(context, text.data, text.size, SQLITE_STATIC, SQLITE_UTF8);
}

static void frame_column(struct cursor *cursor, sqlite3_context *context, int column)
{
	const struct array_frame *frame = &cursor->store->arrays.frames[cursor->at];

	switch (column) {
	case 0:
		sqlite3_result_int64(context, (int64_t)cursor->at + 1);
		return;
	case 1:
		sqlite3_result_blob(context, &frame->hash, sizeof(frame->hash), SQLITE_STATIC);
		return;
	case 2:
		if (frame->module_id)
			sqlite3_result_int64(context, frame->module_id);
		return;
	case 3:
		if (frame->has_address)
			sqlite3_result_int64(context, (int64_t)frame->address);
		return;
	case 4:
		result_text(context, frame->function);
		return;
	case 5:
		result_text(context, frame->file);
		return;
	case 6:
		if (frame->line)
			sqlite3_result_int64(context, frame->line);
		return;
	default:
		sqlite3_result_int(context, frame->inlined);
	}
}

/* ---- sites ----------------------------------------------------------------------------------- */

static int open_sites(struct cursor *cursor)
{
	const struct arrays *arrays = &cursor->store->arrays;
	int64_t id = cursor->wanted.value[0];

	cursor->at = 0;
	cursor->end = arrays->by_id_count;
	if (cursor->wanted.is_set[0]) {
		size_t at = arrays_find_site(arrays, id);
		bool is_there =
			at < arrays->by_id_count && arrays->site_ids[arrays->by_id[at]] == id;

		cursor->at = at;
		cursor->end = at + is_there;
	}
	return SQLITE_OK;
}

/* The frame ids as a JSON array, as the table has them. */
static void result_frames(sqlite3_context *context, const uint32_t *ids, uint32_t depth)
{
	char *text = sqlite3_malloc64((sqlite3_uint64)depth * 11 + 3);
	size_t size = 0;

	if (!text) {
		sqlite3_result_error_nomem(context);
		return;
	}
	text[size++] = '[';
	for (uint32_t i = 0; i < depth; i++)
		size += (size_t)sprintf(text + size, i ? ",%u" : "%u", ids[i]);
	text[size++] = ']';
	sqlite3_result_text64(context, text, size, sqlite3_free, SQLITE_UTF8);
}

static void site_column(struct cursor *cursor, sqlite3_context *context, int column)
{
	const struct arrays *arrays = &cursor->store->arrays;
	uint32_t at = arrays->by_id[cursor->at];
	const struct array_site *site = &arrays->sites[at];
	const int64_t numbers[] = {
		[0] = arrays->site_ids[at],    [3] = site->depth,
		[5] = (int64_t)site->exact,    [6] = (int64_t)site->line,
		[7] = (int64_t)site->function, [8] = site->named,
	};

	switch (column) {
	case 1:
		sqlite3_result_blob(context, &site->hash, sizeof(site->hash), SQLITE_STATIC);
		return;
	case 2:
		sqlite3_result_text64(context, site->domain.data ? site->domain.data : "",
				      site->domain.size, SQLITE_STATIC, SQLITE_UTF8);
		return;
	case 4:
		if (site->named_frame)
			sqlite3_result_int64(context, site->named_frame);
		return;
	case 9:
		result_frames(context, arrays->stack + site->first, site->depth);
		return;
	default:
		sqlite3_result_int64(context, numbers[column]);
	}
}

/* ---- what sites hold ------------------------------------------------------------------------- */

static size_t snapshot_parts(struct store *store)
{
	return store->arrays.snapshot_count;
}

/* Statements ask for one site after the other of the same snapshot. */
static int use_page(struct cursor *cursor, bool with_births)
{
	struct arrays *arrays = &cursor->store->arrays;

	if (cursor->page && cursor->page->snapshot == cursor->part)
		return SQLITE_OK;
	arrays_leave(arrays, cursor->page);
	cursor->page = arrays_use(arrays, cursor->part, with_births);
	if (cursor->page)
		return SQLITE_OK;
	return errno == ENOMEM ? SQLITE_NOMEM : SQLITE_IOERR;
}

/* Many statements ask for one site after the other by rising id. */
static void find_site(struct cursor *cursor, const struct ids *ids, int64_t id)
{
	cursor->at = ids_find_from(ids, cursor->behind, id);
	cursor->end = cursor->behind = ids_end(ids, cursor->at, id);
}

static void find_rows(struct cursor *cursor, const struct ids *ids)
{
	if (cursor->wanted.is_set[1]) {
		find_site(cursor, ids, cursor->wanted.value[1]);
		return;
	}
	cursor->at = 0;
	cursor->end = ids->count;
}

static int open_cells(struct cursor *cursor)
{
	int code = use_page(cursor, false);

	if (code == SQLITE_OK)
		find_rows(cursor, &cursor->page->cell_ids);
	return code;
}

static int open_variances(struct cursor *cursor)
{
	/* Every list of snapshots asks whether they have any: without unpacking those that have
	 * none. */
	cursor->at = cursor->end = 0;
	return cursor->store->arrays.snapshots[cursor->part].sampled ? open_cells(cursor)
								     : SQLITE_OK;
}

static int open_births(struct cursor *cursor)
{
	int code = use_page(cursor, true);

	if (code == SQLITE_OK)
		find_rows(cursor, &cursor->page->birth_ids);
	return code;
}

static void result_figure(sqlite3_context *context, uint64_t figure)
{
	if (figure != SNAP_UNKNOWN)
		sqlite3_result_int64(context, (int64_t)figure);
}

static void result_snapshot(struct cursor *cursor, sqlite3_context *context)
{
	sqlite3_result_int64(context, cursor->store->arrays.snapshots[cursor->part].id);
}

static void cell_column(struct cursor *cursor, sqlite3_context *context, int column)
{
	const struct array_cell *cell = &cursor->page->cells[cursor->at];

	if (column == 0)
		result_snapshot(cursor, context);
	else if (column == 1)
		sqlite3_result_int64(context, cell->site_id);
	else
		result_figure(context, cell->figures[column - 2]);
}

static void variance_column(struct cursor *cursor, sqlite3_context *context, int column)
{
	const struct array_cell *cell = &cursor->page->cells[cursor->at];

	if (column == 0)
		result_snapshot(cursor, context);
	else if (column == 1)
		sqlite3_result_int64(context, cell->site_id);
	else
		sqlite3_result_double(context, cell->variances[column - 2]);
}

static void birth_column(struct cursor *cursor, sqlite3_context *context, int column)
{
	const struct array_birth *birth = &cursor->page->births[cursor->at];

	switch (column) {
	case 0:
		result_snapshot(cursor, context);
		return;
	case 1:
		sqlite3_result_int64(context, birth->site_id);
		return;
	case 2:
		sqlite3_result_int64(context, (int64_t)birth->seq);
		return;
	case 3:
		result_figure(context, birth->blocks);
		return;
	default:
		result_figure(context, birth->bytes);
	}
}

/* ---- the relation ---------------------------------------------------------------------------- */

static size_t relation_parts(struct store *store)
{
	return store->relation.count;
}

static struct credit_side *side_of(struct cursor *cursor)
{
	return &cursor->store->relation.sides[cursor->part];
}

/* The first credit of `row`, or of a later one. */
static size_t find_row(const struct credit_side *side, int64_t row)
{
	size_t at;

	SEARCH(at, 0, side->count, (int64_t)side->by_row[at].row < row);
	return at;
}

static int open_credits_of_site(struct cursor *cursor)
{
	struct credit_side *side = side_of(cursor);
	const struct wanted *wanted = &cursor->wanted;

	if (!relation_find_sites(side))
		return SQLITE_NOMEM;
	cursor->credits = side->by_site;
	find_site(cursor, &side->sites, wanted->value[2]);
	if (wanted->is_set[1]) {
		while (cursor->at < cursor->end &&
		       side->by_site[cursor->at].row != wanted->value[1])
			cursor->at++;
		if (cursor->at < cursor->end)
			cursor->end = cursor->at + 1;
	}
	return SQLITE_OK;
}

static int open_credits(struct cursor *cursor)
{
	struct credit_side *side = side_of(cursor);
	const struct wanted *wanted = &cursor->wanted;

	if (wanted->is_set[2])
		return open_credits_of_site(cursor);
	if (!relation_order_by_row(side))
		return SQLITE_NOMEM;
	cursor->credits = side->by_row;
	cursor->at = wanted->is_set[1] ? find_row(side, wanted->value[1]) : 0;
	cursor->end = wanted->is_set[1] ? find_row(side, wanted->value[1] + 1) : side->count;
	return SQLITE_OK;
}

static void credit_column(struct cursor *cursor, sqlite3_context *context, int column)
{
	const struct store_credit *credit = &cursor->credits[cursor->at];

	if (column == 0)
		sqlite3_result_int64(context, (int64_t)cursor->part);
	else if (column == 1)
		sqlite3_result_int64(context, credit->row);
	else
		sqlite3_result_int64(context, credit->site_id);
}

/* ---- what rows hold, added up ---------------------------------------------------------------- */

static int open_held(struct cursor *cursor)
{
	struct credit_side *side = side_of(cursor);
	const struct wanted *wanted = &cursor->wanted;
	enum snap_status st = relation_hold(cursor->store, side, wanted->value[1], NULL);

	if (st != SNAP_OK)
		return st == SNAP_ENOMEM ? SQLITE_NOMEM : SQLITE_IOERR;
	cursor->at = 0;
	cursor->end = side->held_count;
	if (wanted->is_set[2]) {
		cursor->at = relation_find_held(side->held, side->held_count, wanted->value[2]);
		if (cursor->at < cursor->end)
			cursor->end = cursor->at + (side->held[cursor->at].row == wanted->value[2]);
	}
	return SQLITE_OK;
}

/* Like sum(): NULL when nothing is known. */
static void result_sum(sqlite3_context *context, const struct held *row, int figure)
{
	if (row->overflows[figure])
		sqlite3_result_error(context, "integer overflow", -1);
	else if (row->known[figure])
		sqlite3_result_int64(context, row->sums[figure]);
}

static void held_column(struct cursor *cursor, sqlite3_context *context, int column)
{
	enum {
		SUMS = 4,
		KNOWN = SUMS + FIGURES,
		VARIANCES = KNOWN + FIGURES,
		MOST = VARIANCES + FIGURES,
		SITES = MOST + FIGURES
	};
	const struct credit_side *side = side_of(cursor);
	const struct held *row = &side->held[cursor->at];

	if (column >= SITES)
		sqlite3_result_int64(context, row->most_site[column - SITES]);
	else if (column >= MOST)
		sqlite3_result_int64(context, row->most[column - MOST]);
	else if (column >= VARIANCES)
		sqlite3_result_double(context, row->variances[column - VARIANCES]);
	else if (column >= KNOWN)
		sqlite3_result_int64(context, (int64_t)row->known[column - KNOWN]);
	else if (column >= SUMS)
		result_sum(context, row, column - SUMS);
	else
		sqlite3_result_int64(context, column == 0   ? (int64_t)cursor->part
					      : column == 1 ? side->held_snapshot
					      : column == 2 ? (int64_t)row->row
							    : (int64_t)row->stacks);
}

/* ---- call stacks that count, each once ------------------------------------------------------- */

static int open_counted(struct cursor *cursor)
{
	struct credit_side *side = side_of(cursor);
	const struct wanted *wanted = &cursor->wanted;
	bool shown = wanted->value[1] == 1;

	cursor->at = cursor->end = 0;
	if (wanted->value[1] != shown)
		return SQLITE_OK;
	if (!relation_count_sites(&cursor->store->relation, side, shown))
		return SQLITE_NOMEM;
	cursor->end = side->counted_count[shown];
	return SQLITE_OK;
}

static void counted_column(struct cursor *cursor, sqlite3_context *context, int column)
{
	bool shown = cursor->wanted.value[1] == 1;

	if (column == 0)
		sqlite3_result_int64(context, (int64_t)cursor->part);
	else if (column == 1)
		sqlite3_result_int64(context, shown);
	else
		sqlite3_result_int64(context, side_of(cursor)->counted[shown][cursor->at]);
}

/* ---- the kinds ------------------------------------------------------------------------------- */

static const struct table_kind kinds[] = {
	{.module = "snapdiff_frame",
	 .declaration = "CREATE TABLE frame(id INTEGER, hash BLOB, module_id INTEGER, "
			"address INTEGER, function TEXT, file TEXT, line INTEGER, inlined INTEGER)",
	 .keys = 1,
	 .unique = true,
	 .is_private = true,
	 .parts = one_part,
	 .open_part = open_frames,
	 .column = frame_column},
	{.module = "snapdiff_site",
	 .declaration = "CREATE TABLE site(id INTEGER, hash BLOB, domain TEXT, depth INTEGER, "
			"named_frame_id INTEGER, key_exact INTEGER, key_line INTEGER, "
			"key_function INTEGER, named INTEGER, frames TEXT)",
	 .keys = 1,
	 .unique = true,
	 .is_private = true,
	 .parts = one_part,
	 .open_part = open_sites,
	 .column = site_column},
	{.module = "snapdiff_live",
	 .declaration = "CREATE TABLE live(snapshot_id INTEGER, site_id INTEGER, bytes INTEGER, "
			"blocks INTEGER, allocated_bytes INTEGER, allocated_blocks INTEGER)",
	 .keys = 2,
	 .unique = true,
	 .has_parts = true,
	 .is_private = true,
	 .parts = snapshot_parts,
	 .open_part = open_cells,
	 .column = cell_column},
	{.module = "snapdiff_variance",
	 .declaration = "CREATE TABLE variance(snapshot_id INTEGER, site_id INTEGER, bytes REAL, "
			"blocks REAL, allocated_bytes REAL, allocated_blocks REAL)",
	 .keys = 2,
	 .unique = true,
	 .has_parts = true,
	 .is_private = true,
	 .parts = snapshot_parts,
	 .open_part = open_variances,
	 .column = variance_column},
	{.module = "snapdiff_cohort",
	 .declaration = "CREATE TABLE cohort(snapshot_id INTEGER, site_id INTEGER, "
			"birth_seq INTEGER, blocks INTEGER, bytes INTEGER)",
	 .keys = 2,
	 .has_parts = true,
	 .is_private = true,
	 .parts = snapshot_parts,
	 .open_part = open_births,
	 .column = birth_column},
	{.module = "snapdiff_credit",
	 .declaration = "CREATE TABLE credit(side INTEGER, row INTEGER, site_id INTEGER)",
	 .keys = 3,
	 .unique = true,
	 .has_parts = true,
	 .unordered = KEY(0) | KEY(2),
	 .parts = relation_parts,
	 .open_part = open_credits,
	 .column = credit_column},
	{.module = "snapdiff_held",
	 .declaration = "CREATE TABLE held(side INTEGER, snapshot_id INTEGER, row INTEGER, "
			"stacks INTEGER, bytes INTEGER, blocks INTEGER, allocated_bytes INTEGER, "
			"allocated_blocks INTEGER, bytes_known INTEGER, blocks_known INTEGER, "
			"allocated_bytes_known INTEGER, allocated_blocks_known INTEGER, "
			"bytes_variance REAL, blocks_variance REAL, allocated_bytes_variance REAL, "
			"allocated_blocks_variance REAL, bytes_most INTEGER, blocks_most INTEGER, "
			"allocated_bytes_most INTEGER, allocated_blocks_most INTEGER, "
			"bytes_site INTEGER, blocks_site INTEGER, allocated_bytes_site INTEGER, "
			"allocated_blocks_site INTEGER)",
	 .keys = 3,
	 .unique = true,
	 .has_parts = true,
	 .needed = KEY(0) | KEY(1),
	 .parts = relation_parts,
	 .open_part = open_held,
	 .column = held_column},
	{.module = "snapdiff_counted",
	 .declaration = "CREATE TABLE counted(side INTEGER, shown INTEGER, site_id INTEGER)",
	 .keys = 2,
	 .has_parts = true,
	 .needed = KEY(0) | KEY(1),
	 .parts = relation_parts,
	 .open_part = open_counted,
	 .column = counted_column},
};

/* ---- the protocol ---------------------------------------------------------------------------- */

static int connect_table(sqlite3 *db, void *user, int count, const char *const *arguments,
			 sqlite3_vtab **out, char **problem)
{
	struct store *store = user;
	const struct table_kind *kind = kinds;
	struct table *table;
	int code;

	(void)count;
	(void)problem;
	while (strcmp(kind->module, arguments[0]) != 0)
		kind++;
	code = sqlite3_declare_vtab(db, kind->declaration);
	if (code != SQLITE_OK)
		return code;
	sqlite3_vtab_config(db, SQLITE_VTAB_INNOCUOUS); /* views may read it */
	table = calloc(1, sizeof(*table));
	if (!table)
		return SQLITE_NOMEM;
	table->store = store;
	table->kind = kind;
	*out = &table->base;
	return SQLITE_OK;
}

static int disconnect_table(sqlite3_vtab *base)
{
	free(base);
	return SQLITE_OK;
}

/* Are the rows in the order wanted?  What is equal in all rows does not matter. */
static bool is_in_order(const struct table_kind *kind, const sqlite3_index_info *info, int set)
{
	int key = 0;

	for (int i = 0; i < info->nOrderBy; i++) {
		int column = info->aOrderBy[i].iColumn;

		if (column >= 0 && column < kind->keys && (set & KEY(column)))
			continue;
		while (key < kind->keys && (set & KEY(key)))
			key++;
		if (info->aOrderBy[i].desc || key >= kind->keys || column != key)
			return false;
		key++;
	}
	return true;
}

static double rows_left(const struct table_kind *kind, int set)
{
	double rows = PART_ROWS;

	if (kind->has_parts && !(set & 1))
		rows *= 10;
	for (int key = kind->has_parts; key < kind->keys; key++)
		if (set & KEY(key))
			rows = key + 1 == kind->keys ? 1 : 10;
	return rows;
}

/* `idxNum` says which keys have a value; the values come in the keys' order. */
static int best_index(sqlite3_vtab *base, sqlite3_index_info *info)
{
	const struct table_kind *kind = ((struct table *)base)->kind;
	int of_key[KEYS] = {-1, -1, -1}, next = 0, set = 0;

	for (int i = 0; i < info->nConstraint; i++) {
		const struct sqlite3_index_constraint *constraint = &info->aConstraint[i];

		if (constraint->usable && constraint->op == SQLITE_INDEX_CONSTRAINT_EQ &&
		    constraint->iColumn >= 0 && constraint->iColumn < kind->keys)
			of_key[constraint->iColumn] = i;
	}
	for (int key = 0; key < kind->keys; key++)
		/* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): no table has more than KEYS */
		if (of_key[key] >= 0) {
			set |= KEY(key);
			info->aConstraintUsage[of_key[key]].argvIndex = ++next;
			info->aConstraintUsage[of_key[key]].omit = 1;
		}
	if ((set & kind->needed) != kind->needed)
		return SQLITE_CONSTRAINT;
	info->idxNum = set;
	info->estimatedRows = (sqlite3_int64)rows_left(kind, set);
	info->estimatedCost = rows_left(kind, set) * 2;
	info->orderByConsumed =
		(!kind->unordered || set != kind->unordered) && is_in_order(kind, info, set);
	if (kind->unique && set == KEY(kind->keys) - 1)
		info->idxFlags = SQLITE_INDEX_SCAN_UNIQUE;
	return SQLITE_OK;
}

static int open_cursor(sqlite3_vtab *base, sqlite3_vtab_cursor **out)
{
	const struct table *table = (struct table *)base;
	struct cursor *cursor = calloc(1, sizeof(*cursor));

	if (!cursor)
		return SQLITE_NOMEM;
	cursor->store = table->store;
	cursor->kind = table->kind;
	*out = &cursor->base;
	return SQLITE_OK;
}

static int close_cursor(sqlite3_vtab_cursor *base)
{
	struct cursor *cursor = (struct cursor *)base;

	arrays_leave(&cursor->store->arrays, cursor->page);
	free(cursor);
	return SQLITE_OK;
}

/* Stay where a wanted row is, or move to the first part that has one. */
static int skip_empty_parts(struct cursor *cursor)
{
	int code = SQLITE_OK;

	while (code == SQLITE_OK && cursor->at >= cursor->end && ++cursor->part < cursor->last_part)
		code = cursor->kind->open_part(cursor);
	return code;
}

/* A value that no key can have: false. */
static bool key_value(sqlite3_value *value, int64_t *out)
{
	int type = sqlite3_value_type(value);

	if (type != SQLITE_INTEGER)
		type = sqlite3_value_numeric_type(value);
	*out = sqlite3_value_int64(value);
	return type == SQLITE_INTEGER ||
	       (type == SQLITE_FLOAT && sqlite3_value_double(value) == (double)*out);
}

/* The part that the first key names; `count` when there is none. */
static size_t find_part(const struct cursor *cursor, int64_t value, size_t count)
{
	const struct arrays *arrays = &cursor->store->arrays;

	if (!cursor->kind->is_private)
		return value < 0 || (uint64_t)value >= count ? count : (size_t)value;
	if (cursor->named_part < count && arrays->snapshots[cursor->named_part].id == value)
		return cursor->named_part;
	return arrays_find_snapshot(arrays, value);
}

static bool choose_parts(struct cursor *cursor)
{
	size_t count = cursor->kind->parts(cursor->store);
	size_t part;

	if (cursor->kind->has_parts && cursor->wanted.is_set[0]) {
		part = find_part(cursor, cursor->wanted.value[0], count);
		cursor->part = cursor->named_part = part;
		cursor->last_part = part + 1;
		return part < count;
	}
	cursor->part = 0;
	cursor->last_part = count;
	return count > 0;
}

static int filter(sqlite3_vtab_cursor *base, int set, const char *name, int count,
		  sqlite3_value **values)
{
	struct cursor *cursor = (struct cursor *)base;
	bool possible = true;
	int next = 0, code;

	(void)name;
	(void)count;
	for (int key = 0; key < KEYS; key++) {
		cursor->wanted.is_set[key] = (set & KEY(key)) != 0;
		if (cursor->wanted.is_set[key])
			possible &= key_value(values[next++], &cursor->wanted.value[key]);
	}
	cursor->at = cursor->end = 0;
	if (!possible || !choose_parts(cursor)) {
		cursor->part = cursor->last_part;
		return SQLITE_OK;
	}
	code = cursor->kind->open_part(cursor);
	return code == SQLITE_OK ? skip_empty_parts(cursor) : code;
}

static int next_row(sqlite3_vtab_cursor *base)
{
	struct cursor *cursor = (struct cursor *)base;

	cursor->at++;
	return cursor->at < cursor->end ? SQLITE_OK : skip_empty_parts(cursor);
}

static int is_at_end(sqlite3_vtab_cursor *base)
{
	const struct cursor *cursor = (struct cursor *)base;

	return cursor->at >= cursor->end;
}

static int column_of(sqlite3_vtab_cursor *base, sqlite3_context *context, int column)
{
	struct cursor *cursor = (struct cursor *)base;

	cursor->kind->column(cursor, context, column);
	return SQLITE_OK;
}

static int row_id(sqlite3_vtab_cursor *base, sqlite3_int64 *id)
{
	const struct cursor *cursor = (struct cursor *)base;

	*id = (sqlite3_int64)cursor->at + 1;
	return SQLITE_OK;
}

static const sqlite3_module module = {
	.iVersion = 1,
	.xCreate = connect_table,
	.xConnect = connect_table,
	.xBestIndex = best_index,
	.xDisconnect = disconnect_table,
	.xDestroy = disconnect_table,
	.xOpen = open_cursor,
	.xClose = close_cursor,
	.xFilter = filter,
	.xNext = next_row,
	.xEof = is_at_end,
	.xColumn = column_of,
	.xRowid = row_id,
};

enum snap_status array_tables_register(struct store *store, struct snap_error *err)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if ((store->in_memory || !kinds[i].is_private) &&
		    sqlite3_create_module_v2(store->db, kinds[i].module, &module, store, NULL) !=
			    SQLITE_OK)
			return database_fail(store, err, "cannot be opened");
	return SNAP_OK;
}
