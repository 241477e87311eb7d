/*
 * dataset/fetch.h - snapshots from the store into a dataset.
 */
#ifndef DATASET_FETCH_H
#define DATASET_FETCH_H

#include "dataset/dataset.h"
#include "store/store.h"

/** The snapshots `ids` with their frames, sites and cells: snapshot i of the dataset is ids[i].  An
 * id may occur twice.  `ids` must outlive the dataset.  On success `*out` is yours: dataset_free(). */
enum snap_status fetch_dataset(struct dataset **out, struct store *store, const int64_t *ids,
			       size_t count, struct snap_error *err);

/** The same without cells: for reports whose rows are summed in the store (sums.h).  `ids` must
 * outlive the dataset. */
enum snap_status fetch_sites(struct dataset **out, struct store *store, const int64_t *ids,
			     size_t count, struct snap_error *err);

/** Dataset sites in the order of the store's site ids: where a reader of cells looks up its rows.
 */
struct site_ids;
/** The frames and sites alone, without figures, for such a reader. */
enum snap_status fetch_sites_with_ids(struct dataset **out, struct site_ids **ids_out,
				      struct store *store, const int64_t *ids, size_t count,
				      struct snap_error *err);
/** The dataset's site for the store's, or SNAP_NONE. */
uint32_t site_ids_find(const struct site_ids *ids, int64_t site_id);
void site_ids_free(struct site_ids *ids);

#endif
