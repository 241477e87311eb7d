/*
 * load_figures.c - what the sites of a snapshot hold, and since when.
 *
 * Rows go in by the batch, in the order of the table, so that every insert appends.
 */
#include "store/sqlite/loading.h"

#include <stdlib.h>

enum { BATCH_ROWS = 32 }; /* as many as the statements insert_*_batch take */

/* The live blocks of a site that share a birth epoch. */
struct birth {
	int64_t site_id;
	uint64_t seq, blocks, bytes;
};

static uint64_t add_known(uint64_t a, uint64_t b)
{
	return a == SNAP_UNKNOWN || b == SNAP_UNKNOWN ? SNAP_UNKNOWN : a + b;
}

/* ---- cells ---- */

static struct row_cell cell_of(const struct model *model, uint32_t at, int64_t site_id)
{
	const struct snap_site *row = &model->sites[at].row;
	struct row_cell cell = {
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

static int compare_cells(const void *a, const void *b)
{
	const struct row_cell *left = a, *right = b;

	return (left->site_id > right->site_id) - (left->site_id < right->site_id);
}

/* Sort, and add up the rows of one site (a text form may have several); how many are left. */
static size_t merge_cells(struct row_cell *cells, size_t count)
{
	size_t kept = 0;

	qsort(cells, count, sizeof(*cells), compare_cells);
	for (size_t i = 0; i < count; i++) {
		if (kept == 0 || cells[kept - 1].site_id != cells[i].site_id) {
			cells[kept++] = cells[i];
			continue;
		}
		for (int k = 0; k < 4; k++) {
			cells[kept - 1].figures[k] =
				add_known(cells[kept - 1].figures[k], cells[i].figures[k]);
			cells[kept - 1].variances[k] += cells[i].variances[k];
		}
	}
	return kept;
}

static int bind_cell(sqlite3_stmt *statement, int at, const void *row)
{
	const struct row_cell *cell = row;

	sqlite3_bind_int64(statement, at++, cell->site_id);
	for (int i = 0; i < 4; i++)
		database_bind_u64(statement, at++, cell->figures[i]);
	return at;
}

static int bind_variance(sqlite3_stmt *statement, int at, const void *row)
{
	const struct row_cell *cell = row;

	sqlite3_bind_int64(statement, at++, cell->site_id);
	for (int i = 0; i < 4; i++)
		sqlite3_bind_double(statement, at++, cell->variances[i]);
	return at;
}

/* ---- births ---- */

static int compare_births(const void *a, const void *b)
{
	const struct birth *left = a, *right = b;

	if (left->site_id != right->site_id)
		return left->site_id < right->site_id ? -1 : 1;
	return (left->seq > right->seq) - (left->seq < right->seq);
}

static size_t merge_births(struct birth *births, size_t count)
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

static int bind_birth(sqlite3_stmt *statement, int at, const void *row)
{
	const struct birth *birth = row;

	sqlite3_bind_int64(statement, at++, birth->site_id);
	sqlite3_bind_int64(statement, at++, (int64_t)birth->seq);
	database_bind_u64(statement, at++, birth->blocks);
	database_bind_u64(statement, at++, birth->bytes);
	return at;
}

/* ---- inserting ---- */

/* How rows of one kind go in: many at once, the rest one by one.  `bind` returns the next
 * parameter. */
struct inserter {
	enum statement batch, single;
	int (*bind)(sqlite3_stmt *statement, int at, const void *row);
	size_t row_size;
};

static enum snap_status insert_rows(struct loading *load, const struct inserter *inserter,
				    const void *rows, size_t count, struct snap_error *err)
{
	const char *row = rows;
	enum snap_status status = SNAP_OK;

	for (size_t done = 0, step; status == SNAP_OK && done < count; done += step) {
		bool batch = count - done >= BATCH_ROWS;
		sqlite3_stmt *statement = database_statement(
			load->store, batch ? inserter->batch : inserter->single, err);
		int at = 2;

		if (!statement)
			return SNAP_ESYSTEM;
		step = batch ? BATCH_ROWS : 1;
		sqlite3_bind_int64(statement, 1, load->snapshot_id);
		for (size_t i = 0; i < step; i++, row += inserter->row_size)
			at = inserter->bind(statement, at, row);
		status = database_step(load->store, statement, "cannot be written", err);
	}
	return status;
}

static enum snap_status load_cells(struct loading *load, struct snap_error *err)
{
	static const struct inserter live = {STATEMENT_insert_live_batch, STATEMENT_insert_live,
					     bind_cell, sizeof(struct row_cell)};
	static const struct inserter variance = {STATEMENT_insert_variance_batch,
						 STATEMENT_insert_variance, bind_variance,
						 sizeof(struct row_cell)};
	const struct model *model = load->model;
	struct row_cell *cells = loading_array(model->site_count, sizeof(*cells));
	enum snap_status status;
	size_t count;

	if (!cells)
		return fail_memory(err, "loading a snapshot");
	for (uint32_t i = 0; i < model->site_count; i++)
		cells[i] = cell_of(model, i, load->site_ids[i]);
	count = merge_cells(cells, model->site_count);
	if (load->store->rows)
		return rows_add_cells(load->store->rows, load->snapshot_id, cells, count)
			       ? SNAP_OK
			       : fail_memory(err, "loading a snapshot");
	status = insert_rows(load, &live, cells, count, err);
	if (status == SNAP_OK && model->variances)
		status = insert_rows(load, &variance, cells, count, err);
	free(cells);
	return status;
}

static enum snap_status load_births(struct loading *load, struct snap_error *err)
{
	static const struct inserter cohort = {STATEMENT_insert_cohort_batch,
					       STATEMENT_insert_cohort, bind_birth,
					       sizeof(struct birth)};
	const struct model *model = load->model;
	struct birth *births = loading_array(model->cohort_count, sizeof(*births));
	enum snap_status status;
	size_t count = 0;

	if (!births)
		return fail_memory(err, "loading a snapshot");
	for (uint32_t i = 0; i < model->site_count; i++) {
		const struct model_site *site = &model->sites[i];
		const struct snap_cohort *cohorts = model->cohorts + site->first_cohort;

		for (uint32_t k = 0; k < site->row.cohort_count; k++)
			births[count++] = (struct birth){load->site_ids[i], cohorts[k].birth_seq,
							 cohorts[k].blocks, cohorts[k].bytes};
	}
	status = insert_rows(load, &cohort, births, merge_births(births, count), err);
	free(births);
	return status;
}

enum snap_status load_figures(struct loading *load, struct snap_error *err)
{
	enum snap_status status = load_cells(load, err);

	return status == SNAP_OK && !load->store->rows ? load_births(load, err) : status;
}
