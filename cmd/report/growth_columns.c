/*
 * growth_columns.c - the columns of a growth report, and what a row has in each.
 */
#include "report/growth_rows.h"

#include <math.h>
#include <stdio.h>

#include "analysis/growth/growth.h"
#include "report/growth.h"
#include "report/growth_finding.h"
#include "report/growth_held.h"
#include "report/growth_pattern.h"
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
	BLOCK_RATE,
	FIRST,
	LAST,
	FIRST_BLOCKS,
	LAST_BLOCKS,
	EACH,
	NEVER_FREED,
	TREND,
	PROCESS,
	SITES,
	SITE,
	VIA,
	EXACT,
	REASONS,
	PATTERN,
	HELD_TYPE,
	HELD_BY,
	NEXT,
	SERIES,
	STACK,
	EXIT_BYTES,
	EXIT_BLOCKS,
	PROGRAM,
	PID,
	PROCESSES,
	FINDING,
	WHY,
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
	[RATE] = {"growth_bytes", "growth", COLUMN_DELTA_BYTES, 0},
	[BLOCK_RATE] = {"growth_blocks", "growth", COLUMN_DELTA_COUNT, COLUMN_HIDDEN},
	[FIRST] = {"first_bytes", "first", COLUMN_BYTES, COLUMN_SPARE(8)},
	[LAST] = {"last_bytes", "last", COLUMN_BYTES, COLUMN_SPARE(4)},
	[FIRST_BLOCKS] = {"first_blocks", "first blocks", COLUMN_COUNT, COLUMN_HIDDEN},
	[LAST_BLOCKS] = {"last_blocks", "blocks", COLUMN_COUNT, COLUMN_SPARE(5)},
	[EACH] = {"each", "each", COLUMN_BYTES, COLUMN_TABLE_ONLY | COLUMN_SPARE(9)},
	[NEVER_FREED] = {"never_freed", "never freed", COLUMN_TEXT,
			 COLUMN_TABLE_ONLY | COLUMN_SPARE(3)},
	[TREND] = {"trend", "trend", COLUMN_SERIES, COLUMN_TABLE_ONLY | COLUMN_SPARE(7)},
	[PROCESS] = {"process", "process", COLUMN_NAME, COLUMN_TABLE_ONLY},
	[SITES] = {"sites", "sites", COLUMN_COUNT, COLUMN_TABLE_ONLY | COLUMN_SPARE(6)},
	[SITE] = {"site", "site", COLUMN_NAME, COLUMN_TABLE_ONLY},
	[VIA] = {"via", "via", COLUMN_NAME, COLUMN_SPARE(10)},
	[EXACT] = {"exact", "exact", COLUMN_TREE, COLUMN_DETAIL},
	[REASONS] = {"reasons", "reasons", COLUMN_TREE, COLUMN_DETAIL},
	[PATTERN] = {"pattern", "pattern", COLUMN_NAME, COLUMN_HIDDEN},
	[HELD_TYPE] = {"held_type", "held type", COLUMN_NAME, COLUMN_HIDDEN},
	[HELD_BY] = {"held_by", "held by", COLUMN_NAME, COLUMN_HIDDEN},
	[NEXT] = {"next", "next", COLUMN_TEXT, COLUMN_HIDDEN},
	[SERIES] = {"series", "series", COLUMN_TREE, COLUMN_DETAIL},
	[STACK] = {"stack", "stack", COLUMN_STACK, COLUMN_DETAIL},
	[EXIT_BYTES] = {"exit_bytes", "bytes at exit", COLUMN_BYTES, COLUMN_HIDDEN},
	[EXIT_BLOCKS] = {"exit_blocks", "blocks at exit", COLUMN_COUNT, COLUMN_HIDDEN},
	[PROGRAM] = {"program", "program", COLUMN_NAME, COLUMN_HIDDEN},
	[PID] = {"pid", "pid", COLUMN_COUNT, COLUMN_HIDDEN},
	[PROCESSES] = {"processes", "processes", COLUMN_COUNT, COLUMN_HIDDEN},
	[FINDING] = {"finding", "finding", COLUMN_COUNT, COLUMN_HIDDEN},
	[WHY] = {"why", "why", COLUMN_TEXT, COLUMN_TABLE_ONLY | COLUMN_UNDER},
	[FIRST_ERROR] = {"first_bytes_stderr", "± first", COLUMN_BYTES, COLUMN_HIDDEN},
	[LAST_ERROR] = {"last_bytes_stderr", "± last", COLUMN_BYTES, COLUMN_HIDDEN},
};

struct report *growth_report_new(bool sampled)
{
	return report_new("snapdiff.growth/1", columns, sampled ? SAMPLED_COLUMNS : EXACT_COLUMNS);
}

void growth_choose_columns(struct report *report, const struct report_options *options,
			   const struct growth_part *parts, size_t count)
{
	bool exits = false, held = false;

	for (size_t p = 0; p < count; p++) {
		exits |= parts[p].table.at_exit != NULL;
		held |= parts[p].held != NULL;
	}
	for (int column = PATTERN; !held && column <= HELD_BY; column++)
		sites_drop_column(&sites_own_columns(report)[column]);
	if (!exits)
		sites_drop_column(&sites_own_columns(report)[NEVER_FREED]);
	if (count == 1)
		sites_drop_column(&sites_own_columns(report)[PROCESS]);
	if (options->metric == FIGURE_LIVE_BLOCKS) {
		sites_own_columns(report)[RATE].flags |= COLUMN_HIDDEN;
		sites_own_columns(report)[BLOCK_RATE].flags &= ~(unsigned)COLUMN_HIDDEN;
	}
}

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
	value_field(report, &object, "blocks", value_whole(judgement->exact_blocks));
	value_field(report, &object, "bytes", value_whole(judgement->exact_bytes));
	return object;
}

static struct value numbers(struct report *report, const double *values, size_t count)
{
	struct value list = value_list(report, count);

	for (size_t i = 0; i < count; i++)
		list.list.items[i] = value_whole(values[i]);
	return list;
}

/* The kind of leak, the reasons for the verdict, the holder: those that are known. */
static struct value reasons(struct report *report, const struct growth_row *row)
{
	const struct growth_judgement *judgement = &row->judgement;
	bool grows = growth_is_growth(judgement);
	const char *holder = grows ? growth_holder_line(report, row) : NULL;
	struct growth_pattern pattern = growth_pattern_of(report, row);
	struct value list = value_list(report, judgement->reason_count + (holder != NULL) +
						       (pattern.words != NULL));
	struct value *next = list.list.items;

	if (pattern.words)
		*next++ = value_text(report, pattern.words);
	for (size_t i = 0; i < judgement->reason_count; i++)
		*next++ = value_text(report, judgement->reasons[i]);
	if (holder)
		*next = value_text(report, holder);
	return list;
}

const char *growth_next_command(struct report *report, const struct report_options *options,
				const struct growth_row *row)
{
	const struct growth_table *table = &row->part->table;
	size_t last = row->part->first_input + table->axis->count - 1;
	const char *operand = sites_input_operand(report, last, options);
	uint32_t site = table->heaviest[row->row];
	struct sites_question question = {0};

	if (site != SNAP_NONE)
		question = sites_question(report, row->words, table->dataset, site, options);
	if (question.pattern)
		return report_text(report, "snapdiff %s %s %s", question.command, question.pattern,
				   operand);
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

/* What the exit snapshots of a row's processes show; false: not all have one. */
static bool sum_exits(const struct growth_row *row, struct growth_exit *sum)
{
	for (const struct growth_row *at = row; at; at = at->next) {
		if (!at->part->table.at_exit)
			return false;
		sum->bytes += at->part->table.at_exit[at->row].bytes;
		sum->blocks += at->part->table.at_exit[at->row].blocks;
	}
	return true;
}

static double last_blocks(const struct growth_row *row)
{
	return row->blocks ? row->blocks[growth_row_snapshots(row) - 1] : 0;
}

static void add_exit(struct report *report, const struct growth_row *row, struct value *values)
{
	struct growth_exit sum = {0};

	if (!sum_exits(row, &sum))
		return;
	values[EXIT_BYTES] = value_whole(sum.bytes);
	if (!row->blocks)
		return;
	values[EXIT_BLOCKS] = value_whole(sum.blocks);
	values[NEVER_FREED] = never_freed(report, &sum, last_blocks(row));
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
	values[PROCESS] = value_text(report, growth_part_text(report, row->part));
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

static void add_held(struct report *report, const struct growth_row *row, struct value *values)
{
	const struct growth_held_row *held = growth_held_of(row);
	struct growth_pattern pattern = growth_pattern_of(report, row);

	if (!held)
		return;
	values[PATTERN] = value_text(report, pattern.name);
	values[HELD_TYPE] = value_text(report, held->type);
	values[HELD_BY] = value_text(report, held->words);
}

struct value *growth_add_row(struct report *report, const struct report_options *options,
			     const struct growth_row *row, const char *why)
{
	const struct growth_table *table = &row->part->table;
	size_t count = growth_row_snapshots(row);
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
	if (row->judgement.judged_count >= 2) {
		values[RATE] = value_whole(row->judgement.bytes_slope.value);
		if (row->blocks)
			values[BLOCK_RATE] = value_whole(row->judgement.blocks_slope.value);
	}
	if (row->finding)
		values[FINDING] = value_u64(row->finding);
	if (why)
		values[WHY] = value_text(report, why);
	values[FIRST] = value_whole(row->first);
	values[LAST] = value_whole(row->last);
	if (row->blocks) {
		values[FIRST_BLOCKS] = value_whole(row->blocks[0]);
		values[LAST_BLOCKS] = value_whole(row->blocks[count - 1]);
		if (row->blocks[count - 1] > 0)
			values[EACH] = value_whole((row->last / row->blocks[count - 1]));
	}
	add_exit(report, row, values);
	values[EXACT] = exact_step(report, &row->judgement);
	values[REASONS] = reasons(report, row);
	add_held(report, row, values);
	values[NEXT] = value_text(report, growth_next_command(report, options, row));
	values[SERIES] = series;
	if (table->heaviest[row->row] != SNAP_NONE) {
		values[STACK] = sites_stack(report, table->dataset, table->selection,
					    table->heaviest[row->row]);
		values[VIA] = sites_via(report, table->dataset, table->heaviest[row->row], options);
	}
	if (report->column_count == SAMPLED_COLUMNS)
		add_errors(row, values);
	return values;
}

/* ---- a finding as one row ---- */

struct folded {
	double *bytes, *blocks; /* per snapshot */
	struct growth_exit at_exit;
	bool blocks_known, exits_known;
	size_t sites;
};

static void fold(struct folded *sum, const struct growth_row *row, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		sum->bytes[i] += row->bytes[i];
		if (row->blocks)
			sum->blocks[i] += row->blocks[i];
	}
	sum->blocks_known &= row->blocks != NULL;
	sum->exits_known = sum->exits_known && sum_exits(row, &sum->at_exit);
	sum->sites++;
}

static void write_folded(struct report *report, const struct folded *sum, size_t count,
			 struct value *values)
{
	values[TREND] = numbers(report, sum->bytes, count);
	values[FIRST] = value_whole(sum->bytes[0]);
	values[LAST] = value_whole(sum->bytes[count - 1]);
	values[EACH] = values[NEVER_FREED] = value_null();
	if (!sum->blocks_known)
		return;
	values[FIRST_BLOCKS] = value_whole(sum->blocks[0]);
	values[LAST_BLOCKS] = value_whole(sum->blocks[count - 1]);
	if (sum->exits_known)
		values[NEVER_FREED] = never_freed(report, &sum->at_exit, sum->blocks[count - 1]);
}

void growth_fold_row(struct report *report, const struct growth_list *list,
		     const struct growth_row *leader, struct value *values)
{
	const struct growth_finding *finding = growth_finding_of(list, leader);
	size_t count = growth_row_snapshots(leader);
	double *room = report_alloc(report, 2 * count * sizeof(*room));
	struct folded sum = {
		.bytes = room, .blocks = room + count, .blocks_known = true, .exits_known = true};

	for (size_t i = 0; i < list->count; i++)
		if (list->rows[i].finding == leader->finding)
			fold(&sum, &list->rows[i], count);
	write_folded(report, &sum, count, values);
	values[RATE] = value_whole(finding->bytes.value);
	values[BLOCK_RATE] = value_whole(finding->blocks.value);
	if (finding->by_caller)
		values[SITE] = value_text(report, growth_finding_name(report, leader, finding));
	if (finding->in_step > 1)
		values[SITES] = value_u64(finding->in_step);
}

void growth_finish_rows(struct report *report)
{
	sites_tell_apart(report, KEY, SITE);
	sites_hide_empty(report, VIA);
	sites_hide_empty(report, SITES);
}
