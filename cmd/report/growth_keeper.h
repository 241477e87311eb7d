/*
 * report/growth_keeper.h - the row that keeps another row's blocks alive.
 */
#ifndef REPORT_GROWTH_KEEPER_H
#define REPORT_GROWTH_KEEPER_H

#include "store/store.h"

struct growth_keeper_rows {
	size_t count;
	uint64_t *blocks;       /* of each */
	uint32_t *row_of_group; /* SNAP_NONE: no row */
	size_t group_count;
};

/**
 * With the graph of holders of a snapshot, go from each row to the row that refers to at least half of its blocks, and on from
 * there: keepers[row] is the last one, or the row itself where no other row holds so much of it.  A
 * single pointer, such as freed memory still contains, leads nowhere.  `keepers` has
 * room for all rows.
 */
enum snap_status growth_keepers_find(uint32_t *keepers, const struct growth_keeper_rows *rows,
				     struct store *store, int64_t id, struct snap_error *err);

#endif
