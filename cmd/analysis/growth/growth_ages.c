/*
 * growth_ages.c - what the birth epochs of surviving blocks say about growth.
 */
#include "analysis/growth/growth_ages.h"

#include <math.h>
#include <string.h>

#include "base/search.h"

enum {
	BINS = 64,         /* epochs are joined into at most this many */
	MOST_COHORTS = 64, /* the recorder merges the oldest epochs beyond this number */
	MOST_ROWS = 16,    /* snapshots at regular distances; the last one is added to these */
	MOST_OF_MANY = 12, /* the same for a long series: reading them takes time */
	FEW_EPOCHS = 16,   /* below: one quiet interval at the end may be the end of the growth */
	MANY_EPOCHS = 24,  /* from this many epochs on, tests of chance want more deviations */
};

static const double least_end = 0.5;    /* of an epoch of ordinary length */
static const double out_of_order = 0.2; /* of a queue's blocks */
static const double slower = 0.6;       /* of the blocks that the earlier epochs predict */
static const double far_fewer = 0.75;   /* of the blocks that the middle epochs predict */

/* Blocks alive at each snapshot, by epoch of birth. */
struct age_table {
	size_t bins, tail;
	size_t rows;                 /* snapshots */
	size_t at[MOST_ROWS + 1];    /* bin in which the snapshot was taken */
	size_t known[MOST_ROWS + 1]; /* the first bin into which no older epochs were merged */
	double alive[MOST_ROWS + 1][BINS];
	double old_bytes[MOST_ROWS + 1]; /* of blocks born before `tail` */
	double seconds[BINS];            /* how long each epoch took; all 1 where that is unknown */
};

/* The interval that `birth` fell in: before the first snapshot is 0. */
static size_t interval_of(const uint64_t *seq, size_t count, uint64_t birth)
{
	size_t after;

	SEARCH(after, 0, count, seq[after] <= birth);
	return after < count ? after : count - 1;
}

static size_t bin_of(const struct age_table *table, size_t interval, size_t count)
{
	return interval * table->bins / count;
}

static void fill_row(struct age_table *table, const struct growth_births *births,
		     const uint64_t *seq, size_t count, size_t from)
{
	size_t row = table->rows++;

	memset(table->alive[row], 0, sizeof(table->alive[row]));
	table->at[row] = bin_of(table, births->snapshot - from, count);
	table->known[row] = 0;
	table->old_bytes[row] = 0;
	for (size_t i = 0; i < births->count; i++) {
		size_t bin =
			bin_of(table, interval_of(seq, count, births->cohorts[i].birth_seq), count);

		if (bin > table->at[row])
			bin = table->at[row];
		table->alive[row][bin] += births->cohorts[i].blocks;
		if (bin < table->tail)
			table->old_bytes[row] += births->cohorts[i].bytes;
		if (i == 0 && births->count >= MOST_COHORTS)
			table->known[row] = bin + 1;
	}
}

static void measure_seconds(struct age_table *table, const struct growth_series *series,
			    size_t from, size_t count)
{
	for (size_t bin = 0; bin < table->bins; bin++)
		table->seconds[bin] = series->seconds ? 0 : 1;
	for (size_t i = 1; series->seconds && i < count; i++)
		table->seconds[bin_of(table, i, count)] +=
			series->seconds[from + i] - series->seconds[from + i - 1];
}

/* The distance between the snapshots that are used: a power of two, so that it seldom changes while
   the series grows. */
bool growth_ages_look_at(size_t place, size_t count)
{
	size_t most = count > GROWTH_MANY_SNAPSHOTS ? MOST_OF_MANY : MOST_ROWS, step = 1;

	while (count > most * step)
		step *= 2;
	return place == count || (place < count && place % step == 0);
}

static bool fill_table(struct age_table *table, const struct growth_series *series, size_t from,
		       size_t count, size_t tail)
{
	table->bins = count < BINS ? count : BINS;
	table->tail = bin_of(table, tail, count);
	table->rows = 0;
	measure_seconds(table, series, from, count);
	for (size_t i = 0; i < series->births_count && table->rows <= MOST_ROWS; i++) {
		const struct growth_births *births = &series->births[i];

		if (births->snapshot >= from && births->snapshot < from + count &&
		    growth_ages_look_at(births->snapshot - from + 1, count))
			fill_row(table, births, series->seq + from, count, from);
	}
	return table->rows >= 2 && table->at[table->rows - 1] == table->bins - 1;
}

/* Follow the blocks of the epochs from `born` on that are at least `age` epochs old from each snapshot
 * to the next. */
static void measure_hazard(struct growth_ages *ages, const struct age_table *table, size_t age,
			   size_t born)
{
	ages->age = age;
	ages->deaths = ages->exposure = 0;
	for (size_t row = 0; row + 1 < table->rows; row++) {
		size_t first = table->known[row + 1] > born ? table->known[row + 1] : born;
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

/*
 * Are those that go the oldest?  A queue loses its first blocks first; in a pool, younger ones go while
 * older ones stay.  The youngest epoch does not count: blocks in flight go at once.
 */
static bool goes_in_order(const struct age_table *table, double *gone_at_all)
{
	double deaths = 0, passed_over = 0;

	for (size_t row = 0; row + 1 < table->rows; row++) {
		double older = 0;

		for (size_t bin = table->known[row + 1]; bin < table->at[row]; bin++) {
			double after = table->alive[row + 1][bin];
			double gone = table->alive[row][bin] - after;

			if (gone > 0) {
				deaths += gone;
				passed_over += gone < older ? gone : older;
			}
			older += after;
		}
	}
	*gone_at_all = deaths;
	return deaths > 0 && passed_over <= out_of_order * deaths;
}

/* The youngest age beyond which at most a fifth of the blocks would be freed within the length
 * of the series. */
static void find_lasting_age(struct growth_ages *ages, const struct age_table *table)
{
	size_t oldest = (table->bins - table->tail) / 2;

	for (size_t age = 1; age <= oldest; age++) {
		measure_hazard(ages, table, age, 1);
		if (ages->exposure > 0 && ages->expected_loss <= 0.2)
			return;
	}
}

/* Blocks that existed before the middle epochs and were freed since. */
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

/*
 * Did the second half of the middle epochs leave less than `share` of what the first half predicts,
 * by more than chance explains?  With many epochs, the test is stricter.
 */
static bool falls_off(const struct growth_ages *ages, double share, double variance)
{
	double deviations = ages->epochs < MANY_EPOCHS ? 1.5 : 2;

	return ages->late < share * ages->expected_late &&
	       ages->expected_late - ages->late > deviations * sqrt(variance);
}

/* A weaker sign of the same, that may be chance. */
static void note_slowing(struct growth_ages *ages, double variance)
{
	ages->slower = ages->late < slower * ages->expected_late;
	ages->by_chance = ages->expected_late - ages->late <= sqrt(variance);
}

/* Are the last epochs too quiet for growth that goes on? */
static bool has_gone_quiet(const struct growth_ages *ages)
{
	if (ages->idle_end)
		return false;
	if (ages->epochs < 10)
		return ages->silence <= 0.1;
	return ages->silence <= (ages->epochs < MANY_EPOCHS ? 0.02 : 0.01);
}

/*
 * How likely is it that the last `quiet` of `epochs` leave none, if the `leaving` epochs were
 * spread at random?
 */
static double chance_of_silence(size_t epochs, size_t leaving, size_t quiet)
{
	double chance = 1;

	for (size_t i = 0; i < quiet; i++)
		chance *= (double)(epochs - leaving - i) / (double)(epochs - i);
	return chance;
}

static enum growth_age_pattern name_pattern(const struct growth_ages *ages, double variance,
					    double lost)
{
	if (ages->survivors == 0)
		return AGES_RECENT;
	if (ages->expected_loss > 0.5)
		return AGES_DYING;
	if (lost > ages->survivors / 2)
		return AGES_REPLACED;
	if (has_gone_quiet(ages))
		return AGES_EARLY;
	if (falls_off(ages, 0.2, variance))
		return AGES_EARLY;
	if (falls_off(ages, 0.5, variance))
		return AGES_SLOWING;
	if (ages->leaving < 3)
		return AGES_SPARSE;
	return ages->expected_loss > 0.2 ? AGES_DYING : AGES_LASTING;
}

/* The epochs that are judged, at the last snapshot: `alive` blocks of each. */
struct middle {
	const double *alive;
	const double *seconds; /* how long each took */
	size_t first, end;     /* [first, end) are old enough, and after the warm-up */
	size_t bins;           /* [end, bins) are too young */
	double weight;         /* how many blocks a recorded one stands for; 1 unless sampled */
};

static double sum_between(const double *values, size_t from, size_t to)
{
	double sum = 0;

	for (size_t i = from; i < to; i++)
		sum += values[i];
	return sum;
}

static double count_young(const struct middle *middle)
{
	return sum_between(middle->alive, middle->end, middle->bins);
}

/*
 * The expected ratio of blocks left by [a, b) to blocks left by [c, d), by the number of epochs or
 * by their duration, whichever is less: an early snapshot does not mean that growth slowed down.
 */
static double expected_share(const struct middle *middle, size_t a, size_t b, size_t c, size_t d)
{
	double by_count = (double)(b - a) / (double)(d - c);
	double seconds = sum_between(middle->seconds, c, d);
	double by_time = seconds > 0 ? sum_between(middle->seconds, a, b) / seconds : by_count;

	return by_time < by_count ? by_time : by_count;
}

/* If some epochs leave none, what comes now and then comes in groups of at least the smallest. */
static double measure_grain(const struct growth_ages *ages, const struct middle *middle)
{
	double least = 0;

	if (ages->leaving == ages->epochs)
		return middle->weight;
	for (size_t bin = middle->first; bin < middle->end; bin++)
		if (middle->alive[bin] > 0 && (least == 0 || middle->alive[bin] < least))
			least = middle->alive[bin];
	return least > middle->weight ? least : middle->weight;
}

/* Count the survivors of the middle epochs; returns the variance of their number. */
static double count_survivors(struct growth_ages *ages, const struct middle *middle)
{
	double squares = 0, share;
	size_t late_half, young = count_young(middle) == 0 ? middle->bins - middle->end : 0;

	ages->first = middle->first;
	ages->epochs = middle->end - middle->first;
	ages->before = sum_between(middle->alive, 0, middle->first);
	ages->survivors = ages->early = ages->late = 0;
	ages->leaving = ages->quiet = 0;
	for (size_t bin = middle->first; bin < middle->end; bin++) {
		size_t place = bin - middle->first;
		double alive = middle->alive[bin];

		ages->survivors += alive;
		squares += alive * alive;
		ages->leaving += alive > 0;
		ages->quiet = alive > 0 ? 0 : ages->quiet + 1;
		if (2 * place + 1 < ages->epochs)
			ages->early += alive;
		else if (2 * place + 1 > ages->epochs)
			ages->late += alive;
	}
	late_half = middle->end - ages->epochs / 2;
	ages->grain = measure_grain(ages, middle);
	share = ages->epochs >= 2 ? expected_share(middle, late_half, middle->end, middle->first,
						   middle->first + ages->epochs / 2)
				  : 1;
	ages->expected_late = share * ages->early;
	/* Young epochs without any block, not even one in flight, count as quiet like old ones. */
	ages->quiet += young;
	ages->silence = chance_of_silence(ages->epochs + young, ages->leaving, ages->quiet);
	ages->idle_end = ages->epochs >= FEW_EPOCHS && 8 * ages->quiet < ages->epochs;
	/* If every epoch leaves some, blocks come one by one (Poisson); otherwise in bursts of
	 * that size.
	 */
	return (ages->leaving == ages->epochs ? ages->survivors : squares) * middle->weight;
}

/*
 * The youngest epochs hold blocks in flight besides those that will stay.  By how many standard
 * deviations do they hold less than the middle epochs predict?
 */
static double measure_fading(const struct growth_ages *ages, const struct middle *middle,
			     double variance)
{
	double share;

	if (ages->epochs == 0 || variance <= 0)
		return 0;
	share = expected_share(middle, middle->end, middle->bins, middle->first, middle->end);
	/* Real programs vary by more than chance does: only far fewer blocks say something. */
	if (count_young(middle) >= far_fewer * ages->survivors * share)
		return 0;
	/* A short end of the series, as when the work stops within an interval, says little. */
	if (share * (double)ages->epochs < least_end)
		return 0;
	return (ages->survivors * share - count_young(middle)) / sqrt(variance * share);
}

/* Growth that slowed down and then went on at an even pace: a leak after a warm-up.  What the warm-up
 * left must not hide that blocks go which came after it. */
static void look_at_second_half(struct growth_ages *ages, const struct age_table *table,
				struct middle middle, double lost)
{
	struct growth_ages half = *ages;
	double variance;

	if ((ages->pattern != AGES_EARLY && ages->pattern != AGES_SLOWING) || ages->epochs < 9)
		return;
	middle.first += (middle.end - middle.first) / 2;
	measure_hazard(&half, table, half.age, middle.first);
	variance = count_survivors(&half, &middle);
	half.pattern = name_pattern(&half, variance, lost);
	note_slowing(&half, variance);
	if (half.pattern == AGES_LASTING && half.late >= 0.75 * half.expected_late)
		*ages = half;
}

static size_t larger(size_t a, size_t b)
{
	return a > b ? a : b;
}

static double share_older_than(const struct middle *middle, size_t epochs)
{
	double all = sum_between(middle->alive, 0, middle->bins);

	if (all <= 0 || middle->bins < epochs)
		return 0;
	return sum_between(middle->alive, 0, middle->bins - epochs) / all;
}

static void note_old_bytes(struct growth_ages *ages, const struct age_table *table)
{
	for (size_t row = 0; row < table->rows; row++) {
		if (table->at[row] + 1 < table->tail)
			continue;
		ages->old_at[ages->old_count] = (double)table->at[row];
		ages->old_bytes[ages->old_count++] = table->old_bytes[row];
	}
}

/*
 * Of n blocks seen with probability p each, n / p are estimated, with a variance of n (1 - p) /
 * p^2: relative to the estimate that is the weight 1 / p, less one.
 */
static double sampling_weight(const struct growth_series *series, size_t last)
{
	double bytes = series->bytes[last], error;

	if (!series->bytes_stderr || bytes <= 0)
		return 1;
	error = series->bytes_stderr[last] / bytes;
	return 1 + error * error * series->blocks[last];
}

void growth_ages_measure(struct growth_ages *ages, const struct growth_series *series, size_t from,
			 size_t count, size_t tail)
{
	struct age_table table;
	struct middle middle;
	double variance, lost, fading;
	size_t known;

	*ages = (struct growth_ages){.pattern = AGES_UNKNOWN};
	if (count < 4 || !series->seq || !fill_table(&table, series, from, count, tail))
		return;
	note_old_bytes(ages, &table);
	find_lasting_age(ages, &table);
	ages->in_order = goes_in_order(&table, &ages->gone);
	known = table.known[table.rows - 1];
	middle = (struct middle){
		.alive = table.alive[table.rows - 1],
		.seconds = table.seconds,
		.first = larger(table.tail, known),
		.end = table.bins - ages->age,
		.bins = table.bins,
		.weight = sampling_weight(series, from + count - 1),
	};
	middle.end = larger(middle.end, middle.first);
	ages->older = share_older_than(&middle, 1);
	variance = count_survivors(ages, &middle);
	if (4 * ages->epochs < table.bins - table.tail && known > table.tail)
		return; /* merging has hidden too much */
	lost = lost_before(&table, middle.first);
	ages->pattern = name_pattern(ages, variance, lost);
	note_slowing(ages, variance);
	look_at_second_half(ages, &table, middle, lost);
	if (ages->epochs >= FEW_EPOCHS)
		return; /* after this many, one quiet interval does not end the growth */
	fading = measure_fading(ages, &middle, variance);
	ages->faded = fading > 1.3;
	if (fading > 2.6 && (ages->pattern == AGES_LASTING || ages->pattern == AGES_SLOWING))
		ages->pattern = AGES_ENDED;
}
