/*
 * growth.c - the growth report: rows, sums and sentences.
 */
#include "report/growth_finding.h"

#include <stdlib.h>

#include "base/fail.h"
#include "base/pattern.h"
#include "report/growth.h"
#include "report/growth_pattern.h"
#include "report/propose_census.h"
#include "report/sites.h"

enum { MOST_COMPARED = 256 }; /* rows whose call stacks are compared, see growth_finding.c */

/* ---- sums ------------------------------------------------------------------------------------ */

struct ends {
	double first, last;
};

/* Row `i` of the list is shown; where that is not known yet, the first of them may be. */
static bool may_show(const bool *is_shown, size_t i)
{
	return is_shown ? is_shown[i] : i < MOST_COMPARED;
}

static size_t count_shown(const struct growth_list *list, const bool *is_shown)
{
	size_t count = 0;

	for (size_t i = 0; i < list->count; i++)
		count += is_shown[i];
	return count;
}

/* The rows of a part that are shown, by themselves or summed up in another; malloc'ed. */
static struct store_shown *rows_shown(const struct growth_part *part,
				      const struct growth_list *list, const bool *is_shown,
				      size_t *count)
{
	struct store_shown *shown = calloc(part->table.row_count + 1, sizeof(*shown));

	*count = 0;
	for (size_t i = 0; shown && i < list->count; i++)
		for (const struct growth_row *row = &list->rows[i]; row && may_show(is_shown, i);
		     row = row->next)
			if (row->part == part)
				shown[(*count)++] = (struct store_shown){row->row, row->words->key};
	return shown;
}

/* The memory of the stacks credited to a row that is shown; with --cumulative rows overlap. */
static enum snap_status sum_shown(const struct growth_part *parts, size_t count,
				  const struct growth_list *list, const bool *is_shown,
				  struct ends *shown, struct snap_error *err)
{
	enum snap_status st = SNAP_OK;

	*shown = (struct ends){0};
	for (size_t p = 0; st == SNAP_OK && p < count; p++) {
		size_t part_count;
		struct store_shown *rows = rows_shown(&parts[p], list, is_shown, &part_count);
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
	value_field(report, &part, "first_bytes", value_whole(ends.first));
	value_field(report, &part, "last_bytes", value_whole(ends.last));
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

/* ---- closing lines --------------------------------------------------------------------------- */

/* Could a few more snapshots make the verdict surer? */
static bool needs_more(const struct growth_judgement *judgement)
{
	if (judgement->verdict == GROWTH_TOO_FEW)
		return true;
	return judgement->judged_count < GROWTH_SURE_SNAPSHOTS &&
	       (judgement->verdict == GROWTH_INCONCLUSIVE || growth_is_growth(judgement));
}

/* How many rows there are of each verdict, and of those how many the report shows. */
static void note_verdicts(struct report *report, const struct growth_list *list,
			  const bool *is_shown)
{
	size_t counts[GROWTH_VERDICTS] = {0}, shown[GROWTH_VERDICTS] = {0};

	for (size_t i = 0; i < list->count; i++) {
		counts[list->rows[i].judgement.verdict]++;
		shown[list->rows[i].judgement.verdict] += is_shown[i];
	}
	growth_note_verdicts(report, counts, shown);
}

static void explain_rows(struct report *report, const struct growth_list *list,
			 const bool *is_shown, bool all)
{
	for (size_t i = 0; i < list->count; i++)
		if (is_shown[i])
			growth_explain_row(report, list, &list->rows[i], all);
}

/* Caches of the C library and the loader do not count as a leak of a run. */
static void add_by_design(struct report *report, const struct growth_part *parts, size_t count)
{
	struct value object = value_object();
	double bytes = 0, blocks = 0;
	char size[32], number[64];

	for (size_t p = 0; p < count; p++) {
		bytes += parts[p].table.by_design_bytes;
		blocks += parts[p].table.by_design_blocks;
	}
	value_field(report, &object, "bytes", value_whole(bytes));
	value_field(report, &object, "blocks", value_whole(blocks));
	value_field(report, &report->head, "by_design", object);
	if (blocks > 0)
		report_note(report,
			    "The C library, the loader or an interpreter leave %s (%s) of "
			    "each run by design: no leak; --all judges them too.",
			    sites_blocks((uint64_t)whole_number(blocks), number),
			    sites_bytes((uint64_t)whole_number(bytes), size));
}

/* Blocks that are left at the exit but still reachable are no leak per run either. */
static void add_reachable(struct report *report, const struct growth_list *list)
{
	struct value object = value_object();
	char size[32], number[64];

	value_field(report, &object, "bytes", value_u64(list->reachable_bytes));
	value_field(report, &object, "blocks", value_u64(list->reachable_blocks));
	value_field(report, &report->head, "reachable_at_exit", object);
	if (list->reachable_blocks)
		report_note(report,
			    "Still reachable at the exit of a run: %s (%s); they are kept, not "
			    "lost, so no leak per run; --all judges them too.",
			    sites_blocks(list->reachable_blocks, number),
			    sites_bytes(list->reachable_bytes, size));
}

static void add_notes(struct report *report, const struct growth_part *parts, size_t count,
		      const struct growth_request *request, const struct growth_list *list,
		      const bool *is_shown)
{
	size_t unsure = 0, first = 0;

	for (size_t i = 0; i < list->count; i++)
		unsure += needs_more(&list->rows[i].judgement);
	while (first < list->count && !is_shown[first])
		first++;
	if (parts->axis.repeated)
		report_note(report,
			    "Each snapshot is the end of another run: what every run leaves "
			    "is added up, and growth is what it leaves.");
	if (request->explain || request->shared->verbose)
		explain_rows(report, list, is_shown, request->explain != NULL);
	if (list->count == 0 && !parts->table.dataset->site_count)
		report_note(report, "The snapshots hold no call stack.");
	growth_note_objects(report, parts, count, list->finding_count > 0);
	note_verdicts(report, list, is_shown);
	if (unsure)
		report_note(report, "%zu row%s more snapshots: a sure verdict takes %d or more.",
			    unsure, unsure == 1 ? " needs" : "s need", GROWTH_SURE_SNAPSHOTS);
	if (list->finding_count > 0 && !parts->held)
		propose_census(report, parts->table.dataset);
	if (first < list->count)
		report_note(report, "Next: %s  (%s)",
			    growth_next_command(report, request->shared, &list->rows[first]),
			    request->shared->group == GROUP_TYPE
				    ? "what keeps them alive"
				    : "who calls it, and for how much");
}

static enum snap_status list_rows(struct growth_list *list, struct report *report,
				  const struct growth_part *parts, size_t count,
				  const struct growth_request *request, struct snap_error *err)
{
	enum snap_status st =
		growth_list_judge(list, parts, count, request->warmup, request->control, err);

	if (st == SNAP_OK && count > 1)
		st = growth_list_join_workers(list, report, err);
	return st;
}

/* ---- which rows are shown -------------------------------------------------------------------- */

static enum snap_status compile_explain(regex_t *regex, const char *pattern, struct snap_error *err)
{
	char why[PATTERN_WHY];
	enum snap_status st = pattern ? pattern_compile(regex, pattern, why) : SNAP_OK;

	return st == SNAP_OK ? st : fail(err, st, "--explain '%s': %s", pattern, why);
}

static bool is_folded(const struct growth_list *list, const struct growth_request *request,
		      bool sorted, const struct growth_row *row)
{
	const struct growth_finding *finding = growth_finding_of(list, row);

	return request->fold && !request->explain && !sorted && finding && finding->count > 1;
}

/* Mark the rows that the report shows; those of a folded finding count as one. */
static enum snap_status choose_rows(const struct growth_list *list,
				    const struct growth_request *request, bool sorted, bool *shown,
				    struct snap_error *err)
{
	uint64_t room = report_limit(request->shared);
	regex_t regex;
	enum snap_status st = compile_explain(&regex, request->explain, err);

	if (st != SNAP_OK)
		return st;
	for (size_t i = 0; i < list->count; i++) {
		const struct growth_row *row = &list->rows[i];
		bool follows = is_folded(list, request, sorted, row) && !row->leads;

		if (request->explain && !pattern_matches(&regex, row->words->key))
			continue;
		if (!request->explain && !request->shared->all && growth_is_minor(list, row))
			continue;
		shown[i] = follows ? i > 0 && shown[i - 1] : room > 0;
		room -= shown[i] && !follows;
	}
	if (request->explain)
		regfree(&regex);
	return SNAP_OK;
}

static void add_rows(struct report *report, const struct growth_list *list,
		     const struct growth_request *request, bool sorted, const bool *shown)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct growth_row *row = &list->rows[i];
		bool folded = is_folded(list, request, sorted, row);
		struct value *values;

		if (!shown[i] || (folded && !row->leads))
			continue;
		values = growth_add_row(report, request->shared, row,
					growth_reason_line(report, list, row));
		if (folded)
			growth_fold_row(report, list, row, values);
	}
	growth_finish_rows(report);
}

static void describe(struct report *report, const struct growth_part *parts, size_t count,
		     const struct growth_request *request, const struct growth_list *list)
{
	double unrecorded = growth_unrecorded(report, parts, count, request->warmup);

	report->finding = list->finding_count > 0;
	growth_add_headline(report, list, parts, count, unrecorded, request->shared);
	value_field(report, &report->head, "unrecorded_growth", value_whole(unrecorded));
	sites_describe(report, request->shared);
	value_field(report, &report->head, "per", value_text(report, parts->axis.per));
	value_field(report, &report->head, "repeated", value_bool(parts->axis.repeated));
	add_by_design(report, parts, count);
	add_reachable(report, list);
}

/* All rows with their verdicts: rows of one finding next to each other, the strongest claim
 * first. */
static enum snap_status find_rows(struct growth_list *list, const struct growth_part *parts,
				  size_t count, const struct growth_request *request,
				  struct snap_error *err)
{
	const struct report_options *options = request->shared;
	enum snap_status st = SNAP_OK;
	struct ends ignored;

	growth_list_drop_small(list, options->min_bytes);
	growth_list_order_by_claim(list, options);
	if (!options->sql)
		st = sum_shown(parts, count, list, NULL, &ignored, err);
	if (st == SNAP_OK)
		st = growth_list_find(list, options, err);
	if (st == SNAP_OK)
		st = growth_list_name(list, err);
	if (st == SNAP_OK)
		st = growth_list_order_findings(list, options->metric == FIGURE_LIVE_BLOCKS, err);
	return st;
}

static void fill(struct report *report, const struct growth_part *parts, size_t count,
		 const struct growth_request *request, const struct growth_list *list, bool sorted,
		 const bool *shown)
{
	growth_describe_processes(report, parts, count, request->warmup, request->limit_bytes);
	growth_choose_columns(report, request->shared, parts, count);
	add_rows(report, list, request, sorted, shown);
	add_notes(report, parts, count, request, list, shown);
}

enum snap_status growth_fill(struct report *report, const struct growth_part *parts, size_t count,
			     const struct growth_request *request, struct snap_error *err)
{
	struct growth_list list = {0};
	bool *is_shown = NULL, sorted = false;
	struct ends shown;
	size_t rows;
	enum snap_status st = list_rows(&list, report, parts, count, request, err);

	rows = list.count;
	if (st == SNAP_OK)
		st = find_rows(&list, parts, count, request, err);
	if (st == SNAP_OK)
		st = growth_list_sort(&list, request->shared, &sorted, err);
	if (st == SNAP_OK) {
		is_shown = calloc(list.count + 1, sizeof(*is_shown));
		st = is_shown ? choose_rows(&list, request, sorted, is_shown, err)
			      : fail_memory(err, "judging growth");
	}
	if (st == SNAP_OK)
		st = sum_shown(parts, count, &list, is_shown, &shown, err);
	if (st == SNAP_OK) {
		describe(report, parts, count, request, &list);
		add_sums(report, totals_of(parts, count), rows, count_shown(&list, is_shown),
			 shown);
		fill(report, parts, count, request, &list, sorted, is_shown);
	}
	free(is_shown);
	growth_list_release(&list);
	return st;
}
