/*
 * growth.c - the rows of a series with their verdicts.
 */
#include "report/growth.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "report/sites.h"

enum {
	KEY,
	FUNCTION,
	FILE_NAME,
	LINE,
	MODULE,
	VERDICT,
	CONFIDENCE,
	PER_SNAPSHOT,
	RATE,
	FIRST,
	LAST,
	FIRST_BLOCKS,
	LAST_BLOCKS,
	NEVER_FREED,
	TREND,
	PROCESS,
	SITE,
	VIA,
	EXACT,
	REASONS,
	NEXT,
	SERIES,
	STACK,
	EXIT_BYTES,
	EXIT_BLOCKS,
	PROGRAM,
	PID,
	PROCESSES,
	FIRST_ERROR,
	LAST_ERROR,
	EXACT_COLUMNS = FIRST_ERROR,
	SAMPLED_COLUMNS = LAST_ERROR + 1,
};

static const struct column columns[] = {
	[KEY] = {"key", "key", COLUMN_NAME, COLUMN_HIDDEN},
	[FUNCTION] = {"function", "function", COLUMN_NAME, COLUMN_HIDDEN},
	[FILE_NAME] = {"file", "file", COLUMN_NAME, COLUMN_HIDDEN},
	[LINE] = {"line", "line", COLUMN_COUNT, COLUMN_HIDDEN},
	[MODULE] = {"module", "module", COLUMN_NAME, COLUMN_HIDDEN},
	[VERDICT] = {"verdict", "verdict", COLUMN_VERDICT, COLUMN_SPARE(1)},
	[CONFIDENCE] = {"confidence", "sure", COLUMN_TEXT, COLUMN_SPARE(2)},
	[PER_SNAPSHOT] = {"bytes_per_snapshot", "per snapshot", COLUMN_TREE, COLUMN_DETAIL},
	[RATE] = {"rate", "growth", COLUMN_DELTA_BYTES, COLUMN_TABLE_ONLY},
	[FIRST] = {"first_bytes", "first", COLUMN_BYTES, COLUMN_SPARE(8)},
	[LAST] = {"last_bytes", "last", COLUMN_BYTES, COLUMN_SPARE(4)},
	[FIRST_BLOCKS] = {"first_blocks", "first blocks", COLUMN_COUNT, COLUMN_HIDDEN},
	[LAST_BLOCKS] = {"last_blocks", "blocks", COLUMN_COUNT, COLUMN_SPARE(5)},
	[NEVER_FREED] = {"never_freed", "never freed", COLUMN_TEXT,
			 COLUMN_TABLE_ONLY | COLUMN_SPARE(3)},
	[TREND] = {"trend", "trend", COLUMN_SERIES, COLUMN_TABLE_ONLY | COLUMN_SPARE(7)},
	[PROCESS] = {"process", "process", COLUMN_NAME, COLUMN_TABLE_ONLY},
	[SITE] = {"site", "site", COLUMN_NAME, COLUMN_TABLE_ONLY},
	[VIA] = {"via", "via", COLUMN_NAME, COLUMN_SPARE(6)},
	[EXACT] = {"exact", "exact", COLUMN_TREE, COLUMN_DETAIL},
	[REASONS] = {"reasons", "reasons", COLUMN_TREE, COLUMN_DETAIL},
	[NEXT] = {"next", "next", COLUMN_TEXT, COLUMN_HIDDEN},
	[SERIES] = {"series", "series", COLUMN_TREE, COLUMN_DETAIL},
	[STACK] = {"stack", "stack", COLUMN_STACK, COLUMN_DETAIL},
	[EXIT_BYTES] = {"exit_bytes", "bytes at exit", COLUMN_BYTES, COLUMN_HIDDEN},
	[EXIT_BLOCKS] = {"exit_blocks", "blocks at exit", COLUMN_COUNT, COLUMN_HIDDEN},
	[PROGRAM] = {"program", "program", COLUMN_NAME, COLUMN_HIDDEN},
	[PID] = {"pid", "pid", COLUMN_COUNT, COLUMN_HIDDEN},
	[PROCESSES] = {"processes", "processes", COLUMN_COUNT, COLUMN_HIDDEN},
	[FIRST_ERROR] = {"first_bytes_stderr", "± first", COLUMN_BYTES, COLUMN_HIDDEN},
	[LAST_ERROR] = {"last_bytes_stderr", "± last", COLUMN_BYTES, COLUMN_HIDDEN},
};

enum { SURE_SNAPSHOTS = 8 }; /* the fewest for a sure verdict */

struct growth_row {
	const struct growth_part *part;
	uint32_t row; /* of its table */
	const struct select_row *words;
	double first, last;
	const double *bytes, *blocks; /* one per snapshot of the part; blocks NULL unknown */
	struct growth_judgement judgement;
	struct growth_row *next; /* the same site in another worker of the pool, which is summed up
				    in the first */
	size_t workers;
};

/* What judging one row after the other needs. */
struct judging {
	const struct growth_part *part;
	size_t warmup;
	const struct growth_control *control;
	struct growth_census censuses[GROWTH_CENSUSES];
	struct growth_cohort *cohorts;
	double *scratch; /* standard errors, and sums of bytes and of blocks, per snapshot */
};

struct growth_list {
	struct growth_row *rows;
	struct growth_row *members; /* rows of workers that others sum up; NULL: there is no pool */
	size_t count;
};

struct report *growth_report_new(bool sampled)
{
	return report_new("snapdiff.growth/1", columns, sampled ? SAMPLED_COLUMNS : EXACT_COLUMNS);
}

/* ---- control ---- */

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

/* ---- judging ---- */

static bool is_growth(const struct growth_judgement *judgement)
{
	return judgement->verdict == GROWTH_LEAK || judgement->verdict == GROWTH_CONTAINER;
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

/* What each run of a repeated command left at its exit adds up, run after run. */
static void add_up_runs(struct judging *judging, struct growth_series *series)
{
	double *sums = judging->scratch + series->count;

	series->bytes = sums_of(series->bytes, series->count, sums);
	if (series->blocks)
		series->blocks = sums_of(series->blocks, series->count, sums + series->count);
}

/* One block that every run leaves may well be kept on purpose until the end. */
static void doubt_single_blocks(struct growth_judgement *judgement)
{
	if (!is_growth(judgement) || judgement->blocks_slope.high > 1)
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

	row->part = judging->part;
	row->next = NULL;
	row->workers = 1;
	row->words = selection_row(table->selection, row->row);
	row->bytes = bytes;
	row->blocks = table->blocks_unknown[row->row]
			      ? NULL
			      : table->blocks + row->row * table->axis->count;
	row->first = bytes[0];
	row->last = bytes[table->axis->count - 1];
	if (table->bytes_unknown[row->row]) {
		row->judgement =
			(struct growth_judgement){.verdict = GROWTH_INCONCLUSIVE,
						  .reason_count = 1,
						  .reasons = {"its live bytes are not known in "
							      "every snapshot"}};
		return;
	}
	subtract_control(&options, judging->control, row->words->key);
	series = growth_table_series(table, row->row, judging->censuses, judging->cohorts,
				     judging->scratch);
	if (table->axis->repeated)
		add_up_runs(judging, &series);
	growth_judge(&series, &options, &row->judgement);
	if (table->axis->repeated)
		doubt_single_blocks(&row->judgement);
}

/* Judge the rows of one part that hold something in any snapshot. */
static bool judge_part(struct growth_list *list, const struct growth_part *part, size_t warmup,
		       const struct growth_control *control)
{
	struct judging judging;
	bool fine = judging_begin(&judging, part, warmup, control);

	for (uint32_t r = 0; fine && r < part->table.row_count; r++) {
		if (!part->table.present[r])
			continue;
		list->rows[list->count].row = r;
		judge_row(&judging, &list->rows[list->count++]);
	}
	judging_end(&judging);
	return fine;
}

static enum snap_status judge_rows(struct growth_list *list, const struct growth_part *parts,
				   size_t count, size_t warmup,
				   const struct growth_control *control, struct snap_error *err)
{
	size_t room = 1;
	bool fine;

	for (size_t p = 0; p < count; p++)
		room += parts[p].table.row_count;
	list->rows = malloc(room * sizeof(*list->rows));
	fine = list->rows != NULL;
	for (size_t p = 0; fine && p < count; p++)
		fine = judge_part(list, &parts[p], warmup, control);
	return fine ? SNAP_OK : fail_memory(err, "judging growth");
}

enum snap_status growth_control_new(struct growth_control **out, const struct growth_part *parts,
				    size_t count, size_t warmup, struct snap_error *err)
{
	struct growth_control *control = calloc(1, sizeof(*control));
	struct growth_list list = {0};
	enum snap_status st = control ? judge_rows(&list, parts, count, warmup, NULL, err)
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
	free(list.rows);
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

/* ---- order ---- */

static const char *const sort_names[] = {
	"growth", "bytes_per_snapshot", "first_bytes", "last_bytes", "key", NULL};
enum sort_column { SORT_GROWTH, SORT_RATE, SORT_FIRST, SORT_LAST, SORT_KEY };

enum { RANK_SURE, RANK_LIKELY, RANK_OPEN, RANK_DOUBTFUL, RANK_OTHER };

/* Sure growth, likely growth, what may yet turn out to be growth, then the verdicts in the order of
 * their names' list. */
static int rank(const struct growth_row *row)
{
	const struct growth_judgement *judgement = &row->judgement;
	bool rises = judgement->bytes_slope.low > 0;

	if (is_growth(judgement) && judgement->confidence >= GROWTH_MEDIUM)
		return RANK_SURE;
	if (is_growth(judgement))
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

static int compare_growth(const void *left, const void *right, bool by_blocks)
{
	const struct growth_row *a = left, *b = right;
	int order = rank(a) - rank(b);

	if (order == 0 && by_blocks)
		order = compare_descending(a->judgement.blocks_slope.low,
					   b->judgement.blocks_slope.low);
	if (order == 0)
		order = compare_descending(a->judgement.bytes_slope.low,
					   b->judgement.bytes_slope.low);
	if (order == 0)
		order = compare_descending(a->last, b->last);
	return order ? order : compare_keys(a, b);
}

/* ---- the workers of a pool ---- */

static size_t row_snapshots(const struct growth_row *row)
{
	size_t most = 0;

	for (; row; row = row->next)
		most = row->part->axis.count > most ? row->part->axis.count : most;
	return most;
}

/* The values of all workers, snapshot by snapshot, counted from the last: they take theirs at the
 * same pace.  One that began later holds until then what it began with. */
static void sum_up(double *sums, size_t count, const double *values, size_t own)
{
	for (size_t i = 0; i < count; i++)
		sums[i] += values[i + own < count ? 0 : i + own - count];
}

static void sum_workers(struct report *report, struct growth_row *row)
{
	size_t count = row_snapshots(row);
	double *bytes = report_alloc(report, 2 * count * sizeof(*bytes)), *blocks = bytes + count;
	bool known = true;

	memset(bytes, 0, 2 * count * sizeof(*bytes));
	for (const struct growth_row *at = row; at; at = at->next) {
		sum_up(bytes, count, at->bytes, at->part->axis.count);
		if (at->blocks)
			sum_up(blocks, count, at->blocks, at->part->axis.count);
		known &= at->blocks != NULL;
	}
	row->bytes = bytes;
	row->blocks = known ? blocks : NULL;
	row->first = bytes[0];
	row->last = bytes[count - 1];
}

static void add_slope(struct stats_slope *sum, const struct stats_slope *slope)
{
	sum->value += slope->value;
	sum->low += slope->low;
	sum->high += slope->high;
}

/* Of the workers, the one whose verdict claims most speaks for all; growth is added up. */
static void join_judgements(struct growth_row *row)
{
	struct growth_judgement *out = &row->judgement;
	size_t agree = 1;

	for (const struct growth_row *at = row->next; at; at = at->next) {
		agree += at->judgement.verdict == out->verdict;
		add_slope(&out->bytes_slope, &at->judgement.bytes_slope);
		add_slope(&out->blocks_slope, &at->judgement.blocks_slope);
		out->exact_blocks += at->judgement.exact_blocks;
		out->exact_bytes += at->judgement.exact_bytes;
		out->exact &= at->judgement.exact;
	}
	if (out->reason_count == GROWTH_REASONS)
		out->reason_count--;
	snprintf(out->reasons[out->reason_count++], GROWTH_REASON_SIZE,
		 "%s in %zu of %zu processes, which are added up",
		 growth_verdict_name(out->verdict), agree, row->workers);
}

static int by_site(const void *left, const void *right)
{
	const struct growth_row *const *a = left, *const *b = right;
	int order = ((*a)->part->pool > (*b)->part->pool) - ((*a)->part->pool < (*b)->part->pool);

	if (order == 0)
		order = strcmp((*a)->words->key, (*b)->words->key);
	/* Each part has a row of its own for sites that are called the same but are not. */
	if (order == 0)
		order = compare_growth(*a, *b, false);
	return order;
}

static bool is_same_site(const struct growth_row *a, const struct growth_row *b)
{
	return a->part != b->part && a->part->pool == b->part->pool &&
	       strcmp(a->words->key, b->words->key) == 0;
}

/* Sum up the workers of each pool, site by site: what is summed up in another row goes away. */
static enum snap_status join_workers(struct report *report, struct growth_list *list,
				     struct snap_error *err)
{
	struct growth_row **order = calloc(list->count + 1, sizeof(struct growth_row *));
	struct growth_row *joined = calloc(list->count + 1, sizeof(*joined));
	size_t kept = 0;

	if (!order || !joined) {
		free(order);
		free(joined);
		return fail_memory(err, "adding up processes");
	}
	for (size_t i = 0; i < list->count; i++)
		order[i] = &list->rows[i];
	qsort(order, list->count, sizeof(struct growth_row *), by_site);
	for (size_t i = 0, end; i < list->count; i = end) {
		struct growth_row *row = order[i], *last = row;

		for (end = i + 1; end < list->count && is_same_site(row, order[end]); end++) {
			last->next = order[end];
			last = order[end];
			row->workers++;
		}
		if (row->workers > 1) {
			sum_workers(report, row);
			join_judgements(row);
		}
		joined[kept++] = *row;
	}
	free(order);
	list->members = list->rows;
	list->rows = joined;
	list->count = kept;
	return SNAP_OK;
}

/* ---- what is left in the list ---- */

/* Below --min at both ends. */
static void drop_small(struct growth_list *list, uint64_t min_bytes)
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
	return compare_growth(left, right, false);
}

static int by_block_growth(const void *left, const void *right)
{
	return compare_growth(left, right, true);
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

static enum snap_status order_rows(struct growth_list *list, const struct report_options *options,
				   struct snap_error *err)
{
	static int (*const orders[])(const void *, const void *) = {
		[SORT_GROWTH] = by_growth, [SORT_RATE] = by_rate, [SORT_FIRST] = by_first,
		[SORT_LAST] = by_last,     [SORT_KEY] = by_key,
	};
	int column;
	enum snap_status st =
		sites_sort_column(&column, options->sort, sort_names, SORT_GROWTH, err);

	if (st != SNAP_OK)
		return st;
	if (column == SORT_GROWTH && options->metric == METRIC_BLOCKS)
		qsort(list->rows, list->count, sizeof(*list->rows), by_block_growth);
	else
		qsort(list->rows, list->count, sizeof(*list->rows), orders[column]);
	return SNAP_OK;
}

/* Stable rows are of no interest unless all are asked for.  Keeps the order. */
static void drop_stable(struct growth_list *list, const struct report_options *options)
{
	size_t kept = 0;

	if (options->all)
		return;
	for (size_t i = 0; i < list->count; i++)
		if (list->rows[i].judgement.verdict != GROWTH_STABLE)
			list->rows[kept++] = list->rows[i];
	list->count = kept;
}

/* ---- rows in words ---- */

static struct value bounds(struct report *report, const struct growth_judgement *judgement)
{
	struct value object = value_object();

	if (judgement->judged_count < 2)
		return value_null();
	value_field(report, &object, "value", value_real(judgement->bytes_slope.value));
	value_field(report, &object, "low", value_real(judgement->bytes_slope.low));
	value_field(report, &object, "high", value_real(judgement->bytes_slope.high));
	return object;
}

static struct value exact_step(struct report *report, const struct growth_judgement *judgement)
{
	struct value object = value_object();

	if (!judgement->exact)
		return value_null();
	value_field(report, &object, "blocks", value_int((int64_t)judgement->exact_blocks));
	value_field(report, &object, "bytes", value_int((int64_t)judgement->exact_bytes));
	return object;
}

static struct value numbers(struct report *report, const double *values, size_t count)
{
	struct value list = value_list(report, count);

	for (size_t i = 0; i < count; i++)
		list.list.items[i] = value_int((int64_t)values[i]);
	return list;
}

static struct value reasons(struct report *report, const struct growth_judgement *judgement)
{
	struct value list = value_list(report, judgement->reason_count);

	for (size_t i = 0; i < judgement->reason_count; i++)
		list.list.items[i] = value_text(report, judgement->reasons[i]);
	return list;
}

static const char *next_command(struct report *report, const struct report_options *options,
				const struct growth_row *row)
{
	const struct growth_table *table = &row->part->table;
	size_t last = row->part->first_input + table->axis->count - 1;
	const char *operand = sites_input_operand(report, last, options);
	uint32_t site = table->heaviest[row->row];
	const char *pattern = NULL;

	if (site != SNAP_NONE)
		pattern = sites_peek_pattern(report, row->words, table->dataset, site,
					     options->no_skip);
	if (pattern)
		return report_text(report, "snapdiff peek %s %s", pattern, operand);
	return report_text(report, "snapdiff top -g stack %s", operand);
}

/* "771 of 771": how much of what the last snapshot held is still there at the exit. */
static struct value never_freed(struct report *report, const struct growth_exit *at_exit,
				double last_blocks)
{
	double held = fmax(last_blocks, at_exit->blocks);

	if (held <= 0)
		return value_null();
	return value_text(report, report_text(report, "%.0f of %.0f", at_exit->blocks, held));
}

static void add_exit(struct report *report, const struct growth_row *row, struct value *values)
{
	struct growth_exit sum = {0};
	double last_blocks = 0;

	for (const struct growth_row *at = row; at; at = at->next) {
		if (!at->part->table.at_exit)
			return;
		sum.bytes += at->part->table.at_exit[at->row].bytes;
		sum.blocks += at->part->table.at_exit[at->row].blocks;
		if (at->blocks && at == row)
			last_blocks = at->blocks[row_snapshots(at) - 1];
	}
	values[EXIT_BYTES] = value_int((int64_t)sum.bytes);
	if (!row->blocks)
		return;
	values[EXIT_BLOCKS] = value_int((int64_t)sum.blocks);
	values[NEVER_FREED] = never_freed(report, &sum, last_blocks);
}

static void add_process(struct report *report, const struct growth_row *row, struct value *values)
{
	values[PROGRAM] = value_text(report, row->part->program);
	values[PROCESSES] = value_u64(row->workers > 1 ? row->workers : row->part->processes);
	if (row->workers > 1) {
		values[PROCESS] = value_text(
			report, report_text(report, "%zu x %s", row->workers, row->part->program));
		return;
	}
	values[PROCESS] = value_text(report, growth_part_name(report, row->part));
	if (row->part->pid)
		values[PID] = value_u64(row->part->pid);
}

static void add_words(struct report *report, const struct growth_row *row, struct value *values)
{
	values[KEY] = value_text(report, row->words->key);
	values[SITE] = sites_name(report, row->words);
	values[FUNCTION] = value_text(report, row->words->function);
	values[FILE_NAME] = value_text(report, row->words->file);
	values[LINE] = sites_line(row->words->line);
	values[MODULE] = value_text(report, row->words->module);
}

static void add_errors(const struct growth_row *row, struct value *values)
{
	double first = 0, last = 0;

	for (const struct growth_row *at = row; at; at = at->next) {
		const struct growth_table *table = &at->part->table;
		size_t count = table->axis->count;

		if (!table->bytes_variance)
			continue;
		first += (double)table->bytes_variance[at->row * count];
		last += (double)table->bytes_variance[(at->row + 1) * count - 1];
	}
	values[FIRST_ERROR] = value_real(sqrt(first));
	values[LAST_ERROR] = value_real(sqrt(last));
}

static void add_row(struct report *report, const struct report_options *options,
		    const struct growth_row *row)
{
	const struct growth_table *table = &row->part->table;
	size_t count = row_snapshots(row);
	struct value *values = report_row(report), series = value_object();

	values[TREND] = numbers(report, row->bytes, count);
	value_field(report, &series, "bytes", values[TREND]);
	value_field(report, &series, "blocks",
		    row->blocks ? numbers(report, row->blocks, count) : value_null());
	add_words(report, row, values);
	add_process(report, row, values);
	values[VERDICT] = value_text(report, growth_verdict_name(row->judgement.verdict));
	values[CONFIDENCE] = value_text(report, growth_confidence_name(row->judgement.confidence));
	values[PER_SNAPSHOT] = bounds(report, &row->judgement);
	if (row->judgement.judged_count >= 2)
		values[RATE] = value_int((int64_t)row->judgement.bytes_slope.value);
	values[FIRST] = value_int((int64_t)row->first);
	values[LAST] = value_int((int64_t)row->last);
	if (row->blocks) {
		values[FIRST_BLOCKS] = value_int((int64_t)row->blocks[0]);
		values[LAST_BLOCKS] = value_int((int64_t)row->blocks[count - 1]);
	}
	add_exit(report, row, values);
	values[EXACT] = exact_step(report, &row->judgement);
	values[REASONS] = reasons(report, &row->judgement);
	values[NEXT] = value_text(report, next_command(report, options, row));
	values[SERIES] = series;
	if (table->heaviest[row->row] != SNAP_NONE) {
		values[STACK] = sites_stack(report, table->dataset, table->heaviest[row->row]);
		values[VIA] = sites_via(report, table->dataset, table->heaviest[row->row], options);
	}
	if (report->column_count == SAMPLED_COLUMNS)
		add_errors(row, values);
}

/* ---- sums ---- */

struct ends {
	double first, last;
};

/* The rows of a part that are shown, by themselves or summed up in another; malloc'ed. */
static struct store_shown *rows_shown(const struct growth_part *part,
				      const struct growth_list *list, size_t shown_count,
				      size_t *count)
{
	struct store_shown *shown = calloc(part->table.row_count + 1, sizeof(*shown));

	*count = 0;
	for (size_t i = 0; shown && i < shown_count; i++)
		for (const struct growth_row *row = &list->rows[i]; row; row = row->next)
			if (row->part == part)
				shown[(*count)++] = (struct store_shown){row->row, row->words->key};
	return shown;
}

/* The memory of the stacks credited to a row that is shown; with --cumulative rows overlap. */
static enum snap_status sum_shown(const struct growth_part *parts, size_t count,
				  const struct growth_list *list, size_t shown_count,
				  struct ends *shown, struct snap_error *err)
{
	enum snap_status st = SNAP_OK;

	*shown = (struct ends){0};
	for (size_t p = 0; st == SNAP_OK && p < count; p++) {
		size_t part_count;
		struct store_shown *rows = rows_shown(&parts[p], list, shown_count, &part_count);
		double first = 0, last = 0;

		st = rows ? growth_table_show(&parts[p].table, rows, part_count, &first, &last, err)
			  : fail_memory(err, "summing up call sites");
		shown->first += first;
		shown->last += last;
		free(rows);
	}
	return st;
}

static void add_ends(struct report *report, struct value *to, const char *name, size_t rows,
		     struct ends ends)
{
	struct value part = value_object();

	value_field(report, &part, "rows", value_u64(rows));
	value_field(report, &part, "first_bytes", value_int((int64_t)ends.first));
	value_field(report, &part, "last_bytes", value_int((int64_t)ends.last));
	value_field(report, to, name, part);
}

static struct ends totals_of(const struct growth_part *parts, size_t count)
{
	struct ends totals = {0};

	for (size_t p = 0; p < count; p++) {
		totals.first += parts[p].table.first_total;
		totals.last += parts[p].table.last_total;
	}
	return totals;
}

static void add_sums(struct report *report, struct ends totals, size_t rows, size_t shown_count,
		     struct ends shown)
{
	struct ends hidden = {totals.first - shown.first, totals.last - shown.last};

	add_ends(report, &report->head, "totals", rows, totals);
	add_ends(report, &report->tail, "shown", shown_count, shown);
	add_ends(report, &report->tail, "hidden", rows - shown_count, hidden);
}

/* ---- closing lines ---- */

static void explain_rows(struct report *report, const struct growth_list *list, size_t shown_count)
{
	size_t told = 0;

	for (size_t i = 0; i < shown_count && told < 3; i++) {
		const struct growth_row *row = &list->rows[i];

		if (row->judgement.reason_count == 0)
			continue;
		told++;
		report_note(report, "%s: %s (%s): %s%s%s.", row->words->key,
			    growth_verdict_name(row->judgement.verdict),
			    growth_confidence_name(row->judgement.confidence),
			    row->judgement.reasons[0], row->judgement.reason_count > 1 ? "; " : "",
			    row->judgement.reason_count > 1 ? row->judgement.reasons[1] : "");
	}
}

/* Could a few more snapshots make the verdict surer? */
static bool needs_more(const struct growth_judgement *judgement)
{
	if (judgement->verdict == GROWTH_TOO_FEW)
		return true;
	return judgement->judged_count < SURE_SNAPSHOTS &&
	       (judgement->verdict == GROWTH_INCONCLUSIVE || is_growth(judgement));
}

static void add_notes(struct report *report, const struct growth_part *parts,
		      const struct growth_request *request, const struct growth_list *list,
		      size_t judged, size_t stable, size_t shown_count)
{
	size_t unsure = 0;

	for (size_t i = 0; i < list->count; i++)
		unsure += needs_more(&list->rows[i].judgement);
	if (parts->axis.repeated)
		report_note(report,
			    "Each snapshot is the end of another run: what every run leaves "
			    "is added up, and growth is what it leaves.");
	explain_rows(report, list, shown_count);
	if (judged == 0)
		report_note(report, parts->table.dataset->site_count
					    ? "No call stack passes the filters."
					    : "The snapshots hold no call stack.");
	if (stable)
		report_note(report,
			    "%zu of %zu row%s %s stable and not shown; --all shows every one.",
			    stable, judged, judged == 1 ? "" : "s", stable == 1 ? "is" : "are");
	if (shown_count < list->count)
		report_note(report, "%zu of %zu other rows %s shown; -n or --all shows more.",
			    shown_count, list->count, shown_count == 1 ? "is" : "are");
	if (unsure)
		report_note(report, "%zu row%s more snapshots: a sure verdict takes %d or more.",
			    unsure, unsure == 1 ? " needs" : "s need", SURE_SNAPSHOTS);
	if (shown_count)
		report_note(report, "Next: %s  (who calls it, and for how much)",
			    next_command(report, request->shared, &list->rows[0]));
}

static bool any_finding(const struct growth_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		if (is_growth(&list->rows[i].judgement) &&
		    list->rows[i].judgement.confidence >= GROWTH_MEDIUM)
			return true;
	return false;
}

/* Columns that have nothing to say in this report. */
static void choose_columns(struct report *report, const struct growth_part *parts, size_t count)
{
	bool exits = false;

	for (size_t p = 0; p < count; p++)
		exits |= parts[p].table.at_exit != NULL;
	if (!exits)
		sites_drop_column(&sites_own_columns(report)[NEVER_FREED]);
	if (count == 1)
		sites_drop_column(&sites_own_columns(report)[PROCESS]);
}

static enum snap_status list_rows(struct growth_list *list, struct report *report,
				  const struct growth_part *parts, size_t count,
				  const struct growth_request *request, struct snap_error *err)
{
	enum snap_status st =
		judge_rows(list, parts, count, request->warmup, request->control, err);

	if (st == SNAP_OK && count > 1)
		st = join_workers(report, list, err);
	return st;
}

enum snap_status growth_fill(struct report *report, const struct growth_part *parts, size_t count,
			     const struct growth_request *request, struct snap_error *err)
{
	const struct report_options *options = request->shared;
	struct growth_list list = {0};
	size_t rows, judged, shown_count = 0;
	struct ends shown;
	enum snap_status st = list_rows(&list, report, parts, count, request, err);

	rows = list.count;
	drop_small(&list, options->min_bytes);
	judged = list.count;
	if (st == SNAP_OK)
		st = order_rows(&list, options, err);
	if (st == SNAP_OK) {
		report->finding = any_finding(&list);
		drop_stable(&list, options);
		shown_count = sites_limit(options, list.count);
		st = sum_shown(parts, count, &list, shown_count, &shown, err);
	}
	if (st == SNAP_OK) {
		sites_describe(report, options);
		value_field(report, &report->head, "per", value_text(report, parts->axis.per));
		add_sums(report, totals_of(parts, count), rows, shown_count, shown);
		growth_describe_processes(report, parts, count, request->warmup,
					  request->limit_bytes);
		choose_columns(report, parts, count);
		for (size_t i = 0; i < shown_count; i++)
			add_row(report, options, &list.rows[i]);
		sites_tell_apart(report, KEY, SITE);
		sites_hide_empty(report, VIA);
		add_notes(report, parts, request, &list, judged, judged - list.count, shown_count);
	}
	free(list.rows);
	free(list.members);
	return st;
}
