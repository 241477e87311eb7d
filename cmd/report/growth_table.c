/*
 * growth_table.c - the rows of a growth report as arrays.
 *
 * A thousand snapshots of ten thousand sites are ten million cells.  The store sums them snapshot
 * by snapshot, and only the sums of the rows are kept.
 */
#include "report/growth_table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analysis/growth/growth.h"
#include "analysis/growth/growth_wanted.h"
#include "analysis/pairing/pair.h"
#include "base/array.h"
#include "base/fail.h"
#include "base/progress.h"
#include "base/search.h"
#include "base/terminal.h"
#include "dataset/fetch.h"
#include "report/sites.h"

struct growth_cohort_row {
	uint32_t row;
	uint32_t wanted; /* index into wanted of the table */
	uint64_t birth_seq;
	double blocks, bytes;
};

struct filling {
	struct growth_table *table;
	size_t snapshot;   /* the snapshot of the current sums; of cohorts: index into wanted */
	bool *in_run;      /* run r, site s: [r * site_count + s] */
	bool *wanted_rows; /* those whose cohorts are needed: constant rows need none */
	struct snap_error *err;
};

/* ---- which stacks of different processes are the same ---------------------------------------- */

static enum snap_status note_run(void *user, const struct store_cell *cell)
{
	struct filling *filling = user;
	uint32_t site = dataset_site_of(filling->table->dataset, cell->site_id);
	size_t run = filling->table->axis->run[cell->snapshot];

	if (site != SNAP_NONE)
		filling->in_run[run * filling->table->dataset->site_count + site] = true;
	return SNAP_OK;
}

/* Pair the sites of one run with those of newer runs; unpaired sites are added. */
static enum snap_status pair_run(struct growth_table *table, const bool *in_run, bool *known,
				 const struct dataset_cell *cells, enum pair_level level,
				 struct snap_error *err)
{
	size_t count = table->dataset->site_count;
	const struct dataset_cell **old = calloc(2 * count + 1, sizeof(*old)), **new = old + count;
	struct pair_sides sides = {.old = old, .new = new};
	struct pairing pairing = {0};
	enum snap_status st;

	if (!old)
		return fail_memory(err, "pairing call stacks");
	for (size_t s = 0; s < count; s++) {
		old[s] = in_run[s] ? &cells[s] : NULL;
		new[s] = known[s] ? &cells[s] : NULL;
	}
	st = pairing_compute(&pairing, table->dataset, &sides, level, err);
	for (size_t i = 0; st == SNAP_OK && i < pairing.count; i++) {
		const struct pair *pair = &pairing.pairs[i];

		if (pair->old == SNAP_NONE || known[pair->old])
			continue; /* a stack that newer runs have unchanged stays itself */
		if (pair->new != SNAP_NONE)
			table->joined[pair->old] = pair->new;
		else
			known[pair->old] = true;
	}
	pairing_release(&pairing);
	free(old);
	return st;
}

static enum snap_status pair_runs(struct growth_table *table, const bool *in_run,
				  enum pair_level level, struct snap_error *err)
{
	size_t count = table->dataset->site_count;
	struct dataset_cell *cells = calloc(count + 1, sizeof(*cells));
	bool *known = calloc(count + 1, sizeof(*known));
	enum snap_status st = cells && known ? SNAP_OK : fail_memory(err, "pairing call stacks");

	for (size_t s = 0; st == SNAP_OK && s < count; s++)
		cells[s] =
			(struct dataset_cell){.site = (uint32_t)s, .figures.value = {1, 1, 1, 1}};
	for (size_t run = table->axis->run_count; st == SNAP_OK && run-- > 0;)
		st = pair_run(table, in_run + run * count, known, cells, level, err);
	free(cells);
	free(known);
	return st;
}

static enum snap_status join_runs(struct filling *filling, struct store *store, const int64_t *ids,
				  enum pair_level level)
{
	struct growth_table *table = filling->table;
	size_t sites = table->dataset->site_count;
	enum snap_status st;

	table->joined = calloc(sites + 1, sizeof(*table->joined));
	if (!table->joined)
		return fail_memory(filling->err, "pairing call stacks");
	for (size_t s = 0; s < sites; s++)
		table->joined[s] = (uint32_t)s;
	if (table->axis->run_count < 2)
		return SNAP_OK;
	filling->in_run = calloc(table->axis->run_count * sites + 1, sizeof(*filling->in_run));
	if (!filling->in_run)
		return fail_memory(filling->err, "pairing call stacks");
	st = store_each_cell(store, ids, table->axis->count, note_run, filling, filling->err);
	if (st == SNAP_OK)
		st = pair_runs(table, filling->in_run, level, filling->err);
	free(filling->in_run);
	return st;
}

/* ---- sums ------------------------------------------------------------------------------------ */

static enum snap_status take_sum(void *user, const struct store_live_sum *sum)
{
	const struct filling *filling = user;
	struct growth_table *table = filling->table;
	size_t at = sum->row * table->axis->count + filling->snapshot;

	if (sum->row == table->row_count && sum->bytes_known && sum->blocks_known) {
		table->by_design_bytes = (double)sum->bytes;
		table->by_design_blocks = (double)sum->blocks;
	}
	if (sum->row >= table->row_count)
		return SNAP_OK;
	table->present[sum->row] = true;
	table->bytes[at] = (double)sum->bytes;
	table->blocks[at] = (double)sum->blocks;
	table->bytes_unknown[sum->row] |= !sum->bytes_known;
	table->blocks_unknown[sum->row] |= !sum->blocks_known;
	if (table->bytes_variance)
		table->bytes_variance[at] = (float)sum->bytes_variance;
	return SNAP_OK;
}

static bool credit_site(const struct growth_table *table, struct credits *credits, uint32_t site,
			size_t most)
{
	const uint32_t *rows;
	size_t count = selection_rows_of(table->selection, table->joined[site], &rows);

	if (count && table->skips_by_design && sites_is_by_design(table->dataset, site))
		return credits_add(credits, table->dataset, (uint32_t)table->row_count, site);
	for (size_t r = 0; r < count && r < most; r++)
		if (!credits_add(credits, table->dataset, rows[r], site))
			return false;
	return true;
}

/* A site counts towards the rows of its partner, at most the first `most` of them.  Memory that
 * runs leave by design counts towards an extra row, after all others. */
static enum snap_status credit_sites(const struct growth_table *table, uint32_t side, size_t most,
				     struct snap_error *err)
{
	struct credits credits = {0};
	enum snap_status st = SNAP_OK;

	for (uint32_t site = 0; st == SNAP_OK && site < table->dataset->site_count; site++)
		if (!credit_site(table, &credits, site, most))
			st = fail_memory(err, "reading the series");
	if (st == SNAP_OK)
		st = sums_begin(table->dataset, side, &credits, table->row_count + 1, err);
	credits_release(&credits);
	return st;
}

enum snap_status growth_table_graph_side(struct growth_table *table, uint32_t *side,
					 struct snap_error *err)
{
	enum snap_status st = SNAP_OK;

	*side = table->side + table->overlaps;
	if (table->overlaps && !table->has_graph_side)
		st = credit_sites(table, *side, 1, err);
	table->has_graph_side = true;
	return st;
}

struct store_sums growth_table_sums(const struct growth_table *table, int64_t snapshot_id)
{
	return (struct store_sums){
		.snapshot_id = snapshot_id, .side = table->side, .sampled = table->axis->sampled};
}

static enum snap_status total(const struct growth_table *table, int64_t snapshot_id, bool shown,
			      double *out, struct snap_error *err)
{
	const struct store_sums sums = growth_table_sums(table, snapshot_id);
	uint64_t bytes;
	enum snap_status st = store_total_live(table->dataset->store, &sums, shown, &bytes, err);

	*out = (double)bytes;
	return st;
}

static enum snap_status read_sums(struct filling *filling, struct store *store, const int64_t *ids)
{
	static struct progress summing = {.what = "summing up snapshot"};
	struct growth_table *table = filling->table;
	size_t count = table->axis->count;
	enum snap_status st = credit_sites(table, table->side, SIZE_MAX, filling->err);

	for (size_t i = 0; st == SNAP_OK && i < count; i++) {
		const struct store_sums sums = growth_table_sums(table, ids[i]);

		filling->snapshot = i;
		if (table->shows_progress)
			progress_show(&summing, i, count);
		st = store_each_live_sum(store, &sums, take_sum, filling, filling->err);
	}
	if (table->shows_progress)
		progress_show(&summing, count, count);
	if (st == SNAP_OK && count)
		st = total(table, ids[0], false, &table->first_total, filling->err);
	if (st == SNAP_OK && count)
		st = total(table, ids[count - 1], false, &table->last_total, filling->err);
	return st;
}

static bool allocate(struct growth_table *table)
{
	size_t rows = table->row_count, cells = rows * table->axis->count;

	table->bytes = calloc(cells + 1, sizeof(*table->bytes));
	table->blocks = calloc(cells + 1, sizeof(*table->blocks));
	if (table->axis->sampled) {
		table->bytes_variance = calloc(cells + 1, sizeof(*table->bytes_variance));
		if (!table->bytes_variance)
			return false;
	}
	table->present = calloc(3 * rows + 1, sizeof(*table->present));
	table->bytes_unknown = table->present + rows;
	table->blocks_unknown = table->present + 2 * rows;
	table->heaviest = malloc((rows + 1) * sizeof(*table->heaviest));
	if (!table->bytes || !table->blocks || !table->present || !table->heaviest)
		return false;
	for (size_t r = 0; r < rows; r++)
		table->heaviest[r] = SNAP_NONE;
	return true;
}

/* ---- cohorts --------------------------------------------------------------------------------- */

static bool row_moves(const struct growth_table *table, size_t row)
{
	const double *bytes = table->bytes + row * table->axis->count;
	const double *blocks = table->blocks + row * table->axis->count;

	for (size_t i = 1; i < table->axis->count; i++)
		if (bytes[i] != bytes[0] || blocks[i] != blocks[0])
			return true;
	return false;
}

static enum snap_status take_cohort(void *user, const struct store_cohort_sum *cohort)
{
	struct filling *filling = user;
	struct growth_table *table = filling->table;

	if (cohort->row >= table->row_count || !filling->wanted_rows[cohort->row] ||
	    cohort->blocks == SNAP_UNKNOWN || cohort->bytes == SNAP_UNKNOWN)
		return SNAP_OK;
	if (!array_reserve(&table->cohorts, &table->cohort_room, table->cohort_count,
			   sizeof(*table->cohorts)))
		return fail_memory(filling->err, "reading cohorts");
	table->cohorts[table->cohort_count++] = (struct growth_cohort_row){
		.row = cohort->row,
		.wanted = (uint32_t)filling->snapshot,
		.birth_seq = cohort->birth_seq,
		.blocks = (double)cohort->blocks,
		.bytes = (double)cohort->bytes,
	};
	return SNAP_OK;
}

static int compare_cohorts(const void *left, const void *right)
{
	const struct growth_cohort_row *a = left, *b = right;

	if (a->row != b->row)
		return a->row < b->row ? -1 : 1;
	if (a->wanted != b->wanted)
		return a->wanted < b->wanted ? -1 : 1;
	return (a->birth_seq > b->birth_seq) - (a->birth_seq < b->birth_seq);
}

static enum snap_status read_cohorts(struct filling *filling, struct store *store,
				     const int64_t *ids)
{
	struct growth_table *table = filling->table;
	const struct growth_series axis = {
		.count = table->axis->count,
		.x = table->axis->x,
		.run = table->axis->run,
		.work = table->axis->work,
		.cpu = table->axis->cpu,
		.seconds = table->axis->seconds_rise ? table->axis->seconds : NULL,
	};
	enum snap_status st = SNAP_OK;

	if (!table->axis->seq_rises || axis.count < 3)
		return SNAP_OK;
	table->wanted_count = growth_wanted_births(&axis, table->wanted);
	filling->wanted_rows = calloc(table->row_count + 1, sizeof(*filling->wanted_rows));
	if (!filling->wanted_rows)
		return fail_memory(filling->err, "reading cohorts");
	for (size_t r = 0; r < table->row_count; r++)
		filling->wanted_rows[r] = table->present[r] && row_moves(table, r);
	for (size_t i = 0; st == SNAP_OK && i < table->wanted_count; i++) {
		const struct store_sums sums = growth_table_sums(table, ids[table->wanted[i]]);

		filling->snapshot = i;
		st = store_each_cohort_sum(store, &sums, take_cohort, filling, filling->err);
	}
	free(filling->wanted_rows);
	if (st == SNAP_OK && table->cohort_count)
		qsort(table->cohorts, table->cohort_count, sizeof(*table->cohorts),
		      compare_cohorts);
	return st;
}

/* ---- what is still there at the exit --------------------------------------------------------- */

/* Call stacks that the series does not have belong to no row. */
static enum snap_status take_exit(void *user, const struct store_live_sum *sum)
{
	struct growth_table *table = user;

	if (sum->row < table->row_count) {
		table->at_exit[sum->row].bytes = (double)sum->bytes;
		table->at_exit[sum->row].blocks = (double)sum->blocks;
	}
	return SNAP_OK;
}

/* The rows whose call stacks all are what every process leaves: they say nothing about the program.
 * Rows that overlap are not subtracted from a total. */
static bool *find_by_design(const struct growth_table *table)
{
	bool *other = calloc(2 * table->row_count + 1, sizeof(*other));
	bool *by_design = other ? other + table->row_count : NULL;

	for (uint32_t site = 0; by_design && site < table->dataset->site_count; site++) {
		bool says_nothing = sites_is_by_design(table->dataset, site);
		const uint32_t *rows;
		size_t count = selection_rows_of(table->selection, site, &rows);

		for (size_t i = 0; i < count && !table->overlaps; i++)
			(says_nothing ? by_design : other)[rows[i]] = true;
	}
	for (size_t r = 0; by_design && r < table->row_count; r++)
		other[r] = by_design[r] && !other[r];
	return other;
}

static double held_at_end(const struct growth_table *table, size_t row)
{
	return table->bytes[row * table->axis->count + table->axis->count - 1];
}

/*
 * For each row: does the program free most of its other memory at its exit?  The row itself does not
 * count, so that a large leak does not hide that.  The other memory must be as much as the row, at
 * least: a program that frees little otherwise does not care.
 */
static void compare_with_others(struct growth_table *table, const bool *by_design, double left)
{
	double held = table->last_total;

	for (size_t r = 0; r < table->row_count; r++) {
		if (!by_design[r])
			continue;
		held -= held_at_end(table, r);
		left -= table->at_exit[r].bytes;
	}
	for (size_t r = 0; r < table->row_count; r++) {
		double mine = held_at_end(table, r), others = held - mine;

		table->at_exit[r].frees_others = !by_design[r] && others >= mine &&
						 2 * (left - table->at_exit[r].bytes) <= others;
	}
}

static enum snap_status read_exit(struct filling *filling, struct store *store, int64_t at_exit)
{
	struct growth_table *table = filling->table;
	struct store_sums sums = growth_table_sums(table, at_exit);
	double all = 0;
	bool *by_design;
	enum snap_status st;

	sums.sampled = false;
	if (!at_exit || !table->axis->count)
		return SNAP_OK;
	table->at_exit = calloc(table->row_count + 1, sizeof(*table->at_exit));
	if (!table->at_exit)
		return fail_memory(filling->err, "reading the exit snapshot");
	st = store_each_live_sum(store, &sums, take_exit, table, filling->err);
	if (st == SNAP_OK)
		st = total(table, at_exit, false, &all, filling->err);
	by_design = find_by_design(table);
	if (st == SNAP_OK && !by_design)
		st = fail_memory(filling->err, "reading the exit snapshot");
	if (st == SNAP_OK)
		compare_with_others(table, by_design, all);
	free(by_design);
	return st;
}

/* ---- reading --------------------------------------------------------------------------------- */

enum snap_status growth_table_read(struct growth_table *table, struct store *store,
				   const int64_t *ids, int64_t at_exit, uint32_t side,
				   const struct growth_axis *axis,
				   const struct report_options *options, bool by_design,
				   struct snap_error *err)
{
	struct filling filling = {.table = table, .err = err};
	const struct select_options select = sites_selection(options);
	enum snap_status st;

	*table = (struct growth_table){
		.axis = axis,
		.side = side,
		.overlaps = options->cumulative,
		.skips_by_design = axis->repeated && !by_design,
		.shows_progress = (!options->quiet || options->keep_progress) &&
				  terminal_takes_codes(STDERR_FILENO),
	};
	st = fetch_sites(&table->dataset, store, ids, axis->count, err);
	if (st == SNAP_OK)
		st = selection_new(&table->selection, table->dataset, &select, err);
	if (st == SNAP_OK)
		st = join_runs(&filling, store, ids, (enum pair_level)options->match);
	if (st == SNAP_OK) {
		table->row_count = selection_row_count(table->selection);
		st = allocate(table) ? SNAP_OK : fail_memory(err, "reading the series");
	}
	if (st == SNAP_OK)
		st = read_sums(&filling, store, ids);
	if (st == SNAP_OK)
		st = read_cohorts(&filling, store, ids);
	if (st == SNAP_OK)
		st = read_exit(&filling, store, at_exit);
	return st;
}

void growth_table_release(struct growth_table *table)
{
	selection_free(table->selection);
	dataset_free(table->dataset);
	free(table->bytes);
	free(table->blocks);
	free(table->bytes_variance);
	free(table->present);
	free(table->heaviest);
	free(table->joined);
	free(table->cohorts);
	free(table->at_exit);
	*table = (struct growth_table){0};
}

/* ---- the rows that are shown ----------------------------------------------------------------- */

/* A row that holds nothing at the end shows one of its earlier stacks. */
static void find_any_stack(const struct growth_table *table, uint32_t row)
{
	for (uint32_t site = 0; site < table->dataset->site_count; site++) {
		const uint32_t *rows;
		size_t count = selection_rows_of(table->selection, site, &rows);

		for (size_t r = 0; r < count; r++) {
			if (rows[r] != row)
				continue;
			table->heaviest[row] = site;
			return;
		}
	}
}

/* Which stack of each row holds most in a snapshot? */
static enum snap_status find_heaviest(const struct growth_table *table,
				      const struct store_shown *shown, size_t count,
				      size_t snapshot, struct snap_error *err)
{
	struct row_sum *sums = calloc(count + 1, sizeof(*sums));
	enum snap_status st = sums ? SNAP_OK : fail_memory(err, "summing up call sites");

	if (st == SNAP_OK)
		st = sums_of_shown(table->dataset, snapshot, table->side, FIGURE_LIVE_BYTES, count,
				   sums, err);
	for (size_t i = 0; st == SNAP_OK && i < count; i++)
		if (sums[i].stacks && sums[i].heaviest != SNAP_NONE)
			table->heaviest[shown[i].row] = table->joined[sums[i].heaviest];
	free(sums);
	return st;
}

enum snap_status growth_table_show(const struct growth_table *table,
				   const struct store_shown *shown, size_t count, double *first,
				   double *last, struct snap_error *err)
{
	const struct dataset *dataset = table->dataset;
	size_t end = table->axis->count - 1;
	enum snap_status st = sums_show(dataset, shown, count, err);

	if (st == SNAP_OK)
		st = find_heaviest(table, shown, count, 0, err);
	if (st == SNAP_OK)
		st = find_heaviest(table, shown, count, end, err);
	for (size_t i = 0; st == SNAP_OK && i < count; i++)
		if (table->heaviest[shown[i].row] == SNAP_NONE)
			find_any_stack(table, shown[i].row);
	if (st == SNAP_OK)
		st = total(table, dataset->snapshot_ids[0], true, first, err);
	return st == SNAP_OK ? total(table, dataset->snapshot_ids[end], true, last, err) : st;
}

/* ---- one row --------------------------------------------------------------------------------- */

static size_t first_cohort(const struct growth_table *table, size_t row)
{
	size_t first;

	SEARCH(first, 0, table->cohort_count, table->cohorts[first].row < row);
	return first;
}

size_t growth_table_cohort_room(const struct growth_table *table)
{
	size_t most = 0;

	for (size_t i = 0, from = 0; i < table->cohort_count; i++) {
		if (table->cohorts[i].row != table->cohorts[from].row)
			from = i;
		if (i - from + 1 > most)
			most = i - from + 1;
	}
	return most + 1;
}

/* Cohorts count only where they add up to what the snapshot says: some formats carry none. */
static bool adds_up(const struct growth_table *table, size_t row,
		    const struct growth_births *births)
{
	double blocks = table->blocks[row * table->axis->count + births->snapshot], sum = 0;

	for (size_t i = 0; i < births->count; i++)
		sum += births->cohorts[i].blocks;
	return fabs(sum - blocks) <= 0.01 * blocks + 0.5;
}

static size_t fill_births(const struct growth_table *table, size_t row,
			  struct growth_births *births, struct growth_cohort *cohorts)
{
	size_t at = first_cohort(table, row), used = 0;

	for (size_t c = 0; c < table->wanted_count; c++) {
		struct growth_births *at_one = &births[c];

		*at_one = (struct growth_births){.snapshot = table->wanted[c],
						 .cohorts = cohorts + used};
		for (; at < table->cohort_count && table->cohorts[at].row == row &&
		       table->cohorts[at].wanted == c;
		     at++) {
			const struct growth_cohort_row *from = &table->cohorts[at];

			if (at_one->count == 0 || cohorts[used - 1].birth_seq != from->birth_seq) {
				cohorts[used++] =
					(struct growth_cohort){.birth_seq = from->birth_seq};
				at_one->count++;
			}
			cohorts[used - 1].blocks += from->blocks;
			cohorts[used - 1].bytes += from->bytes;
		}
		if (!adds_up(table, row, at_one))
			return 0;
	}
	return table->wanted_count;
}

static const double *errors_of(const float *variances, size_t count, double *out)
{
	for (size_t i = 0; i < count; i++)
		out[i] = sqrt((double)variances[i]);
	return out;
}

struct growth_series growth_table_series(const struct growth_table *table, size_t row,
					 struct growth_births *births,
					 struct growth_cohort *cohorts, double *scratch)
{
	const struct growth_axis *axis = table->axis;
	size_t from = row * axis->count;
	struct growth_series series = {
		.count = axis->count,
		.x = axis->x,
		.seconds = axis->seconds_rise ? axis->seconds : NULL,
		.unit_x = axis->unit_x,
		.bytes = table->bytes + from,
		.blocks = table->blocks_unknown[row] ? NULL : table->blocks + from,
		.run = axis->run,
		.seq = axis->seq_rises ? axis->seq : NULL,
		.births = births,
		.work = axis->work,
		.cpu = axis->cpu,
		.unrecorded = axis->unrecorded,
		.idle = axis->is_idle,
		.idle_count = axis->idle,
		.at_exit = table->at_exit ? &table->at_exit[row] : NULL,
	};

	series.bytes_stderr = table->bytes_variance ? errors_of(table->bytes_variance + from,
								axis->count, scratch)
						    : NULL;
	if (series.blocks)
		series.births_count = fill_births(table, row, births, cohorts);
	return series;
}
