/* test_growth.c - the growth rule on small series whose verdicts were worked out by hand. */
/* links: cmd_analysis */
#include <criterion/criterion.h>

#include <math.h>
#include <string.h>

#include "analysis/growth/growth.h"
#include "analysis/growth/growth_error.h"
#include "analysis/growth/growth_ages.h"
#include "analysis/growth/growth_idle.h"
#include "analysis/growth/growth_wanted.h"

enum { MOST = 64 };

/* Judge a series of blocks of `size` bytes each, one snapshot per step. */
static struct growth_judgement judge_blocks(const double *blocks, size_t count, double size)
{
	double x[MOST], bytes[MOST];
	struct growth_series series = {.count = count, .x = x, .blocks = blocks, .bytes = bytes};
	struct growth_options options = {.warmup = GROWTH_WARMUP_AUTO};
	struct growth_judgement judgement;

	for (size_t i = 0; i < count; i++) {
		x[i] = (double)i + 1;
		bytes[i] = blocks[i] * size;
	}
	growth_judge(&series, &options, &judgement);
	return judgement;
}

static struct growth_judgement judge_bytes(double blocks, const double *bytes, size_t count)
{
	double x[MOST], constant[MOST];
	struct growth_series series = {.count = count, .x = x, .blocks = constant, .bytes = bytes};
	struct growth_options options = {.warmup = GROWTH_WARMUP_AUTO};
	struct growth_judgement judgement;

	for (size_t i = 0; i < count; i++) {
		x[i] = (double)i + 1;
		constant[i] = blocks;
	}
	growth_judge(&series, &options, &judgement);
	return judgement;
}

#define JUDGE(size, ...)                                                                           \
	judge_blocks((const double[]){__VA_ARGS__},                                                \
		     sizeof((const double[]){__VA_ARGS__}) / sizeof(double), size)
#define JUDGE_BYTES(blocks, ...)                                                                   \
	judge_bytes(blocks, (const double[]){__VA_ARGS__},                                         \
		    sizeof((const double[]){__VA_ARGS__}) / sizeof(double))

#define EXPECT(judgement, expected)                                                                \
	cr_assert_str_eq(growth_verdict_name((judgement).verdict), expected, "%s: %s",             \
			 growth_verdict_name((judgement).verdict), (judgement).reasons[0])

Test(growth, one_or_two_snapshots_are_too_few)
{
	struct growth_judgement one = JUDGE(8, 5), two = JUDGE(8, 5, 9);

	EXPECT(one, "too-few");
	EXPECT(two, "too-few");
	cr_assert(strstr(two.reasons[0], "only 2 snapshots"));
}

Test(growth, no_snapshots_are_too_few)
{
	struct growth_judgement none = judge_blocks((const double[]){0}, 0, 1);

	EXPECT(none, "too-few");
}

Test(growth, exactly_three_blocks_per_snapshot_is_a_leak_with_its_signature)
{
	struct growth_judgement leak = JUDGE(100, 10, 13, 16, 19, 22, 25, 28, 31);

	EXPECT(leak, "leak");
	cr_assert_eq(leak.confidence, GROWTH_HIGH);
	cr_assert(leak.exact);
	cr_assert_float_eq(leak.exact_blocks, 3, 1e-9);
	cr_assert_float_eq(leak.exact_bytes, 300, 1e-9);
	cr_assert_float_eq(leak.bytes_slope.value, 300, 1e-9);
	cr_assert_float_eq(leak.bytes_slope.low, 300, 1e-9);
	cr_assert_str_eq(leak.reasons[0], "exactly 3 blocks, 300 bytes per snapshot");
}

Test(growth, one_idle_interval_at_the_end_does_not_hide_an_exact_leak)
{
	/* Judged from the third: five rises of 100 and one of nothing are 83 %. */
	struct growth_judgement leak = JUDGE(96, 0, 100, 200, 300, 400, 500, 600, 700, 700);

	EXPECT(leak, "leak");
	cr_assert_str_eq(leak.reasons[0], "exactly 100 blocks, 9,600 bytes per snapshot");
}

Test(growth, few_snapshots_never_make_a_sure_leak)
{
	struct growth_judgement four = JUDGE(8, 1, 2, 3, 4), seven = JUDGE(8, 1, 2, 3, 4, 5, 6, 7);

	EXPECT(four, "leak");
	cr_assert_eq(four.confidence, GROWTH_LOW);
	EXPECT(seven, "leak");
	cr_assert_eq(seven.confidence, GROWTH_MEDIUM);
}

Test(growth, a_missing_snapshot_does_not_hide_an_exact_leak)
{
	/* seq 1 2 3 5 6 8 9 10: 4 blocks per seq. */
	double x[] = {1, 2, 3, 5, 6, 8, 9, 10}, blocks[8], bytes[8];
	struct growth_series series = {.count = 8, .x = x, .blocks = blocks, .bytes = bytes};
	struct growth_options options = {.warmup = GROWTH_WARMUP_AUTO};
	struct growth_judgement leak;

	for (int i = 0; i < 8; i++) {
		blocks[i] = 7 + 4 * x[i];
		bytes[i] = 16 * blocks[i];
	}
	growth_judge(&series, &options, &leak);
	EXPECT(leak, "leak");
	cr_assert_float_eq(leak.exact_blocks, 4, 1e-9);
	cr_assert_float_eq(leak.blocks_slope.value, 4, 1e-9);
}

Test(growth, a_constant_is_stable)
{
	EXPECT(JUDGE(8, 5, 5, 5, 5, 5, 5), "stable");
}

Test(growth, noise_around_a_level_is_stable)
{
	EXPECT(JUDGE(8, 100, 103, 99, 101, 104, 98, 102, 100, 103, 101), "stable");
}

Test(growth, a_single_jump_is_a_one_off)
{
	struct growth_judgement jump = JUDGE(8, 10, 10, 11, 10, 60, 60, 61, 60);

	EXPECT(jump, "one-off");
	cr_assert(strstr(jump.reasons[0], "50 blocks"));
}

Test(growth, a_jump_in_the_last_interval_needs_more_snapshots)
{
	EXPECT(JUDGE(8, 10, 10, 10, 10, 10, 10, 10, 60), "inconclusive");
}

Test(growth, rise_then_plateau_is_a_warm_up)
{
	EXPECT(JUDGE(8, 0, 40, 70, 90, 100, 100, 100, 100, 100, 100, 100, 100), "warm-up");
}

Test(growth, a_falling_series_is_shrinking)
{
	EXPECT(JUDGE(8, 100, 90, 85, 70, 66, 50, 41, 30), "shrinking");
}

Test(growth, a_buffer_that_fills_and_drains_is_a_sawtooth)
{
	EXPECT(JUDGE(8, 0, 10, 20, 30, 0, 10, 20, 30, 0, 10, 20, 30), "sawtooth");
}

Test(growth, rising_troughs_under_a_sawtooth_are_a_leak)
{
	/* A buffer of 0 10 20 30 on a leak of 10 a snapshot. */
	EXPECT(JUDGE(8, 0, 20, 40, 60, 40, 60, 80, 100, 80, 100, 120, 140, 120, 140, 160, 180),
	       "leak");
}

Test(growth, a_noisy_climb_is_a_leak)
{
	struct growth_judgement leak =
		JUDGE(8, 3, 7, 10, 16, 19, 22, 28, 31, 33, 39, 41, 47, 50, 55, 57, 62);

	EXPECT(leak, "leak");
	cr_assert_eq(leak.confidence, GROWTH_HIGH);
	cr_assert(leak.blocks_slope.low > 3 && leak.blocks_slope.high < 5);
}

Test(growth, one_block_that_is_reallocated_larger_is_container_growth)
{
	struct growth_judgement container =
		JUDGE_BYTES(1, 1000, 1100, 1200, 1300, 1400, 1500, 1600, 1700, 1800, 1900);

	EXPECT(container, "container-growth");
	cr_assert(container.exact);
	cr_assert_float_eq(container.exact_blocks, 0, 1e-9);
	cr_assert_float_eq(container.exact_bytes, 100, 1e-9);
}

Test(growth, unknown_blocks_are_judged_by_bytes)
{
	double x[] = {1, 2, 3, 4, 5, 6, 7, 8}, bytes[] = {5, 10, 15, 20, 25, 30, 35, 40};
	struct growth_series series = {.count = 8, .x = x, .bytes = bytes};
	struct growth_options options = {.warmup = GROWTH_WARMUP_AUTO};
	struct growth_judgement leak;

	growth_judge(&series, &options, &leak);
	EXPECT(leak, "leak");
}

Test(growth, a_control_run_with_the_same_slope_explains_the_growth_away)
{
	double x[] = {1, 2, 3, 4, 5, 6, 7, 8}, blocks[] = {5, 7, 9, 11, 13, 15, 17, 19};
	double bytes[] = {50, 70, 90, 110, 130, 150, 170, 190};
	struct growth_series series = {.count = 8, .x = x, .blocks = blocks, .bytes = bytes};
	struct growth_options options = {
		.warmup = GROWTH_WARMUP_AUTO, .control_blocks = 2, .control_bytes = 20};
	struct growth_judgement judgement;

	growth_judge(&series, &options, &judgement);
	EXPECT(judgement, "stable");
}

Test(growth, a_restart_is_never_subtracted_across)
{
	/* Two processes, each flat; the second holds more. */
	double x[] = {1, 2, 3, 4, 1, 2, 3, 4}, blocks[] = {5, 5, 5, 5, 50, 50, 50, 50};
	uint32_t run[] = {0, 0, 0, 0, 1, 1, 1, 1};
	struct growth_series series = {
		.count = 8, .x = x, .blocks = blocks, .bytes = blocks, .run = run};
	struct growth_options options = {.warmup = GROWTH_WARMUP_AUTO};
	struct growth_judgement judgement;

	growth_judge(&series, &options, &judgement);
	EXPECT(judgement, "stable");
}

Test(growth, two_runs_that_both_leak_make_the_verdict_surer)
{
	double x[] = {1, 2, 3, 4, 1, 2, 3, 4}, blocks[] = {5, 6, 7, 8, 5, 6, 7, 8};
	uint32_t run[] = {0, 0, 0, 0, 1, 1, 1, 1};
	struct growth_series series = {
		.count = 8, .x = x, .blocks = blocks, .bytes = blocks, .run = run};
	struct growth_options options = {.warmup = GROWTH_WARMUP_AUTO};
	struct growth_judgement judgement;

	growth_judge(&series, &options, &judgement);
	EXPECT(judgement, "leak");
	cr_assert_eq(judgement.confidence, GROWTH_MEDIUM);
	cr_assert_eq(judgement.judged_from, 4);
}

Test(growth, a_run_that_does_not_have_the_site_does_not_speak_against_a_leak)
{
	double x[] = {1, 2, 3, 4, 1, 2, 3, 4, 5}, blocks[] = {0, 0, 0, 0, 5, 6, 7, 8, 9};
	uint32_t run[] = {0, 0, 0, 0, 1, 1, 1, 1, 1};
	struct growth_series series = {
		.count = 9, .x = x, .blocks = blocks, .bytes = blocks, .run = run};
	struct growth_options options = {.warmup = GROWTH_WARMUP_AUTO};
	struct growth_judgement judgement;

	growth_judge(&series, &options, &judgement);
	EXPECT(judgement, "leak");
	cr_assert_eq(judgement.confidence, GROWTH_MEDIUM);
}

Test(growth, a_large_step_amid_growth_that_goes_on_is_no_doubt)
{
	struct growth_judgement even = JUDGE_BYTES(1, 100, 200, 300, 400, 500, 600, 700, 800, 900,
						   2500, 2600, 2700, 2800, 2900, 3000, 3100);
	struct growth_judgement uneven = JUDGE_BYTES(1, 100, 213, 298, 407, 520, 589, 711, 803, 894,
						     3010, 3097, 3212, 3300, 3391, 3517, 3602);
	struct growth_judgement twice =
		JUDGE_BYTES(1, 100, 100, 100, 100, 100, 200, 200, 200, 200, 200, 400);

	EXPECT(even, "container-growth");
	cr_expect_eq(even.confidence, GROWTH_HIGH);
	EXPECT(uneven, "container-growth");
	cr_expect_eq(uneven.confidence, GROWTH_HIGH);
	EXPECT(twice, "container-growth");
	cr_expect_eq(twice.confidence, GROWTH_LOW);
}

Test(growth, processes_of_one_snapshot_each_are_too_few)
{
	double x[] = {1, 1, 1, 1}, blocks[] = {5, 6, 7, 8};
	uint32_t run[] = {0, 1, 2, 3};
	struct growth_series series = {
		.count = 4, .x = x, .blocks = blocks, .bytes = blocks, .run = run};
	struct growth_options options = {.warmup = GROWTH_WARMUP_AUTO};
	struct growth_judgement judgement;

	growth_judge(&series, &options, &judgement);
	EXPECT(judgement, "too-few");
	cr_assert(strstr(judgement.reasons[1], "4 processes"));
}

/* ---- cohorts: alive[v][e] blocks of 8 bytes at snapshot v that were born in epoch e ---- */

enum { EPOCHS = 10 };

static struct growth_judgement judge_epochs(double alive[EPOCHS][EPOCHS])
{
	double x[EPOCHS], blocks[EPOCHS] = {0}, bytes[EPOCHS];
	uint64_t seq[EPOCHS];
	struct growth_cohort cohorts[EPOCHS][EPOCHS];
	struct growth_births births[EPOCHS];
	struct growth_series series = {.count = EPOCHS,
				       .x = x,
				       .blocks = blocks,
				       .bytes = bytes,
				       .seq = seq,
				       .births = births,
				       .births_count = EPOCHS};
	struct growth_options options = {.warmup = GROWTH_WARMUP_AUTO};
	struct growth_judgement judgement;

	for (size_t v = 0; v < EPOCHS; v++) {
		x[v] = (double)v + 1;
		seq[v] = v + 1;
		for (size_t e = 0; e <= v; e++) {
			cohorts[v][e] = (struct growth_cohort){
				.birth_seq = e, .blocks = alive[v][e], .bytes = 8 * alive[v][e]};
			blocks[v] += alive[v][e];
		}
		bytes[v] = 8 * blocks[v];
		births[v] = (struct growth_births){v, cohorts[v], v + 1};
	}
	growth_judge(&series, &options, &judgement);
	return judgement;
}

Test(growth_ages, blocks_that_stay_under_noise_are_a_leak)
{
	/* Two blocks of every epoch stay; 0 to 40 in flight hide it from counting. */
	static const double in_flight[EPOCHS] = {30, 4, 38, 12, 25, 40, 7, 33, 2, 19};
	double alive[EPOCHS][EPOCHS] = {{0}};
	struct growth_judgement judgement;

	for (int v = 0; v < EPOCHS; v++) {
		for (int e = 0; e <= v; e++)
			alive[v][e] = 2;
		alive[v][v] += in_flight[v];
	}
	judgement = judge_epochs(alive);
	EXPECT(judgement, "leak");
	cr_assert_eq(judgement.confidence, GROWTH_HIGH);
	cr_assert(strstr(judgement.reasons[0], "7 of the 7 intervals"), "%s", judgement.reasons[0]);
}

Test(growth_ages, a_climb_of_young_blocks_only_is_no_leak)
{
	double alive[EPOCHS][EPOCHS] = {{0}};

	for (int v = 0; v < EPOCHS; v++)
		alive[v][v] = 10 + 3 * v + v % 2;
	EXPECT(judge_epochs(alive), "stable");
}

Test(growth_ages, only_early_epochs_that_stay_are_a_warm_up)
{
	double alive[EPOCHS][EPOCHS] = {{0}};

	for (int v = 0; v < EPOCHS; v++)
		for (int e = 0; e <= v && e < 4; e++)
			alive[v][e] = 20;
	EXPECT(judge_epochs(alive), "warm-up");
}

Test(growth_ages, a_first_in_first_out_queue_is_no_leak)
{
	double alive[EPOCHS][EPOCHS] = {{0}};

	for (int v = 0; v < EPOCHS; v++)
		for (int e = 0; e <= v; e++)
			alive[v][e] = v - e < 4 ? 10 : 0;
	cr_assert_neq(judge_epochs(alive).verdict, GROWTH_LEAK);
}

Test(growth_ages, exact_growth_whose_last_epoch_is_empty_is_a_leak_but_not_a_sure_one)
{
	double alive[EPOCHS][EPOCHS] = {{0}};
	struct growth_judgement judgement;

	for (int v = 0; v < EPOCHS; v++)
		for (int e = 0; e <= v && e < EPOCHS - 1; e++)
			alive[v][e] = 20;
	judgement = judge_epochs(alive);
	EXPECT(judgement, "leak");
	cr_assert_eq(judgement.confidence, GROWTH_MEDIUM);
	cr_assert_str_eq(judgement.reasons[0], "exactly 20 blocks, 160 bytes per snapshot");
}

Test(growth_ages, uneven_growth_whose_last_epoch_is_empty_is_not_sure)
{
	double alive[EPOCHS][EPOCHS] = {{0}};

	for (int v = 0; v < EPOCHS; v++)
		for (int e = 0; e <= v && e < EPOCHS - 1; e++)
			alive[v][e] = 20 + e % 3;
	EXPECT(judge_epochs(alive), "inconclusive");
}

Test(growth_ages, a_series_is_judged_by_the_same_snapshots_as_the_beginning_of_a_longer_one)
{
	struct growth_series series = {0};
	size_t wanted[GROWTH_BIRTHS], longer[GROWTH_BIRTHS];

	for (series.count = 5; series.count < 64; series.count++) {
		size_t count = growth_wanted_births(&series, wanted), more, at = 0;

		cr_assert_eq(wanted[count - 1], series.count - 1);
		series.count++;
		more = growth_wanted_births(&series, longer);
		series.count--;
		cr_assert_leq(more, GROWTH_BIRTHS);
		for (size_t i = 0; i < series.count; i++) {
			if (!growth_ages_look_at(i + 1, series.count))
				continue;
			while (at < more && longer[at] < i)
				at++;
			cr_assert(at < more && longer[at] == i, "%zu of %zu", i, series.count);
		}
	}
}

Test(growth_ages, few_snapshots_of_a_long_series_are_asked_for_and_the_last_is_among_them)
{
	struct growth_series series = {.count = 1000};
	size_t wanted[GROWTH_BIRTHS];

	cr_assert_eq(growth_wanted_births(&series, wanted), 8);
	cr_assert_eq(wanted[7], 999);
	series.count = 5;
	cr_assert_eq(growth_wanted_births(&series, wanted), 5);
	cr_assert_eq(wanted[0], 0);
}

Test(growth, estimates_are_never_exact)
{
	double x[] = {1, 2, 3, 4, 5, 6, 7, 8}, blocks[] = {4, 8, 12, 16, 20, 24, 28, 32};
	double errors[] = {2, 2, 2, 2, 2, 2, 2, 2};
	struct growth_series series = {
		.count = 8, .x = x, .blocks = blocks, .bytes = blocks, .bytes_stderr = errors};
	struct growth_options options = {.warmup = GROWTH_WARMUP_AUTO};
	struct growth_judgement judgement;

	growth_judge(&series, &options, &judgement);
	EXPECT(judgement, "leak");
	cr_assert(!judgement.exact);
	cr_assert(!strstr(judgement.reasons[0], "exactly"));
}

Test(growth, growth_within_its_error_is_not_sure)
{
	double x[] = {1, 2, 3, 4, 5, 6, 7, 8}, blocks[] = {4, 8, 12, 16, 20, 24, 28, 32};
	double errors[] = {15, 15, 15, 15,
			   15, 15, 15, 15}; /* 28 grown < 2 * sqrt(15^2 + 15^2) = 42.4 */
	struct growth_series series = {
		.count = 8, .x = x, .blocks = blocks, .bytes = blocks, .bytes_stderr = errors};
	struct growth_options options = {.warmup = GROWTH_WARMUP_AUTO};
	struct growth_judgement judgement;

	growth_judge(&series, &options, &judgement);
	cr_assert_eq(judgement.confidence, GROWTH_LOW);
}

Test(growth, blocks_that_stay_add_nothing_to_the_error_of_the_rise)
{
	/* 1,000,000 bytes stay, 60,000 came: of those alone the rise is uncertain. */
	double bytes[] = {1000000, 1060000}, errors[] = {80000, 80000};
	uint64_t seq[] = {1, 2};
	struct growth_cohort stay[] = {{0, 1000, 1000000}, {1, 60, 60000}};
	struct growth_cohort come[] = {{0, 1000, 500000}, {1, 60, 560000}};
	struct growth_births births = {1, stay, 2};
	struct growth_series series = {.count = 2,
				       .bytes = bytes,
				       .bytes_stderr = errors,
				       .seq = seq,
				       .births = &births,
				       .births_count = 1};

	cr_assert(growth_error_exceeded(&series, 0, 2, bytes));
	births.cohorts = come; /* half of the old ones went */
	cr_assert(!growth_error_exceeded(&series, 0, 2, bytes));
	series.births_count = 0; /* unknown */
	cr_assert(!growth_error_exceeded(&series, 0, 2, bytes));
	series.bytes_stderr = NULL;
	cr_assert(growth_error_exceeded(&series, 0, 2, bytes));
}

Test(growth, doubling_is_container_growth_until_a_doubling_is_overdue)
{
	/* Doublings at 2, 3, 5 and 9 snapshots; the next is due at about 17. */
	EXPECT(JUDGE_BYTES(1, 64, 128, 256, 256, 512, 512, 512, 512, 1024, 1024, 1024, 1024),
	       "container-growth");
	EXPECT(JUDGE_BYTES(1, 64, 128, 256, 256, 512, 512, 512, 512, 512, 512, 512, 512),
	       "warm-up");
}

/* ---- what the program did meanwhile ---- */

/* Blocks of 100 bytes, in a process that allocates `work` blocks in each interval. */
static struct growth_judgement judge_at_work(const double *blocks, const double *work, size_t count,
					     const struct growth_exit *at_exit)
{
	double x[MOST], bytes[MOST], total[MOST];
	struct growth_series series = {.count = count,
				       .x = x,
				       .blocks = blocks,
				       .bytes = bytes,
				       .work = work ? total : NULL,
				       .at_exit = at_exit};
	struct growth_options options = {.warmup = GROWTH_WARMUP_AUTO};
	struct growth_judgement judgement;

	for (size_t i = 0; i < count; i++) {
		x[i] = (double)i + 1;
		bytes[i] = blocks[i] * 100;
		total[i] = (i ? total[i - 1] : 0) + (work ? work[i] : 0);
	}
	growth_judge(&series, &options, &judgement);
	return judgement;
}

static bool has_reason(const struct growth_judgement *judgement, const char *words)
{
	for (size_t i = 0; i < judgement->reason_count; i++)
		if (strstr(judgement->reasons[i], words))
			return true;
	return false;
}

Test(growth_idle, a_leak_whose_load_ends_long_before_the_last_snapshot_stays_a_sure_leak)
{
	static const double blocks[] = {7,  16, 25, 33, 43, 52, 60, 70, 79, 79,
					79, 79, 79, 79, 79, 79, 79, 79, 79, 79};
	static const double work[] = {9000, 8000, 9500, 9100, 8700, 9000, 9200, 8800, 9100, 3,
				      0,    2,    0,    11,   0,    0,    4,    0,    0,    1};
	struct growth_judgement blind = judge_at_work(blocks, NULL, 20, NULL);
	struct growth_judgement seeing = judge_at_work(blocks, work, 20, NULL);

	EXPECT(blind, "warm-up");
	EXPECT(seeing, "leak");
	cr_assert_eq(seeing.confidence, GROWTH_HIGH);
	cr_assert_eq(seeing.idle, 11);
	cr_assert(has_reason(&seeing, "11 intervals in which the program was idle are left out"));
}

Test(growth_idle, pauses_between_loads_are_left_out)
{
	static const double blocks[] = {5, 9, 13, 13, 13, 17, 21, 21, 25, 29, 29, 33};
	static const double work[] = {900, 900, 900, 1, 1, 900, 900, 1, 900, 900, 1, 900};
	struct growth_judgement leak = judge_at_work(blocks, work, 12, NULL);

	EXPECT(leak, "leak");
	cr_assert(leak.exact);
	cr_assert_float_eq(leak.exact_blocks, 4, 1e-9);
	cr_assert_eq(leak.idle, 4);
}

Test(growth_idle, a_cache_that_filled_while_there_was_work_is_a_warm_up)
{
	static const double blocks[] = {0,   40,  70,  90,  100, 100, 100, 100,
					100, 100, 100, 100, 100, 100, 100, 100};
	static const double work[] = {50, 50, 50, 50, 50, 50, 50, 50, 50, 50, 50, 50, 0, 0, 0, 0};

	EXPECT(judge_at_work(blocks, work, 16, NULL), "warm-up");
}

Test(growth_idle, a_light_load_is_no_idleness)
{
	static const double blocks[] = {0,   40,  80,  120, 120, 120, 120, 120,
					120, 120, 120, 120, 120, 120, 120, 120};
	static const double work[] = {500, 500, 500, 500, 60, 60, 60, 60,
				      60,  60,  60,  60,  60, 60, 60, 60};
	struct growth_judgement cache = judge_at_work(blocks, work, 16, NULL);

	cr_assert_eq(cache.idle, 0);
	EXPECT(cache, "warm-up");
}

Test(growth_idle, what_grows_in_the_quiet_is_judged_over_all_intervals)
{
	static const double blocks[] = {3,  6,  9,  12, 15, 18, 21, 24,
					27, 30, 33, 36, 39, 42, 45, 48};
	static const double work[] = {500, 500, 500, 500, 500, 500, 2, 1, 3, 2, 1, 2, 2, 1, 2, 2};
	struct growth_judgement timer = judge_at_work(blocks, work, 16, NULL);

	EXPECT(timer, "leak");
	cr_assert_eq(timer.idle, 0);
	cr_assert_eq(timer.exact_blocks, 3);
}

Test(growth_idle, what_is_given_back_in_the_quiet_still_counts)
{
	/* A table of sessions that expire once nothing is asked for. */
	static const double blocks[] = {10, 30, 50, 70, 90, 110, 130, 150, 170, 60, 11, 10, 10};
	static const double work[] = {900, 900, 900, 900, 900, 900, 900, 900, 900, 1, 1, 1, 1};
	struct growth_judgement table = judge_at_work(blocks, work, 13, NULL);

	cr_assert_neq(table.verdict, GROWTH_LEAK, "%s", table.reasons[0]);
}

/*
 * Blocks of 100 bytes of which none goes, in a process that allocates `work` blocks and uses `cpu`
 * milliseconds of CPU time in each interval of a second.
 */
static struct growth_judgement judge_kept(const double *blocks, const double *work,
					  const double *cpu, size_t count,
					  const struct growth_exit *at_exit)
{
	double x[MOST], bytes[MOST], total[MOST], used[MOST];
	uint64_t seq[MOST];
	struct growth_cohort cohorts[MOST];
	struct growth_births births[MOST];
	struct growth_series series = {.count = count,
				       .x = x,
				       .seconds = x,
				       .blocks = blocks,
				       .bytes = bytes,
				       .work = total,
				       .cpu = cpu ? used : NULL,
				       .seq = seq,
				       .births = births,
				       .births_count = count,
				       .at_exit = at_exit};
	struct growth_options options = {.warmup = GROWTH_WARMUP_AUTO};
	struct growth_judgement judgement;

	for (size_t i = 0; i < count; i++) {
		double born = blocks[i] - (i ? blocks[i - 1] : 0);

		x[i] = (double)i + 1;
		seq[i] = i + 1;
		bytes[i] = blocks[i] * 100;
		total[i] = (i ? total[i - 1] : 0) + work[i];
		used[i] = (i ? used[i - 1] : 0) + (cpu ? cpu[i] / 1000 : 0);
		cohorts[i] = (struct growth_cohort){i, born, born * 100};
		births[i] = (struct growth_births){i, cohorts, i + 1};
	}
	growth_judge(&series, &options, &judgement);
	return judgement;
}

Test(growth_idle, a_cache_that_filled_evenly_is_no_leak_as_long_as_the_program_uses_cpu_time)
{
	static const double blocks[] = {50,  100, 150, 200, 250, 300, 350, 400,
					400, 400, 400, 400, 400, 400, 400, 400};
	static const double work[] = {60, 60, 60, 60, 60, 60, 60, 60, 0, 0, 0, 0, 0, 0, 0, 0};
	static const double at_work[] = {5, 5, 6, 5, 5, 5, 6, 5, 4, 4, 3, 4, 4, 5, 4, 4};
	static const double at_rest[] = {5, 5, 6, 5, 5, 5, 6, 5, 0, 0, .1, 0, 0, 0, .1, 0};
	struct growth_judgement full = judge_kept(blocks, work, at_work, 16, NULL);
	struct growth_judgement stopped = judge_kept(blocks, work, at_rest, 16, NULL);

	/* A load that ended looks the same. */
	EXPECT(full, "inconclusive");
	cr_assert_eq(full.idle, 0);
	cr_assert(has_reason(&full, "it is full, or a leak whose load ended"));
	EXPECT(stopped, "leak");
	cr_assert_eq(stopped.idle, 8);
}

/* A row that grows by 50 blocks in each of 9 intervals and then stays, like the other figures. */
struct ending {
	double work, cpu;   /* of an interval in which it grows */
	double cpu_after;   /* of an interval in which nothing is allocated */
	double last_growth; /* in the last growing interval, of 50 */
	size_t quiet;       /* intervals without allocations */
	struct growth_exit exit;
};

static struct growth_judgement judge_ending(const struct ending *is)
{
	enum { GROWING = 9 };
	double blocks[MOST], work[MOST], cpu[MOST];

	for (size_t i = 0; i < GROWING + is->quiet; i++) {
		double share = i < GROWING - 1 ? 1 : is->last_growth / 50;

		blocks[i] = (i ? blocks[i - 1] : 0) + (i < GROWING ? 50 * share : 0);
		work[i] = i < GROWING ? is->work * share : 0;
		cpu[i] = i < GROWING ? is->cpu : is->cpu_after;
	}
	return judge_kept(blocks, work, cpu, GROWING + is->quiet,
			  is->exit.blocks > 0 ? &is->exit : NULL);
}

/* Data that are read before a computation look the same as a leak. */
Test(growth_ending, an_even_growth_before_a_computation_is_no_proof)
{
	static const struct ending endings[] = {
		{2000, 5, 4, 50, 9, {450, 45000, false}}, /* much else stops, too */
		{60, 5, 90, 50, 9, {0, 0, false}},        /* it uses more CPU time */
		{60, 5, 90, 20, 9, {0, 0, false}},        /* within an interval */
		{2000, .2, 90, 50, 9, {0, 0, false}},     /* reading took nearly no CPU time */
	};

	for (size_t i = 0; i < sizeof(endings) / sizeof(*endings); i++) {
		struct growth_judgement judgement = judge_ending(&endings[i]);

		EXPECT(judgement, "inconclusive");
		cr_assert_eq(judgement.confidence, GROWTH_LOW);
		cr_assert(strstr(judgement.reasons[0], " intervals before the end"), "%s",
			  judgement.reasons[0]);
		cr_assert_float_eq(judgement.blocks_slope.value, 50, 5);
	}
}

Test(growth_ending, what_stays_when_the_program_frees_the_rest_at_its_exit_is_a_sure_leak)
{
	struct growth_judgement leak =
		judge_ending(&(struct ending){60, 5, 5, 50, 9, {450, 45000, true}});

	EXPECT(leak, "leak");
	cr_assert_eq(leak.confidence, GROWTH_HIGH);
	cr_assert(strstr(leak.reasons[0], "the last 9 intervals are left out"), "%s",
		  leak.reasons[0]);
}

Test(growth_ending, what_is_freed_at_the_exit_had_an_owner)
{
	EXPECT(judge_ending(&(struct ending){2000, 5, 90, 50, 9, {3, 300, true}}), "warm-up");
}

Test(growth_ending, most_of_the_work_after_the_growth_is_a_warm_up)
{
	EXPECT(judge_ending(&(struct ending){2000, 5, 90, 50, 21, {0, 0, false}}), "warm-up");
}

Test(growth_ending, a_cache_whose_keys_come_at_random_slows_down_and_is_a_warm_up)
{
	/* 400 keys, 133 questions per interval. */
	static const double blocks[] = {113, 194, 252, 294, 324, 346, 361, 372, 380, 386, 390,
					393, 395, 396, 397, 398, 399, 400, 400, 400, 400, 400};
	double work[22], cpu[22];

	for (size_t i = 0; i < 22; i++) {
		work[i] = 40 * (blocks[i] - (i ? blocks[i - 1] : 0));
		cpu[i] = i < 18 ? 5 : 90;
	}
	EXPECT(judge_kept(blocks, work, cpu, 22, NULL), "warm-up");
}

Test(growth_idle, a_leak_that_is_all_of_the_work_stays_sure_when_the_load_stops_within_an_interval)
{
	static const double blocks[] = {180,  360,  541,  720,  902,  1080, 1262, 1441, 1620,
					1802, 1980, 2160, 2166, 2166, 2166, 2166, 2166, 2166};
	static const double work[] = {190, 190, 190, 190, 190, 190, 190, 190, 190,
				      190, 190, 190, 6,   0,   0,   0,   0,   0};
	static const double cpu[] = {5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, .2, 0, 0, 0, 0, 0};
	struct growth_judgement leak = judge_kept(blocks, work, cpu, 18, NULL);

	EXPECT(leak, "leak");
	cr_assert_eq(leak.confidence, GROWTH_HIGH);
}

Test(growth_idle, a_table_that_is_all_that_a_program_allocates_is_not_full_because_the_work_ended)
{
	double blocks[24], bytes[24], x[24], total[24], used[24], unrecorded[24];
	struct growth_series series = {.count = 24,
				       .x = x,
				       .seconds = x,
				       .blocks = blocks,
				       .bytes = bytes,
				       .work = total,
				       .cpu = used,
				       .unrecorded = unrecorded};
	struct growth_options options = {.warmup = GROWTH_WARMUP_AUTO};
	struct growth_judgement table;

	/* It is filled for 15 intervals, and its room is touched as it is filled. */
	for (size_t i = 0; i < 24; i++) {
		double filled = 100000 * (i < 15 ? (double)i + 1 : 15);

		x[i] = (double)i + 1;
		blocks[i] = 1;
		bytes[i] = exp2(ceil(log2(filled)));
		unrecorded[i] = 1000000 + filled - bytes[i];
		total[i] = 5 + log2(bytes[i]);
		used[i] = .005 * (i < 15 ? (double)i : 15);
	}
	growth_judge(&series, &options, &table);
	EXPECT(table, "container-growth");
	cr_assert_eq(table.idle, 8);
}

Test(growth, a_cache_that_begins_to_fill_late_is_no_sure_leak)
{
	/* Recorded: keys drawn at random, from a second place in the program. */
	static const double blocks[] = {0,  0,  0,  0,  0,  0,   0,   0,   0,   0,   0,  0,
					21, 38, 54, 68, 91, 102, 111, 119, 123, 129, 135};
	double even[23], work[23];
	const struct growth_exit at_exit = {137, 13700, false};
	struct growth_judgement cache, leak;

	for (size_t i = 0; i < 23; i++) {
		work[i] = 9000;
		even[i] = i < 12 ? 0 : 12 * ((double)i - 11) + (double)(i % 3);
	}
	cache = judge_kept(blocks, work, NULL, 23, &at_exit);
	leak = judge_kept(even, work, NULL, 23, &at_exit);
	cr_assert_eq(cache.confidence, GROWTH_LOW, "%s", cache.reasons[0]);
	cr_assert(has_reason(&cache, "it slows down since it began to grow"));
	EXPECT(leak, "leak");
	cr_assert_geq(leak.confidence, GROWTH_MEDIUM);
}

Test(growth_ages, thousands_of_blocks_vary_by_more_than_chance_from_interval_to_interval)
{
	/* Recorded: statements that are never finalised, on a busy machine. */
	static const double uneven[] = {1716, 3531, 5236, 7040, 8591};
	static const double ended[] = {1716, 3531, 5236, 7040, 7740};
	static const double work[] = {50000, 50000, 50000, 50000, 50000};
	struct growth_judgement leak = judge_kept(uneven, work, NULL, 5, NULL);

	EXPECT(leak, "leak");
	cr_assert_eq(leak.confidence, GROWTH_MEDIUM);
	EXPECT(judge_kept(ended, work, NULL, 5, NULL), "inconclusive");
}

Test(growth, a_cache_whose_keys_get_rarer_is_no_sure_leak)
{
	/* Recorded: a table of words, most of which come early. */
	static const double blocks[] = {280, 420, 488, 512, 527, 538, 541, 548,
					551, 552, 555, 560, 562, 563, 566};
	static const double steady[] = {280, 420, 488, 512, 537, 562, 586, 611,
					637, 662, 686, 711, 737, 762, 786};
	double work[15];
	struct growth_judgement cache, leak;

	for (size_t i = 0; i < 15; i++)
		work[i] = 5000;
	cache = judge_kept(blocks, work, NULL, 15, NULL);
	leak = judge_kept(steady, work, NULL, 15, NULL);
	cr_assert_eq(cache.confidence, GROWTH_LOW, "%s", cache.reasons[0]);
	EXPECT(leak, "leak");
	cr_assert_eq(leak.confidence, GROWTH_HIGH);
}

Test(growth, a_fall_in_one_step_is_a_warm_up_and_a_leak_but_a_smooth_fall_is_a_cache)
{
	/* Blocks that each of 16 intervals adds: the sums are about the same. */
	static const double step[] = {103, 97, 101, 96, 104, 99, 42, 40,
				      43,  41, 44,  42, 41,  40, 39, 39};
	static const double smooth[] = {121, 109, 98, 86, 81, 74, 67, 64,
					58,  53,  51, 47, 44, 42, 38, 37};
	double work[16], filled_then_leaks[16], fills[16];
	struct growth_judgement leak, cache;

	for (size_t i = 0; i < 16; i++) {
		work[i] = 5000;
		filled_then_leaks[i] = step[i] + (i ? filled_then_leaks[i - 1] : 0);
		fills[i] = smooth[i] + (i ? fills[i - 1] : 0);
	}
	leak = judge_kept(filled_then_leaks, work, NULL, 16, NULL);
	cache = judge_kept(fills, work, NULL, 16, NULL);
	EXPECT(leak, "leak");
	cr_assert_gt(leak.confidence, GROWTH_LOW, "%s", leak.reasons[0]);
	cr_assert_eq(cache.confidence, GROWTH_LOW, "%s", cache.reasons[0]);
}

Test(growth_exit, a_leak_that_begins_late_frees_nothing_and_is_proved_by_the_exit)
{
	static const double few[] = {0, 0, 0, 0, 0, 0, 3, 8};
	static const double many[] = {0, 0, 0, 0, 0, 88, 193, 301};
	static const double work[] = {4900, 4900, 4900, 4900, 4900, 4900, 4900, 4900};
	static const struct growth_exit few_left = {8, 800, true}, many_left = {301, 30100, true};
	struct growth_judgement of_few = judge_kept(few, work, NULL, 8, &few_left);
	struct growth_judgement of_many = judge_kept(many, work, NULL, 8, &many_left);

	EXPECT(of_few, "leak");
	cr_assert_geq(of_few.confidence, GROWTH_MEDIUM, "%s", of_few.reasons[0]);
	EXPECT(of_many, "leak");
	cr_assert_geq(of_many.confidence, GROWTH_MEDIUM, "%s", of_many.reasons[0]);
}

Test(growth, a_large_container_that_gains_a_little_at_an_even_pace_goes_on)
{
	struct growth_judgement table =
		JUDGE_BYTES(1, 1000000, 1003100, 1008200, 1011900, 1017300, 1021000, 1026100,
			    1030900, 1034800, 1040000, 1043900, 1048800);

	EXPECT(table, "container-growth");
	cr_assert_geq(table.confidence, GROWTH_MEDIUM, "%s", table.reasons[0]);
}

Test(growth_exit, what_is_never_freed_makes_a_doubtful_leak_surer)
{
	static const double blocks[] = {10, 14, 12, 18, 22, 18, 27, 31, 27, 35};
	static const struct growth_exit kept = {35, 3500, true}, freed = {1, 100, true};
	struct growth_judgement plain = judge_at_work(blocks, NULL, 10, NULL);
	struct growth_judgement never = judge_at_work(blocks, NULL, 10, &kept);
	struct growth_judgement given = judge_at_work(blocks, NULL, 10, &freed);

	EXPECT(plain, "leak");
	cr_assert_eq(plain.confidence, GROWTH_MEDIUM);
	cr_assert_eq(never.confidence, GROWTH_HIGH);
	cr_assert(has_reason(&never, "never freed: 35 blocks of 35 blocks still there at exit"));
	cr_assert_eq(given.confidence, GROWTH_MEDIUM);
	cr_assert(has_reason(&given, "1 block of 35 blocks still there at exit"));
}

Test(growth_exit, a_cache_that_is_kept_until_the_end_stays_a_warm_up)
{
	static const double blocks[] = {0, 40, 70, 90, 100, 100, 100, 100, 100, 100, 100, 100};
	static const struct growth_exit kept = {100, 10000, true};

	EXPECT(judge_at_work(blocks, NULL, 12, &kept), "warm-up");
}

/* ---- verdicts keep to their definitions ---- */

Test(growth, as_many_blocks_at_the_end_as_at_the_start_are_no_leak)
{
	/* 310 blocks at both ends; of every epoch two are left, and as many old ones went. */
	double alive[EPOCHS][EPOCHS] = {{0}};

	for (int v = 0; v < EPOCHS; v++) {
		for (int e = 1; e <= v; e++)
			alive[v][e] = 2;
		alive[v][0] = 310 - 2 * v;
	}
	cr_assert_neq(judge_epochs(alive).verdict, GROWTH_LEAK);
}

static struct growth_judgement judge_both(const double *blocks, const double *bytes, size_t count)
{
	double x[MOST];
	struct growth_series series = {.count = count, .x = x, .blocks = blocks, .bytes = bytes};
	struct growth_options options = {.warmup = GROWTH_WARMUP_AUTO};
	struct growth_judgement judgement;

	for (size_t i = 0; i < count; i++)
		x[i] = (double)i + 1;
	growth_judge(&series, &options, &judgement);
	return judgement;
}

Test(growth, a_full_ring_whose_items_vary_in_size_is_no_container_growth)
{
	static const double blocks[] = {501,  1001, 1501, 1501, 1501, 1501,
					1501, 1501, 1501, 1501, 1501, 1501};
	static const double bytes[] = {30000, 60000, 90000, 90010, 90022, 90031,
				       90040, 90052, 90063, 90071, 90080, 90090};
	struct growth_judgement ring = judge_both(blocks, bytes, 12);

	EXPECT(ring, "warm-up");
}

Test(growth, four_times_as_many_blocks_are_no_container_growth)
{
	static const double blocks[] = {803,  1606, 2409, 3189, 3189, 3189,
					3189, 3189, 3189, 3189, 3189, 3189};
	static const double bytes[] = {80300,  160600, 240900, 320000, 336000, 352000,
				       368000, 384000, 400000, 416000, 432000, 448000};
	struct growth_judgement cache = judge_both(blocks, bytes, 12);

	cr_assert_neq(cache.verdict, GROWTH_CONTAINER, "%s", cache.reasons[0]);
	cr_assert_neq(cache.verdict, GROWTH_LEAK, "%s", cache.reasons[0]);
}

Test(growth, snapshots_that_go_on_with_a_leak_never_make_it_less_sure)
{
	double blocks[40];
	enum growth_confidence before = GROWTH_LOW;

	/* Rises of 3 to 7, as a fixed sequence without order has them. */
	for (size_t i = 0; i < 40; i++)
		blocks[i] = (i ? blocks[i - 1] : 10) + (double)(3 + i * i * 7 % 5);
	for (size_t n = 5; n <= 40; n++) {
		struct growth_judgement leak = judge_at_work(blocks, NULL, n, NULL);

		EXPECT(leak, "leak");
		cr_assert_geq(leak.confidence, before, "%zu snapshots: %s", n, leak.reasons[1]);
		before = leak.confidence;
	}
	cr_assert_eq(before, GROWTH_HIGH);
}

Test(growth, what_makes_a_leak_unsure_is_named)
{
	struct growth_judgement few = JUDGE(8, 1, 2, 3, 4, 5, 6);

	EXPECT(few, "leak");
	cr_assert(has_reason(&few, "not sure: 6 snapshots only, a sure verdict takes 8"));
}

/* ---- tables that double ---- */

/* KiB of a vector that doubles when it is full; one KiB is added to it per snapshot until `full`. */
static struct growth_judgement judge_vector(size_t count, size_t full, bool resident_known)
{
	double x[MOST], blocks[MOST], bytes[MOST], unrecorded[MOST];
	struct growth_series series = {.count = count, .x = x, .blocks = blocks, .bytes = bytes};
	struct growth_options options = {.warmup = GROWTH_WARMUP_AUTO};
	struct growth_judgement judgement;
	double room = 1, used;

	for (size_t i = 0; i < count; i++) {
		used = i < full ? (double)i + 1 : (double)full;
		while (room < used)
			room *= 2;
		x[i] = (double)i + 1;
		blocks[i] = 1;
		bytes[i] = room * (64 << 10);
		unrecorded[i] = 5e6 + (used - room) * (64 << 10);
	}
	if (resident_known)
		series.unrecorded = unrecorded;
	growth_judge(&series, &options, &judgement);
	return judgement;
}

/* Only a sure verdict fails a gate. */
static bool fails_a_gate(struct growth_judgement judgement)
{
	return judgement.verdict <= GROWTH_CONTAINER && judgement.confidence >= GROWTH_MEDIUM;
}

Test(growth_containers, resident_memory_tells_a_vector_that_grows_from_one_that_is_full)
{
	for (size_t count = 20; count <= 40; count++) {
		struct growth_judgement grows = judge_vector(count, count, true);
		struct growth_judgement full = judge_vector(count, count * 3 / 4, true);

		cr_assert(fails_a_gate(grows), "%zu snapshots: %s", count, grows.reasons[0]);
		cr_assert(!fails_a_gate(full), "%zu snapshots: %s", count, full.reasons[0]);
	}
	EXPECT(judge_vector(32, 24, true), "warm-up");
	EXPECT(judge_vector(30, 30, true), "container-growth");
}

Test(growth_containers, a_vector_that_may_be_full_fails_no_gate_where_resident_memory_is_unknown)
{
	for (size_t count = 20; count <= 40; count++)
		cr_assert(!fails_a_gate(judge_vector(count, count * 3 / 4, false)), "%zu", count);
	cr_assert(fails_a_gate(judge_vector(36, 36, false))); /* it has just doubled, at 33 */
}

/* ---- queues ---- */

Test(growth_ages, a_queue_that_loses_its_oldest_blocks_and_still_grows_is_a_leak)
{
	double alive[EPOCHS][EPOCHS] = {{0}};
	struct growth_judgement judgement;

	/* 40 are added in each interval, and the 24 oldest are taken. */
	for (int v = 0; v < EPOCHS; v++) {
		double taken = 24 * v;

		for (int e = 0; e <= v; e++) {
			double gone = taken < 40 ? taken : 40;

			alive[v][e] = 40 - gone;
			taken -= gone;
		}
	}
	judgement = judge_epochs(alive);
	EXPECT(judgement, "leak");
	cr_assert(fails_a_gate(judgement));
}

/* ---- idle times ---- */

Test(growth_idle, a_process_that_allocates_now_and_then_is_not_idle_in_between)
{
	/* A vector is all that it allocates: when it doubles. */
	double x[20], blocks[20], bytes[20], work[20];
	struct growth_series series = {
		.count = 20, .x = x, .blocks = blocks, .bytes = bytes, .work = work};
	bool idle[20];

	for (int i = 0; i < 20; i++) {
		x[i] = i + 1;
		blocks[i] = 1;
		work[i] = 100 + floor(log2(i + 1));
		bytes[i] = exp2(floor(log2(i + 1)));
	}
	cr_assert_eq(growth_idle_mark(&series, idle), 0);
}

Test(growth_idle, less_of_the_processor_beside_other_programs_is_no_idleness)
{
	/* Six seconds with allocations, then three times five seconds without. */
	double seconds[] = {0, 1, 2, 3, 4, 5, 6, 11, 16, 21};
	double work[] = {0, 500, 1000, 1500, 2000, 2500, 3000, 3000, 3000, 3000};
	double cpu[] = {0, 0.3, 0.6, 0.9, 1.2, 1.5, 1.8, 2.15, 2.5, 2.85};
	struct growth_series series = {
		.count = 10, .x = seconds, .seconds = seconds, .work = work, .cpu = cpu};
	bool idle[10];

	cr_assert_eq(growth_idle_mark(&series, idle), 0);
	for (int i = 7; i < 10; i++) /* a tenth of that: it waits */
		cpu[i] = 1.8 + 0.035 * (i - 6);
	cr_assert_eq(growth_idle_mark(&series, idle), 3);
}
