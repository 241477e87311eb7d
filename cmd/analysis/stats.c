/*
 * stats.c - robust statistics on short series.
 */
#include "analysis/stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static double middle_of_three(double a, double b, double c)
{
	double low = a < b ? a : b, high = a < b ? b : a;

	return c < low ? low : c > high ? high : c;
}

/* Move the values of [from, to) that are below `pivot` to the front.  Returns where the others
 * begin.  No branch depends on the values: the processor would predict it wrongly half the time. */
static size_t move_below(double *values, size_t from, size_t to, double pivot)
{
	for (size_t i = from; i < to; i++) {
		double value = values[i];

		values[i] = values[from];
		values[from] = value;
		from += value < pivot;
	}
	return from;
}

static size_t move_equal(double *values, size_t from, size_t to, double pivot)
{
	for (size_t i = from; i < to; i++) {
		double value = values[i];

		values[i] = values[from];
		values[from] = value;
		from += value <= pivot;
	}
	return from;
}

/* Move the value of `rank` (from 0) to its place, smaller ones before it, larger ones after. */
static double select_rank(double *values, size_t count, size_t rank)
{
	size_t low = 0, high = count;

	while (high - low > 1) {
		double pivot = middle_of_three(values[low], values[low + (high - low) / 2],
					       values[high - 1]);
		size_t equal = move_below(values, low, high, pivot), above;

		if (rank < equal) {
			high = equal;
			continue;
		}
		if (equal > low) { /* the pivot is among the values that remain */
			low = equal;
			continue;
		}
		above = move_equal(values, equal, high, pivot);
		if (rank < above || above == low) /* true for NaN, too */
			break;
		low = above;
	}
	return values[rank];
}

static double largest(const double *values, size_t count)
{
	double largest_value = values[0];

	for (size_t i = 1; i < count; i++)
		largest_value = values[i] > largest_value ? values[i] : largest_value;
	return largest_value;
}

double stats_median(double *values, size_t count)
{
	double upper;

	if (count == 0)
		return 0;
	upper = select_rank(values, count, count / 2);
	return count % 2 ? upper : (largest(values, count / 2) + upper) / 2;
}

/* Merge neighbours into `bins` points of median x and median y. */
static void merge_neighbours(const double *x, const double *y, size_t count, double *bin_x,
			     double *bin_y, size_t bins, double *scratch)
{
	for (size_t i = 0; i < bins; i++) {
		size_t from = i * count / bins, to = (i + 1) * count / bins;

		memcpy(scratch, x + from, (to - from) * sizeof(*x));
		bin_x[i] = stats_median(scratch, to - from);
		memcpy(scratch, y + from, (to - from) * sizeof(*y));
		bin_y[i] = stats_median(scratch, to - from);
	}
}

/* Sen's interval: the slopes whose ranks lie z * sd(Kendall's S) / 2 off the middle.  The median
 * has been selected: what is below it lies before it. */
static void slope_interval(double *slopes, size_t pairs, size_t points, struct stats_slope *out)
{
	const double z95 = 1.959963984540054;
	double n = (double)points;
	double width = z95 * sqrt(n * (n - 1) * (2 * n + 5) / 18);
	double low = floor(((double)pairs - width) / 2);
	double high = ceil(((double)pairs + width) / 2);
	size_t last = pairs - 1, middle = pairs / 2;
	size_t low_rank = low < 0 ? 0 : (size_t)low;
	size_t high_rank = high > (double)last ? last : (size_t)high;

	if (high_rank < middle)
		high_rank = middle; /* rounding; the interval has the median in it */
	out->low = select_rank(slopes, middle + 1, low_rank > middle ? middle : low_rank);
	out->high = select_rank(slopes + middle, pairs - middle, high_rank - middle);
}

static bool pairwise_slopes(const double *x, const double *y, size_t points, double *slopes,
			    struct stats_slope *out)
{
	size_t pairs = 0;

	for (size_t i = 0; i < points; i++)
		for (size_t j = i + 1; j < points; j++)
			if (x[j] != x[i])
				slopes[pairs++] = (y[j] - y[i]) / (x[j] - x[i]);
	if (pairs == 0)
		return false;
	out->value = stats_median(slopes, pairs);
	slope_interval(slopes, pairs, points, out);
	return true;
}

bool stats_theil_sen(const double *x, const double *y, size_t count, struct stats_slope *out)
{
	double slopes[STATS_SLOPE_POINTS * (STATS_SLOPE_POINTS - 1) / 2];
	double bin_x[STATS_SLOPE_POINTS], bin_y[STATS_SLOPE_POINTS];
	double *scratch;

	*out = (struct stats_slope){0};
	if (count <= STATS_SLOPE_POINTS)
		return pairwise_slopes(x, y, count, slopes, out);
	scratch = memory_need(malloc((count / STATS_SLOPE_POINTS + 1) * sizeof(*scratch)),
			      "judging growth");
	merge_neighbours(x, y, count, bin_x, bin_y, STATS_SLOPE_POINTS, scratch);
	free(scratch);
	return pairwise_slopes(bin_x, bin_y, STATS_SLOPE_POINTS, slopes, out);
}

/* Sum over groups of equal values of t (t - 1) (2 t + 5), by Kendall. */
static double tie_correction(const double *sorted, size_t count)
{
	double sum = 0;

	for (size_t i = 0, end; i < count; i = end) {
		double t;

		for (end = i + 1; end < count && sorted[end] == sorted[i]; end++)
			;
		t = (double)(end - i);
		sum += t * (t - 1) * (2 * t + 5);
	}
	return sum;
}

/* Sort `values` and count the pairs whose earlier value is the larger one.  `scratch` has as
 * much room. */
static double sort_and_count(double *values, double *scratch, size_t count)
{
	size_t half = count / 2, left = 0, right = half, out = 0;
	double falling;

	if (count < 2)
		return 0;
	falling = sort_and_count(values, scratch, half) +
		  sort_and_count(values + half, scratch, count - half);
	while (left < half && right < count) {
		if (values[right] < values[left]) {
			falling += (double)(half - left);
			scratch[out++] = values[right++];
		} else {
			scratch[out++] = values[left++];
		}
	}
	memcpy(scratch + out, values + left, (half - left) * sizeof(*values));
	memcpy(values, scratch, (out + half - left) * sizeof(*values));
	return falling;
}

/* Pairs of equal values. */
static double count_ties(const double *sorted, size_t count)
{
	double ties = 0;

	for (size_t i = 0, end; i < count; i = end) {
		for (end = i + 1; end < count && sorted[end] == sorted[i]; end++)
			;
		ties += (double)(end - i) * (double)(end - i - 1) / 2;
	}
	return ties;
}

struct stats_trend stats_mann_kendall(const double *y, size_t count)
{
	struct stats_trend trend = {.p_above = 1};
	double n = (double)count, variance, falling;
	double *sorted;

	if (count == 0)
		return trend;
	sorted = memory_need(malloc(2 * count * sizeof(*sorted)), "judging growth");
	memcpy(sorted, y, count * sizeof(*sorted));
	falling = sort_and_count(sorted, sorted + count, count);
	trend.s = n * (n - 1) / 2 - count_ties(sorted, count) - 2 * falling;
	variance = (n * (n - 1) * (2 * n + 5) - tie_correction(sorted, count)) / 18;
	free(sorted);
	if (variance > 0 && trend.s != 0)
		trend.z = (trend.s > 0 ? trend.s - 1 : trend.s + 1) / sqrt(variance);
	trend.p_above = erfc(trend.z / sqrt(2)) / 2;
	return trend;
}
