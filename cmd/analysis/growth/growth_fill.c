/*
 * growth_fill.c - is the room that a container made for itself still being filled?
 */
#include "analysis/growth/growth_fill.h"

#include <math.h>

static const double goes_on = 0.5, ended = 0.25; /* of the pace at which it was filled before */
static const double least_bytes = 32 << 10;      /* less may be stray pages */

/* Bytes per step of x that filled the table between its last two leaps: it was half full at the
 * first of them, and full at the last, which doubled it. */
static double pace_of(const struct growth_shape *s)
{
	double gap = s->x[s->leap_at[0]] - s->x[s->leap_at[1]];

	return gap > 0 ? s->leap_rise / 2 / gap : 0;
}

/* The memory that became resident between two snapshots, as a share of what the pace predicts. */
static double filled_share(const struct growth_shape *s, const double *unrecorded, size_t from,
			   size_t to, double pace)
{
	return (unrecorded[to] - unrecorded[from]) / (pace * (s->x[to] - s->x[from]));
}

/* Does other memory move too much for an answer? */
static bool is_restless(const double *unrecorded, size_t from, size_t to, double expected)
{
	for (size_t i = from + 1; i <= to; i++)
		if (unrecorded[i] < unrecorded[i - 1] - expected * ended)
			return true;
	return false;
}

enum growth_fill growth_fill_measure(const struct growth_shape *s, const double *unrecorded)
{
	size_t end = s->count - 1, from;
	double pace, share;

	if (!unrecorded || s->leaps < 2 || s->leap_at[0] < s->leap_at[1] + 2)
		return FILL_UNKNOWN;
	from = s->leap_at[0] + (end - s->leap_at[0]) / 2;
	pace = pace_of(s);
	if (from == end || pace * (s->x[end] - s->x[from]) < least_bytes ||
	    filled_share(s, unrecorded, s->leap_at[1], s->leap_at[0] - 1, pace) < goes_on)
		return FILL_UNKNOWN;
	share = filled_share(s, unrecorded, from, end, pace);
	if (share >= goes_on)
		return FILL_GOES_ON;
	if (share > ended || is_restless(unrecorded, from, end, pace * (s->x[end] - s->x[from])))
		return FILL_UNKNOWN;
	return FILL_ENDED;
}
