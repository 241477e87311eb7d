/*
 * growth_wanted.c - which cohorts are read: those that growth_judge() looks at.
 */
#include "analysis/growth/growth_wanted.h"

#include <stdlib.h>

#include "analysis/growth/growth_ages.h"
#include "analysis/growth/growth_conclude.h"
#include "analysis/growth/growth_ending.h"
#include "analysis/growth/growth_idle.h"
#include "analysis/growth/growth_runs.h"
#include "base/memory.h"

/* Is the snapshot at `place`, from 1, one whose ages are looked at when the series of `count` is
 * judged, or when growth_conclude() judges a shorter one? */
static bool is_wanted(size_t place, size_t count)
{
	size_t most = count > GROWTH_MANY_SNAPSHOTS ? 0 : GROWTH_LOOK_BACK;

	for (size_t back = 0; back <= most && place + back <= count; back++)
		if (growth_ages_look_at(place, count - back))
			return true;
	return false;
}

/* The longest run, counted without idle intervals; of equal ones, the newest. */
static size_t longest_run(const struct growth_series *series, const bool *idle, size_t *from)
{
	size_t most = 0;

	*from = 0;
	for (size_t start = 0, end; start < series->count; start = end) {
		size_t kept = 0;

		end = growth_run_end(series, start);
		for (size_t i = start; i < end; i++)
			kept += i + 1 == end || !idle[i + 1];
		if (kept >= most) {
			*from = start;
			most = kept;
		}
	}
	return most;
}

/* Mark what is wanted when this series is judged. */
static void mark_wanted(const struct growth_series *series, bool *wanted)
{
	bool *idle = memory_need(calloc(series->count + 1, sizeof(*idle)), "judging growth");
	size_t from, count, end, place = 0;

	growth_idle_mark(series, idle);
	count = longest_run(series, idle, &from);
	end = series->count ? growth_run_end(series, from) : 0;
	for (size_t i = from; i < end; i++)
		if (!(i + 1 < end && idle[i + 1]) && is_wanted(++place, count))
			wanted[i] = true;
	free(idle);
}

size_t growth_wanted_births(const struct growth_series *series, size_t wanted[GROWTH_BIRTHS])
{
	bool *marked = memory_need(calloc(series->count + 1, sizeof(*marked)), "judging growth");
	size_t at = growth_ending_find(series), found = 0;
	struct growth_series before = growth_ending_before(series, at);

	mark_wanted(series, marked);
	if (before.count < series->count)
		mark_wanted(&before, marked);
	for (size_t i = 0; i < series->count && found < GROWTH_BIRTHS; i++)
		if (marked[i])
			wanted[found++] = i;
	free(marked);
	return found;
}
