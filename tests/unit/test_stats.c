/* test_stats.c - robust statistics against values worked out by hand. */
/* links: cmd_analysis */
#include <criterion/criterion.h>

#include <math.h>

#include "analysis/stats.h"

static bool close_to(double a, double b)
{
	return fabs(a - b) < 1e-6;
}

Test(stats, median_of_odd_and_even_counts)
{
	double odd[] = {9, 1, 5}, even[] = {4, 1, 3, 2};

	cr_assert(close_to(stats_median(odd, 3), 5));
	cr_assert(close_to(stats_median(even, 4), 2.5));
	cr_assert(close_to(stats_median(NULL, 0), 0));
}

Test(stats, theil_sen_of_a_line_is_the_line)
{
	double x[] = {0, 1, 2, 4, 8}, y[] = {3, 5, 7, 11, 19};
	struct stats_slope slope;

	cr_assert(stats_theil_sen(x, y, 5, &slope));
	cr_assert(close_to(slope.value, 2) && close_to(slope.low, 2) && close_to(slope.high, 2));
}

Test(stats, theil_sen_shrugs_off_an_outlier)
{
	/* Pairwise slopes: 1 1 1 1 1 1 100-ish for pairs with the outlier: 97 49 33 25; the median
	 * is 1. */
	double x[] = {0, 1, 2, 3, 4}, y[] = {0, 1, 2, 3, 100};
	struct stats_slope slope;

	cr_assert(stats_theil_sen(x, y, 5, &slope));
	cr_assert(close_to(slope.value, 1));
	cr_assert(close_to(slope.low, 1));
	cr_assert(close_to(slope.high, 97));
}

Test(stats, theil_sen_interval_uses_sens_ranks)
{
	/*
	 * n = 10: 45 slopes, width 1.96 * sqrt(10*9*25/18) = 21.91, so ranks 11 and 34 (from 0).
	 * 10 slopes are below 1, 20 equal 1, then 10/9, 8/7 twice, 6/5 three times (ranks 33 to
	 * 35).
	 */
	double x[10], y[10];
	struct stats_slope slope;

	for (int i = 0; i < 10; i++) {
		x[i] = i;
		y[i] = i % 2 ? i + 1 : i;
	}
	cr_assert(stats_theil_sen(x, y, 10, &slope));
	cr_assert(close_to(slope.value, 1) && close_to(slope.low, 1) && close_to(slope.high, 1.2));
}

Test(stats, theil_sen_refuses_equal_x)
{
	double x[] = {2, 2, 2}, y[] = {1, 2, 3};
	struct stats_slope slope;

	cr_assert(!stats_theil_sen(x, y, 3, &slope));
	cr_assert(close_to(slope.value, 0));
}

Test(stats, theil_sen_of_a_long_line_is_the_line)
{
	double x[1000], y[1000];
	struct stats_slope slope;

	for (int i = 0; i < 1000; i++) {
		x[i] = i;
		y[i] = 7.0 * i;
	}
	cr_assert(stats_theil_sen(x, y, 1000, &slope));
	cr_assert(close_to(slope.value, 7) && close_to(slope.low, 7) && close_to(slope.high, 7));
}

Test(stats, mann_kendall_of_five_rises)
{
	/* S = 10, variance 5*4*15/18 = 16.667, z = 9 / 4.0825 = 2.2045. */
	double y[] = {1, 2, 3, 4, 5};
	struct stats_trend trend = stats_mann_kendall(y, 5);

	cr_assert(close_to(trend.s, 10));
	cr_assert(fabs(trend.z - 2.2045) < 1e-3);
	cr_assert(fabs(trend.p_above - 0.01374) < 1e-4);
}

Test(stats, mann_kendall_corrects_for_ties)
{
	/* 1 1 2 2: S = 4; variance (4*3*13 - 2*(2*1*9)) / 18 = 6.6667; z = 3 / 2.582 = 1.1619. */
	double y[] = {1, 1, 2, 2};
	struct stats_trend trend = stats_mann_kendall(y, 4);

	cr_assert(close_to(trend.s, 4));
	cr_assert(fabs(trend.z - 1.1619) < 1e-3);
}

Test(stats, mann_kendall_of_a_constant_has_no_trend)
{
	double y[] = {3, 3, 3};
	struct stats_trend trend = stats_mann_kendall(y, 3);

	cr_assert(close_to(trend.z, 0) && close_to(trend.p_above, 0.5));
}
