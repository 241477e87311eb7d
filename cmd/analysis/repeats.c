/*
 * repeats.c - medians per stack, ranges per row.
 */
#include "analysis/repeats.h"

#include <stdlib.h>
#include <string.h>

static int compare_values(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return a < b ? -1 : a > b;
}

/* Between the two middle values where their number is even. */
static uint64_t median(uint64_t *values, size_t count)
{
	uint64_t low, high;

	qsort(values, count, sizeof(*values), compare_values);
	if (values[count - 1] == SNAP_UNKNOWN)
		return SNAP_UNKNOWN;
	low = values[(count - 1) / 2];
	high = values[count / 2];
	return low + (high - low) / 2;
}

/* Figures of one stack over the runs of a side.  A mean's variance stands for the median's: close
 * enough to mark noise. */
static struct figures middle_of(const struct dataset_cell *const *cells, size_t count,
				uint64_t *scratch)
{
	struct figures middle = {0};

	for (enum figure i = 0; i < FIGURES; i++) {
		for (size_t run = 0; run < count; run++) {
			scratch[run] = cells[run] ? cells[run]->figures.value[i] : 0;
			middle.variance[i] += cells[run] ? cells[run]->figures.variance[i] : 0;
		}
		middle.value[i] = median(scratch, count);
		middle.variance[i] /= (double)count * (double)count;
	}
	return middle;
}

static bool collapse_side(struct dataset *dataset, size_t side, const struct dataset_snapshot *runs,
			  size_t count)
{
	const struct dataset_cell **by_run =
		calloc(dataset->site_count * count + 1, sizeof(*by_run));
	uint64_t *scratch = malloc(count * sizeof(*scratch));
	bool ok = by_run && scratch;

	for (size_t run = 0; ok && run < count; run++)
		for (size_t i = 0; i < runs[run].count; i++)
			by_run[runs[run].cells[i].site * count + run] = &runs[run].cells[i];
	for (uint32_t site = 0; ok && site < dataset->site_count; site++) {
		const struct dataset_cell **cells = by_run + site * count;
		struct figures middle;
		size_t run = 0;

		while (run < count && !cells[run])
			run++;
		if (run == count)
			continue;
		middle = middle_of(cells, count, scratch);
		ok = dataset_cell_add(dataset, side, site, &middle);
	}
	for (size_t run = 0; run < count; run++)
		dataset->snapshots[side].sampled |= runs[run].sampled;
	free(by_run);
	free(scratch);
	return ok;
}

bool repeats_collapse(struct repeats *repeats, struct dataset *dataset, size_t old_count)
{
	struct dataset_snapshot *sides = calloc(2, sizeof(*sides));

	*repeats = (struct repeats){NULL, 0, 0};
	if (!sides)
		return false;
	*repeats = (struct repeats){dataset->snapshots, dataset->snapshot_count, old_count};
	dataset->snapshots = sides;
	dataset->snapshot_count = 2;
	return collapse_side(dataset, 0, repeats->runs, old_count) &&
	       collapse_side(dataset, 1, repeats->runs + old_count, repeats->count - old_count);
}

void repeats_release(struct repeats *repeats)
{
	for (size_t i = 0; i < repeats->count; i++)
		free(repeats->runs[i].cells);
	free(repeats->runs);
	*repeats = (struct repeats){NULL, 0, 0};
}

/* ---- spread ---- */

static void add_known(uint64_t *sum, uint64_t value)
{
	if (value != SNAP_UNKNOWN)
		*sum += value;
}

/* The figure of every row in one run. */
static void sum_run(const struct dataset_snapshot *run, const struct selection *selection,
		    const uint32_t *label, enum figure figure, uint64_t *sums)
{
	memset(sums, 0, selection_row_count(selection) * sizeof(*sums));
	for (size_t i = 0; i < run->count; i++) {
		const uint32_t *rows;
		size_t count = selection_rows_of(selection, label[run->cells[i].site], &rows);

		for (size_t r = 0; r < count; r++)
			add_known(&sums[rows[r]], run->cells[i].figures.value[figure]);
	}
}

/* The site that names each site's rows, when it occurs on the given side. */
static void find_labels(const struct dataset *dataset, const struct pairing *pairing, bool new,
			uint32_t *label)
{
	for (uint32_t i = 0; i < dataset->site_count; i++)
		label[i] = i;
	for (size_t i = 0; !new &&i < pairing->count; i++)
		if (pairing->pairs[i].old != SNAP_NONE)
			label[pairing->pairs[i].old] = change_label_site(&pairing->pairs[i]);
}

static void widen(uint64_t *low, uint64_t *high, uint64_t value, bool first)
{
	if (first || value < *low)
		*low = value;
	if (first || value > *high)
		*high = value;
}

struct spread *repeats_spread(const struct repeats *repeats, const struct dataset *dataset,
			      const struct selection *selection, const struct pairing *pairing,
			      enum figure figure)
{
	size_t row_count = selection_row_count(selection);
	struct spread *spread = calloc(row_count + 1, sizeof(*spread));
	uint64_t *sums = malloc((row_count + 1) * sizeof(*sums));
	uint32_t *label = malloc((dataset->site_count + 1) * sizeof(*label));
	bool ok = spread && sums && label;

	for (size_t run = 0; ok && run < repeats->count; run++) {
		bool new = run >= repeats->old_count, first = run == 0 || run == repeats->old_count;

		find_labels(dataset, pairing, new, label);
		sum_run(&repeats->runs[run], selection, label, figure, sums);
		for (size_t row = 0; row < row_count; row++)
			widen(new ? &spread[row].new_low : &spread[row].old_low,
			      new ? &spread[row].new_high : &spread[row].old_high, sums[row],
			      first);
	}
	free(sums);
	free(label);
	if (!ok) {
		free(spread);
		return NULL;
	}
	return spread;
}

bool spread_overlaps(const struct spread *spread)
{
	return spread->new_low <= spread->old_high && spread->old_low <= spread->new_high;
}
