/*
 * growth_measures.c - what is measured on one run of a series.
 */
#include "analysis/growth/growth_measures.h"

#include "analysis/growth/growth_error.h"

const struct growth_shape *growth_deciding(const struct growth_measures *m)
{
	return m->by_bytes ? &m->bytes : &m->blocks;
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
	if (options->control_blocks == 0 && options->control_bytes == 0)
		growth_ages_measure(&m->ages, series, run->from, run->count, m->blocks.tail);
}
