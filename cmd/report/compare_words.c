/*
 * compare_words.c - the title, the finding in one sentence, and the lines below the rows.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "report/call_tree.h"
#include "report/compare_graph.h"
#include "report/compare_part.h"
#include "report/sites.h"

/* "a.snap", or "3 snapshots" */
static const char *side_name(struct compare *compare, bool new)
{
	const struct repeats *repeats = compare->repeats;
	size_t first = repeats && new ? repeats->old_count : new;
	size_t count = !repeats ? 1
		       : new    ? repeats->count - repeats->old_count
				: repeats->old_count;

	if (count == 1)
		return sites_input_name(compare->report, first);
	return report_text(compare->report, "%zu snapshots (%s ...)", count,
			   sites_input_name(compare->report, first));
}

void compare_add_title(struct compare *compare)
{
	const struct figures *old = &compare->old_total, *new = &compare->new_total;
	enum figure bytes = sites_bytes_figure(compare->options);
	char before[32], after[32], delta[32];

	compare->report->title = report_text(compare->report, "%s -> %s: %s -> %s %s (%s)",
					     side_name(compare, false), side_name(compare, true),
					     sites_bytes(old->value[bytes], before),
					     sites_bytes(new->value[bytes], after),
					     bytes == FIGURE_LIVE_BYTES ? "live" : "allocated",
					     sites_change(old, new, bytes, delta));
}

static bool is_growth(const struct compare *compare, const struct compare_row *row)
{
	return row->change->status == CHANGE_NEW || row->change->status == CHANGE_GREW ||
	       compare_is_finding(compare, row->change);
}

/* ", called from serve < main"; "" where the rows have no callers of their own. */
static const char *called_from(struct compare *compare, const struct compare_row *row)
{
	uint32_t site = change_label_site(&compare->pairing.pairs[row->change->heaviest]);
	struct value callers;

	if (!compare->callers)
		return "";
	callers = sites_callers(compare->report, compare->dataset, site,
				sites_no_skip(compare->options));
	return callers.kind == VALUE_TEXT
		       ? report_text(compare->report, ", called from %s", callers.text.data)
		       : "";
}

/* What a row is judged by: "+64.0 KiB"; "7.8 KiB -> 15.6 KiB per request" */
static const char *worst_change(const struct compare *compare, const struct change_row *row)
{
	const struct per_unit *per = compare->per;
	uint64_t old = row->old.value[compare->metric], new = row->new.value[compare->metric];
	char delta[32];

	if (per && old != SNAP_UNKNOWN && new != SNAP_UNKNOWN)
		return report_text(compare->report, "%s per %s",
				   compare_rates_text(compare, (double)old / per->units.old,
						      (double)new / per->units.new),
				   per->unit);
	return report_text(
		compare->report, "%s",
		sites_change(&row->old, &row->new, sites_bytes_figure(compare->options), delta));
}

static const char *worst_text(struct compare *compare, const struct compare_row *worst)
{
	return report_text(compare->report, "worst is %s (%s)%s",
			   sites_bare_words(compare->report, compare_words_of(compare, worst)),
			   worst_change(compare, worst->change), called_from(compare, worst));
}

/* ": 3 rows shrank or are gone (-1.0 MiB), 2 moved, 140 are the same" */
static const char *other_rows(struct compare *compare)
{
	struct report *report = compare->report;
	enum figure bytes = sites_bytes_figure(compare->options);
	bool has_sum = !compare->options->cumulative && !compare->per && !compare->repeats;
	size_t fewer = 0, moved = 0, same = compare->same_count;
	const char *text = "";
	int64_t sum = 0;
	char delta[32];

	for (size_t i = 0; i < compare->count; i++) {
		const struct change_row *row = compare->rows[i].change;
		bool is_less = row->status == CHANGE_SHRANK || row->status == CHANGE_GONE;

		fewer += is_less;
		moved += row->status == CHANGE_MOVED;
		sum += is_less ? figures_delta(&row->old, &row->new, bytes) : 0;
	}
	if (fewer)
		text = report_text(report, ": %zu row%s shrank or %s gone%s", fewer,
				   fewer == 1 ? "" : "s", fewer == 1 ? "is" : "are",
				   has_sum ? report_text(report, " (%s)", sites_delta(sum, delta))
					   : "");
	if (moved)
		text = report_text(report, "%s%s %zu%s moved", text, *text ? "," : ":", moved,
				   *text        ? ""
				   : moved == 1 ? " row"
						: " rows");
	if (same)
		text = report_text(report, "%s%s %zu%s %s the same", text, *text ? "," : ":", same,
				   *text       ? ""
				   : same == 1 ? " row"
					       : " rows",
				   same == 1 ? "is" : "are");
	return text;
}

/* One snapshot a side cannot tell growth from chance. */
static const char *how_sure(struct compare *compare)
{
	const struct repeats *repeats = compare->repeats;

	if (!repeats)
		return "one snapshot a side";
	return report_text(compare->report, "%zu against %zu snapshots", repeats->old_count,
			   repeats->count - repeats->old_count);
}

static void say_no_growth(struct compare *compare)
{
	const char *least = "";
	char size[32];

	if (compare->unknown_count)
		return;
	if (compare->small_count)
		least = report_text(compare->report, " of %s or more",
				    sites_bytes(compare->options->min_bytes, size));
	compare->report->headline = report_text(compare->report, "No growth%s found%s (%s).", least,
						other_rows(compare), how_sure(compare));
}

void compare_add_finding(struct compare *compare)
{
	const struct compare_row *worst = NULL;
	enum figure bytes = sites_bytes_figure(compare->options);
	size_t count = 0;
	int64_t sum = 0;
	char delta[32];

	for (size_t i = 0; i < compare->count; i++) {
		const struct compare_row *row = &compare->rows[i];

		if (!is_growth(compare, row))
			continue;
		if (!worst || compare_two_rows(row, worst, compare) < 0)
			worst = row;
		count++;
		sum += figures_delta(&row->change->old, &row->change->new, bytes);
	}
	if (!worst) {
		say_no_growth(compare);
		return;
	}
	/* Rows that overlap, or are ordered by something else, have no sum. */
	compare->report->headline = report_text(
		compare->report, "%zu row%s grew or %s new%s: %s.", count, count == 1 ? "" : "s",
		count == 1 ? "is" : "are",
		compare->options->cumulative || compare->per || compare->repeats
			? ""
			: report_text(compare->report, " (%s)", sites_delta(sum, delta)),
		worst_text(compare, worst));
}

static int64_t part_change(const struct compare_row *rows, size_t count, enum figure figure)
{
	int64_t sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += compare_magnitude(
			figures_delta(&rows[i].change->old, &rows[i].change->new, figure));
	return sum;
}

/* ", 97.0 % of the bytes that changed" */
static const char *share_text(struct compare *compare)
{
	enum figure bytes = sites_bytes_figure(compare->options);
	int64_t all = part_change(compare->rows, compare->count, bytes);
	int64_t shown = part_change(compare->rows, compare->shown_count, bytes);

	if (compare->per)
		return ""; /* sizes as recorded are not what is compared */
	if (all == 0)
		return compare->unknown_count ? "" : ", 0 bytes changed";
	return report_text(compare->report, ", %.1f %% of the bytes that changed",
			   100.0 * (double)shown / (double)all);
}

static void note_what_is_shown(struct compare *compare)
{
	const char *more = compare->shown_count < compare->count || compare->same_count
				   ? "; --all shows the rest"
				   : "";
	const char *unknown = "";

	if (compare->count == 0) { /* the first line has said what there is */
		report_note(compare->report, "Nothing changed%s", more);
		return;
	}
	if (compare->unknown_count)
		unknown = report_text(compare->report,
				      "; of %zu it is not known what changed (status -)",
				      compare->unknown_count);
	report_note(compare->report, "Shown: %zu of %zu %s%s%s%s", compare->shown_count,
		    compare->count,
		    compare->options->all || compare->unknown_count ? "rows" : "changed rows",
		    share_text(compare), unknown, more);
}

/* Both sides where each is one file; else a snapshot of the new side. */
static const char *peek_operands(struct compare *compare)
{
	struct report *report = compare->report;
	size_t new = compare->repeats ? compare->repeats->old_count : 1;
	const char *operand = sites_input_operand(report, new, compare->options);

	if (compare->repeats || compare->options->db)
		return operand;
	return report_text(report, "%s %s", sites_input_operand(report, 0, compare->options),
			   operand);
}

static void note_units(struct compare *compare)
{
	const struct per_unit *per = compare->per;

	report_note(compare->report,
		    "Rows are judged and ordered per %s (%.10g %s in the old, %.10g in the new "
		    "snapshot), and change is per %s; old and new are as recorded.",
		    per->unit, per->units.old, per->by, per->units.new, per->unit);
}

/* The cause of the largest change, if that is growth. */
static void note_next(struct compare *compare)
{
	const struct compare_row *first = compare->rows;
	struct sites_question question;

	if (!compare->shown_count ||
	    (first->change->status != CHANGE_NEW && first->change->status != CHANGE_GREW))
		return;
	question =
		sites_question(compare->report, compare_words_of(compare, first), compare->dataset,
			       change_label_site(&compare->pairing.pairs[first->change->heaviest]),
			       compare->options);
	if (question.pattern)
		report_note(compare->report, "Next: snapdiff %s %s %s  (%s)", question.command,
			    question.pattern,
			    compare->options->group == GROUP_TYPE
				    ? sites_input_operand(compare->report, 1, compare->options)
				    : peek_operands(compare),
			    question.why);
}

/* Explain the marks of the shown rows. */
static void note_marks(struct compare *compare)
{
	bool function = false, fuzzy = false;

	for (size_t i = 0; i < compare->shown_count; i++) {
		const struct change_row *change = compare->rows[i].change;

		function |= change->paired && change->weakest == PAIR_FUNCTION;
		fuzzy |= change->paired && change->weakest == PAIR_FUZZY;
	}
	if (function || fuzzy)
		report_note(compare->report, "%s%s%s.",
			    function ? "~ the same functions, from other lines" : "",
			    function && fuzzy ? "; " : "",
			    fuzzy ? "~~ paired by likeness: renamed, moved or inlined" : "");
}

/* Rows that have a new holder and are not shown. */
static void note_holders(struct compare *compare)
{
	enum { MOST = 5 };
	size_t count, told = 0, next;
	const struct new_holder *all = compare_graph_all(compare->graph, &count);
	bool *is_shown = report_alloc(compare->report, compare->changes.count + 1);

	memset(is_shown, 0, compare->changes.count + 1);
	for (size_t i = 0; i < compare->shown_count; i++)
		is_shown[compare->rows[i].row] = true;
	for (size_t i = 0; i < count; i = next) {
		for (next = i + 1; next < count && all[next].row == all[i].row;)
			next++;
		if (is_shown[all[i].row] || all[i].row_is_new || told++ >= MOST)
			continue;
		report_note(
			compare->report, "%s is %s.",
			sites_words(compare->report, selection_row(compare->selection, all[i].row)),
			compare_graph_words(compare->report, &all[i], next - i));
	}
	if (told > MOST)
		report_note(compare->report, "%zu more rows that are not shown have new holders.",
			    told - MOST);
}

void compare_add_notes(struct compare *compare)
{
	struct figures old = compare->old_total, new = compare->new_total;
	char before[32], after[32];

	figures_subtract(&old, &compare->old_selected);
	figures_subtract(&new, &compare->new_selected);
	if (figures_has(&old, FIGURE_LIVE_BYTES) || figures_has(&new, FIGURE_LIVE_BYTES))
		report_note(compare->report,
			    "The filters leave out %s of the old and %s of the new live memory.",
			    sites_bytes(old.value[FIGURE_LIVE_BYTES], before),
			    sites_bytes(new.value[FIGURE_LIVE_BYTES], after));
	if (compare->graph)
		note_holders(compare);
	note_next(compare);
	if (compare->per)
		note_units(compare);
	note_marks(compare);
	note_what_is_shown(compare);
}
