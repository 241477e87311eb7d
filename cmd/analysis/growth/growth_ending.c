/*
 * growth_ending.c - a program that stops to allocate, but not to work.
 *
 * A cache slows down while it fills, because more and more of its keys are there already.  A leak
 * keeps its pace, and stops at once when the load ends.  Data that a program reads before it
 * computes, and a cache that is filled key by key, also behave like that.  The rest of the
 * program's work does not tell these apart.  The blocks that it frees at its exit do.
 */
#include "analysis/growth/growth_ending.h"

#include <stdlib.h>

#include "analysis/growth/growth_idle.h"
#include "analysis/stats.h"
#include "base/memory.h"

enum {
	LEAST_GROWING = 4, /* intervals in which it grew; fewer show no pace */
	LEAST_QUIET = 2    /* intervals without allocations */
};
static const double even = 0.6;       /* of the pace of the first half, in the second half */
static const double stays = 0.05;     /* of the growth that the row may lose or gain later */
static const double full_work = 0.75; /* of the usual allocations: with fewer, it worked only for a
				         part of the interval */
static const double longest = 2;      /* time without allocations, next to that with growth */
static const double kept = 0.9;       /* of the blocks: still there at the exit */

static bool is_one_run(const struct growth_series *series)
{
	return !series->run || series->run[0] == series->run[series->count - 1];
}

/* The median pace of `sums` in the intervals up to the snapshot at `end`. */
static double usual_rate(const struct growth_series *series, const double *sums, size_t end)
{
	double *rates = memory_need(calloc(end + 1, sizeof(*rates)), "judging growth"), usual;

	for (size_t i = 1; i <= end; i++)
		rates[i - 1] = growth_rate(series, sums, i);
	usual = end ? stats_median(rates, end) : 0;
	free(rates);
	return usual;
}

size_t growth_ending_find(const struct growth_series *series)
{
	size_t last = series->count ? series->count - 1 : 0, at;

	if (!series->work || !series->cpu || last < LEAST_GROWING + LEAST_QUIET ||
	    !is_one_run(series))
		return last;
	at = growth_idle_last_work(series);
	/* The load may have ended within that interval. */
	if (at > 1 && at < last &&
	    growth_rate(series, series->work, at) <
		    full_work * usual_rate(series, series->work, at - 1))
		at--;
	return at < LEAST_GROWING || last - at < LEAST_QUIET ? last : at;
}

struct growth_series growth_ending_before(const struct growth_series *series, size_t at)
{
	struct growth_series begins = *series;

	begins.count = at + 1;
	begins.idle = NULL;
	begins.idle_count = 0;
	while (begins.births_count > 0 && begins.births[begins.births_count - 1].snapshot > at)
		begins.births_count--;
	return begins;
}

static double late_share(const double *x, const double *values, size_t at)
{
	size_t half = at / 2;
	double early = values[half] - values[0], late = values[at] - values[half];

	if (early <= 0 || x[half] <= x[0] || x[at] <= x[half])
		return 0;
	return late / (x[at] - x[half]) / (early / (x[half] - x[0]));
}

/* Per snapshot or per second: intervals of different length must not look like slowing. */
static bool grew_evenly(const struct growth_series *series, const double *values, size_t at)
{
	return late_share(series->x, values, at) >= even ||
	       (series->seconds && late_share(series->seconds, values, at) >= even);
}

static bool is_much_longer(const double *x, size_t at, size_t last)
{
	return x[last] - x[at] > longest * (x[at] - x[0]);
}

/* Did the program do most of its work after the growth? */
static bool worked_on(const struct growth_series *series, size_t at)
{
	size_t last = series->count - 1;

	return is_much_longer(series->x, at, last) &&
	       (!series->seconds || is_much_longer(series->seconds, at, last));
}

/* Did it stay as it was, except for growth in the interval in which the load ended? */
static bool stays_still(const struct growth_series *series, const double *values, size_t at)
{
	size_t last = series->count - 1;
	double gain = values[at] - values[0], allowed = stays * gain;
	double step = gain / (double)at;

	for (size_t i = at + 1; i <= last; i++)
		if (values[i] < values[at] - allowed || values[i] > values[at] + step + allowed ||
		    (i > at + 1 && values[i] > values[at + 1] + allowed))
			return false;
	return true;
}

enum growth_ending growth_ending_weigh(const struct growth_series *series, const double *values,
				       size_t at)
{
	const struct growth_exit *at_exit = series->at_exit;
	size_t last = series->count - 1;
	double left = 0;

	if (at == last || !grew_evenly(series, values, at) || !stays_still(series, values, at))
		return ENDING_NONE;
	if (at_exit)
		left = values == series->blocks ? at_exit->blocks : at_exit->bytes;
	if (at_exit && left < kept * values[last])
		return ENDING_NONE;
	if (at_exit && at_exit->frees_others)
		return ENDING_LOST;
	return worked_on(series, at) ? ENDING_NONE : ENDING_UNKNOWN;
}
