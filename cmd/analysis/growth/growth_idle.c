/*
 * growth_idle.c - the intervals in which the program did not work.
 *
 * The cumulative counts of the whole process say how much it allocated in each interval.  The last
 * snapshot of an idle stretch is kept: memory that was freed while idle still counts.
 * An interval in which the work began or ended counts for the time that its work took.
 */
#include "analysis/growth/growth_idle.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/stats.h"
#include "base/memory.h"

enum {
	LEAST_BUSY = 3, /* fewest busy intervals that idle ones are compared with */
	LEAST_WORK = 16 /* blocks in a busy interval; fewer are no work */
};
static const double idle_rate = 1.0 / 50; /* most of an idle one, of the busy ones' median */
static const double idle_work = 0.05;     /* all idle intervals together, of the whole work */
static const double still = 0.05;         /* share of its rise that a row may rise while idle */
static const double partly = 0.75;        /* of the usual rate: below, it worked for a part only */
static const double own_share = 0.1;      /* of an interval's work that the row may be */

static void *need(void *memory)
{
	return memory_need(memory, "judging growth");
}

struct interval {
	size_t end; /* the snapshot that ends it */
	double work, rate;
};

static bool in_one_run(const struct growth_series *series, size_t i)
{
	return !series->run || series->run[i] == series->run[i - 1];
}

/* The intervals within runs; `intervals` has room for series->count. */
static size_t list_intervals(const struct growth_series *series, struct interval *intervals)
{
	size_t count = 0;

	for (size_t i = 1; i < series->count; i++) {
		double work = series->work[i] - series->work[i - 1], seconds = 1;

		if (!in_one_run(series, i))
			continue;
		if (series->seconds)
			seconds = series->seconds[i] - series->seconds[i - 1];
		intervals[count++] =
			(struct interval){i, work, seconds > 0 ? work / seconds : work};
	}
	return count;
}

static int by_falling_rate(const void *left, const void *right)
{
	const struct interval *a = left, *b = right;

	return (a->rate < b->rate) - (a->rate > b->rate);
}

/* Intervals are ordered by falling rate.  Returns the first idle one, or `count` if there is none.
 */
static size_t first_idle(const struct interval *intervals, size_t count)
{
	double total = 0, done = 0;

	for (size_t i = 0; i < count; i++)
		total += intervals[i].work;
	for (size_t i = 0; i < count; i++) {
		/* The intervals before this one are sorted: the middle one has their median. */
		if (i >= LEAST_BUSY && intervals[i / 2].work >= LEAST_WORK &&
		    intervals[i].rate <= idle_rate * intervals[i / 2].rate &&
		    total - done <= idle_work * total)
			return i;
		done += intervals[i].work;
	}
	return count;
}

size_t growth_idle_mark(const struct growth_series *series, bool *idle)
{
	struct interval *intervals;
	size_t count, from;

	memset(idle, 0, series->count * sizeof(*idle));
	if (!series->work || series->count < LEAST_BUSY + 2)
		return 0;
	intervals = need(calloc(series->count, sizeof(*intervals)));
	count = list_intervals(series, intervals);
	qsort(intervals, count, sizeof(*intervals), by_falling_rate);
	from = first_idle(intervals, count);
	for (size_t i = from; i < count; i++)
		idle[intervals[i].end] = true;
	free(intervals);
	return count - from;
}

/* ---- a series without them ------------------------------------------------------------------- */

/* Did the figure stay the same while idle, compared with its rise during work? */
static bool keeps_still(const struct growth_series *series, const double *values, const bool *idle)
{
	double quiet = 0, busy = 0;

	for (size_t i = 1; i < series->count; i++) {
		double rise = values[i] - values[i - 1];

		if (rise <= 0 || !in_one_run(series, i))
			continue;
		*(idle[i] ? &quiet : &busy) += rise;
	}
	return quiet <= still * busy;
}

static void allocate(struct growth_awake *awake, size_t count)
{
	awake->numbers = need(calloc(7 * count, sizeof(*awake->numbers)));
	awake->kept = need(calloc(count, sizeof(*awake->kept)));
	awake->seq = need(calloc(count, sizeof(*awake->seq)));
	awake->run = need(calloc(count, sizeof(*awake->run)));
	awake->births = need(calloc(count, sizeof(*awake->births)));
}

/* Positions: intervals that are left out have no length. */
static const double *condense_positions(const struct growth_awake *awake, const double *values,
					size_t which, size_t count)
{
	double *out = awake->numbers + which * count;

	if (!values)
		return NULL;
	for (size_t k = 0; k < awake->series.count; k++) {
		size_t before = k ? awake->kept[k - 1] : 0;

		out[k] = k ? out[k - 1] + values[before + 1] - values[before] : values[0];
	}
	return out;
}

static const double *pick_values(const struct growth_awake *awake, const double *values,
				 size_t which, size_t count)
{
	double *out = awake->numbers + which * count;

	if (!values)
		return NULL;
	for (size_t k = 0; k < awake->series.count; k++)
		out[k] = values[awake->kept[k]];
	return out;
}

/* The remaining snapshots' entries, under their new numbers. */
static void pick_births(struct growth_awake *awake, const struct growth_series *series)
{
	size_t k = 0;

	for (size_t i = 0; i < series->births_count; i++) {
		while (k < awake->series.count && awake->kept[k] < series->births[i].snapshot)
			k++;
		if (k == awake->series.count || awake->kept[k] != series->births[i].snapshot)
			continue;
		awake->births[awake->series.births_count] = series->births[i];
		awake->births[awake->series.births_count++].snapshot = k;
	}
	awake->series.births = awake->births;
}

static void pick_integers(struct growth_awake *awake, const struct growth_series *series)
{
	for (size_t k = 0; k < awake->series.count; k++) {
		awake->seq[k] = series->seq ? series->seq[awake->kept[k]] : 0;
		awake->run[k] = series->run ? series->run[awake->kept[k]] : 0;
	}
	awake->series.seq = series->seq ? awake->seq : NULL;
	awake->series.run = series->run ? awake->run : NULL;
}

/* ---- intervals in which the program worked for a part of the time ---------------------------- */

static int by_value(const void *left, const void *right)
{
	const double *a = left, *b = right;

	return (*a > *b) - (*a < *b);
}

/* Work per second in the middle one of the intervals that are not idle; 0: unknown. */
static double usual_rate(const struct growth_series *series, const bool *idle)
{
	double *rates = need(calloc(series->count + 1, sizeof(*rates))), usual;
	size_t count = 0;

	for (size_t i = 1; i < series->count; i++) {
		double seconds = series->seconds[i] - series->seconds[i - 1];

		if (!idle[i] && in_one_run(series, i) && seconds > 0)
			rates[count++] = (series->work[i] - series->work[i - 1]) / seconds;
	}
	qsort(rates, count, sizeof(*rates), by_value);
	usual = count >= LEAST_BUSY ? rates[count / 2] : 0;
	free(rates);
	return usual;
}

/*
 * The share of the interval that ends at `i` in which the program worked: 1 unless its work says
 * less.  A row that is much of the work itself cannot be measured by it: a cache that fills
 * allocates less and less.
 */
static double worked_share(const struct growth_series *series, size_t i, double usual)
{
	double seconds = series->seconds[i] - series->seconds[i - 1];
	double work = series->work[i] - series->work[i - 1];
	double own = series->blocks ? series->blocks[i] - series->blocks[i - 1] : work;

	if (usual <= 0 || seconds <= 0 || work < LEAST_WORK || own > own_share * work ||
	    !in_one_run(series, i))
		return 1;
	return work < partly * usual * seconds ? work / (usual * seconds) : 1;
}

static bool ends_partly(const struct growth_series *series, const bool *idle)
{
	size_t last = series->count - 1;

	return series->seconds && series->count > LEAST_BUSY + 1 && !idle[last] &&
	       worked_share(series, last, usual_rate(series, idle)) < 1;
}

/* Where the work begins or ends within an interval, and in the last one, only the time in which
 * there was work counts. */
static void shorten_partial(struct growth_awake *awake, const struct growth_series *series,
			    const bool *idle, double *seconds)
{
	double usual = usual_rate(series, idle), off = 0;

	for (size_t k = 1; k < awake->series.count; k++) {
		size_t from = awake->kept[k - 1], i = from + 1;
		bool at_border = idle[from] || awake->kept[k] > i || k + 1 == awake->series.count;

		if (at_border)
			off += (1 - worked_share(series, i, usual)) *
			       (series->seconds[i] - series->seconds[from]);
		seconds[k] -= off;
	}
}

static void condense(struct growth_awake *awake, const struct growth_series *series,
		     const bool *idle)
{
	size_t count = series->count;
	struct growth_series *out = &awake->series;

	for (size_t i = 0; i < count; i++)
		if (i + 1 == count || !idle[i + 1])
			awake->kept[out->count++] = i;
	out->x = condense_positions(awake, series->x, 0, count);
	out->seconds = condense_positions(awake, series->seconds, 1, count);
	if (series->seconds)
		shorten_partial(awake, series, idle, awake->numbers + count);
	out->unit_x = condense_positions(awake, series->unit_x, 2, count);
	out->blocks = pick_values(awake, series->blocks, 3, count);
	out->bytes = pick_values(awake, series->bytes, 4, count);
	out->bytes_stderr = pick_values(awake, series->bytes_stderr, 5, count);
	out->unrecorded = pick_values(awake, series->unrecorded, 6, count);
	pick_integers(awake, series);
	pick_births(awake, series);
	out->at_exit = series->at_exit;
}

bool growth_awake_make(struct growth_awake *awake, const struct growth_series *series)
{
	bool *marked = NULL;
	const bool *idle = series->idle;
	bool made = false;

	*awake = (struct growth_awake){.left_out = series->idle_count};
	if (!series->work)
		return false;
	if (!idle) {
		idle = marked = need(calloc(series->count + 1, sizeof(*marked)));
		awake->left_out = growth_idle_mark(series, marked);
	}
	if ((awake->left_out || ends_partly(series, idle)) &&
	    keeps_still(series, series->bytes, idle) &&
	    (!series->blocks || keeps_still(series, series->blocks, idle))) {
		allocate(awake, series->count);
		condense(awake, series, idle);
		made = true;
	}
	free(marked);
	if (!made)
		growth_awake_release(awake);
	return made;
}

void growth_awake_release(struct growth_awake *awake)
{
	free(awake->numbers);
	free(awake->kept);
	free(awake->seq);
	free(awake->run);
	free(awake->births);
	*awake = (struct growth_awake){0};
}
