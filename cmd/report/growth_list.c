/*
 * growth_list.c - judge, order and filter the rows of a series.
 */
#include "report/growth_graph.h"
#include "analysis/growth/growth.h"
#include "report/growth_rows.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/progress.h"
#include "report/growth.h"
#include "report/growth_cache.h"
#include "report/growth_held.h"
#include "report/sites.h"

/* Working memory for judging one row after the other. */
struct judging {
	const struct growth_part *part;
	size_t warmup;
	const struct growth_control *control;
	struct growth_births births[GROWTH_BIRTHS];
	struct growth_cohort *cohorts;
	double *scratch; /* standard errors, and sums of bytes and of blocks, per snapshot */
};

/* ---- control --------------------------------------------------------------------------------- */

struct control_slope {
	char *key;
	double blocks, bytes;
};

struct growth_control {
	struct control_slope *slopes; /* by key */
	size_t count;
};

static int compare_slopes(const void *left, const void *right)
{
	const struct control_slope *a = left, *b = right;

	return strcmp(a->key, b->key);
}

static void subtract_control(struct growth_options *options, const struct growth_control *control,
			     const char *key)
{
	/* A key to look for is only read. */
	const struct control_slope wanted = {.key = (char *)(uintptr_t)key};
	const struct control_slope *slope = NULL;

	if (control)
		slope = bsearch(&wanted, control->slopes, control->count, sizeof(wanted),
				compare_slopes);
	if (!slope)
		return;
	options->control_blocks = slope->blocks;
	options->control_bytes = slope->bytes;
}

/* ---- judging --------------------------------------------------------------------------------- */

bool growth_is_growth(const struct growth_judgement *judgement)
{
	return verdicts[judgement->verdict].grows;
}

bool growth_is_finding(const struct growth_judgement *judgement)
{
	return growth_is_growth(judgement) && judgement->confidence >= GROWTH_MEDIUM;
}

static bool judging_begin(struct judging *judging, const struct growth_part *part, size_t warmup,
			  const struct growth_control *control)
{
	const struct growth_table *table = &part->table;

	*judging = (struct judging){.part = part, .warmup = warmup, .control = control};
	judging->cohorts = malloc(growth_table_cohort_room(table) * sizeof(*judging->cohorts));
	judging->scratch = malloc((3 * table->axis->count + 1) * sizeof(*judging->scratch));
	return judging->cohorts && judging->scratch;
}

static void judging_end(struct judging *judging)
{
	free(judging->cohorts);
	free(judging->scratch);
}

static const double *sums_of(const double *values, size_t count, double *out)
{
	double sum = 0;

	for (size_t i = 0; i < count; i++)
		out[i] = sum += values[i];
	return out;
}

/* Add up what each run of a repeated command left at its exit, run after run. */
static void add_up_runs(struct judging *judging, struct growth_series *series)
{
	double *sums = judging->scratch + series->count;

	series->unrecorded = NULL; /* each process is another one */
	series->bytes = sums_of(series->bytes, series->count, sums);
	if (series->blocks)
		series->blocks = sums_of(series->blocks, series->count, sums + series->count);
}

/* One block that every run leaves may be kept on purpose until the end. */
static void doubt_single_blocks(struct growth_row *row, size_t count)
{
	struct growth_judgement *judgement = &row->judgement;

	if (!growth_is_growth(judgement) || !row->blocks)
		return;
	for (size_t i = 0; i < count; i++)
		if (row->blocks[i] > 1)
			return;
	judgement->confidence = GROWTH_LOW;
	judgement->reason_count = 2; /* the second says how evenly it grows, which is clear here */
	snprintf(judgement->reasons[1], GROWTH_REASON_SIZE,
		 "each run leaves one block: it may be kept on purpose until the end");
}

static void judge_row(struct judging *judging, struct growth_row *row)
{
	const struct growth_table *table = &judging->part->table;
	struct growth_options options = {.warmup = judging->warmup};
	const double *bytes = table->bytes + row->row * table->axis->count;
	struct growth_series series;

	*row = (struct growth_row){
		.part = judging->part,
		.row = row->row,
		.workers = 1,
		.words = selection_row(table->selection, row->row),
		.bytes = bytes,
		.blocks = table->blocks_unknown[row->row]
				  ? NULL
				  : table->blocks + row->row * table->axis->count,
		.first = bytes[0],
		.last = bytes[table->axis->count - 1],
	};
	if (table->bytes_unknown[row->row]) {
		row->judgement =
			(struct growth_judgement){.verdict = GROWTH_INCONCLUSIVE,
						  .judged_count = table->axis->count,
						  .reason_count = 1,
						  .reasons = {"its live bytes are not known in "
							      "every snapshot"}};
		return;
	}
	subtract_control(&options, judging->control, row->words->key);
	series = growth_table_series(table, row->row, judging->births, judging->cohorts,
				     judging->scratch);
	if (table->axis->repeated)
		add_up_runs(judging, &series);
	growth_judge(&series, &options, &row->judgement);
	if (table->axis->repeated)
		doubt_single_blocks(row, table->axis->count);
}

/* Judge the rows of one part that hold something in any snapshot. */
static bool judge_part(struct growth_list *list, const struct growth_part *part, size_t warmup,
		       const struct growth_control *control)
{
	static struct progress progress = {.what = "judging site"};
	const struct growth_table *table = &part->table;
	struct judging judging;
	bool fine = judging_begin(&judging, part, warmup, control);

	for (uint32_t r = 0; fine && r < table->row_count; r++) {
		if (table->shows_progress)
			progress_show(&progress, r, table->row_count);
		if (!table->present[r])
			continue;
		list->rows[list->count].row = r;
		judge_row(&judging, &list->rows[list->count++]);
	}
	if (table->shows_progress)
		progress_show(&progress, table->row_count, table->row_count);
	judging_end(&judging);
	return fine;
}

static double rise_of(const struct growth_row *row)
{
	return row->last > row->first ? row->last - row->first : 0;
}

enum snap_status growth_list_judge(struct growth_list *list, const struct growth_part *parts,
				   size_t count, size_t warmup,
				   const struct growth_control *control, struct snap_error *err)
{
	size_t room = 1;
	bool fine;

	for (size_t p = 0; p < count; p++) {
		room += parts[p].table.row_count;
		if (parts[p].axis.count > list->most_snapshots)
			list->most_snapshots = parts[p].axis.count;
	}
	list->rows = malloc(room * sizeof(*list->rows));
	fine = list->rows != NULL;
	for (size_t p = 0; fine && p < count; p++)
		fine = judge_part(list, &parts[p], warmup, control);
	if (fine) {
		growth_graph_judge(list);
		growth_held_judge(list);
		growth_caches_judge(list);
	}
	for (size_t i = 0; fine && i < list->count; i++)
		list->rise += rise_of(&list->rows[i]);
	return fine ? SNAP_OK : fail_memory(err, "judging growth");
}

void growth_list_release(struct growth_list *list)
{
	free(list->rows);
	free(list->members);
	free(list->findings);
	*list = (struct growth_list){0};
}

enum snap_status growth_control_new(struct growth_control **out, const struct growth_part *parts,
				    size_t count, size_t warmup, struct snap_error *err)
{
	struct growth_control *control = calloc(1, sizeof(*control));
	struct growth_list list = {0};
	enum snap_status st = control ? growth_list_judge(&list, parts, count, warmup, NULL, err)
				      : fail_memory(err, "judging the control run");

	if (st == SNAP_OK) {
		control->slopes = calloc(list.count + 1, sizeof(*control->slopes));
		st = control->slopes ? SNAP_OK : fail_memory(err, "judging the control run");
	}
	for (size_t i = 0; st == SNAP_OK && i < list.count; i++) {
		const struct growth_judgement *judgement = &list.rows[i].judgement;
		struct control_slope *slope = &control->slopes[control->count];

		slope->key = strdup(list.rows[i].words->key);
		if (!slope->key)
			st = fail_memory(err, "judging the control run");
		slope->blocks = judgement->blocks_slope.value;
		slope->bytes = judgement->bytes_slope.value;
		control->count += slope->key != NULL;
	}
	if (st == SNAP_OK)
		qsort(control->slopes, control->count, sizeof(*control->slopes), compare_slopes);
	growth_list_release(&list);
	if (st != SNAP_OK) {
		growth_control_free(control);
		control = NULL;
	}
	*out = control;
	return st;
}

void growth_control_free(struct growth_control *control)
{
	if (!control)
		return;
	for (size_t i = 0; i < control->count; i++)
		free(control->slopes[i].key);
	free(control->slopes);
	free(control);
}

enum { SMALL_STEP = 64 }; /* so many times smaller than what all rows rose by */

bool growth_is_minor(const struct growth_list *list, const struct growth_row *row)
{
	if (row->judgement.verdict == GROWTH_STABLE)
		return true;
	/* Beside findings, a small step explains nothing. */
	if (row->judgement.verdict == GROWTH_ONE_OFF && list->finding_count &&
	    rise_of(row) * SMALL_STEP < list->rise)
		return true;
	return row->judgement.judged_count < GROWTH_LIKELY_SNAPSHOTS &&
	       list->most_snapshots >= GROWTH_SURE_SNAPSHOTS && !growth_is_finding(&row->judgement);
}

/* ---- order ----------------------------------------------------------------------------------- */

static const char *const sort_names[] = {
	"growth", "bytes_per_snapshot", "first_bytes", "last_bytes", "key", NULL};
enum sort_column { SORT_GROWTH, SORT_RATE, SORT_FIRST, SORT_LAST, SORT_KEY };

enum { RANK_SURE, RANK_LIKELY, RANK_OPEN, RANK_DOUBTFUL, RANK_OTHER };

/* First sure growth, then likely growth, then possible growth, then the other verdicts in the
 * order of their list. */
static int rank(const struct growth_row *row)
{
	const struct growth_judgement *judgement = &row->judgement;
	bool rises = judgement->bytes_slope.low > 0;

	if (growth_is_finding(judgement))
		return RANK_SURE;
	if (growth_is_growth(judgement))
		return rises ? RANK_LIKELY : RANK_DOUBTFUL;
	if (judgement->verdict == GROWTH_INCONCLUSIVE)
		return rises ? RANK_OPEN : RANK_DOUBTFUL;
	return RANK_OTHER + (int)judgement->verdict;
}

static int compare_descending(double a, double b)
{
	return (a < b) - (a > b);
}

static int compare_keys(const struct growth_row *a, const struct growth_row *b)
{
	int order = strcmp(a->words->key, b->words->key);

	if (order == 0)
		order = (a->part > b->part) - (a->part < b->part);
	return order ? order : (a->row > b->row) - (a->row < b->row);
}

/* By the growth that the report shows; then by what it is at least. */
static int compare_slopes_of(const struct stats_slope *a, const struct stats_slope *b)
{
	int order = compare_descending(floor(a->value), floor(b->value));

	return order ? order : compare_descending(a->low, b->low);
}

int growth_row_compare(const struct growth_row *a, const struct growth_row *b, bool by_blocks)
{
	int order = rank(a) - rank(b);

	if (order == 0 && by_blocks)
		order = compare_slopes_of(&a->judgement.blocks_slope, &b->judgement.blocks_slope);
	if (order == 0)
		order = compare_slopes_of(&a->judgement.bytes_slope, &b->judgement.bytes_slope);
	if (order == 0)
		order = compare_descending(a->last, b->last);
	return order ? order : compare_keys(a, b);
}

/* ---- what is left in the list ---------------------------------------------------------------- */

void growth_list_drop_small(struct growth_list *list, uint64_t min_bytes)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++)
		if (list->rows[i].first >= (double)min_bytes ||
		    list->rows[i].last >= (double)min_bytes)
			list->rows[kept++] = list->rows[i];
	list->count = kept;
}

static int by_growth(const void *left, const void *right)
{
	return growth_row_compare(left, right, false);
}

static int by_block_growth(const void *left, const void *right)
{
	return growth_row_compare(left, right, true);
}

static int by_rate(const void *left, const void *right)
{
	const struct growth_row *a = left, *b = right;
	int order =
		compare_descending(a->judgement.bytes_slope.value, b->judgement.bytes_slope.value);

	return order ? order : compare_keys(a, b);
}

static int by_first(const void *left, const void *right)
{
	const struct growth_row *a = left, *b = right;
	int order = compare_descending(a->first, b->first);

	return order ? order : compare_keys(a, b);
}

static int by_last(const void *left, const void *right)
{
	const struct growth_row *a = left, *b = right;
	int order = compare_descending(a->last, b->last);

	return order ? order : compare_keys(a, b);
}

static int by_key(const void *left, const void *right)
{
	return compare_keys(left, right);
}

void growth_list_order_by_claim(struct growth_list *list, const struct report_options *options)
{
	qsort(list->rows, list->count, sizeof(*list->rows),
	      options->metric == FIGURE_LIVE_BLOCKS ? by_block_growth : by_growth);
}

enum snap_status growth_list_sort(struct growth_list *list, const struct report_options *options,
				  bool *asked, struct snap_error *err)
{
	static int (*const orders[])(const void *, const void *) = {
		[SORT_RATE] = by_rate,
		[SORT_FIRST] = by_first,
		[SORT_LAST] = by_last,
		[SORT_KEY] = by_key,
	};
	int column;
	enum snap_status st =
		sites_sort_column(&column, options->sort, sort_names, SORT_GROWTH, err);

	*asked = st == SNAP_OK && column != SORT_GROWTH;
	if (*asked)
		qsort(list->rows, list->count, sizeof(*list->rows), orders[column]);
	return st;
}
