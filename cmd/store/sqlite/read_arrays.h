/*
 * read_arrays.h - store_each_site() and store_each_cell() for a private database.
 */
#ifndef STORE_READ_ARRAYS_H
#define STORE_READ_ARRAYS_H

#include "store/sqlite/arrays.h"

/** The sites that have figures in these snapshots; all sites where `ids` is NULL. */
enum snap_status arrays_each_site(struct arrays *arrays, const int64_t *ids, size_t count,
				  store_site_fn *fn, void *user, struct snap_error *err);

enum snap_status arrays_each_cell(struct arrays *arrays, const int64_t *ids, size_t count,
				  store_cell_fn *fn, void *user, struct snap_error *err);

#endif
