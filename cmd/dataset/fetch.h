/*
 * dataset/fetch.h - snapshots from the store into a dataset.
 */
#ifndef DATASET_FETCH_H
#define DATASET_FETCH_H

#include "dataset/dataset.h"
#include "store/store.h"

/** The snapshots `ids` with their frames, sites and cells: snapshot i of the dataset is ids[i].
 * An id may occur twice.  `ids` must outlive the dataset.  On success `*out` is yours:
 * dataset_free(). */
enum snap_status fetch_dataset(struct dataset **out, struct store *store, const int64_t *ids,
			       size_t count, struct snap_error *err);

/** The same without cells: for reports whose rows are summed in the store (sums.h).  `ids` must
 * outlive the dataset. */
enum snap_status fetch_sites(struct dataset **out, struct store *store, const int64_t *ids,
			     size_t count, struct snap_error *err);

#endif
