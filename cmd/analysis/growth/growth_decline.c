/*
 * growth_decline.c - do the intervals add fewer and fewer blocks?
 *
 * A cache adds fewer blocks while it fills, because more and more of its keys are there already.
 * A leak keeps its pace.  A straight line through the paces of all intervals shows a difference that
 * two halves, compared, do not: each half contains a part of the fall.
 */
#include "analysis/growth/growth_decline.h"

#include <math.h>

enum { LEAST_INTERVALS = 6 };
static const double least_fall = 0.25; /* of the first pace */
static const double goes_on = 0.07;    /* of the first pace of the second half */
static const double deviations = 4;    /* of the slope */

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

bool growth_declines(const double *added, const double *length, size_t count)
{
	size_t half = count / 2;
	struct line whole, later;

	if (count < LEAST_INTERVALS)
		return false;
	for (size_t i = 0; i < count; i++)
		if (length[i] <= 0)
			return false;
	whole = fit(added, length, count);
	later = fit(added + half, length + half, count - half);
	return whole.first > 0 && whole.last <= (1 - least_fall) * whole.first &&
	       whole.sure >= deviations && later.sure >= 1.5 &&
	       later.last <= (1 - goes_on) * later.first;
}
