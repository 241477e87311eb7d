/*
 * growth.c - the growth report: its rows, their sums, and what is said of them.
 */
#include "report/growth_rows.h"

#include <stdlib.h>

#include "base/fail.h"
#include "report/sites.h"

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
	return judgement->judged_count < GROWTH_SURE_SNAPSHOTS &&
	       (judgement->verdict == GROWTH_INCONCLUSIVE || growth_is_growth(judgement));
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
			    unsure, unsure == 1 ? " needs" : "s need", GROWTH_SURE_SNAPSHOTS);
	if (shown_count)
		report_note(report, "Next: %s  (who calls it, and for how much)",
			    growth_next_command(report, request->shared, &list->rows[0]));
}

static bool any_finding(const struct growth_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		if (growth_is_finding(&list->rows[i].judgement))
			return true;
	return false;
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

enum snap_status growth_fill(struct report *report, const struct growth_part *parts, size_t count,
			     const struct growth_request *request, struct snap_error *err)
{
	const struct report_options *options = request->shared;
	struct growth_list list = {0};
	size_t rows, judged, shown_count = 0;
	struct ends shown;
	enum snap_status st = list_rows(&list, report, parts, count, request, err);

	rows = list.count;
	growth_list_drop_small(&list, options->min_bytes);
	judged = list.count;
	if (st == SNAP_OK)
		st = growth_list_order(&list, options, err);
	if (st == SNAP_OK) {
		report->finding = any_finding(&list);
		growth_list_drop_stable(&list, options);
		shown_count = sites_limit(options, list.count);
		st = sum_shown(parts, count, &list, shown_count, &shown, err);
	}
	if (st == SNAP_OK) {
		sites_describe(report, options);
		value_field(report, &report->head, "per", value_text(report, parts->axis.per));
		add_sums(report, totals_of(parts, count), rows, shown_count, shown);
		growth_describe_processes(report, parts, count, request->warmup,
					  request->limit_bytes);
		growth_choose_columns(report, parts, count);
		for (size_t i = 0; i < shown_count; i++)
			growth_add_row(report, options, &list.rows[i]);
		growth_finish_rows(report);
		add_notes(report, parts, request, &list, judged, judged - list.count, shown_count);
	}
	growth_list_release(&list);
	return st;
}
