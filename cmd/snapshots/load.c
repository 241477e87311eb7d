/*
 * load.c - load files and directories into a permanent database.
 */
#include "snapshots/snapshots.h"
#include "snapshots/state.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "input/input.h"
#include "base/fail.h"

struct loading {
	struct snapshots *snapshots;
	const struct store_labels *labels;
	void (*refuse)(const char *sentence);
	struct snapshots_loaded *done;
	int64_t *ids; /* of the files that could be read, as they came */
	size_t count, capacity;
};

static enum snap_status load_file(struct loading *loading, const char *path, struct snap_error *err)
{
	struct snap_error problem = {0};
	enum snap_status st;
	bool already;
	int64_t id;

	/* What is in the database is in the list: so room comes first. */
	if (!array_reserve(&loading->ids, &loading->capacity, loading->count, sizeof(id)))
		return fail_memory(err, "loading snapshots");
	st = snapshots_take_file(loading->snapshots, path, loading->labels, &id, &already,
				 &problem);
	if (st == SNAP_ESYSTEM || st == SNAP_ENOMEM)
		return fail(err, st, "%s", problem.message);
	if (st != SNAP_OK) {
		loading->done->refused++;
		loading->refuse(problem.message);
		return SNAP_OK;
	}
	loading->done->already += already;
	loading->done->loaded += !already;
	loading->ids[loading->count++] = id;
	return SNAP_OK;
}

/* ---- what leaves ----------------------------------------------------------------------------- */

/* The snapshots of the database. */
struct inventory {
	const struct loading *loading; /* its ids ascend */
	struct item {
		int64_t id;
		uint64_t time_ns;
		char *path;
		bool loaded; /* now */
	} * items;
	size_t count, capacity;
};

static int compare_ids(const void *left, const void *right)
{
	const int64_t *a = left, *b = right;

	return (*a > *b) - (*a < *b);
}

static int compare_paths(const void *left, const void *right)
{
	const struct item *a = left, *b = right;

	return strcmp(a->path, b->path);
}

static enum snap_status take_item(void *user, const struct store_snapshot *row)
{
	struct inventory *inventory = user;
	const struct loading *loading = inventory->loading;
	char *path = strdup(row->path);

	if (!path || !array_reserve(&inventory->items, &inventory->capacity, inventory->count,
				    sizeof(*inventory->items))) {
		free(path);
		return SNAP_ENOMEM;
	}
	inventory->items[inventory->count++] = (struct item){
		.id = row->id,
		.time_ns = row->time_ns,
		.path = path,
		.loaded = loading->count && bsearch(&row->id, loading->ids, loading->count,
						    sizeof(*loading->ids), compare_ids),
	};
	return SNAP_OK;
}

/* The items from `from` on that have one path. */
static size_t end_of_path(const struct inventory *inventory, size_t from)
{
	size_t to = from + 1;

	while (to < inventory->count &&
	       strcmp(inventory->items[to].path, inventory->items[from].path) == 0)
		to++;
	return to;
}

/* The ids of the snapshots to delete; returns how many.  The items are ordered by path. */
static size_t choose_leaving(const struct inventory *inventory, const struct snapshots_leaving *how,
			     int64_t *ids)
{
	size_t count = 0;

	for (size_t from = 0, to; from < inventory->count; from = to) {
		bool replaced = false;

		to = end_of_path(inventory, from);
		for (size_t i = from; how->replaced && i < to; i++)
			replaced |= inventory->items[i].loaded && *inventory->items[i].path;
		for (size_t i = from; i < to; i++) {
			const struct item *item = &inventory->items[i];
			bool old = item->time_ns != SNAP_UNKNOWN && item->time_ns < how->before_ns;

			if (old || (replaced && !item->loaded))
				ids[count++] = item->id;
		}
	}
	return count;
}

static enum snap_status drop(struct loading *loading, const struct snapshots_leaving *how,
			     struct snap_error *err)
{
	struct store *store = snapshots_store(loading->snapshots);
	struct inventory inventory = {.loading = loading};
	enum snap_status st;
	int64_t *ids;
	size_t count = 0;

	if (loading->count)
		qsort(loading->ids, loading->count, sizeof(*loading->ids), compare_ids);
	st = store_each_snapshot(store, take_item, &inventory, err);
	ids = calloc(inventory.count + 1, sizeof(*ids));
	if (st == SNAP_OK && !ids)
		st = fail_memory(err, "deleting snapshots");
	if (st == SNAP_OK && inventory.count) {
		qsort(inventory.items, inventory.count, sizeof(*inventory.items), compare_paths);
		count = choose_leaving(&inventory, how, ids);
	}
	if (count)
		st = store_forget(store, ids, count, err);
	if (st == SNAP_OK)
		loading->done->dropped = count;
	for (size_t i = 0; i < inventory.count; i++)
		free(inventory.items[i].path);
	free(inventory.items);
	free(ids);
	return st;
}

enum snap_status snapshots_load(struct snapshots *snapshots, const char *const *names,
				size_t name_count, const struct store_labels *labels,
				const struct snapshots_leaving *leaving,
				void (*refuse)(const char *sentence), struct snapshots_loaded *done,
				struct snap_error *err)
{
	struct loading loading = {
		.snapshots = snapshots, .labels = labels, .refuse = refuse, .done = done};
	struct snapshots_files files;
	enum snap_status st = snapshots_files_of(snapshots, names, name_count, &files, err);

	*done = (struct snapshots_loaded){.refused = snapshots->damaged};
	snapshots_expect_files(snapshots, &files);
	for (size_t i = 0; st == SNAP_OK && i < files.count; i++) {
		snapshots_progress(snapshots, i, files.count);
		st = load_file(&loading, files.files[i].path, err);
	}
	snapshots_progress(snapshots, files.count, files.count);
	snapshots_files_free(&files);
	if (st == SNAP_OK && leaving && (leaving->before_ns || leaving->replaced) &&
	    snapshots_store(snapshots))
		st = drop(&loading, leaving, err);
	free(loading.ids);
	return st;
}
