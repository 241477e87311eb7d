/*
 * rows.h - call stacks and figures of a store for one report: plain arrays in place of tables.
 *
 * What a private database would be asked for once, in the order in which it went in, need not go
 * through SQL.  Ids count from 1, as SQLite's do.
 */
#ifndef STORE_ROWS_H
#define STORE_ROWS_H

#include "store/store.h"

/** What a site holds in a snapshot. */
struct row_cell {
	int64_t site_id;
	uint64_t figures[4]; /* live bytes and blocks, allocated bytes and blocks */
	double variances[4];
};

struct rows;

struct rows *rows_new(void);
void rows_free(struct rows *rows);

/** Keep a copy; the id of the new row, or 0 when memory (or ids) ran out. */
int64_t rows_add_frame(struct rows *rows, const struct store_frame *frame);

/** The same for a site: first its frames, newest first, then the rest of it.  False and 0 mean that
 * memory ran out. */
bool rows_push_frames(struct rows *rows, const int64_t *frame_ids, uint32_t count);
int64_t rows_add_site(struct rows *rows, const char *domain, const struct site_identity *identity);

/** Keep the cells of a snapshot, by rising site; malloc'ed, and the rows' from now on. */
bool rows_add_cells(struct rows *rows, int64_t snapshot_id, struct row_cell *cells, size_t count);

/** What a rollback took away. */
void rows_forget_snapshot(struct rows *rows, int64_t snapshot_id);

/** As the functions of store.h. */
enum snap_status rows_each_frame(const struct rows *rows, const int64_t *ids, size_t count,
				 store_frame_fn *fn, void *user, struct snap_error *err);
enum snap_status rows_each_site(const struct rows *rows, const int64_t *ids, size_t count,
				store_site_fn *fn, void *user, struct snap_error *err);
enum snap_status rows_each_cell(const struct rows *rows, const int64_t *ids, size_t count,
				store_cell_fn *fn, void *user);

#endif
