/*
 * load_figures.c - the figures of a snapshot's sites, and the ages of their blocks.
 *
 * Rows go in by rising site, which is the order of the tables, so that every insert appends.  A
 * private database has them in arrays.
 */
#include "store/sqlite/loading.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/sqlite/bulk.h"

static uint64_t add_known(uint64_t a, uint64_t b)
{
	return a == SNAP_UNKNOWN || b == SNAP_UNKNOWN ? SNAP_UNKNOWN : a + b;
}

/* ---- cells ----------------------------------------------------------------------------------- */

static struct array_cell cell_of(const struct model *model, uint32_t at, int64_t site_id)
{
	const struct snap_site *row = &model->sites[at].row;
	struct array_cell cell = {
		.site_id = site_id,
		.figures = {row->live_bytes, row->live_blocks, row->allocated_bytes,
			    row->allocated_blocks},
	};

	if (model->variances) {
		const struct snap_variance *variance = &model->variances[at];

		cell.variances[0] = variance->live_bytes;
		cell.variances[1] = variance->live_blocks;
		cell.variances[2] = variance->allocated_bytes;
		cell.variances[3] = variance->allocated_blocks;
	}
	return cell;
}

static void add_cell(struct array_cell *sum, const struct array_cell *more)
{
	for (int k = 0; k < FIGURES; k++) {
		sum->figures[k] = add_known(sum->figures[k], more->figures[k]);
		sum->variances[k] += more->variances[k];
	}
}

/* The cells by rising site.  The rows of one site (a text form may have several) are added up.
 * Returns how many there are. */
static size_t collect_cells(const struct loading *load, struct array_cell *cells)
{
	size_t kept = 0;

	for (uint32_t i = 0; i < load->model->site_count; i++) {
		uint32_t site = load->prepared->order[i];
		struct array_cell cell = cell_of(load->model, site, load->site_ids[site]);

		if (kept && cells[kept - 1].site_id == cell.site_id)
			add_cell(&cells[kept - 1], &cell);
		else
			cells[kept++] = cell;
	}
	return kept;
}

static int bind_cell(sqlite3_stmt *statement, int at, const void *row, const void *snapshot_id)
{
	const struct array_cell *cell = row;

	sqlite3_bind_int64(statement, at++, *(const int64_t *)snapshot_id);
	sqlite3_bind_int64(statement, at++, cell->site_id);
	for (int i = 0; i < FIGURES; i++)
		database_bind_u64(statement, at++, cell->figures[i]);
	return at;
}

static int bind_variance(sqlite3_stmt *statement, int at, const void *row, const void *snapshot_id)
{
	const struct array_cell *cell = row;

	sqlite3_bind_int64(statement, at++, *(const int64_t *)snapshot_id);
	sqlite3_bind_int64(statement, at++, cell->site_id);
	for (int i = 0; i < FIGURES; i++)
		sqlite3_bind_double(statement, at++, cell->variances[i]);
	return at;
}

/* ---- births ---------------------------------------------------------------------------------- */

static int compare_births(const void *a, const void *b)
{
	const struct array_birth *left = a, *right = b;

	if (left->site_id != right->site_id)
		return left->site_id < right->site_id ? -1 : 1;
	return (left->seq > right->seq) - (left->seq < right->seq);
}

static size_t merge_births(struct array_birth *births, size_t count)
{
	size_t kept = 0;

	qsort(births, count, sizeof(*births), compare_births);
	for (size_t i = 0; i < count; i++) {
		if (kept == 0 || compare_births(&births[kept - 1], &births[i]) != 0) {
			births[kept++] = births[i];
			continue;
		}
		births[kept - 1].blocks = add_known(births[kept - 1].blocks, births[i].blocks);
		births[kept - 1].bytes = add_known(births[kept - 1].bytes, births[i].bytes);
	}
	return kept;
}

static int bind_birth(sqlite3_stmt *statement, int at, const void *row, const void *snapshot_id)
{
	const struct array_birth *birth = row;

	sqlite3_bind_int64(statement, at++, *(const int64_t *)snapshot_id);
	sqlite3_bind_int64(statement, at++, birth->site_id);
	sqlite3_bind_int64(statement, at++, (int64_t)birth->seq);
	database_bind_u64(statement, at++, birth->blocks);
	database_bind_u64(statement, at++, birth->bytes);
	return at;
}

/* ---- inserting ------------------------------------------------------------------------------- */

/* The error sentence if figures could not be added to a private database. */
static enum snap_status added(const struct loading *load, enum snap_status st,
			      struct snap_error *err)
{
	if (st == SNAP_ENOMEM)
		return fail_memory(err, "loading a snapshot");
	return st == SNAP_OK ? SNAP_OK
			     : fail(err, st,
				    "%s: the temporary file for what does not fit into memory "
				    "cannot be written: %s",
				    load->store->name, strerror(errno));
}

static enum snap_status load_cells(struct loading *load, struct snap_error *err)
{
	static const struct bulk live = {STATEMENT_insert_live, bind_cell,
					 sizeof(struct array_cell), false};
	static const struct bulk variance = {STATEMENT_insert_variance, bind_variance,
					     sizeof(struct array_cell), false};
	const struct model *model = load->model;
	struct array_cell *cells = loading_array(model->site_count, sizeof(*cells));
	enum snap_status st;
	size_t count;

	if (!cells)
		return fail_memory(err, "loading a snapshot");
	count = collect_cells(load, cells);
	if (load->store->in_memory)
		st = added(load,
			   arrays_add_snapshot(&load->store->arrays, load->snapshot_id, cells,
					       count, model->variances),
			   err);
	else
		st = bulk_insert(load->store, &live, cells, count, &load->snapshot_id, err);
	if (st == SNAP_OK && model->variances && !load->store->in_memory)
		st = bulk_insert(load->store, &variance, cells, count, &load->snapshot_id, err);
	free(cells);
	return st;
}

static enum snap_status load_births(struct loading *load, struct snap_error *err)
{
	static const struct bulk cohort = {STATEMENT_insert_cohort, bind_birth,
					   sizeof(struct array_birth), false};
	const struct model *model = load->model;
	struct array_birth *births = loading_array(model->cohort_count, sizeof(*births));
	enum snap_status st;
	size_t count = 0;

	if (!births)
		return fail_memory(err, "loading a snapshot");
	for (uint32_t i = 0; i < model->site_count; i++) {
		uint32_t at = load->prepared->order[i];
		const struct model_site *site = &model->sites[at];

		for (uint32_t k = 0; k < site->row.cohort_count; k++) {
			const struct snap_cohort *row = &model->cohorts[site->first_cohort + k];

			births[count++] = (struct array_birth){load->site_ids[at], row->birth_seq,
							       row->blocks, row->bytes};
		}
	}
	count = merge_births(births, count);
	st = load->store->in_memory
		     ? added(load, arrays_add_births(&load->store->arrays, births, count), err)
		     : bulk_insert(load->store, &cohort, births, count, &load->snapshot_id, err);
	free(births);
	return st;
}

enum snap_status load_figures(struct loading *load, struct snap_error *err)
{
	enum snap_status st = load_cells(load, err);

	return st == SNAP_OK && load->part == STORE_ALL ? load_births(load, err) : st;
}
