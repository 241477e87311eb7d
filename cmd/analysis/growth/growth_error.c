/*
 * growth_error.c - is the rise of a sampled figure more than chance?
 *
 * A block is sampled once, when it is allocated.  So the blocks that both snapshots hold have the same
 * error in both, and only what came or went between them adds to the error of the rise.
 */
#include "analysis/growth/growth_error.h"

#include <math.h>

/* One in forty sites exceeds two deviations by chance, and a program has hundreds of sites, so two
 * are not enough. */
static const double least_deviations = 3;

/* The blocks of a snapshot by birth; NULL: not known. */
static const struct growth_births *births_at(const struct growth_series *series, size_t snapshot)
{
	for (size_t i = 0; series->seq && i < series->births_count; i++)
		if (series->births[i].snapshot == snapshot)
			return &series->births[i];
	return NULL;
}

/* Bytes of blocks that are older than the snapshot `first`. */
static double bytes_before(const struct growth_births *births, uint64_t first)
{
	double bytes = 0;

	for (size_t i = 0; i < births->count; i++)
		if (births->cohorts[i].birth_seq < first)
			bytes += births->cohorts[i].bytes;
	return bytes;
}

static double variance_of_rise(const struct growth_series *series, size_t first, size_t last)
{
	const struct growth_births *births = births_at(series, last);
	double before = series->bytes_stderr[first] * series->bytes_stderr[first];
	double after = series->bytes_stderr[last] * series->bytes_stderr[last];
	double stayed;

	if (!births || series->bytes[last] <= 0)
		return before + after;
	stayed = fmin(bytes_before(births, series->seq[first]), series->bytes[last]);
	after *= 1 - stayed / series->bytes[last];
	if (series->bytes[first] > 0)
		before *= 1 - fmin(stayed / series->bytes[first], 1);
	return before + after;
}

bool growth_error_exceeded(const struct growth_series *series, size_t from, size_t count,
			   const double *bytes)
{
	double rise = count ? bytes[count - 1] - bytes[0] : 0;

	if (!series->bytes_stderr || count < 2)
		return true;
	return rise > least_deviations * sqrt(variance_of_rise(series, from, from + count - 1));
}
