/*
 * growth_shape.c - what the growth rule measures on one figure of one run.
 */
#include "analysis/growth/growth_shape.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { MOST_STEPS = 8 }; /* of a leap that takes several */
static const double exact_share = 0.8;
static const double drop_share = 0.3;
static const double floor_factor = 1.5;
static const double leap_factor = 1.5;
static const double level_share = 0.02; /* a smaller rise is none */

static double larger(double a, double b)
{
	return a > b ? a : b;
}

static double smaller(double a, double b)
{
	return a < b ? a : b;
}

static double lowest(const double *y, size_t from, size_t to)
{
	double low = y[from];

	for (size_t i = from + 1; i < to; i++)
		low = smaller(low, y[i]);
	return low;
}

static double highest(const double *y, size_t from, size_t to)
{
	double high = y[from];

	for (size_t i = from + 1; i < to; i++)
		high = larger(high, y[i]);
	return high;
}

static size_t auto_warmup(size_t count)
{
	return count / 4 > 1 ? count / 4 : 1;
}

/* Keep at least three snapshots to judge, however long the warm-up was said to be. */
static size_t tail_start(size_t count, size_t warmup)
{
	size_t start = warmup == GROWTH_WARMUP_AUTO ? auto_warmup(count) : warmup;

	if (count <= 3)
		return 0;
	return start > count - 3 ? count - 3 : start;
}

static double median_step(const double *x, size_t count)
{
	/* Positions are mostly evenly spaced; the median of the first few distances is as good as
	 * all. */
	double steps[64];
	size_t n = 0;

	for (size_t i = 1; i < count && n < 64; i++)
		if (x[i] > x[i - 1])
			steps[n++] = x[i] - x[i - 1];
	return n ? stats_median(steps, n) : 1;
}

/* The rise from i - 1 to i, per step of x; rounded so that 2 steps of 3 blocks equal 1 of 6 over a
 * gap. */
static double step_at(const struct growth_shape *s, size_t i)
{
	double distance = s->x[i] - s->x[i - 1];
	double rise = s->y[i] - s->y[i - 1];

	return distance > 0 ? rise * s->step_x / distance : rise;
}

/* The most frequent rise, by majority vote (Boyer and Moore), then counted. */
static void measure_steps(struct growth_shape *s)
{
	size_t votes = 0;

	for (size_t i = s->tail + 1; i < s->count; i++) {
		double step = step_at(s, i);

		if (votes == 0)
			s->step = step;
		votes = step == s->step || votes == 0 ? votes + 1 : votes - 1;
		s->rise_count += step > 0;
	}
	s->tail_steps = s->count - s->tail - 1;
	for (size_t i = s->tail + 1; i < s->count; i++)
		s->same_steps += step_at(s, i) == s->step;
}

static void measure_floor(struct growth_shape *s)
{
	double high = s->y[s->tail];

	for (size_t i = s->tail; i < s->count; i++) {
		high = larger(high, s->y[i]);
		s->give_back = larger(s->give_back, high - s->y[i]);
	}
	if (s->count - s->tail >= 4)
		s->floor_gain =
			lowest(s->y, s->count - 2, s->count) - highest(s->y, s->tail, s->tail + 2);
	else
		s->floor_gain = s->last - s->y[s->tail];
}

static void measure_jump(struct growth_shape *s)
{
	for (size_t i = 1; i < s->count; i++) {
		if (s->y[i] - s->y[i - 1] > s->jump) {
			s->jump = s->y[i] - s->y[i - 1];
			s->jump_at = i;
		}
	}
	if (s->jump_at == 0)
		return;
	s->before_move = highest(s->y, 0, s->jump_at) - lowest(s->y, 0, s->jump_at);
	s->after_move = highest(s->y, s->jump_at, s->count) - lowest(s->y, s->jump_at, s->count);
	s->jump_gain = lowest(s->y, s->jump_at, s->count) - highest(s->y, 0, s->jump_at);
}

/* Note the trough at the end of a fall of `drop`, if the fall is large enough. */
static void note_drop(struct growth_shape *s, double drop, double trough)
{
	if (drop <= 0 || drop < drop_share * (s->max - s->min))
		return;
	s->drops++;
	s->largest_drop = larger(s->largest_drop, drop);
	if (s->trough_count++ == 0)
		s->trough_first = trough;
	s->trough_last = trough;
}

static void measure_drops(struct growth_shape *s)
{
	double drop = 0;

	for (size_t i = 1; i < s->count; i++) {
		double move = s->y[i] - s->y[i - 1];

		s->falling_steps += move < 0;
		s->rising_steps += move > 0;
		if (move < 0) {
			drop -= move;
			continue;
		}
		note_drop(s, drop, s->y[i - 1]);
		drop = 0;
	}
	note_drop(s, drop, s->last);
	s->trough_gain = s->trough_last - s->trough_first;
}

static void note_leap(struct growth_shape *s, size_t at, double rise)
{
	if (s->leaps < 2)
		s->leap_at[s->leaps] = at;
	if (s->leaps == 0)
		s->leap_rise = rise;
	s->leaps++;
	s->leap_bytes += rise;
}

static bool is_leap(double from, double to)
{
	return to >= leap_factor * from && to > from;
}

static bool rises(const double *floor, size_t i)
{
	return floor[i] > floor[i - 1] * (1 + level_share);
}

/*
 * Many tables that double at nearly the same time do so over a few snapshots.  If the rises that end
 * at `end` are such a leap, return the snapshot before them; else `end`.  Before it, the figure stayed
 * the same for at least as long.
 */
static size_t begin_of_group(const double *floor, size_t end)
{
	size_t begin = end, level;

	while (begin > 0 && end - begin < MOST_STEPS && rises(floor, begin) &&
	       !is_leap(floor[begin - 1], floor[begin]))
		begin--;
	if (!is_leap(floor[begin], floor[end]))
		return end;
	level = begin;
	while (level > 0 && begin - level < end - begin && !rises(floor, level))
		level--;
	return begin - level == end - begin ? begin : end;
}

/* The floor at i is the lowest value from i on: memory that is never given back later. */
static double *make_floor(const struct growth_shape *s)
{
	double *floor = memory_need(calloc(s->count, sizeof(*floor)), "judging growth");

	floor[s->count - 1] = s->last;
	for (size_t i = s->count - 1; i > 0; i--)
		floor[i - 1] = smaller(s->y[i - 1], floor[i]);
	return floor;
}

static void measure_leaps(struct growth_shape *s)
{
	double *floor = make_floor(s);

	for (size_t i = s->count - 1; i > 0; i--) {
		size_t begin = is_leap(floor[i - 1], floor[i]) ? i - 1 : begin_of_group(floor, i);

		if (begin == i)
			continue;
		note_leap(s, i, floor[i] - floor[begin]);
		i = begin + 1;
	}
	free(floor);
}

void growth_shape_measure(struct growth_shape *s, const double *x, const double *y, size_t count,
			  size_t warmup)
{
	*s = (struct growth_shape){.x = x, .y = y, .count = count};
	if (count == 0)
		return;
	s->first = y[0];
	s->last = y[count - 1];
	s->min = lowest(y, 0, count);
	s->max = highest(y, 0, count);
	s->step_x = median_step(x, count);
	if (count < 3 || s->min == s->max)
		return;
	s->tail = tail_start(count, warmup);
	measure_steps(s);
	measure_floor(s);
	measure_jump(s);
	measure_drops(s);
	measure_leaps(s);
	s->plateau_low = lowest(y, count / 2, count);
	s->plateau_high = highest(y, count / 2, count);
}

bool growth_shape_is_exact(const struct growth_shape *s)
{
	return !s->estimated && s->step > 0 && s->tail_steps >= 2 && s->give_back == 0 &&
	       (double)s->same_steps >= exact_share * (double)s->tail_steps &&
	       s->y[s->count - 1] > s->y[s->count - 3]; /* it may idle once at the end */
}

bool growth_shape_is_one_off(const struct growth_shape *s)
{
	double moved = s->before_move + s->after_move;

	return s->jump_at > 0 && s->jump_gain > 0 &&
	       moved <= (1 - exact_share) * s->jump / exact_share;
}

bool growth_shape_is_shrinking(const struct growth_shape *s)
{
	struct stats_slope slope;

	if (s->last >= s->first || s->falling_steps == 0 ||
	    highest(s->y, s->count - 2, s->count) >= lowest(s->y, 0, 2))
		return false;
	/* With four snapshots or fewer no trend is significant: then no step may go up. */
	if (s->count <= 4)
		return s->rising_steps == 0;
	stats_theil_sen(s->x, s->y, s->count, &slope);
	return slope.high < 0 || s->rising_steps == 0;
}

bool growth_shape_is_sawtooth(const struct growth_shape *s)
{
	double range = s->max - s->min;

	return s->drops >= 2 && range >= drop_share * s->max &&
	       3 * s->falling_steps <= 2 * s->rising_steps;
}

bool growth_shape_is_plateau(const struct growth_shape *s)
{
	double band = s->plateau_high - s->plateau_low;
	double rise = s->plateau_low - s->first;

	return rise > band && rise > 0.05 * s->max;
}

bool growth_shape_leaps(const struct growth_shape *s)
{
	double gap, since;

	if (s->leaps < 3)
		return false;
	gap = s->x[s->leap_at[0]] - s->x[s->leap_at[1]];
	since = s->x[s->count - 1] - s->x[s->leap_at[0]];
	/* Near the end, every figure's floor jumps, because no later values exist; noise causes
	 * as much.  A table that doubles takes twice as long for each jump, and a snapshot sees
	 * a jump up to one step late. */
	return 3 * s->give_back < s->leap_bytes && s->leap_bytes > 0.8 * (s->max - s->min) &&
	       since < 2 * gap + 2 * s->step_x;
}

double growth_shape_since_leap(const struct growth_shape *s)
{
	double gap = s->x[s->leap_at[0]] - s->x[s->leap_at[1]];

	return gap > 0 ? (s->x[s->count - 1] - s->x[s->leap_at[0]]) / gap : 0;
}

bool growth_shape_passes_floor(const struct growth_shape *s)
{
	return s->floor_gain > floor_factor * s->give_back;
}

static double slope_between(const double *x, const double *y, size_t from, size_t to)
{
	struct stats_slope slope;

	stats_theil_sen(x + from, y + from, to - from, &slope);
	return slope.value;
}

struct growth_rates growth_shape_rates(const struct growth_shape *s, const double *x)
{
	size_t points = s->count - s->tail;
	size_t part = (points * 2 + 4) / 5;

	part = part < 3 ? 3 : part;
	part = part > points ? points : part;
	return (struct growth_rates){
		.early = slope_between(x, s->y, s->tail, s->tail + part),
		.late = slope_between(x, s->y, s->count - part, s->count),
	};
}

static double share_of(struct growth_rates rates)
{
	return rates.early > 0 ? rates.late / rates.early : 1;
}

double growth_shape_late_share(const struct growth_shape *s)
{
	double share = share_of(growth_shape_rates(s, s->x));

	return s->seconds ? larger(share, share_of(growth_shape_rates(s, s->seconds))) : share;
}
