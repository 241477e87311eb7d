/*
 * read.c - rows for the reports, as plain values.
 */
#include "store/sqlite/database.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "store/sqlite/read_arrays.h"

/* ---- iterating ---- */

/* A text that memory was out for looks like an empty one. */
static enum snap_status row_of(struct store *store, row_fn *fn, void *context,
			       sqlite3_stmt *statement, struct snap_error *err)
{
	enum snap_status st = fn(context, statement);

	if (sqlite3_errcode(store->db) == SQLITE_NOMEM)
		return fail_memory(err, "reading a database");
	return st;
}

enum snap_status database_each_row(struct store *store, sqlite3_stmt *statement, row_fn *fn,
				   void *context, struct snap_error *err)
{
	enum snap_status st = SNAP_OK;
	int code = SQLITE_ROW;

	database_begin_limits(store);
	while (st == SNAP_OK && (code = sqlite3_step(statement)) == SQLITE_ROW)
		st = row_of(store, fn, context, statement, err);
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		st = database_fail(store, err, "cannot be read");
	sqlite3_reset(statement);
	return st;
}

static enum snap_status each_of(struct store *store, enum statement which, int64_t id, row_fn *fn,
				void *context, struct snap_error *err)
{
	sqlite3_stmt *statement = database_statement(store, which, err);

	if (!statement)
		return SNAP_ESYSTEM;
	if (id)
		sqlite3_bind_int64(statement, 1, id);
	return database_each_row(store, statement, fn, context, err);
}

/* ---- snapshots and their pairs ---- */

struct snapshot_walk {
	store_snapshot_fn *fn;
	void *user;
};

static uint64_t known_or_zero(sqlite3_stmt *row, int column)
{
	return (uint64_t)sqlite3_column_int64(row, column);
}

static enum snap_status snapshot_row(void *context, sqlite3_stmt *row)
{
	struct snapshot_walk *walk = context;
	struct store_snapshot snapshot = {
		.id = sqlite3_column_int64(row, 0),
		.run_id = sqlite3_column_int64(row, 1),
		.seq = known_or_zero(row, 2),
		.pid = known_or_zero(row, 3),
		.time_ns = known_or_zero(row, 4),
		.mono_ns = known_or_zero(row, 5),
		.start_ns = known_or_zero(row, 6),
		.path = database_text(row, 7),
		.label = (const char *)sqlite3_column_text(row, 8),
		.command = database_text(row, 9),
		.program = database_text(row, 10),
		.trigger = database_text(row, 11),
		.host = database_text(row, 12),
		.sample_period = known_or_zero(row, 13),
		.live_bytes = database_u64(row, 14),
		.live_blocks = database_u64(row, 15),
		.allocated_bytes = database_u64(row, 16),
		.allocated_blocks = database_u64(row, 17),
		.sites = known_or_zero(row, 18),
		.time = database_text(row, 19),
		.has_errors = sqlite3_column_int(row, 20) != 0,
		.title = database_text(row, 21),
	};

	return walk->fn(walk->user, &snapshot);
}

enum snap_status store_each_snapshot(struct store *store, store_snapshot_fn *fn, void *user,
				     struct snap_error *err)
{
	struct snapshot_walk walk = {fn, user};

	return each_of(store, STATEMENT_snapshots, 0, snapshot_row, &walk, err);
}

struct pair_walk {
	store_pair_fn *fn;
	void *user;
};

static enum snap_status pair_row(void *context, sqlite3_stmt *row)
{
	struct pair_walk *walk = context;

	return walk->fn(walk->user, database_text(row, 0), database_text(row, 1));
}

static enum snap_status each_pair(struct store *store, enum statement which, int64_t snapshot_id,
				  store_pair_fn *fn, void *user, struct snap_error *err)
{
	struct pair_walk walk = {fn, user};

	return each_of(store, which, snapshot_id, pair_row, &walk, err);
}

enum snap_status store_each_label(struct store *store, int64_t snapshot_id, store_pair_fn *fn,
				  void *user, struct snap_error *err)
{
	return each_pair(store, STATEMENT_labels_of, snapshot_id, fn, user, err);
}

enum snap_status store_each_metric(struct store *store, int64_t snapshot_id, store_pair_fn *fn,
				   void *user, struct snap_error *err)
{
	return each_pair(store, STATEMENT_metrics_of, snapshot_id, fn, user, err);
}

enum snap_status store_each_loss(struct store *store, int64_t snapshot_id, store_pair_fn *fn,
				 void *user, struct snap_error *err)
{
	return each_pair(store, STATEMENT_losses_of, snapshot_id, fn, user, err);
}

enum snap_status store_each_meta(struct store *store, int64_t snapshot_id, store_pair_fn *fn,
				 void *user, struct snap_error *err)
{
	return each_pair(store, STATEMENT_meta_of, snapshot_id, fn, user, err);
}

struct module_walk {
	store_module_fn *fn;
	void *user;
};

static enum snap_status module_row(void *context, sqlite3_stmt *row)
{
	struct module_walk *walk = context;
	struct store_module module = {
		.path = database_text(row, 0),
		.build_id = database_text(row, 1),
		.base = known_or_zero(row, 2),
		.size = known_or_zero(row, 3),
	};

	return walk->fn(walk->user, &module);
}

enum snap_status store_each_module(struct store *store, int64_t snapshot_id, store_module_fn *fn,
				   void *user, struct snap_error *err)
{
	struct module_walk walk = {fn, user};

	return each_of(store, STATEMENT_modules_of, snapshot_id, module_row, &walk, err);
}

/* ---- lists of row ids ---- */

/* Rising ids, each once. */
struct id_list {
	int64_t *ids;
	size_t count;
};

/* What reading one more list needs. */
struct joining {
	struct id_list *all;
	struct id_list more;
	size_t room;
	struct snap_error *err;
};

static enum snap_status add_id(void *context, sqlite3_stmt *row)
{
	struct joining *joining = context;

	if (!array_reserve(&joining->more.ids, &joining->room, joining->more.count,
			   sizeof(*joining->more.ids)))
		return fail_memory(joining->err, "reading sites");
	joining->more.ids[joining->more.count++] = sqlite3_column_int64(row, 0);
	return SNAP_OK;
}

/* Is every id of `more` in `all`?  Then nothing has to be joined. */
static bool is_part_of(const struct id_list *more, const struct id_list *all)
{
	size_t at = 0;

	for (size_t i = 0; i < more->count; i++) {
		while (at < all->count && all->ids[at] < more->ids[i])
			at++;
		if (at == all->count || all->ids[at] != more->ids[i])
			return false;
	}
	return true;
}

static bool join(struct id_list *all, const struct id_list *more)
{
	int64_t *ids;
	size_t a = 0, b = 0, count = 0;

	if (is_part_of(more, all))
		return true;
	ids = malloc((all->count + more->count + 1) * sizeof(*ids));
	if (!ids)
		return false;
	while (a < all->count || b < more->count) {
		bool from_more = a == all->count || (b < more->count && more->ids[b] < all->ids[a]);

		if (!from_more && b < more->count && more->ids[b] == all->ids[a])
			b++;
		ids[count++] = from_more ? more->ids[b++] : all->ids[a++];
	}
	free(all->ids);
	*all = (struct id_list){ids, count};
	return true;
}

/* The sites of the given snapshots, by rising id. */
static enum snap_status collect_sites(struct store *store, const int64_t *ids, size_t count,
				      struct id_list *sites, struct snap_error *err)
{
	struct joining joining = {.all = sites, .err = err};
	enum snap_status st = SNAP_OK;

	for (size_t i = 0; st == SNAP_OK && i < count; i++) {
		joining.more.count = 0;
		st = each_of(store, STATEMENT_sites_of, ids[i], add_id, &joining, err);
		if (st == SNAP_OK && !join(sites, &joining.more))
			st = fail_memory(err, "reading sites");
	}
	free(joining.more.ids);
	return st;
}

/* Run `which` for every id of the list. */
static enum snap_status each_of_list(struct store *store, enum statement which,
				     const struct id_list *list, row_fn *fn, void *context,
				     struct snap_error *err)
{
	enum snap_status st = SNAP_OK;

	for (size_t i = 0; st == SNAP_OK && i < list->count; i++)
		st = each_of(store, which, list->ids[i], fn, context, err);
	return st;
}

static enum snap_status count_row(void *context, sqlite3_stmt *row)
{
	*(int64_t *)context = sqlite3_column_int64(row, 0);
	return SNAP_OK;
}

static int compare_ids(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

	return (left > right) - (left < right);
}

static size_t distinct_ids(const int64_t *ids, size_t count)
{
	int64_t *sorted = malloc(count * sizeof(*sorted));
	size_t distinct = 0;

	if (!sorted)
		return 0;
	memcpy(sorted, ids, count * sizeof(*sorted));
	qsort(sorted, count, sizeof(*sorted), compare_ids);
	for (size_t i = 0; i < count; i++)
		distinct += i == 0 || sorted[i] != sorted[i - 1];
	free(sorted);
	return distinct;
}

/* Are these all snapshots?  Then a plain scan is enough: every row is used. */
static bool is_everything(struct store *store, const int64_t *ids, size_t count)
{
	int64_t all = 0;

	if (count == 0 ||
	    each_of(store, STATEMENT_snapshot_count, 0, count_row, &all, NULL) != SNAP_OK)
		return false;
	return (int64_t)count >= all && distinct_ids(ids, count) == (size_t)all;
}

/* ---- sites ---- */

/* Parse a JSON array of row ids into *ids (grown by realloc, `*capacity` elements); false if it is
 * not one. */
static bool parse_ids(const char *json, int64_t **ids, size_t *capacity, uint32_t *count)
{
	*count = 0;
	if (*json++ != '[')
		return false;
	if (*json == ']')
		return json[1] == '\0';
	for (;;) {
		int64_t id = 0;
		const char *start = json;

		while (*json >= '0' && *json <= '9' && json - start < 18)
			id = id * 10 + (*json++ - '0');
		if (json == start || *count == UINT32_MAX)
			return false;
		if (!array_reserve(ids, capacity, *count, sizeof(**ids)))
			return false;
		(*ids)[(*count)++] = id;
		if (*json == ']')
			return json[1] == '\0';
		if (*json++ != ',')
			return false;
	}
}

struct site_walk {
	struct store *store;
	store_site_fn *fn;
	void *user;
	int64_t *frames;
	size_t capacity;
	struct snap_error *err;
};

static enum snap_status site_row(void *context, sqlite3_stmt *row)
{
	struct site_walk *walk = context;
	struct store_site site = {
		.id = sqlite3_column_int64(row, 0),
		.domain = database_text(row, 1),
		.identity =
			{
				.exact = known_or_zero(row, 3),
				.line = known_or_zero(row, 4),
				.function = known_or_zero(row, 5),
				.named = (uint32_t)sqlite3_column_int64(row, 6),
			},
	};

	if (!parse_ids(database_text(row, 7), &walk->frames, &walk->capacity, &site.depth))
		return fail(walk->err, SNAP_ECORRUPT,
			    "%s: site %lld has a stack that cannot be read", walk->store->name,
			    (long long)site.id);
	if (site.identity.named >= site.depth)
		site.identity.named = 0;
	site.frames = walk->frames;
	return walk->fn(walk->user, &site);
}

enum snap_status store_each_site(struct store *store, const int64_t *ids, size_t count,
				 store_site_fn *fn, void *user, struct snap_error *err)
{
	struct site_walk walk = {.store = store, .fn = fn, .user = user, .err = err};
	struct id_list sites = {0};
	bool everything = is_everything(store, ids, count);
	enum snap_status st;

	if (store->in_memory)
		return arrays_each_site(&store->arrays, everything ? NULL : ids, count, fn, user,
					err);
	if (everything) {
		st = each_of(store, STATEMENT_sites_all, 0, site_row, &walk, err);
	} else {
		st = collect_sites(store, ids, count, &sites, err);
		if (st == SNAP_OK)
			st = each_of_list(store, STATEMENT_sites_one, &sites, site_row, &walk, err);
	}
	free(sites.ids);
	free(walk.frames);
	return st;
}

/* ---- frames ---- */

struct frame_walk {
	store_frame_fn *fn;
	void *user;
};

static enum snap_status frame_row(void *context, sqlite3_stmt *row)
{
	struct frame_walk *walk = context;
	int64_t line = sqlite3_column_int64(row, 4);
	struct store_frame frame = {
		.id = sqlite3_column_int64(row, 0),
		.function = database_text(row, 1),
		.file = database_text(row, 2),
		.module = database_text(row, 3),
		.line = line >= 0 && line <= UINT32_MAX ? (uint32_t)line : 0,
		.inlined = sqlite3_column_int(row, 5) != 0,
		.has_address = sqlite3_column_type(row, 6) != SQLITE_NULL,
		.address = known_or_zero(row, 6),
	};

	return walk->fn(walk->user, &frame);
}

/* Frames are numbered from 1: a set of them has a bit for each. */
struct id_set {
	uint64_t *words;
	size_t word_count;
	int64_t last; /* the highest number that a frame has */
	bool strayed; /* a call stack names one that none has: */
	int64_t stray;
};

/* More than any database has.  A damaged file must not cost more memory than this many bits. */
enum { FRAMES_MOST = 1 << 28 };

static bool id_set_add(struct id_set *set, int64_t id)
{
	size_t word = (size_t)id / 64, before = set->word_count;

	if (!array_room(&set->words, &set->word_count, word + 1, sizeof(*set->words)))
		return false;
	if (set->word_count > before)
		memset(set->words + before, 0, (set->word_count - before) * sizeof(*set->words));
	set->words[word] |= UINT64_C(1) << (id % 64);
	return true;
}

/* Run `which` for every id of the set, in order. */
static enum snap_status each_of_set(struct store *store, enum statement which,
				    const struct id_set *set, row_fn *fn, void *context,
				    struct snap_error *err)
{
	enum snap_status st = SNAP_OK;

	for (size_t word = 0; word < set->word_count; word++)
		for (uint64_t bits = set->words[word]; st == SNAP_OK && bits; bits &= bits - 1)
			st = each_of(store, which, (int64_t)(word * 64) + __builtin_ctzll(bits), fn,
				     context, err);
	return st;
}

static enum snap_status add_site_frames(void *user, const struct store_site *site)
{
	struct id_set *set = user;

	for (uint32_t i = 0; i < site->depth; i++) {
		int64_t id = site->frames[i];

		if (id <= 0 || id > set->last || id > FRAMES_MOST) {
			set->strayed = true;
			set->stray = id;
			return SNAP_ECORRUPT;
		}
		if (!id_set_add(set, id))
			return SNAP_ENOMEM;
	}
	return SNAP_OK;
}

enum snap_status store_each_frame(struct store *store, const int64_t *ids, size_t count,
				  store_frame_fn *fn, void *user, struct snap_error *err)
{
	struct frame_walk walk = {fn, user};
	struct id_set frames = {0};
	enum snap_status st;

	if (is_everything(store, ids, count))
		return each_of(store, STATEMENT_frames_all, 0, frame_row, &walk, err);
	st = each_of(store, STATEMENT_frame_last, 0, count_row, &frames.last, err);
	if (st == SNAP_OK)
		st = store_each_site(store, ids, count, add_site_frames, &frames, err);
	if (st == SNAP_ENOMEM)
		fail_memory(err, "reading frames");
	if (frames.strayed)
		fail(err, SNAP_ECORRUPT,
		     "%s: is damaged: a call stack names frame %" PRId64 ", which is not there",
		     store->name, frames.stray);
	if (st == SNAP_OK)
		st = each_of_set(store, STATEMENT_frames_one, &frames, frame_row, &walk, err);
	free(frames.words);
	return st;
}

/* ---- cells ---- */

struct cell_walk {
	store_cell_fn *fn;
	void *user;
	uint32_t snapshot;
	bool sampled;
};

static enum snap_status cell_row(void *context, sqlite3_stmt *row)
{
	struct cell_walk *walk = context;
	struct store_cell cell = {
		.snapshot = walk->snapshot,
		.site_id = sqlite3_column_int64(row, 0),
		.live_bytes = database_u64(row, 1),
		.live_blocks = database_u64(row, 2),
		.allocated_bytes = database_u64(row, 3),
		.allocated_blocks = database_u64(row, 4),
	};

	if (walk->sampled) {
		cell.variance.live_bytes = sqlite3_column_double(row, 5);
		cell.variance.live_blocks = sqlite3_column_double(row, 6);
		cell.variance.allocated_bytes = sqlite3_column_double(row, 7);
		cell.variance.allocated_blocks = sqlite3_column_double(row, 8);
	}
	return walk->fn(walk->user, &cell);
}

enum snap_status store_each_cell(struct store *store, const int64_t *ids, size_t count,
				 store_cell_fn *fn, void *user, struct snap_error *err)
{
	struct cell_walk walk = {.fn = fn, .user = user};
	enum snap_status st = SNAP_OK;

	if (store->in_memory)
		return arrays_each_cell(&store->arrays, ids, count, fn, user, err);
	for (size_t i = 0; st == SNAP_OK && i < count; i++) {
		int64_t period = 0;

		st = each_of(store, STATEMENT_sampled, ids[i], count_row, &period, err);
		if (st != SNAP_OK)
			break;
		walk.snapshot = (uint32_t)i;
		walk.sampled = period != 0;
		st = each_of(store, walk.sampled ? STATEMENT_cells_sampled : STATEMENT_cells,
			     ids[i], cell_row, &walk, err);
	}
	return st;
}
