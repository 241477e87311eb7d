/*
 * leaks.c - blocks that nothing reaches, by call site.
 *
 * Direct and indirect have the meaning that they have in LeakSanitizer and memcheck: a block is
 * indirectly lost if another lost block refers to it.  Suppressions are looked up for each call
 * stack, before rows are made of them.
 */
#include "report/leaks.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "dataset/facts.h"
#include "report/row_graph.h"
#include "report/sites.h"

enum {
	KEY,
	FUNCTION,
	FILE_NAME,
	LINE,
	MODULE,
	LOST,
	BLOCKS,
	DIRECT,
	DIRECT_BLOCKS,
	INDIRECT,
	INDIRECT_BLOCKS,
	RINGS,
	LIVE,
	LIVE_BLOCKS,
	SITE,
	VIA,
	CALLERS,
	STACK,
	COLUMNS,
};

static const struct column columns[COLUMNS] = {
	[KEY] = {"key", "key", COLUMN_NAME, COLUMN_HIDDEN},
	[FUNCTION] = {"function", "function", COLUMN_NAME, COLUMN_HIDDEN},
	[FILE_NAME] = {"file", "file", COLUMN_NAME, COLUMN_HIDDEN},
	[LINE] = {"line", "line", COLUMN_COUNT, COLUMN_HIDDEN},
	[MODULE] = {"module", "module", COLUMN_NAME, COLUMN_HIDDEN},
	[LOST] = {"unreachable_bytes", "unreachable", COLUMN_BYTES, 0},
	[BLOCKS] = {"unreachable_blocks", "blocks", COLUMN_COUNT, COLUMN_SPARE(3)},
	[DIRECT] = {"direct_bytes", "direct", COLUMN_BYTES, COLUMN_SPARE(4)},
	[DIRECT_BLOCKS] = {"direct_blocks", "blocks", COLUMN_COUNT, COLUMN_SPARE(5)},
	[INDIRECT] = {"indirect_bytes", "indirect", COLUMN_BYTES, COLUMN_SPARE(6)},
	[INDIRECT_BLOCKS] = {"indirect_blocks", "blocks", COLUMN_COUNT, COLUMN_SPARE(7)},
	[RINGS] = {"ring_blocks", "rings", COLUMN_COUNT, COLUMN_HIDDEN},
	[LIVE] = {"live_bytes", "of live", COLUMN_BYTES, COLUMN_SPARE(8)},
	[LIVE_BLOCKS] = {"live_blocks", "live blocks", COLUMN_COUNT, COLUMN_HIDDEN},
	[SITE] = {"site", "site", COLUMN_NAME, COLUMN_TABLE_ONLY},
	[VIA] = {"via", "via", COLUMN_NAME, COLUMN_SPARE(10)},
	[CALLERS] = {"callers", "called from", COLUMN_NAME, COLUMN_TABLE_ONLY | COLUMN_SPARE(9)},
	[STACK] = {"stack", "stack", COLUMN_STACK, COLUMN_DETAIL},
};

struct leak_row {
	struct select_row words;
	struct store_lost lost;
	uint32_t heaviest; /* site, or SNAP_NONE */
	uint32_t number;   /* before rows are ordered */
	uint64_t weight, order;
};

struct leaks {
	struct report *report;
	const struct leaks_request *request;
	struct selection *selection;
	struct leak_row *rows;    /* those of the selection, one for each type, one for what is
				     suppressed */
	struct store_lost *found; /* by group: what counts */
	uint32_t *of_group;       /* numbers of rows; SNAP_NONE: left out */
	size_t row_count, count, shown_count;
	struct store_lost totals, shown, suppressed;
	uint64_t unconfirmed_bytes, unconfirmed_blocks;
};

static uint64_t lost_bytes(const struct store_lost *lost)
{
	return lost->direct + lost->indirect;
}

static uint64_t lost_blocks(const struct store_lost *lost)
{
	return lost->direct_blocks + lost->indirect_blocks;
}

/* A difference is never negative, whatever a database contains. */
static void take_away(uint64_t *sum, uint64_t less)
{
	*sum -= less < *sum ? less : *sum;
}

static void subtract_lost(struct store_lost *sum, const struct store_lost *less)
{
	take_away(&sum->direct, less->direct);
	take_away(&sum->direct_blocks, less->direct_blocks);
	take_away(&sum->indirect, less->indirect);
	take_away(&sum->indirect_blocks, less->indirect_blocks);
	take_away(&sum->ring_blocks, less->ring_blocks);
	take_away(&sum->live, less->live);
	take_away(&sum->live_blocks, less->live_blocks);
}

/* ---- which group counts towards which row ---------------------------------------------------- */

/* Does a rule cover what the call stack lost? */
static bool is_suppressed(struct leaks *leaks, uint32_t site, const struct store_lost *lost)
{
	const struct dataset *dataset = leaks->request->dataset;
	uint32_t depth = site == SNAP_NONE ? 0 : dataset->sites[site].depth;
	const char **names = report_alloc(leaks->report, ((size_t)depth * 3 + 1) * sizeof(*names));
	struct suppression_names all = {names, (size_t)depth * 3};

	for (uint32_t i = 0; i < depth; i++) {
		const struct dataset_frame *frame = dataset_frame_at(dataset, site, i);

		names[3 * i] = dataset_text(dataset, frame->function);
		names[3 * i + 1] = dataset_text(dataset, frame->file);
		names[3 * i + 2] = dataset_text(dataset, frame->module_path);
	}
	return suppressions_find(leaks->request->suppressions, &all, lost_bytes(lost),
				 leaks->request->today) != NULL;
}

/* The number of the row of what is suppressed: after those that may be shown. */
static size_t suppressed_row(const struct leaks *leaks)
{
	return selection_row_count(leaks->selection) + leaks->request->graph->group_count;
}

static struct leak_row *row_of_type(struct leaks *leaks, const struct graph_group *group)
{
	size_t first = selection_row_count(leaks->selection);
	struct leak_row *row;

	for (size_t i = first; i < leaks->row_count; i++)
		if (strcmp(leaks->rows[i].words.key, group->row.label) == 0)
			return &leaks->rows[i];
	row = &leaks->rows[leaks->row_count];
	row->number = (uint32_t)leaks->row_count++;
	row->words.key = *group->row.label ? group->row.label : "(unknown)";
	return row;
}

/* Towards which row a group counts; NULL: left out. */
static struct leak_row *row_of_group(struct leaks *leaks, size_t index)
{
	const struct graph_group *group = &leaks->request->graph->groups[index];
	const struct store_lost *lost = &leaks->found[index];
	const struct row_graph_view view = {leaks->selection, NULL};
	uint32_t of_stack = row_graph_row(&view, group);

	/* An interpreter's objects are in blocks, too: those count once. */
	if (group->row.kind != SNAP_GROUP_SITE && !lost_blocks(lost))
		return NULL;
	if (group->site != SNAP_NONE && of_stack == SNAP_NONE)
		return NULL;
	if (leaks->request->suppressions && lost_blocks(lost) &&
	    is_suppressed(leaks, group->site, lost))
		return &leaks->rows[suppressed_row(leaks)];
	return group->site == SNAP_NONE ? row_of_type(leaks, group) : &leaks->rows[of_stack];
}

static void add_group(struct leaks *leaks, size_t index)
{
	struct leak_row *row = row_of_group(leaks, index);
	uint64_t weight = lost_bytes(&leaks->found[index]);

	leaks->of_group[index] = row ? row->number : SNAP_NONE;
	if (row && row->weight <= weight) {
		row->weight = weight;
		row->heaviest = leaks->request->graph->groups[index].site;
	}
}

static enum snap_status make_rows(struct leaks *leaks, struct snap_error *err)
{
	const struct graph *graph = leaks->request->graph;

	leaks->row_count = selection_row_count(leaks->selection);
	leaks->rows = calloc(suppressed_row(leaks) + 1, sizeof(*leaks->rows));
	leaks->found = calloc(graph->group_count + 1, sizeof(*leaks->found));
	leaks->of_group = calloc(graph->group_count + 1, sizeof(*leaks->of_group));
	if (!leaks->rows || !leaks->found || !leaks->of_group)
		return fail_memory(err, "summing up leaks");
	for (uint32_t i = 0; i < leaks->row_count; i++) {
		leaks->rows[i].words = *selection_row(leaks->selection, i);
		leaks->rows[i].heaviest = SNAP_NONE;
		leaks->rows[i].number = i;
	}
	leaks->rows[suppressed_row(leaks)].number = (uint32_t)suppressed_row(leaks);
	return SNAP_OK;
}

/* ---- sums ------------------------------------------------------------------------------------ */

static enum snap_status take_found(void *user, uint32_t at, const struct store_lost *lost)
{
	struct leaks *leaks = user;

	if (at < leaks->request->graph->group_count)
		leaks->found[at] = *lost;
	return SNAP_OK;
}

static enum snap_status take_row(void *user, uint32_t at, const struct store_lost *lost)
{
	struct leaks *leaks = user;

	if (at < leaks->row_count)
		leaks->rows[at].lost = *lost;
	else if (at == suppressed_row(leaks))
		leaks->suppressed = *lost;
	return SNAP_OK;
}

static enum snap_status count_lost(struct leaks *leaks, struct snap_error *err)
{
	const struct dataset *dataset = leaks->request->dataset;
	int64_t first = dataset->snapshot_ids[0];
	enum snap_status st = store_count_lost(
		dataset->store, first, leaks->request->confirm ? dataset->snapshot_ids[1] : 0,
		take_found, leaks, err);

	if (st == SNAP_OK && leaks->request->confirm)
		st = store_unconfirmed(dataset->store, first, &leaks->unconfirmed_bytes,
				       &leaks->unconfirmed_blocks, err);
	return st;
}

static enum snap_status put_members(struct leaks *leaks, struct snap_error *err)
{
	size_t groups = leaks->request->graph->group_count, count = 0;
	struct store_member *members = report_alloc(leaks->report, (groups + 1) * sizeof(*members));

	for (uint32_t i = 0; i < groups; i++)
		if (leaks->of_group[i] != SNAP_NONE)
			members[count++] = (struct store_member){leaks->of_group[i], i, 0, false};
	return store_put_members(leaks->request->dataset->store, members, count, err);
}

static enum snap_status sum_up(struct leaks *leaks, struct snap_error *err)
{
	enum snap_status st = make_rows(leaks, err);

	if (st == SNAP_OK)
		st = count_lost(leaks, err);
	if (st != SNAP_OK)
		return st;
	for (size_t i = 0; i < leaks->request->graph->group_count; i++)
		add_group(leaks, i);
	st = put_members(leaks, err);
	return st == SNAP_OK ? store_each_lost(leaks->request->dataset->store, take_row, leaks, err)
			     : st;
}

/* ---- order ----------------------------------------------------------------------------------- */

static const char *const sort_names[] = {
	"unreachable_bytes", "unreachable_blocks", "direct_bytes", "indirect_bytes", "key", NULL};
enum { SORT_LOST, SORT_BLOCKS, SORT_DIRECT, SORT_INDIRECT };

static uint64_t order_of(const struct store_lost *lost, int column)
{
	switch (column) {
	case SORT_LOST:
		return lost_bytes(lost);
	case SORT_BLOCKS:
		return lost_blocks(lost);
	case SORT_DIRECT:
		return lost->direct;
	case SORT_INDIRECT:
		return lost->indirect;
	default:
		return 0;
	}
}

static int compare_rows(const void *left, const void *right)
{
	const struct leak_row *a = left, *b = right;

	if (a->order != b->order)
		return a->order < b->order ? 1 : -1;
	if (lost_blocks(&a->lost) != lost_blocks(&b->lost))
		return lost_blocks(&a->lost) < lost_blocks(&b->lost) ? 1 : -1;
	return strcmp(a->words.key, b->words.key);
}

static void arrange(struct leaks *leaks, int column)
{
	const struct report_options *options = leaks->request->options;

	for (size_t i = 0; i < leaks->row_count; i++) {
		struct leak_row row = leaks->rows[i];

		if (!lost_blocks(&row.lost) || lost_bytes(&row.lost) < options->min_bytes)
			continue;
		row.order = order_of(&row.lost, column);
		leaks->rows[leaks->count++] = row;
	}
	qsort(leaks->rows, leaks->count, sizeof(*leaks->rows), compare_rows);
	leaks->shown_count = sites_limit(options, leaks->count);
}

static enum snap_status take_shown(void *user, uint32_t at, const struct store_lost *lost)
{
	struct leaks *leaks = user;

	if (at < leaks->shown_count)
		leaks->rows[at].lost = *lost;
	return SNAP_OK;
}

/* Ask for the figures of the rows that are shown. */
static enum snap_status sum_shown(struct leaks *leaks, struct snap_error *err)
{
	struct store *store = leaks->request->dataset->store;
	struct store_shown *shown =
		report_alloc(leaks->report, (leaks->shown_count + 1) * sizeof(*shown));
	enum snap_status st;

	for (size_t i = 0; i < leaks->shown_count; i++)
		shown[i] = (struct store_shown){leaks->rows[i].number, leaks->rows[i].words.key};
	st = store_show_rows(store, shown, leaks->shown_count, err);
	if (st == SNAP_OK)
		st = store_each_shown_lost(store, take_shown, leaks, err);
	if (st == SNAP_OK)
		st = store_total_lost(store, &leaks->totals, &leaks->shown, err);
	return st;
}

/* ---- in words -------------------------------------------------------------------------------- */

static void add_row(struct leaks *leaks, const struct leak_row *row)
{
	const struct report_options *options = leaks->request->options;
	const struct dataset *dataset = leaks->request->dataset;
	struct report *report = leaks->report;
	struct value *values = report_row(report);

	values[KEY] = value_text(report, row->words.key);
	values[FUNCTION] = value_text(report, row->words.function);
	values[FILE_NAME] = value_text(report, row->words.file);
	values[LINE] = sites_line(row->words.line);
	values[MODULE] = value_text(report, row->words.module);
	values[LOST] = value_u64(lost_bytes(&row->lost));
	values[BLOCKS] = value_u64(lost_blocks(&row->lost));
	values[DIRECT] = value_u64(row->lost.direct);
	values[DIRECT_BLOCKS] = value_u64(row->lost.direct_blocks);
	values[INDIRECT] = value_u64(row->lost.indirect);
	values[INDIRECT_BLOCKS] = value_u64(row->lost.indirect_blocks);
	values[RINGS] = value_u64(row->lost.ring_blocks);
	values[LIVE] = value_u64(row->lost.live);
	values[LIVE_BLOCKS] = value_u64(row->lost.live_blocks);
	values[SITE] = sites_name(report, &row->words);
	if (row->heaviest == SNAP_NONE)
		return;
	values[VIA] = sites_via(report, dataset, row->heaviest, options);
	values[CALLERS] = sites_callers(report, dataset, row->heaviest, options->no_skip);
	values[STACK] = sites_stack(report, dataset, leaks->selection, row->heaviest);
}

static void add_part(struct report *report, struct value *to, const char *name,
		     const struct store_lost *lost, size_t rows)
{
	struct value part = value_object();

	if (rows != SIZE_MAX)
		value_field(report, &part, "rows", value_u64(rows));
	value_field(report, &part, "unreachable_bytes", value_u64(lost_bytes(lost)));
	value_field(report, &part, "unreachable_blocks", value_u64(lost_blocks(lost)));
	value_field(report, &part, "direct_bytes", value_u64(lost->direct));
	value_field(report, &part, "direct_blocks", value_u64(lost->direct_blocks));
	value_field(report, &part, "indirect_bytes", value_u64(lost->indirect));
	value_field(report, &part, "indirect_blocks", value_u64(lost->indirect_blocks));
	value_field(report, to, name, part);
}

/* Suppressed memory, and memory that filters leave out, is hidden and has no row. */
static void add_summary(struct leaks *leaks)
{
	struct report *report = leaks->report;
	struct store_lost hidden = leaks->totals;
	struct value live = value_object();

	subtract_lost(&hidden, &leaks->shown);
	add_part(report, &report->head, "totals", &leaks->totals, SIZE_MAX);
	value_field(report, &live, "live_bytes", value_u64(leaks->totals.live));
	value_field(report, &live, "live_blocks", value_u64(leaks->totals.live_blocks));
	value_field(report, &report->head, "of", live);
	if (leaks->request->suppressions)
		add_part(report, &report->head, "suppressed", &leaks->suppressed, SIZE_MAX);
	if (leaks->request->confirm) {
		struct value part = value_object();

		value_field(report, &part, "unreachable_bytes",
			    value_u64(leaks->unconfirmed_bytes));
		value_field(report, &part, "unreachable_blocks",
			    value_u64(leaks->unconfirmed_blocks));
		value_field(report, &report->head, "unconfirmed", part);
	}
	add_part(report, &report->tail, "shown", &leaks->shown, leaks->shown_count);
	add_part(report, &report->tail, "hidden", &hidden, leaks->count - leaks->shown_count);
}

static void add_title(struct leaks *leaks)
{
	struct report *report = leaks->report;
	const struct store_lost *totals = &leaks->totals;
	char lost[32], live[32], blocks[64], direct[64], indirect[64];

	if (!lost_blocks(totals)) {
		report->title =
			report_text(report, "%s: nothing is unreachable (%s live in %s)",
				    sites_input_name(report, 0), sites_bytes(totals->live, live),
				    sites_blocks(totals->live_blocks, blocks));
		return;
	}
	report->title = report_text(
		report, "%s: %s in %s %s unreachable, of %s: %s directly, %s through others",
		sites_input_name(report, 0), sites_bytes(lost_bytes(totals), lost),
		sites_blocks(lost_blocks(totals), blocks), lost_blocks(totals) == 1 ? "is" : "are",
		sites_bytes(totals->live, live), sites_blocks(totals->direct_blocks, direct),
		sites_blocks(totals->indirect_blocks, indirect));
}

static void note_suppressions(struct leaks *leaks)
{
	const struct suppressions *all = leaks->request->suppressions;
	char bytes[32];

	for (size_t i = 0; all && i < all->count; i++) {
		const struct suppression *rule = &all->rules[i];

		if (rule->matches)
			report_note(leaks->report, "Suppressed by leak:%s: %zu call stack%s, %s.",
				    rule->pattern, rule->matches, rule->matches == 1 ? "" : "s",
				    sites_bytes(rule->bytes, bytes));
		if (suppression_is_expired(rule, leaks->request->today))
			report_notice(leaks->report,
				      &(struct notice){.kind = NOTICE_SUPPRESSION_EXPIRED,
						       .texts = {rule->pattern},
						       .figures = {rule->line}});
	}
}

static void add_notes(struct leaks *leaks)
{
	struct report *report = leaks->report;
	struct store_lost rest = leaks->totals;
	char bytes[32], blocks[64];

	note_suppressions(leaks);
	if (leaks->unconfirmed_blocks)
		report_note(report, "Not confirmed by the second snapshot, and left out: %s in %s.",
			    sites_bytes(leaks->unconfirmed_bytes, bytes),
			    sites_blocks(leaks->unconfirmed_blocks, blocks));
	if (leaks->shown_count < leaks->count)
		report_note(report, "%zu of %zu rows are shown; --all shows every one.",
			    leaks->shown_count, leaks->count);
	subtract_lost(&rest, &leaks->suppressed);
	for (size_t i = 0; i < leaks->count; i++)
		subtract_lost(&rest, &leaks->rows[i].lost);
	if (lost_blocks(&rest))
		report_note(report, "The filters leave out %s in %s.",
			    sites_bytes(lost_bytes(&rest), bytes),
			    sites_blocks(lost_blocks(&rest), blocks));
	if (leaks->shown.ring_blocks)
		report_note(report,
			    "%" PRIu64 " ring%s: blocks that refer to each other and that nothing "
			    "else refers to, such as shared_ptr that point to each other.",
			    leaks->shown.ring_blocks, leaks->shown.ring_blocks == 1 ? "" : "s");
	if (leaks->count)
		report_note(report,
			    "Unreachable: no plain, aligned pointer leads to it from globals, "
			    "stacks, registers or mappings.");
}

static void tell(struct leaks *leaks)
{
	for (size_t i = 0; i < leaks->shown_count; i++)
		add_row(leaks, &leaks->rows[i]);
	sites_tell_apart(leaks->report, KEY, SITE);
	sites_hide_empty(leaks->report, VIA);
	sites_hide_empty(leaks->report, CALLERS);
	value_field(leaks->report, &leaks->report->head, "group",
		    value_text(leaks->report, group_key_names[leaks->request->options->group]));
	add_summary(leaks);
	add_title(leaks);
	add_notes(leaks);
	leaks->report->finding = leaks->count > 0;
}

struct report *leaks_report_new(void)
{
	return report_new("snapdiff.leaks/1", columns, COLUMNS);
}

enum snap_status leaks_fill(struct report *report, const struct leaks_request *request,
			    struct snap_error *err)
{
	struct leaks leaks = {.report = report, .request = request};
	int column = SORT_LOST;
	const struct select_options select = sites_selection(request->options);
	enum snap_status st = SNAP_OK;

	if (st == SNAP_OK && request->options->cumulative)
		st = fail(err, SNAP_EUSAGE,
			  "leaks counts a call stack once; leave --cumulative out");
	if (st == SNAP_OK)
		st = sites_sort_column(&column, request->options->sort, sort_names, SORT_LOST, err);
	if (st == SNAP_OK)
		st = selection_new(&leaks.selection, request->dataset, &select, err);
	if (st == SNAP_OK)
		st = sum_up(&leaks, err);
	if (st == SNAP_OK) {
		arrange(&leaks, column);
		st = sum_shown(&leaks, err);
	}
	if (st == SNAP_OK)
		tell(&leaks);
	free(leaks.rows);
	free(leaks.found);
	free(leaks.of_group);
	selection_free(leaks.selection);
	return st;
}

/* ---- snapshots without a graph, and weak ones ------------------------------------------------ */

enum snap_status leaks_need_graph(const struct report *report, size_t input,
				  const struct graph *graph, bool blocks_only, struct store *store,
				  int64_t id, struct snap_error *err)
{
	struct facts facts = {0};
	const char *what;
	enum snap_status st;

	for (size_t i = 0; i < graph->group_count; i++)
		if (!blocks_only || graph->groups[i].row.kind == SNAP_GROUP_SITE)
			return SNAP_OK;
	st = facts_read(&facts, store, id, err);
	what = facts_text(&facts, "holders");
	if (st == SNAP_OK && strncmp(what, "failed: ", 8) == 0)
		st = fail(err, SNAP_EUSAGE, "%s does not say who holds what: %s",
			  sites_input_name(report, input), what + 8);
	facts_release(&facts);
	if (st != SNAP_OK)
		return st;
	return fail(err, SNAP_EUSAGE,
		    "%s does not say who holds what: take one with 'snapdiff snap --holders PID', "
		    "or record with 'snapdiff run --holders-at-exit -- COMMAND'",
		    sites_input_name(report, input));
}

static void warn_of(struct report *report, size_t input, enum notice_kind kind, uint64_t figure)
{
	report_notice(report, &(struct notice){.kind = kind,
					       .who = sites_input_name(report, input),
					       .figures = {figure}});
}

enum snap_status leaks_warn(struct report *report, size_t input, struct store *store, int64_t id,
			    struct snap_error *err)
{
	struct facts facts = {0};
	enum snap_status st = facts_read(&facts, store, id, err);
	bool stopped = strcmp(facts_text(&facts, "holders.stop"), "none") != 0;
	uint64_t unread = facts_number(&facts, "holders.threads_unread");
	uint64_t pages = facts_number(&facts, "holders.pages_unreadable");
	uint64_t rings = facts_number(&facts, "holders.rings");

	facts_release(&facts);
	if (st != SNAP_OK)
		return st;
	if (!stopped)
		warn_of(report, input, NOTICE_THREADS_NOT_STOPPED, 0);
	else if (unread)
		warn_of(report, input, NOTICE_REGISTERS_UNKNOWN, unread);
	if (pages)
		warn_of(report, input, NOTICE_PAGES_UNREADABLE, pages);
	if (rings)
		warn_of(report, input, NOTICE_KERNEL_REQUESTS, rings);
	return SNAP_OK;
}
