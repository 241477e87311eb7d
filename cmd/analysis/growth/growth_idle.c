/*
 * growth_idle.c - the intervals in which the program did not work.
 *
 * The cumulative counts of the whole process say how much it allocated in each interval, and its CPU
 * time tells rest from work that needs no memory, such as that of a full cache.  The last snapshot
 * of an idle stretch is kept: memory that was freed while idle still counts.
 * An interval in which the work began or ended counts for the time that its work took.
 */
#include "analysis/growth/growth_idle.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/stats.h"
#include "base/memory.h"

enum {
	LEAST_BUSY = 3, /* fewest busy intervals that idle ones are compared with */
	LEAST_WORK = 16 /* blocks in a busy interval; fewer count as no work */
};
static const double idle_rate = 1.0 / 50; /* an idle interval has at most this share of the busy
					     ones' median */
static const double idle_work = 0.05;     /* all idle intervals together have at most this share of
					     the whole work */
static const double still = 0.05;         /* share of its rise that a row may rise while idle */
static const double partly = 0.75;        /* of the usual rate: below it, the program worked only
					     for a part of the interval */
static const double least_share = 0.01;   /* of an interval; not 0, so that rates are finite */
static const double own_share = 0.1;      /* the row may be this share of an interval's work */
static const double busy_cpu = 0.3;   /* of the usual CPU time: it worked, but allocated nothing */
static const double idle_cpu = 0.1;   /* an idle interval has at most this share, if allocations say
				         nothing */
static const double least_cpu = 5e-4; /* seconds in a busy interval; less says nothing */
static const double much_cpu = 2e-3;  /* seconds in an interval, and */
static const double much_rate = 0.02; /* of the time: more than an idle program uses, if the busy */
				      /* intervals use less than least_cpu */

static void *need(void *memory)
{
	return memory_need(memory, "judging growth");
}

struct interval {
	size_t end;    /* the snapshot that ends it */
	double amount; /* of allocations or CPU time */
	double rate;
};

static bool in_one_run(const struct growth_series *series, size_t i)
{
	return !series->run || series->run[i] == series->run[i - 1];
}

static int by_falling_rate(const void *left, const void *right)
{
	const struct interval *a = left, *b = right;

	return (a->rate < b->rate) - (a->rate > b->rate);
}

static double time_between(const struct growth_series *series, size_t i)
{
	const double *time = series->seconds ? series->seconds : series->x;

	return time[i] - time[i - 1];
}

/* The intervals within runs, by falling rate of what `sums` adds up; `intervals` has room for
 * series->count. */
static size_t list_intervals(const struct growth_series *series, const double *sums,
			     struct interval *intervals)
{
	size_t count = 0;

	for (size_t i = 1; i < series->count; i++) {
		double amount = sums[i] - sums[i - 1], elapsed = time_between(series, i);

		if (!in_one_run(series, i))
			continue;
		intervals[count++] =
			(struct interval){i, amount, elapsed > 0 ? amount / elapsed : amount};
	}
	qsort(intervals, count, sizeof(*intervals), by_falling_rate);
	return count;
}

/* The first idle one of ordered intervals, or `count` if there is none: its rate is at most `share`
 * of the busy ones' median, which did `least` or more. */
static size_t first_idle(const struct interval *intervals, size_t count, double share, double least)
{
	double total = 0, done = 0;

	for (size_t i = 0; i < count; i++)
		total += intervals[i].amount;
	for (size_t i = 0; i < count; i++) {
		/* The intervals before this one are sorted: the middle one has their median. */
		if (i >= LEAST_BUSY && intervals[i / 2].amount >= least &&
		    intervals[i].rate <= share * intervals[i / 2].rate &&
		    total - done <= idle_work * total)
			return i;
		done += intervals[i].amount;
	}
	return count;
}

double growth_rate(const struct growth_series *series, const double *sums, size_t i)
{
	double elapsed = time_between(series, i);

	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): without sums no rate is usual */
	return elapsed > 0 ? (sums[i] - sums[i - 1]) / elapsed : 0;
}

/* The middle one, by its rate of `sums`, of the intervals that are not idle; all 0 where that says
 * nothing: they are too few, or it did less than `least`. */
static struct interval usual(const struct growth_series *series, const double *sums,
			     const bool *idle, double least, struct interval *intervals)
{
	size_t count = sums ? list_intervals(series, sums, intervals) : 0, busy = 0;

	for (size_t i = 0; i < count; i++)
		if (!idle[intervals[i].end])
			intervals[busy++] = intervals[i];
	if (busy < LEAST_BUSY || intervals[busy / 2].amount < least)
		return (struct interval){0};
	return intervals[busy / 2];
}

/*
 * Did it use as much CPU time as when it is busy?  Where other programs use the same processor, it
 * gets less of it per second, and more the shorter an interval is; then it works for as long as
 * usual in a longer one.
 */
static bool used_cpu(const struct growth_series *series, size_t i, const struct interval *busy)
{
	double amount = series->cpu[i] - series->cpu[i - 1];
	double rate = growth_rate(series, series->cpu, i);

	if (busy->rate <= 0)
		return amount >= much_cpu && rate >= much_rate;
	return rate >= busy_cpu * busy->rate ||
	       (amount >= busy->amount && rate >= idle_cpu * busy->rate);
}

/* It allocated nothing, but used as much CPU time as before, or much: it was not idle. */
static size_t unmark_busy(const struct growth_series *series, bool *idle,
			  struct interval *intervals)
{
	struct interval busy = usual(series, series->cpu, idle, least_cpu, intervals);
	size_t left = 0;

	for (size_t i = 1; i < series->count; i++) {
		if (idle[i] && series->cpu && used_cpu(series, i, &busy))
			idle[i] = false;
		left += idle[i];
	}
	return left;
}

/* Mark the snapshots that end an interval without allocations, whatever CPU time it used. */
static void mark_quiet(const struct growth_series *series, bool *quiet, struct interval *intervals)
{
	size_t count, from;

	count = list_intervals(series, series->work, intervals);
	from = first_idle(intervals, count, idle_rate, LEAST_WORK);
	if (series->cpu && count && intervals[count / 2].amount < LEAST_WORK && from == count) {
		/* It seldom allocates: a table that doubles, perhaps. */
		count = list_intervals(series, series->cpu, intervals);
		from = first_idle(intervals, count, idle_cpu, least_cpu);
	}
	for (size_t i = from; i < count; i++)
		quiet[intervals[i].end] = true;
}

size_t growth_idle_mark(const struct growth_series *series, bool *idle)
{
	struct interval *intervals;
	size_t left;

	memset(idle, 0, series->count * sizeof(*idle));
	if (!series->work || series->count < LEAST_BUSY + 2)
		return 0;
	intervals = need(calloc(series->count, sizeof(*intervals)));
	mark_quiet(series, idle, intervals);
	left = unmark_busy(series, idle, intervals);
	free(intervals);
	return left;
}

size_t growth_idle_last_work(const struct growth_series *series)
{
	struct interval *intervals = need(calloc(series->count + 1, sizeof(*intervals)));
	bool *quiet = need(calloc(series->count + 1, sizeof(*quiet)));
	size_t at = series->count ? series->count - 1 : 0;

	mark_quiet(series, quiet, intervals);
	while (at > 0 && quiet[at])
		at--;
	free(intervals);
	free(quiet);
	return at;
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
	awake->numbers = need(calloc(9 * count, sizeof(*awake->numbers)));
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

/* What the program does per second while it works: blocks allocated and CPU time; 0: unknown. */
struct pace {
	double work, cpu;
};

static struct pace usual_pace(const struct growth_series *series, const bool *idle)
{
	struct interval *intervals = need(calloc(series->count, sizeof(*intervals)));
	struct pace pace = {usual(series, series->work, idle, 0, intervals).rate,
			    usual(series, series->cpu, idle, least_cpu, intervals).rate};

	free(intervals);
	return pace;
}

static double share_of(double rate, double usual)
{
	return usual > 0 && rate < partly * usual ? fmax(rate / usual, least_share) : 1;
}

/* The pace of the busy interval beside the one that ends at `i`, if that is slower than usual: a
   program that slows down gradually has not stopped. */
static double pace_nearby(const struct growth_series *series, const double *sums, const bool *idle,
			  size_t i, double usual)
{
	size_t beside = idle[i - 1] || i < 2 ? i + 1 : i - 1;

	if (beside >= series->count || idle[beside] || !in_one_run(series, beside))
		return usual;
	return fmin(usual, growth_rate(series, sums, beside));
}

static double pace_share(const struct growth_series *series, const double *sums, const bool *idle,
			 size_t i, double usual)
{
	return share_of(growth_rate(series, sums, i), pace_nearby(series, sums, idle, i, usual));
}

/* A row that is much of the work itself cannot be measured by it: a cache that fills allocates less
 * and less. */
static bool is_apart(const struct growth_series *series, size_t i)
{
	double work = series->work[i] - series->work[i - 1];

	return series->blocks && work >= LEAST_WORK &&
	       series->blocks[i] - series->blocks[i - 1] <= own_share * work;
}

/*
 * The share of the interval that ends at `i` in which the program worked: 1 unless its CPU time or
 * its allocations say less.  It is known that the program stopped if it has ended since, or if its
 * CPU time shows it.
 */
static double worked_share(const struct growth_series *series, const bool *idle, size_t i,
			   const struct pace *usual)
{
	bool is_last = i + 1 == series->count,
	     stopped = is_last ? series->at_exit != NULL : idle[i + 1];
	double share = 1;

	if (!in_one_run(series, i))
		return 1;
	if (usual->cpu > 0)
		share = pace_share(series, series->cpu, idle, i, usual->cpu);
	if (usual->work > 0 && (is_apart(series, i) || (stopped && (is_last || usual->cpu > 0))))
		share = fmin(share, pace_share(series, series->work, idle, i, usual->work));
	return share;
}

static bool ends_partly(const struct growth_series *series, const bool *idle)
{
	size_t last = series->count - 1;
	struct pace usual;

	if (!series->seconds || series->count <= LEAST_BUSY + 1 || idle[last])
		return false;
	usual = usual_pace(series, idle);
	return worked_share(series, idle, last, &usual) < 1;
}

/* Where the work begins or ends within an interval, and in the last one, only the time in which
 * there was work counts. */
static void shorten_partial(struct growth_awake *awake, const struct growth_series *series,
			    const bool *idle, double *seconds)
{
	struct pace usual = usual_pace(series, idle);
	double off = 0;

	for (size_t k = 1; k < awake->series.count; k++) {
		size_t from = awake->kept[k - 1], i = from + 1;
		bool at_border = idle[from] || awake->kept[k] > i || k + 1 == awake->series.count;

		if (at_border)
			off += (1 - worked_share(series, idle, i, &usual)) *
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
	out->work = pick_values(awake, series->work, 7, count);
	out->cpu = pick_values(awake, series->cpu, 8, count);
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
