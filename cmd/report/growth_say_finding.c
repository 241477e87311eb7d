/*
 * growth_say_finding.c - the findings of a growth report in sentences.
 */
#include "report/growth_finding.h"
#include "analysis/growth/growth.h"
#include "report/growth.h"
#include "report/growth_graph.h"
#include "report/growth_held.h"
#include "report/growth_pattern.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report/sites.h"

static const double least_seconds = 3;
static const char *const units_of_time[] = {"s", "min", "h"};

/* ---- how fast -------------------------------------------------------------------------------- */

static const char *size_text(struct report *report, double bytes)
{
	char buffer[32];

	return report_text(report, "%s",
			   sites_bytes(bytes < 0 ? 0 : (uint64_t)whole_number(bytes), buffer));
}

/* "5.0 s", "10 min" */
static const char *time_text(struct report *report, double seconds)
{
	size_t unit = 0;

	for (; unit < 2 && seconds >= 120; unit++)
		seconds /= 60;
	return report_text(report, seconds < 10 ? "%.1f %s" : "%.0f %s", seconds,
			   units_of_time[unit]);
}

/* The length in seconds of the unit of a part's slopes; 0 if times are unknown, or if the series
 * is too short to extrapolate to an hour. */
static double seconds_per_unit(const struct growth_axis *axis)
{
	double units = 0, seconds = 0;

	for (size_t i = 1; axis->seconds_rise && i < axis->count; i++)
		if (axis->run[i] == axis->run[i - 1]) {
			units += axis->unit_x[i] - axis->unit_x[i - 1];
			seconds += axis->seconds[i] - axis->seconds[i - 1];
		}
	return units > 0 && seconds >= least_seconds ? seconds / units : 0;
}

static const char *per_unit(struct report *report, const struct growth_axis *axis)
{
	double seconds = seconds_per_unit(axis);

	if (strcmp(axis->per, "snapshot") == 0 && seconds > 0 && !axis->repeated)
		return report_text(report, "per %s", time_text(report, seconds));
	return report_text(report, "per %s", axis->repeated ? "run" : axis->per);
}

/* Of all findings together; a negative number where that is not known. */
static double bytes_per_hour(const struct growth_list *list)
{
	double sum = 0;

	for (size_t i = 0; i < list->count; i++) {
		const struct growth_row *row = &list->rows[i];
		double seconds = seconds_per_unit(&row->part->axis);

		if (!row->finding)
			continue;
		if (seconds <= 0 || row->part->axis.repeated)
			return -1;
		sum += row->judgement.bytes_slope.value / seconds * 3600;
	}
	return sum;
}

/* Rows of a pool's workers and of several processes have units of their own. */
static bool have_one_unit(const struct growth_list *list)
{
	const struct growth_part *part = NULL;

	for (size_t i = 0; i < list->count; i++) {
		if (!list->rows[i].finding)
			continue;
		if (part && list->rows[i].part != part)
			return false;
		part = list->rows[i].part;
	}
	return part != NULL;
}

static const char *all_rates(struct report *report, const struct growth_list *list)
{
	double hourly = bytes_per_hour(list), sum = 0;
	const struct growth_axis *axis = &list->rows[0].part->axis;

	for (size_t f = 0; f < list->finding_count; f++)
		sum += list->findings[f].bytes.value;
	if (hourly >= 0 && !have_one_unit(list))
		return report_text(report, "+%s per hour", size_text(report, hourly));
	if (hourly >= 0)
		return report_text(report, "+%s per hour (%s %s)", size_text(report, hourly),
				   size_text(report, sum), per_unit(report, axis));
	return report_text(report, "+%s %s", size_text(report, sum), per_unit(report, axis));
}

/* ---- the first line -------------------------------------------------------------------------- */

static const struct growth_row *worst_of(const struct growth_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->rows[i].finding == 1 && list->rows[i].leads)
			return &list->rows[i];
	return NULL;
}

static const char *findings_text(struct report *report, const struct growth_list *list)
{
	size_t sites = 0;

	for (size_t f = 0; f < list->finding_count; f++)
		sites += list->findings[f].count;
	if (sites == list->finding_count)
		return report_text(report, "%zu finding%s", sites, sites == 1 ? "" : "s");
	return report_text(report, "%zu finding%s at %zu sites", list->finding_count,
			   list->finding_count == 1 ? "" : "s", sites);
}

/* With --cumulative rows overlap: their growth does not add up. */
static const char *found_text(struct report *report, const struct growth_list *list,
			      const struct report_options *options)
{
	const struct growth_row *worst = worst_of(list);
	const struct growth_finding *finding = &list->findings[0];
	const char *start = growth_finding_start(report, worst, finding);
	const char *rate = options->cumulative
				   ? report_text(report, "the worst +%s %s",
						 size_text(report, finding->bytes.value),
						 per_unit(report, &worst->part->axis))
				   : all_rates(report, list);

	return report_text(report, "%s, %s: %s%s%s%s.", findings_text(report, list), rate,
			   list->finding_count > 1 || finding->count > 1 ? "worst is " : "",
			   growth_finding_name(report, worst, finding), start ? ", " : "",
			   start ? start : "");
}

/* Rows that may turn out to leak with more snapshots. */
static size_t count_open(const struct growth_list *list, const struct growth_row **worst)
{
	size_t count = 0;

	for (size_t i = 0; i < list->count; i++) {
		const struct growth_judgement *judgement = &list->rows[i].judgement;

		if ((!growth_is_growth(judgement) && judgement->verdict != GROWTH_INCONCLUSIVE) ||
		    judgement->bytes_slope.low <= 0 || growth_is_minor(list, &list->rows[i]))
			continue;
		if (count++ == 0)
			*worst = &list->rows[i];
	}
	return count;
}

/* The most snapshots that any part was judged by, without those that idle intervals leave out. */
static size_t most_snapshots(const struct growth_part *parts, size_t count, double *seconds)
{
	size_t most = 0;

	*seconds = 0;
	for (size_t p = 0; p < count; p++) {
		const struct growth_axis *axis = &parts[p].axis;
		size_t judged = axis->count - axis->idle;

		if (judged > most) {
			most = judged;
			*seconds = axis->seconds_rise ? axis->seconds[axis->count - 1] : 0;
		}
	}
	return most;
}

static const char *how_sure(size_t snapshots)
{
	return growth_confidence_name(growth_most_confidence(snapshots));
}

/* There are call stacks, and no row: not even of what repeated runs leave by design. */
static bool filters_leave_nothing(const struct growth_part *parts, size_t count)
{
	bool has_sites = false;

	for (size_t p = 0; p < count; p++) {
		has_sites |= parts[p].table.dataset->site_count > 0;
		if (parts[p].table.by_design_blocks > 0)
			return false;
	}
	return has_sites;
}

/* Short-lived workers of a pool have few snapshots each.  Say so, so that the reader does not
   conclude that nothing grows. */
static const char *growth_without_verdict(struct report *report, const struct growth_list *list)
{
	const struct growth_row *worst = NULL;

	for (size_t i = 0; i < list->count; i++) {
		const struct growth_row *row = &list->rows[i];

		if (row->judgement.verdict == GROWTH_TOO_FEW && row->workers > 1 &&
		    row->last > row->first && !growth_is_minor(list, row) &&
		    (!worst || row->last - row->first > worst->last - worst->first))
			worst = row;
	}
	if (!worst)
		return "";
	return report_text(report,
			   "; but some of %zu processes have too few snapshots for a verdict, and "
			   "grew, most in %s",
			   worst->workers, sites_words(report, worst->words));
}

/* Why objects of an interpreter are not recorded; NULL: they are, or there is none. */
static const char *unseen_python(const struct growth_part *parts, size_t count)
{
	for (size_t p = 0; p < count; p++)
		if (growth_python_is_unseen(&parts[p].axis))
			return parts[p].axis.python.problem;
	return NULL;
}

static const char *nothing_text(struct report *report, const struct growth_list *list,
				const struct growth_part *parts, size_t count, double unrecorded)
{
	const struct growth_row *worst = NULL;
	const char *unseen = unseen_python(parts, count);
	size_t open = count_open(list, &worst);
	double seconds;
	size_t snapshots = most_snapshots(parts, count, &seconds);
	const char *time = seconds > 0 && !parts->axis.repeated
				   ? report_text(report, " over %s", time_text(report, seconds))
				   : "";

	if (list->count == 0 && filters_leave_nothing(parts, count))
		return report_text(report, "Nothing was judged: no call stack passes the filters.");
	if (snapshots < 3)
		return report_text(report,
				   "No verdict: %zu snapshot%s too few; three are the least, and "
				   "%d make it sure.",
				   snapshots, snapshots == 1 ? " is" : "s are",
				   GROWTH_SURE_SNAPSHOTS);
	if (open)
		return report_text(report,
				   "No leak is sure in %zu snapshots%s, but %zu site%s may leak: "
				   "%s%s.",
				   snapshots, time, open, open == 1 ? "" : "s",
				   open > 1 ? "worst is " : "", sites_words(report, worst->words));
	if (unseen)
		return report_text(report,
				   "No leak found in native memory in %zu snapshots%s; objects of "
				   "Python are not recorded (%s).",
				   snapshots, time, unseen);
	if (unrecorded > 0)
		return report_text(report,
				   "No leak found in recorded memory in %zu snapshots%s, but "
				   "resident memory grew by %s that no hook saw.",
				   snapshots, time, size_text(report, unrecorded));
	return report_text(report, "No leak found in %zu snapshots%s: confidence %s%s.", snapshots,
			   time, how_sure(snapshots), growth_without_verdict(report, list));
}

void growth_add_headline(struct report *report, const struct growth_list *list,
			 const struct growth_part *parts, size_t count, double unrecorded,
			 const struct report_options *options)
{
	report->headline = list->finding_count
				   ? found_text(report, list, options)
				   : nothing_text(report, list, parts, count, unrecorded);
	value_field(report, &report->head, "finding", value_text(report, report->headline));
	value_field(report, &report->head, "findings", value_u64(list->finding_count));
}

/* ---- one line for a row ---------------------------------------------------------------------- */

static bool is_same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/* Do their lines belong to one function, or to one file where no function is known? */
static bool is_same_place(const struct select_row *a, const struct select_row *b)
{
	return a->file && b->file && a->line && b->line && strcmp(a->file, b->file) == 0 &&
	       is_same_text(a->function, b->function);
}

/* A member of the finding before `index` has named the function already. */
static bool is_named_before(const struct growth_list *list, size_t index)
{
	const struct growth_row *row = &list->rows[index];

	for (size_t i = 0; i < index; i++)
		if (list->rows[i].finding == row->finding && !growth_is_container(&list->rows[i]) &&
		    is_same_place(list->rows[i].words, row->words))
			return true;
	return false;
}

/* "parse parse.c:36, :39": a function with the lines of it that are rows of the finding. */
static const char *lines_text(struct report *report, const struct growth_list *list, size_t index)
{
	const struct growth_row *row = &list->rows[index];
	const char *text = sites_bare_words(report, row->words);

	for (size_t k = index + 1; k < list->count; k++)
		if (list->rows[k].finding == row->finding && !growth_is_container(&list->rows[k]) &&
		    is_same_place(list->rows[k].words, row->words))
			text = report_text(report, "%s, :%u", text, list->rows[k].words->line);
	return text;
}

/* "parse parse.c:36, :39; postpone queue.c:42": the rows of a finding, function by function. */
static const char *sites_text(struct report *report, const struct growth_list *list,
			      uint32_t number)
{
	enum { MOST_NAMED = 4 };
	const char *text = "";
	size_t named = 0;

	for (size_t i = 0; i < list->count; i++) {
		const struct growth_row *row = &list->rows[i];

		if (row->finding != number || growth_is_container(row) || is_named_before(list, i))
			continue;
		if (named++ < MOST_NAMED)
			text = report_text(report, "%s%s%s", text, named > 1 ? "; " : "",
					   lines_text(report, list, i));
	}
	if (named > MOST_NAMED)
		text = report_text(report, "%s; and %zu more", text, named - MOST_NAMED);
	return text;
}

/* "; nothing reaches 3,800 of their 4,000 blocks any more", if that is most of them; else "". */
static const char *lost_text(struct report *report, const struct growth_list *list, uint32_t number)
{
	struct growth_graph_row all = {0};

	for (size_t i = 0; i < list->count; i++) {
		const struct growth_row *row = &list->rows[i];
		const struct growth_graph *graph = row->part->graph;

		if (row->finding != number || growth_is_container(row) || !graph)
			continue;
		all.blocks += graph->rows[row->row].blocks;
		all.unreachable += graph->rows[row->row].unreachable;
	}
	if (!all.blocks || !growth_graph_is_mostly_lost(&all))
		return "";
	return report_text(report,
			   "; nothing reaches %" PRIu64 " of their %" PRIu64 " blocks any more",
			   all.unreachable, all.blocks);
}

static const char *group_line(struct report *report, const struct growth_list *list,
			      const struct growth_row *leader, const struct growth_finding *finding)
{
	const char *start = finding->shared ? growth_finding_start(report, leader, finding) : NULL;
	double blocks = leader->judgement.blocks_slope.value;
	const char *each = finding->even ? report_text(report, ", %.0f block%s each", blocks,
						       blocks == 1 ? "" : "s")
					 : "";

	return report_text(report, "%zu sites grow %s%s%s%s: %s%s", finding->in_step,
			   finding->by_holder ? "and are held together" : "in step",
			   start ? ", " : "", start ? start : "", each,
			   sites_text(report, list, leader->finding),
			   lost_text(report, list, leader->finding));
}

static bool is_doubt(const char *reason)
{
	return strncmp(reason, "not sure: ", 10) == 0;
}

/* The most telling reason, and why it is not sure. */
static const char *own_reason(struct report *report, const struct growth_judgement *judgement)
{
	const char *text = judgement->reasons[0];

	for (size_t i = 1; i < judgement->reason_count; i++)
		if (is_doubt(judgement->reasons[i]))
			return report_text(report, "%s; %s", text, judgement->reasons[i]);
	return report_text(report, "%s", text);
}

static bool wants_reason(const struct growth_judgement *judgement)
{
	return judgement->reason_count > 0 &&
	       (growth_is_growth(judgement) || judgement->verdict == GROWTH_INCONCLUSIVE);
}

/* What the graph of holders says of a row; NULL: nothing. */
static const struct growth_graph_row *graph_of(const struct growth_row *row)
{
	return row->part->graph ? &row->part->graph->rows[row->row] : NULL;
}

static bool has_holder(const struct growth_row *row)
{
	const struct growth_graph_row *graph = graph_of(row);
	const struct growth_held_row *held = growth_held_of(row);

	if (row->part->axis.repeated) /* its growth is memory that nothing holds */
		return false;
	return (graph && graph->root) || (held && held->words);
}

/* "held by g_queue (app)", "held by put cache.c:9, from the stack of thread 7" */
static const char *graph_holder(struct report *report, const struct growth_row *row,
				const struct growth_graph_row *graph)
{
	const char *held =
		growth_graph_is_mostly_lost(graph) ? "the others are held by" : "held by";
	const struct selection *selection = row->part->table.selection;

	if (graph->holder == SNAP_NONE)
		return report_text(report, "%s %s", held, graph->root);
	return report_text(report, "%s %s, from the %s", held,
			   sites_bare_words(report, selection_row(selection, graph->holder)),
			   graph->root);
}

const char *growth_holder_line(struct report *report, const struct growth_row *row)
{
	const struct growth_held_row *held = growth_held_of(row);
	const struct growth_graph_row *graph = graph_of(row);

	if (!has_holder(row))
		return NULL;
	if (graph && graph->root)
		return graph_holder(report, row, graph);
	if (!held->type)
		return report_text(report, "held by %s", held->words);
	if (held->exact > 0)
		return report_text(report, "exactly %.0f %s per snapshot, held by %s", held->exact,
				   held->type, held->words);
	return report_text(report, "%s held by %s", held->type, held->words);
}

/* Of a finding, the row that says by what it is held: its leader, or else the first that does. */
static const struct growth_row *held_row(const struct growth_list *list,
					 const struct growth_row *row)
{
	if (!row->finding || !row->leads || has_holder(row))
		return row;
	for (size_t i = 0; i < list->count; i++)
		if (list->rows[i].finding == row->finding && has_holder(&list->rows[i]))
			return &list->rows[i];
	return row;
}

/* "global container: ...; rose by ...; dict held by `history` (module global, app.py:3)" */
static const char *with_holder(struct report *report, const struct growth_list *list,
			       const struct growth_row *row, const char *text)
{
	const struct growth_row *holder = held_row(list, row);
	struct growth_pattern pattern = growth_pattern_of(report, row);
	const char *line = growth_holder_line(report, holder);

	if (!pattern.words)
		pattern = growth_pattern_of(report, holder);
	if (pattern.words)
		text = report_text(report, "%s; %s", pattern.words, text);
	return line ? report_text(report, "%s; %s", text, line) : text;
}

/* The first line says who calls the worst row.  The others' lines do, where no doubt needs the
 * room. */
static const char *with_caller(struct report *report, const struct growth_row *row,
			       const struct growth_finding *finding, const char *text)
{
	const char *start = finding && row->leads && row->finding > 1 &&
					    row->judgement.confidence == GROWTH_HIGH
				    ? growth_finding_start(report, row, finding)
				    : NULL;

	return start ? report_text(report, "%s; %s", text, start) : text;
}

const char *growth_reason_line(struct report *report, const struct growth_list *list,
			       const struct growth_row *row)
{
	const struct growth_finding *finding = growth_finding_of(list, row);
	const char *text;

	if (!wants_reason(&row->judgement) && !row->fills)
		return NULL;
	if (finding && row->leads && finding->in_step > 1)
		text = group_line(report, list, row, finding);
	else
		text = with_caller(report, row, finding, own_reason(report, &row->judgement));
	if (finding && row->leads && finding->container)
		text = report_text(report, "%s; grows with %s", text,
				   sites_words(report, finding->container));
	return growth_is_growth(&row->judgement) ? with_holder(report, list, row, text) : text;
}

/* ---- closing lines --------------------------------------------------------------------------- */

void growth_note_verdicts(struct report *report, const size_t counts[GROWTH_VERDICTS],
			  const size_t shown[GROWTH_VERDICTS])
{
	const char *text = NULL;

	for (int v = 0; v < GROWTH_VERDICTS; v++) {
		const char *name = growth_verdict_name((enum growth_verdict)v);

		if (!counts[v])
			continue;
		text = report_text(report, "%s%s%zu %s", text ? text : "", text ? ", " : "",
				   counts[v], name);
		if (shown[v] < counts[v])
			text = report_text(report, shown[v] ? "%s (%zu shown)" : "%s (not shown)",
					   text, shown[v]);
	}
	if (text)
		report_note(report, "Verdicts: %s.", text);
}

static const char *series_text(struct report *report, const double *values, size_t count)
{
	enum { MOST = 12 };
	size_t first = count > MOST ? MOST / 2 : count,
	       last = count > MOST ? count - MOST / 2 : count;
	const char *text = "";

	for (size_t i = 0; i < count; i++) {
		if (i == first && first < last)
			text = report_text(report, "%s, ...", text);
		if (i >= first && i < last)
			continue;
		text = report_text(report, "%s%s%.0f", text, i ? ", " : "", values[i]);
	}
	return text;
}

static void explain_stack(struct report *report, const struct growth_row *row)
{
	uint32_t site = row->part->table.heaviest[row->row];
	const struct dataset *dataset = row->part->table.dataset;

	if (site == SNAP_NONE)
		return;
	report_note(report, "  call stack:");
	for (uint32_t i = 0; i < dataset->sites[site].depth; i++)
		report_note(report, "    %s",
			    sites_short_frame(report, dataset, dataset_frame_at(dataset, site, i)));
}

void growth_explain_row(struct report *report, const struct growth_list *list,
			const struct growth_row *row, bool all)
{
	const struct growth_finding *finding = growth_finding_of(list, row);
	size_t count = growth_row_snapshots(row);

	report_note(report, "%s: %s, confidence %s", row->words->key,
		    growth_verdict_name(row->judgement.verdict),
		    growth_confidence_name(row->judgement.confidence));
	for (size_t i = 0; i < row->judgement.reason_count; i++)
		report_note(report, "  %s", row->judgement.reasons[i]);
	if (finding && finding->count > 1)
		report_note(report, "  one finding with %zu other site%s (%zu in step)",
			    finding->count - 1, finding->count == 2 ? "" : "s", finding->in_step);
	if (!all)
		return;
	report_note(report, "  bytes: %s", series_text(report, row->bytes, count));
	if (row->blocks)
		report_note(report, "  blocks: %s", series_text(report, row->blocks, count));
	explain_stack(report, row);
}
