/*
 * compare_order.c - which rows are shown, and in which order.
 */
#include <math.h>
#include <string.h>

#include "base/order.h"
#include "report/compare_part.h"
#include "report/sites.h"

/* A difference of less than so many standard errors may well be chance (95 %, two-sided). */
static const double noise_limit = 1.96;

static const char *const sort_names[] = {"change",
					 "old_bytes",
					 "new_bytes",
					 "delta_bytes",
					 "old_blocks",
					 "new_blocks",
					 "delta_blocks",
					 "old_allocated_bytes",
					 "new_allocated_bytes",
					 "delta_allocated_bytes",
					 "old_allocated_blocks",
					 "new_allocated_blocks",
					 "delta_allocated_blocks",
					 "key",
					 NULL};

enum { SORT_BY_CHANGE = 0, SORT_BY_FIGURE = 1, SORT_BY_KEY = SORT_BY_FIGURE + 3 * FIGURES };

enum snap_status compare_sort_column(const struct report_options *options, int *column,
				     struct snap_error *err)
{
	return sites_sort_column(column, options->sort, sort_names, SORT_BY_CHANGE, err);
}

int64_t compare_magnitude(int64_t delta)
{
	return delta < 0 ? -delta : delta;
}

static int64_t known_or_zero(uint64_t figure)
{
	return figure == SNAP_UNKNOWN ? 0 : (int64_t)figure;
}

static int64_t order_of(const struct change_row *row, int column, enum figure metric)
{
	enum figure figure = (enum figure)((column - SORT_BY_FIGURE) / 3);

	if (column == SORT_BY_CHANGE)
		return compare_magnitude(figures_delta(&row->old, &row->new, metric));
	if (column == SORT_BY_KEY)
		return 0;
	switch ((column - SORT_BY_FIGURE) % 3) {
	case 0:
		return known_or_zero(row->old.value[figure]);
	case 1:
		return known_or_zero(row->new.value[figure]);
	default:
		return figures_delta(&row->old, &row->new, figure);
	}
}

static double rate_of(const struct compare *compare, const struct change_row *row, int column)
{
	if (!compare->per || column != SORT_BY_CHANGE)
		return 0;
	return fabs(change_per_unit(row, compare->metric, &compare->per->units));
}

int compare_two_rows(const void *left, const void *right, void *context)
{
	const struct compare *compare = context;
	const struct compare_row *a = left, *b = right;

	if (a->rate > b->rate || a->rate < b->rate)
		return a->rate < b->rate ? 1 : -1;
	if (a->order != b->order)
		return a->order < b->order ? 1 : -1;
	return selection_compare_keys(compare->selection, a->row, b->row);
}

static bool is_large_enough(const struct compare *compare, const struct change_row *row)
{
	enum figure bytes = sites_bytes_figure(compare->options);
	int64_t delta = figures_delta(&row->old, &row->new, bytes);

	if (compare->per)
		return fabs(change_per_unit(row, bytes, &compare->per->units)) *
			       compare->per->units.new >=
		       (double)compare->options->min_bytes;
	return row->status == CHANGE_UNKNOWN ||
	       (uint64_t)compare_magnitude(delta) >= compare->options->min_bytes;
}

double compare_delta_stderr(const struct change_row *row, enum figure figure)
{
	return sqrt(row->old.variance[figure] + row->new.variance[figure]);
}

bool compare_is_within_noise(const struct compare *compare, const struct change_row *row)
{
	enum figure metric = compare->metric;
	double error = compare_delta_stderr(row, metric);
	double delta = (double)compare_magnitude(figures_delta(&row->old, &row->new, metric));

	if (compare->per) {
		error = hypot(figures_stderr(&row->old, metric) / compare->per->units.old,
			      figures_stderr(&row->new, metric) / compare->per->units.new);
		delta = fabs(change_per_unit(row, metric, &compare->per->units));
	}
	return delta <= noise_limit * error;
}

bool compare_is_finding(const struct compare *compare, const struct change_row *row)
{
	bool up = row->status == CHANGE_NEW || row->status == CHANGE_GREW ||
		  (row->status == CHANGE_MOVED && row->direction > 0);

	return up && !(compare->sampled && compare_is_within_noise(compare, row));
}

/* The same as before; or it moved, and holds nothing on either side. */
static bool is_nothing_new(const struct compare *compare, const struct change_row *row)
{
	return row->status == CHANGE_SAME ||
	       (row->status == CHANGE_MOVED && row->old.value[compare->metric] == 0 &&
		row->new.value[compare->metric] == 0 && row->old.value[compare->metric ^ 1] == 0 &&
		row->new.value[compare->metric ^ 1] == 0);
}

/* A gate without data must not look like one without findings. */
static void warn_of_unknown_changes(const struct compare *compare)
{
	if (compare->is_gate && compare->unknown_count)
		report_notice(compare->report,
			      &(struct notice){.kind = NOTICE_GATE_BLIND,
					       .figures = {compare->unknown_count}});
}

void compare_arrange(struct compare *compare, int column)
{
	for (uint32_t i = 0; i < compare->changes.count; i++) {
		const struct change_row *change = &compare->changes.rows[i];

		if (!change_has_stacks(change))
			continue;
		if (!is_large_enough(compare, change)) {
			compare->small_count += change->status != CHANGE_SAME;
			continue;
		}
		if (compare_is_finding(compare, change))
			compare->report->finding = true;
		if (change->status == CHANGE_UNKNOWN)
			compare->unknown_count++;
		if (is_nothing_new(compare, change) && !compare->options->all) {
			compare->same_count++;
			continue;
		}
		compare->rows[compare->count++] = (struct compare_row){
			.change = change,
			.row = i,
			.rate = rate_of(compare, change, column),
			.order = order_of(change, column, compare->metric),
		};
	}
	compare->shown_count = sites_limit(compare->options, compare->count);
	order_first(compare->rows, compare->count, sizeof(*compare->rows), compare->shown_count,
		    compare_two_rows, compare);
	warn_of_unknown_changes(compare);
}
