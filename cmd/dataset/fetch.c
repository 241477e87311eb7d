/*
 * fetch.c - rows of the store, with its 64-bit ids, become rows of a dataset, with positions.
 *
 * The store gives frames and sites by rising id, so that ids are looked up by position where they
 * are dense and by binary search where they are not.
 */
#include "dataset/fetch.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/fail.h"
#include "base/search.h"
#include "model/names.h"

/* The store's ids of the dataset's frames, by rising value. */
struct frame_ids {
	int64_t *ids;
	size_t count, capacity;
};

/* Where the ids are about dense, the guess is right at once or nearly so. */
static uint32_t find_frame(const struct frame_ids *frames, int64_t id)
{
	size_t count = frames->count, at;

	if (count && id >= frames->ids[0] && (uint64_t)(id - frames->ids[0]) < count &&
	    frames->ids[id - frames->ids[0]] == id)
		return (uint32_t)(id - frames->ids[0]);
	SEARCH(at, 0, count, frames->ids[at] < id);
	return at < count && frames->ids[at] == id ? (uint32_t)at : SNAP_NONE;
}

struct fetch {
	struct dataset *dataset;
	struct frame_ids frames;
	uint32_t next_site; /* cells rise by site: where the next one is, if none is left out */
	uint32_t *stack;    /* of the site at hand */
	size_t stack_capacity;
	const size_t *snapshots; /* index into the ids asked for, of each distinct id */
	struct snap_error *err;
};

static enum snap_status out_of_memory(const struct fetch *fetch)
{
	return fail_memory(fetch->err, "reading snapshots");
}

static bool remember(struct frame_ids *ids, int64_t id)
{
	if (!array_reserve(&ids->ids, &ids->capacity, ids->count, sizeof(*ids->ids)))
		return false;
	ids->ids[ids->count++] = id;
	return true;
}

static enum snap_status take_frame(void *user, const struct store_frame *row)
{
	struct fetch *fetch = user;
	struct dataset_frame frame = {
		.function = dataset_string(fetch->dataset, row->function),
		.file = dataset_string(fetch->dataset, row->file),
		.module = dataset_string(fetch->dataset, name_base(row->module)),
		.module_path = dataset_string(fetch->dataset, row->module),
		.line = row->line,
		.inlined = row->inlined,
		.has_address = row->has_address,
		.address = row->address,
	};

	if (frame.function == SNAP_NONE || frame.file == SNAP_NONE || frame.module == SNAP_NONE ||
	    frame.module_path == SNAP_NONE || !remember(&fetch->frames, row->id) ||
	    dataset_frame_add(fetch->dataset, &frame) == SNAP_NONE)
		return out_of_memory(fetch);
	return SNAP_OK;
}

static enum snap_status take_site(void *user, const struct store_site *row)
{
	struct fetch *fetch = user;
	uint32_t site;

	if (!array_room(&fetch->stack, &fetch->stack_capacity, row->depth, sizeof(*fetch->stack)))
		return out_of_memory(fetch);
	for (uint32_t i = 0; i < row->depth; i++) {
		fetch->stack[i] = find_frame(&fetch->frames, row->frames[i]);
		if (fetch->stack[i] == SNAP_NONE)
			return fail(fetch->err, SNAP_ECORRUPT,
				    "the database is damaged: a call stack names frame %lld, which "
				    "is not there",
				    (long long)row->frames[i]);
	}
	site = dataset_site_add(fetch->dataset, row->domain, fetch->stack, row->depth,
				&row->identity);
	if (site == SNAP_NONE)
		return out_of_memory(fetch);
	fetch->dataset->sites[site].id = row->id;
	return SNAP_OK;
}

static uint32_t site_of_cell(struct fetch *fetch, int64_t id)
{
	uint32_t site = fetch->next_site;

	if (site >= fetch->dataset->site_count || fetch->dataset->sites[site].id != id)
		site = dataset_site_of(fetch->dataset, id);
	fetch->next_site = site == SNAP_NONE ? 0 : site + 1;
	return site;
}

static enum snap_status take_cell(void *user, const struct store_cell *row)
{
	struct fetch *fetch = user;
	uint32_t site = site_of_cell(fetch, row->site_id);
	struct figures figures = {
		.value = {row->live_bytes, row->live_blocks, row->allocated_bytes,
			  row->allocated_blocks},
		.variance = {row->variance.live_bytes, row->variance.live_blocks,
			     row->variance.allocated_bytes, row->variance.allocated_blocks},
	};

	if (site == SNAP_NONE)
		return fail(fetch->err, SNAP_ECORRUPT,
			    "the database is damaged: a snapshot names call stack %lld, which is "
			    "not there",
			    (long long)row->site_id);
	if (!dataset_cell_add(fetch->dataset, fetch->snapshots[row->snapshot], site, &figures))
		return out_of_memory(fetch);
	return SNAP_OK;
}

struct sampling {
	const int64_t *ids;
	struct dataset *dataset;
};

static enum snap_status take_sampling(void *user, const struct store_snapshot *row)
{
	const struct sampling *sampling = user;

	for (size_t i = 0; i < sampling->dataset->snapshot_count; i++)
		if (sampling->ids[i] == row->id)
			sampling->dataset->snapshots[i].sampled =
				row->sample_period > 0 || row->has_errors;
	return SNAP_OK;
}

static enum snap_status read_sampling(struct dataset *dataset, const int64_t *ids,
				      struct snap_error *err)
{
	struct sampling sampling = {ids, dataset};

	return store_each_snapshot(dataset->store, take_sampling, &sampling, err);
}

enum snap_status fetch_sites(struct dataset **out, struct store *store, const int64_t *ids,
			     size_t count, struct snap_error *err)
{
	struct fetch fetch = {.dataset = dataset_new(count), .err = err};
	enum snap_status st = fetch.dataset ? SNAP_OK : out_of_memory(&fetch);

	if (st == SNAP_OK) {
		fetch.dataset->store = store;
		fetch.dataset->snapshot_ids = ids;
		st = read_sampling(fetch.dataset, ids, err);
	}
	if (st == SNAP_OK)
		st = store_each_frame(store, ids, count, take_frame, &fetch, err);
	if (st == SNAP_OK)
		st = store_each_site(store, ids, count, take_site, &fetch, err);
	free(fetch.frames.ids);
	free(fetch.stack);
	if (st != SNAP_OK) {
		dataset_free(fetch.dataset);
		fetch.dataset = NULL;
	}
	*out = fetch.dataset;
	return st;
}

/* The snapshot that ids[i] repeats, or i itself. */
static size_t first_with_id(const int64_t *ids, size_t i)
{
	size_t first = 0;

	while (ids[first] != ids[i])
		first++;
	return first;
}

static enum snap_status copy_cells(struct dataset *dataset, size_t from, size_t to,
				   struct snap_error *err)
{
	for (size_t i = 0; i < dataset->snapshots[from].count; i++) {
		const struct dataset_cell cell = dataset->snapshots[from].cells[i];

		if (!dataset_cell_add(dataset, to, cell.site, &cell.figures))
			return fail_memory(err, "reading snapshots");
	}
	return SNAP_OK;
}

static enum snap_status fetch_cells(struct fetch *fetch, struct store *store, const int64_t *ids,
				    size_t count, int64_t *distinct, size_t *where)
{
	enum snap_status st;
	size_t distinct_count = 0;

	for (size_t i = 0; i < count; i++)
		if (first_with_id(ids, i) == i) {
			where[distinct_count] = i;
			distinct[distinct_count++] = ids[i];
		}
	fetch->snapshots = where;
	st = store_each_cell(store, distinct, distinct_count, take_cell, fetch, fetch->err);
	for (size_t i = 0; st == SNAP_OK && i < count; i++)
		if (first_with_id(ids, i) != i)
			st = copy_cells(fetch->dataset, first_with_id(ids, i), i, fetch->err);
	return st;
}

enum snap_status fetch_dataset(struct dataset **out, struct store *store, const int64_t *ids,
			       size_t count, struct snap_error *err)
{
	struct fetch fetch = {.err = err};
	int64_t *distinct = malloc((count + 1) * sizeof(*distinct));
	size_t *where = malloc((count + 1) * sizeof(*where));
	enum snap_status st = SNAP_OK;

	*out = NULL;
	if (!distinct || !where)
		st = out_of_memory(&fetch);
	if (st == SNAP_OK)
		st = fetch_sites(&fetch.dataset, store, ids, count, err);
	if (st == SNAP_OK)
		st = fetch_cells(&fetch, store, ids, count, distinct, where);
	if (st == SNAP_OK)
		*out = fetch.dataset;
	else
		dataset_free(fetch.dataset);
	free(distinct);
	free(where);
	return st;
}
