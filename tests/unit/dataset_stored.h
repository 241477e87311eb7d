/*
 * dataset_stored.h - a dataset that was made by hand, loaded into a store and fetched again: what
 * reports take, whose rows are summed in the store.
 */
#ifndef DATASET_STORED_H
#define DATASET_STORED_H

#include "dataset_builder.h"

#include "dataset/fetch.h"

/* One of them; release it when the report is gone, which shows its texts. */
struct stored {
	struct store *store;
	struct dataset *dataset;
	int64_t *ids;
};

static inline uint32_t stored_location(struct model *model, const struct dataset *from,
				       const struct dataset_frame *frame)
{
	struct snap_module module = {
		.path = model_cstring(model, dataset_text(from, frame->module_path)),
		.build_id = model_cstring(model, "")};
	struct snap_frame words = {model_cstring(model, dataset_text(from, frame->function)),
				   model_cstring(model, dataset_text(from, frame->file)),
				   frame->line, 0};

	return model_symbolic_location(
		model, frame->module_path ? model_module_intern(model, &module) : SNAP_NONE,
		&words);
}

static inline void stored_site(struct model *model, const struct dataset *from,
			       const struct dataset_cell *cell, bool sampled)
{
	const struct dataset_site *site = &from->sites[cell->site];
	const struct figures *figures = &cell->figures;
	struct snap_site row = {.node = SNAP_NONE,
				.domain = model_cstring(model, dataset_text(from, site->domain)),
				.live_bytes = figures->value[FIGURE_LIVE_BYTES],
				.live_blocks = figures->value[FIGURE_LIVE_BLOCKS],
				.allocated_bytes = figures->value[FIGURE_ALLOCATED_BYTES],
				.allocated_blocks = figures->value[FIGURE_ALLOCATED_BLOCKS]};
	struct snap_variance variance = {
		.live_bytes = figures->variance[FIGURE_LIVE_BYTES],
		.live_blocks = figures->variance[FIGURE_LIVE_BLOCKS],
		.allocated_bytes = figures->variance[FIGURE_ALLOCATED_BYTES],
		.allocated_blocks = figures->variance[FIGURE_ALLOCATED_BLOCKS]};

	for (uint32_t i = site->depth; i-- > 0;)
		row.node = model_node_intern(
			model, row.node,
			stored_location(model, from, dataset_frame_at(from, cell->site, i)));
	model_site_add(model, &row, NULL, sampled ? &variance : NULL);
}

static inline int64_t stored_snapshot(struct store *store, const struct dataset *from, size_t at)
{
	const struct dataset_snapshot *snapshot = &from->snapshots[at];
	struct model *model = model_new();
	struct snap_error err = {0};
	char seq[32];
	bool already;
	int64_t id;

	snprintf(seq, sizeof(seq), "%zu", at + 1);
	model_meta_set(model, "seq", seq);
	if (snapshot->sampled)
		model_meta_set(model, "sample_period", "512");
	for (size_t i = 0; i < snapshot->count; i++)
		stored_site(model, from, &snapshot->cells[i], snapshot->sampled);
	model->digest = at + 1;
	cr_assert_eq(store_load(store, model, NULL, STORE_ALL, NULL, &id, &already, &err), SNAP_OK,
		     "%s", err.message);
	model_free(model);
	return id;
}

static inline struct stored stored_new(const struct dataset *from)
{
	struct stored stored = {.ids = calloc(from->snapshot_count, sizeof(int64_t))};
	struct snap_error err = {0};

	cr_assert_eq(store_open(&stored.store, NULL, STORE_CREATE, &err), SNAP_OK, "%s",
		     err.message);
	for (size_t i = 0; i < from->snapshot_count; i++)
		stored.ids[i] = stored_snapshot(stored.store, from, i);
	cr_assert_eq(fetch_dataset(&stored.dataset, stored.store, stored.ids, from->snapshot_count,
				   &err),
		     SNAP_OK, "%s", err.message);
	return stored;
}

static inline void stored_free(struct stored *stored)
{
	dataset_free(stored->dataset);
	store_close(stored->store);
	free(stored->ids);
}

#endif
