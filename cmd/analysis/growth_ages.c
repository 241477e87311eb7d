/*
 * growth_ages.c - what the birth epochs of surviving blocks say about growth.
 */
#include "analysis/growth_ages.h"

#include <math.h>
#include <string.h>

enum {
	BINS = 64,         /* epochs are joined into at most this many */
	MOST_COHORTS = 64, /* a recorder that would write more merges the oldest */
};

/* Blocks alive at each census by epoch of birth. */
struct age_table {
	size_t bins, tail;
	size_t rows;                   /* censuses */
	size_t at[GROWTH_CENSUSES];    /* bin in which the census was taken */
	size_t known[GROWTH_CENSUSES]; /* bins before this one may have been merged into it */
	double alive[GROWTH_CENSUSES][BINS];
};

/* The interval that `birth` fell in: before the first snapshot is 0. */
static size_t interval_of(const uint64_t *seq, size_t count, uint64_t birth)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (seq[middle] <= birth)
			low = middle + 1;
		else
			high = middle;
	}
	return low < count ? low : count - 1;
}

static size_t bin_of(const struct age_table *table, size_t interval, size_t count)
{
	return interval * table->bins / count;
}

static void fill_row(struct age_table *table, const struct growth_census *census,
		     const uint64_t *seq, size_t count, size_t from)
{
	size_t row = table->rows++;

	memset(table->alive[row], 0, sizeof(table->alive[row]));
	table->at[row] = bin_of(table, census->snapshot - from, count);
	table->known[row] = 0;
	for (size_t i = 0; i < census->count; i++) {
		size_t bin =
			bin_of(table, interval_of(seq, count, census->cohorts[i].birth_seq), count);

		if (bin > table->at[row])
			bin = table->at[row];
		table->alive[row][bin] += census->cohorts[i].blocks;
		if (i == 1 && census->count >= MOST_COHORTS)
			table->known[row] = bin;
	}
}

static bool fill_table(struct age_table *table, const struct growth_series *series, size_t from,
		       size_t count, size_t tail)
{
	table->bins = count < BINS ? count : BINS;
	table->tail = bin_of(table, tail, count);
	table->rows = 0;
	for (size_t i = 0; i < series->census_count && table->rows < GROWTH_CENSUSES; i++) {
		const struct growth_census *census = &series->censuses[i];

		if (census->snapshot >= from && census->snapshot < from + count)
			fill_row(table, census, series->seq + from, count, from);
	}
	return table->rows >= 2 && table->at[table->rows - 1] == table->bins - 1;
}

/* Follow the blocks that are at least `age` epochs old from each census to the next. */
static void measure_hazard(struct growth_ages *ages, const struct age_table *table, size_t age)
{
	ages->age = age;
	ages->deaths = ages->exposure = 0;
	for (size_t row = 0; row + 1 < table->rows; row++) {
		size_t first = table->known[row + 1] > 1 ? table->known[row + 1] : 1;
		double span = (double)(table->at[row + 1] - table->at[row]);

		for (size_t bin = first; bin + age <= table->at[row]; bin++) {
			double before = table->alive[row][bin], after = table->alive[row + 1][bin];

			ages->deaths += after < before ? before - after : 0;
			ages->exposure += before * span;
		}
	}
	ages->expected_loss =
		ages->exposure > 0 ? 1 - exp(-ages->deaths / ages->exposure * (double)table->bins)
				   : 0;
}

/* The youngest age beyond which at most a fifth would go in a time as long as the series. */
static void find_lasting_age(struct growth_ages *ages, const struct age_table *table)
{
	size_t oldest = (table->bins - table->tail) / 2;

	for (size_t age = 1; age <= oldest; age++) {
		measure_hazard(ages, table, age);
		if (ages->exposure > 0 && ages->expected_loss <= 0.2)
			return;
	}
}

/* What had been there before the middle epochs, and went since. */
static double lost_before(const struct age_table *table, size_t first)
{
	const double *last = table->alive[table->rows - 1];
	double before = 0, after = 0;
	size_t row = 0;

	while (row + 1 < table->rows && table->at[row] < first + 1)
		row++;
	for (size_t bin = 0; bin < first; bin++) {
		before += table->alive[row][bin];
		after += last[bin];
	}
	return before > after ? before - after : 0;
}

static enum growth_age_pattern name_pattern(const struct growth_ages *ages, double squares,
					    double lost)
{
	double margin = sqrt(squares);

	if (ages->survivors == 0)
		return AGES_RECENT;
	if (ages->expected_loss > 0.5)
		return AGES_DYING;
	if (lost > ages->survivors / 2)
		return AGES_REPLACED;
	if (ages->late <= 0.2 * ages->early &&
	    (ages->early - ages->late > 1.2 * margin || ages->late == 0))
		return AGES_EARLY;
	if (ages->late < 0.5 * ages->early && ages->early - ages->late > margin)
		return AGES_SLOWING;
	if (ages->leaving < 3)
		return AGES_SPARSE;
	return ages->expected_loss > 0.2 ? AGES_DYING : AGES_LASTING;
}

void growth_ages_measure(struct growth_ages *ages, const struct growth_series *series, size_t from,
			 size_t count, size_t tail)
{
	struct age_table table;
	const double *last;
	double squares = 0;
	size_t first, end;

	*ages = (struct growth_ages){.pattern = AGES_UNKNOWN};
	if (count < 4 || !series->seq || !fill_table(&table, series, from, count, tail))
		return;
	find_lasting_age(ages, &table);
	last = table.alive[table.rows - 1];
	first = table.tail > table.known[table.rows - 1] ? table.tail : table.known[table.rows - 1];
	end = table.bins > ages->age ? table.bins - ages->age : 0;
	ages->epochs = end > first ? end - first : 0;
	for (size_t bin = first; bin < end; bin++) {
		size_t place = bin - first;

		ages->survivors += last[bin];
		squares += last[bin] * last[bin];
		ages->leaving += last[bin] > 0;
		ages->since = last[bin] > 0 ? 0 : ages->since + 1;
		if (2 * place + 1 < ages->epochs)
			ages->early += last[bin];
		else if (2 * place + 1 > ages->epochs)
			ages->late += last[bin];
	}
	ages->pattern = name_pattern(ages, squares, lost_before(&table, first));
}
