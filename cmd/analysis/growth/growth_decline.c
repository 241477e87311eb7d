/*
 * growth_decline.c - do the intervals add fewer and fewer blocks?
 *
 * A cache adds fewer blocks while it fills, because more and more of its keys are there already.
 * A leak keeps its pace.  A straight line through the paces of all intervals shows a difference that
 * two halves, compared, do not: each half contains a part of the fall.
 *
 * A row that first fills and then leaks falls in one step.  So the fall must be smooth, too.
 */
#include "analysis/growth/growth_decline.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"

enum { LEAST_INTERVALS = 5 }; /* after the warm-up */

/* A fall is a share of the pace at the beginning of the line.  `sure` counts deviations. */
struct limits {
	double sure;      /* with the warm-up, or without it */
	double tail_sure; /* without it: a warm-up alone falls, too */
	double tail_fall;
	double later_fall; /* in the second half of the rest */
};
static const struct limits steady = {4, 3, 0.25, 0.1}, likely = {2.5, 1.5, 0.1, -1};

/* The line through the paces: its ends, and how many deviations its slope is below 0. */
struct line {
	double first, last, sure;
};

static double pace(const double *added, const double *length, size_t i)
{
	return added[i] / length[i];
}

static struct line fit(const double *added, const double *length, size_t count)
{
	double mean = 0, slope = 0, squares = 0, rest = 0, chance = 0, middle;
	double n = (double)count, variance;

	middle = (n - 1) / 2;
	for (size_t i = 0; i < count; i++)
		mean += pace(added, length, i) / n;
	for (size_t i = 0; i < count; i++) {
		slope += ((double)i - middle) * pace(added, length, i);
		squares += ((double)i - middle) * ((double)i - middle);
	}
	slope /= squares;
	for (size_t i = 0; i < count; i++) {
		double off = pace(added, length, i) - mean - slope * ((double)i - middle);

		rest += off * off / (n - 2);
		chance += fabs(added[i]) / (length[i] * length[i]) / n;
	}
	variance = fmax(rest, chance);
	return (struct line){
		.first = mean - slope * middle,
		.last = mean + slope * middle,
		.sure = variance > 0 ? -slope / sqrt(variance / squares) : 0,
	};
}

static bool falls_by(struct line line, double share)
{
	return line.first > 0 && line.last <= (1 - share) * line.first;
}

/* ---- one step, or a smooth fall? ------------------------------------------------------------- */

static double mean_of(const double *values, size_t count)
{
	double sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += values[i];
	return sum / (double)count;
}

/* The squares of what is left of `y` next to a straight line over `x`; x NULL: to its mean. */
static double squares_left(const double *x, const double *y, size_t count)
{
	double middle = x ? mean_of(x, count) : 0, mean = mean_of(y, count);
	double product = 0, squares = 0, left = 0, slope;

	for (size_t i = 0; x && i < count; i++) {
		product += (x[i] - middle) * (y[i] - mean);
		squares += (x[i] - middle) * (x[i] - middle);
	}
	slope = squares > 0 ? product / squares : 0;
	for (size_t i = 0; i < count; i++) {
		double off = y[i] - mean - (x ? slope * (x[i] - middle) : 0);

		left += off * off;
	}
	return left;
}

/* The same for the best step from one level to another. */
static double squares_left_by_step(const double *y, size_t count)
{
	double least = squares_left(NULL, y, count);

	for (size_t at = 1; at < count; at++)
		least = fmin(least,
			     squares_left(NULL, y, at) + squares_left(NULL, y + at, count - at));
	return least;
}

/* Does a curve fit the paces better than a step?  A logarithm is steep at its beginning, and with a
 * large shift it is a straight line. */
static bool is_smooth(const double *added, const double *length, size_t count)
{
	static const double shifts[] = {0, 0.25, 100}; /* of the whole length */
	double *numbers = memory_need(calloc(3 * count + 1, sizeof(*numbers)), "judging growth");
	double *paces = numbers, *at = numbers + count, *x = at + count, end = 0, least;

	for (size_t i = 0; i < count; i++) {
		paces[i] = pace(added, length, i);
		at[i] = end + length[i] / 2;
		end += length[i];
	}
	least = squares_left(NULL, paces, count);
	for (size_t k = 0; k < sizeof(shifts) / sizeof(*shifts); k++) {
		for (size_t i = 0; i < count; i++)
			x[i] = log(at[i] + shifts[k] * end);
		least = fmin(least, squares_left(x, paces, count));
	}
	least -= squares_left_by_step(paces, count);
	free(numbers);
	return least < 0;
}

bool growth_declines(const double *added, const double *length, size_t count, size_t tail,
		     enum growth_decline kind)
{
	const struct limits *limits = kind == DECLINE_STEADY ? &steady : &likely;
	size_t half = tail + (count - tail) / 2;
	struct line whole, rest, later;

	if (count < tail + LEAST_INTERVALS)
		return false;
	for (size_t i = 0; i < count; i++)
		if (length[i] <= 0)
			return false;
	whole = fit(added, length, count);
	rest = fit(added + tail, length + tail, count - tail);
	later = fit(added + half, length + half, count - half);
	return fmax(whole.sure, rest.sure) >= limits->sure && rest.sure >= limits->tail_sure &&
	       falls_by(rest, limits->tail_fall) && falls_by(later, limits->later_fall) &&
	       (kind == DECLINE_LIKELY || is_smooth(added, length, count));
}
