/*
 * growth_measures.c - what is measured on one run of a series.
 */
#include "analysis/growth/growth_measures.h"

#include <stdlib.h>

#include "analysis/growth/growth_decline.h"
#include "analysis/growth/growth_error.h"
#include "base/memory.h"

const struct growth_shape *growth_deciding(const struct growth_measures *m)
{
	return m->by_bytes ? &m->bytes : &m->blocks;
}

static void differences(const double *sums, size_t count, double *out)
{
	for (size_t i = 0; i + 1 < count; i++)
		out[i] = sums[i + 1] - sums[i];
}

/*
 * A leak whose load declines adds fewer blocks, too.  So they must fall against the work as well:
 * against the allocations of the process or its CPU time, as a full cache needs no allocations.
 * Where other work grows, a leak falls against that.  So they must fall per interval and per second.
 */
static bool declines(const struct growth_series *series, const struct growth_run *run, size_t tail)
{
	const double *lengths[] = {run->x, run->seconds, series->work, series->cpu};
	size_t count = run->count, steps = count > 0 ? count - 1 : 0;
	double *added = memory_need(calloc(2 * count + 1, sizeof(*added)), "judging growth");
	bool falls[] = {true, true, false, false}; /* where a length is unknown */

	differences(run->blocks, count, added);
	for (size_t k = 0; k < sizeof(falls) / sizeof(*falls); k++) {
		if (!lengths[k])
			continue;
		differences(lengths[k] + (k < 2 ? 0 : run->from), count, added + count);
		for (size_t i = 0; lengths[k] == series->work && i < steps; i++)
			added[count + i] -= added[i]; /* the row's own is no other work */
		falls[k] = growth_declines(added, added + count, steps, tail,
					   k < 2 ? DECLINE_LIKELY : DECLINE_STEADY);
	}
	free(added);
	return falls[0] && falls[1] && (falls[2] || falls[3]);
}

void growth_measure(struct growth_measures *m, const struct growth_series *series,
		    const struct growth_run *run, const struct growth_options *options)
{
	*m = (struct growth_measures){.ages = {.pattern = AGES_UNKNOWN}, .by_bytes = true};
	growth_shape_measure(&m->bytes, run->x, run->bytes, run->count, options->warmup);
	m->bytes.estimated = series->bytes_stderr != NULL;
	m->within_error = !growth_error_exceeded(series, run->from, run->count, run->bytes);
	m->bytes.seconds = run->seconds;
	m->fill = growth_fill_measure(&m->bytes, run->unrecorded);
	if (!run->blocks)
		return;
	growth_shape_measure(&m->blocks, run->x, run->blocks, run->count, options->warmup);
	m->blocks.estimated = m->bytes.estimated;
	m->blocks.seconds = run->seconds;
	m->declines = declines(series, run, m->blocks.tail);
	if (options->control_blocks == 0 && options->control_bytes == 0)
		growth_ages_measure(&m->ages, series, run->from, run->count, m->blocks.tail);
}
