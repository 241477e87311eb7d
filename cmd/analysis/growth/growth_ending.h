/*
 * analysis/growth/growth_ending.h - a program that stops to allocate, but not to work.
 *
 * Then the growth of a row stops, too.  There are two reasons: the row is full, such as a cache
 * that has every key or data that the program computes on; or the row leaked, and the load has
 * ended.  Private to analysis/growth*.c.
 */
#ifndef ANALYSIS_GROWTH_ENDING_H
#define ANALYSIS_GROWTH_ENDING_H

#include "analysis/growth/growth_series.h"

enum growth_ending {
	ENDING_NONE, /* the row did not grow evenly until then, or it changed later, or it is full: it
			   was freed at the exit, or most of the work came after its growth */
	ENDING_UNKNOWN, /* it is full, or the load ended */
	ENDING_LOST     /* the load ended, and the exit shows that the blocks have no owner */
};

/**
 * The last snapshot before the program went on without allocating, until the end of the series.
 * The last one of all where it did not.  Needs `work` and `cpu`, and one run.
 */
size_t growth_ending_find(const struct growth_series *series);

/** The beginning of a series, up to the snapshot at `at`. */
struct growth_series growth_ending_before(const struct growth_series *series, size_t at);

/** What the end at snapshot `at` means for a row, by `values`: its blocks or its bytes. */
enum growth_ending growth_ending_weigh(const struct growth_series *series, const double *values,
				       size_t at);

#endif
