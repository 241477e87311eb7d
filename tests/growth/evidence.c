/*
 * evidence.c - how well the growth rule does on simulated sites.
 *
 * usage: growth_evidence [--check] [--confusion] [--distorted] [--tuning] [--sites M] [--seed S] [N...]
 *
 * Prints Markdown tables; with --check, exits 1 when a goal is missed.  Leaks and non-leaks are as
 * many; precision and recall are of the verdict `leak`.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "growth/simulate.h"
#include "analysis/growth/growth.h"
#include "analysis/growth/growth_wanted.h"

enum { VERDICTS = GROWTH_TOO_FEW + 1, MOST_BEHAVIOURS = 32, MOST_SIZES = 32 };

struct settings {
	enum sim_world world;
	bool check, confusion, distorted;
	size_t sites; /* per size; see sites_of() */
	uint64_t seed;
	size_t sizes[MOST_SIZES];
	size_t size_count;
};

struct score {
	size_t sites;
	size_t leaks, leaks_found[3];   /* by confidence */
	size_t others, false_alarms[3]; /* non-leaks called leaks, by confidence */
	size_t confusion[MOST_BEHAVIOURS][VERDICTS];
	size_t class_size[VERDICTS], class_called[VERDICTS], class_right[VERDICTS];
	size_t by_confidence[3], right_by_confidence[3]; /* all verdicts */
	size_t contradictions; /* verdicts that their own series does not bear out */
};

static void judge(const struct sim_site *site, struct growth_judgement *judgement)
{
	struct growth_options options = {.warmup = GROWTH_WARMUP_AUTO};
	struct growth_series series = site->series;
	struct growth_births births[GROWTH_BIRTHS];
	size_t wanted[GROWTH_BIRTHS];

	series.births_count = growth_wanted_births(&series, wanted);
	for (size_t i = 0; i < series.births_count; i++)
		births[i] = site->births[wanted[i]];
	series.births = births;
	growth_judge(&series, &options, judgement);
}

/* What the names of the verdicts promise, held against the series that was judged. */
static bool definition_holds(const struct sim_site *site, const struct growth_judgement *judgement)
{
	const struct growth_series *series = &site->series;
	size_t first = judgement->judged_from, last = first;
	double more_blocks, more_bytes;

	while (last + 1 < series->count && series->run[last + 1] == series->run[first])
		last++;
	more_blocks = series->blocks[last] - series->blocks[first];
	more_bytes = series->bytes[last] - series->bytes[first];
	switch (judgement->verdict) {
	case GROWTH_LEAK:
		return more_blocks > 0;
	case GROWTH_CONTAINER:
		return more_bytes > 0 && series->blocks[last] < 3 * series->blocks[first] + 8;
	case GROWTH_ONE_OFF:
		return more_blocks > 0 || more_bytes > 0;
	case GROWTH_SHRINKING:
		return more_blocks < 0 || more_bytes < 0;
	default:
		return true;
	}
}

static void count_verdict(struct score *score, size_t behaviour,
			  const struct growth_judgement *judgement)
{
	const struct sim_behaviour *is = &sim_behaviours[behaviour];
	enum growth_verdict said = judgement->verdict;
	bool right = said == is->truth || is->accepted >> said & 1;

	score->sites++;
	score->confusion[behaviour][said]++;
	score->class_size[is->truth]++;
	score->class_called[right ? is->truth : said]++;
	score->class_right[is->truth] += right;
	if (said != GROWTH_INCONCLUSIVE && said != GROWTH_TOO_FEW) {
		score->by_confidence[judgement->confidence]++;
		score->right_by_confidence[judgement->confidence] += right;
	}
	if (is->truth == GROWTH_LEAK) {
		score->leaks++;
		score->leaks_found[judgement->confidence] += said == GROWTH_LEAK;
	} else {
		score->others++;
		score->false_alarms[judgement->confidence] += said == GROWTH_LEAK;
	}
}

/* Very long series are fewer, so that the whole table takes minutes. */
static size_t sites_of(const struct settings *settings, size_t snapshots)
{
	return snapshots > 200 ? settings->sites * 100 / snapshots : settings->sites;
}

/* Half of the sites leak: behaviours of each half take turns. */
static size_t pick_behaviour(size_t site)
{
	size_t leaking = 0;

	while (sim_behaviours[leaking].truth == GROWTH_LEAK)
		leaking++;
	if (site % 2)
		return site / 2 % leaking;
	return leaking + site / 2 % (sim_goal_count - leaking);
}

static void run_sites(const struct settings *settings, size_t snapshots, unsigned distortions,
		      struct score *score)
{
	*score = (struct score){0};
	for (size_t i = 0; i < sites_of(settings, snapshots); i++) {
		size_t behaviour = pick_behaviour(i);
		struct growth_judgement judgement;
		struct sim_site site;

		sim_run(&site, behaviour, snapshots, settings->world, distortions,
			settings->seed + i);
		judge(&site, &judgement);
		count_verdict(score, behaviour, &judgement);
		score->contradictions += !definition_holds(&site, &judgement);
		sim_release(&site);
	}
}

static double share(size_t part, size_t whole)
{
	return whole ? (double)part / (double)whole : 1;
}

static size_t sum(const size_t by_confidence[3])
{
	return by_confidence[0] + by_confidence[1] + by_confidence[2];
}

/* The default gate fails at medium confidence. */
static size_t at_the_gate(const size_t by_confidence[3])
{
	return by_confidence[GROWTH_MEDIUM] + by_confidence[GROWTH_HIGH];
}

static double precision_high(const struct score *score)
{
	return share(score->leaks_found[GROWTH_HIGH],
		     score->leaks_found[GROWTH_HIGH] + score->false_alarms[GROWTH_HIGH]);
}

static double precision_any(const struct score *score)
{
	return share(sum(score->leaks_found), sum(score->leaks_found) + sum(score->false_alarms));
}

static double recall_any(const struct score *score)
{
	return share(sum(score->leaks_found), score->leaks);
}

static double macro_f1(const struct score *score)
{
	double total = 0;
	size_t classes = 0;

	for (int v = 0; v < VERDICTS; v++) {
		if (score->class_size[v] == 0)
			continue;
		classes++;
		total += 2 * (double)score->class_right[v] /
			 (double)(score->class_size[v] + score->class_called[v]);
	}
	return classes ? total / (double)classes : 0;
}

static double alarms_per_10000(const struct score *score, size_t alarms)
{
	return 1e4 * share(alarms, score->others);
}

static void print_score(const char *name, const struct score *score)
{
	printf("| %s | %.3f | %.3f | %.3f | %.3f | %.3f | %.2f | %.0f | %.0f | %.0f | %.2f | %.2f "
	       "| %.2f |\n",
	       name, precision_high(score), share(score->leaks_found[GROWTH_HIGH], score->leaks),
	       share(at_the_gate(score->leaks_found), score->leaks), precision_any(score),
	       recall_any(score), macro_f1(score),
	       alarms_per_10000(score, score->false_alarms[GROWTH_HIGH]),
	       alarms_per_10000(score, at_the_gate(score->false_alarms)),
	       alarms_per_10000(score, sum(score->false_alarms)),
	       share(score->right_by_confidence[0], score->by_confidence[0]),
	       share(score->right_by_confidence[1], score->by_confidence[1]),
	       share(score->right_by_confidence[2], score->by_confidence[2]));
	fflush(stdout);
}

static void print_heading(const char *first)
{
	printf("| %s | precision, high | recall, high | recall, gate | precision, any "
	       "| recall, any | macro-F1 | false alarms per 10,000, high | ... gate | ... any | "
	       "right when low | medium | high |\n"
	       "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- "
	       "|\n",
	       first);
}

static void print_confusion(const struct score *score)
{
	printf("\n| behaviour |");
	for (int v = 0; v < VERDICTS; v++)
		printf(" %s |", growth_verdict_name((enum growth_verdict)v));
	printf("\n|");
	for (int v = 0; v <= VERDICTS; v++)
		printf(" --- |");
	printf("\n");
	for (size_t b = 0; b < sim_goal_count; b++) {
		printf("| %s |", sim_behaviours[b].name);
		for (int v = 0; v < VERDICTS; v++)
			printf(" %zu |", score->confusion[b][v]);
		printf("\n");
	}
	printf("\n");
}

struct goal {
	size_t snapshots;
	double precision_high, precision_any, recall_any;
};

static const struct goal goals[] = {
	{5, 0, 0.85, 0.81},
	{8, 0.98, 0, 0.87},
	{16, 0.99, 0, 0.92},
	{64, 0.99, 0, 0.98},
};

static bool goal_is_met(size_t snapshots, const struct score *score)
{
	if (score->contradictions) {
		fprintf(stderr, "N = %zu: %zu verdicts contradict their own series\n", snapshots,
			score->contradictions);
		return false;
	}
	for (size_t i = 0; i < sizeof(goals) / sizeof(*goals); i++) {
		const struct goal *goal = &goals[i];

		if (goal->snapshots != snapshots)
			continue;
		if (precision_high(score) < goal->precision_high ||
		    precision_any(score) < goal->precision_any ||
		    recall_any(score) < goal->recall_any) {
			fprintf(stderr, "N = %zu: the goal is missed\n", snapshots);
			return false;
		}
	}
	return true;
}

static bool report_sizes(const struct settings *settings)
{
	bool met = true;

	print_heading("N");
	for (size_t i = 0; i < settings->size_count; i++) {
		struct score score;
		char name[24];

		run_sites(settings, settings->sizes[i], 0, &score);
		snprintf(name, sizeof(name), "%zu", settings->sizes[i]);
		print_score(name, &score);
		met &= goal_is_met(settings->sizes[i], &score);
		if (settings->confusion)
			print_confusion(&score);
	}
	return met;
}

static void report_distortions(const struct settings *settings)
{
	static const struct {
		const char *name;
		unsigned flags;
	} cases[] = {
		{"missing snapshots, N = 16", SIM_MISSING},
		{"a restart, N = 16", SIM_RESTART},
		{"unequal intervals, N = 16", SIM_UNEQUAL},
		{"sampled, N = 16", SIM_SAMPLED},
		{"idle times, N = 16", SIM_IDLE},
		{"the load ends halfway, N = 16", SIM_ENDS},
		{"all of them, N = 16", SIM_MISSING | SIM_RESTART | SIM_UNEQUAL | SIM_SAMPLED},
	};

	print_heading("distortion");
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct score score;

		run_sites(settings, 16, cases[i].flags, &score);
		print_score(cases[i].name, &score);
		if (settings->confusion)
			print_confusion(&score);
	}
}

/* The first `count` snapshots of a site. */
static struct sim_site prefix_of(const struct sim_site *site, size_t count)
{
	struct sim_site prefix = *site;

	prefix.series.count = count;
	return prefix;
}

static int compare_sizes(const void *a, const void *b)
{
	const size_t *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

/* How many snapshots until the verdict is leak, at any confidence and at high. */
static void report_detection(const struct settings *settings)
{
	enum { LONGEST = 64, SITES = 60 };

	printf("| behaviour | median snapshots to `leak` | to `leak` with high confidence "
	       "| 90th percentile, high |\n| --- | --- | --- | --- |\n");
	for (size_t b = 0; sim_behaviours[b].truth == GROWTH_LEAK; b++) {
		size_t any[SITES], high[SITES];

		for (size_t i = 0; i < SITES; i++) {
			struct sim_site site;

			any[i] = high[i] = LONGEST + 1;
			sim_run(&site, b, LONGEST, settings->world, 0, settings->seed + i);
			for (size_t n = LONGEST; n >= 3; n--) {
				struct sim_site prefix = prefix_of(&site, n);
				struct growth_judgement judgement;

				judge(&prefix, &judgement);
				if (judgement.verdict != GROWTH_LEAK)
					continue;
				any[i] = n;
				if (judgement.confidence == GROWTH_HIGH)
					high[i] = n;
			}
			sim_release(&site);
		}
		qsort(any, SITES, sizeof(*any), compare_sizes);
		qsort(high, SITES, sizeof(*high), compare_sizes);
		printf("| %s | %zu | %zu | %zu |\n", sim_behaviours[b].name, any[SITES / 2],
		       high[SITES / 2], high[SITES * 9 / 10]);
	}
}

/* Did a series rise above all before, at its own pace or faster, with its last snapshot? */
static bool goes_on(const struct growth_series *series)
{
	const double *blocks = series->blocks;
	size_t last = series->count - 1;
	double pace = (blocks[last - 1] - blocks[0]) / (double)(last - 1);

	for (size_t i = 0; i < last; i++)
		if (blocks[i] >= blocks[last])
			return false;
	return pace > 0 && blocks[last] - blocks[last - 1] >= pace;
}

/* How often did a snapshot that agreed make a leak less sure, or no leak? */
static bool report_steadiness(const struct settings *settings)
{
	enum { SHORTEST = 8, LONGEST = 40, SITES = 60 };
	size_t added = 0, fell = 0;

	for (size_t b = 0; sim_behaviours[b].truth == GROWTH_LEAK; b++) {
		for (size_t i = 0; i < SITES; i++) {
			struct growth_judgement before, after;
			struct sim_site site, prefix;

			sim_run(&site, b, LONGEST, settings->world, 0, settings->seed + i);
			prefix = prefix_of(&site, SHORTEST);
			judge(&prefix, &before);
			for (size_t n = SHORTEST + 1; n <= LONGEST; n++, before = after) {
				prefix = prefix_of(&site, n);
				judge(&prefix, &after);
				if (before.verdict != GROWTH_LEAK || !goes_on(&prefix.series))
					continue;
				added++;
				fell += after.verdict != GROWTH_LEAK ||
					after.confidence < before.confidence;
			}
			sim_release(&site);
		}
	}
	if (fell)
		fprintf(stderr, "snapshots that agree made a verdict less sure\n");
	printf("%zu of %zu snapshots that went on with a leak made its verdict less sure.\n", fell,
	       added);
	return fell == 0;
}

/* Those that the default gate is asked about, besides the goals. */
static bool is_gate_kind(size_t behaviour)
{
	return behaviour >= sim_goal_count || sim_behaviours[behaviour].truth == GROWTH_CONTAINER;
}

/* Would the default gate fail, without and with knowledge of resident memory? */
static void count_gate(const struct settings *settings, size_t behaviour, size_t snapshots,
		       size_t sites, size_t failed[2])
{
	failed[0] = failed[1] = 0;
	for (size_t i = 0; i < 2 * sites; i++) {
		struct growth_judgement judgement;
		struct sim_site site;

		sim_run(&site, behaviour, snapshots, settings->world, 0, settings->seed + i);
		judge(&site, &judgement);
		failed[site.series.unrecorded != NULL] += (judgement.verdict == GROWTH_LEAK ||
							   judgement.verdict == GROWTH_CONTAINER) &&
							  judgement.confidence >= GROWTH_MEDIUM;
		sim_release(&site);
	}
}

enum { GATE_SIZES = 3, GATE_SITES = 200 };

/* What stops may fail the gate once in 40 sites. */
static bool report_gate_of(const struct settings *settings, size_t behaviour)
{
	static const size_t sizes[GATE_SIZES] = {8, 16, 32};
	const struct sim_behaviour *is = &sim_behaviours[behaviour];
	size_t failed[GATE_SIZES][2];
	bool met = true;

	for (size_t i = 0; i < GATE_SIZES; i++) {
		count_gate(settings, behaviour, sizes[i], GATE_SITES, failed[i]);
		met &= is->truth == GROWTH_LEAK || is->truth == GROWTH_CONTAINER ||
		       40 * (failed[i][0] + failed[i][1]) <= 2 * GATE_SITES;
	}
	for (int known = 1; known >= 0; known--)
		printf("| %s | %s | %.3f | %.3f | %.3f |\n", is->name, known ? "known" : "unknown",
		       share(failed[0][known], GATE_SITES), share(failed[1][known], GATE_SITES),
		       share(failed[2][known], GATE_SITES));
	return met;
}

static bool report_gate(const struct settings *settings)
{
	bool met = true;

	printf("| behaviour | resident memory | N = 8 | N = 16 | N = 32 |\n"
	       "| --- | --- | --- | --- | --- |\n");
	for (size_t b = 0; b < sim_behaviour_count; b++)
		if (is_gate_kind(b))
			met &= report_gate_of(settings, b);
	printf("\n");
	if (!met)
		fprintf(stderr, "what stops fails the gate too often\n");
	return met;
}

static size_t number(const char *text)
{
	return (size_t)strtoull(text, NULL, 10);
}

static bool parse(struct settings *settings, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--check") == 0)
			settings->check = true;
		else if (strcmp(argv[i], "--confusion") == 0)
			settings->confusion = true;
		else if (strcmp(argv[i], "--distorted") == 0)
			settings->distorted = true;
		else if (strcmp(argv[i], "--tuning") == 0)
			settings->world = SIM_TUNING;
		else if (strcmp(argv[i], "--sites") == 0 && i + 1 < argc)
			settings->sites = number(argv[++i]);
		else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc)
			settings->seed = number(argv[++i]);
		else if (argv[i][0] != '-' && settings->size_count < MOST_SIZES)
			settings->sizes[settings->size_count++] = number(argv[i]);
		else
			return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	struct settings settings = {.world = SIM_HELD_OUT, .sites = 4000, .seed = 1000000};
	static const size_t all_sizes[] = {3, 4, 5, 6, 8, 12, 16, 32, 64, 200, 1000};
	bool met, given;

	if (!parse(&settings, argc, argv)) {
		fprintf(stderr,
			"usage: %s [--check] [--confusion] [--distorted] [--tuning] [--sites M] "
			"[--seed S] "
			"[N...]\n",
			argv[0]);
		return 2;
	}
	if (settings.distorted) {
		report_distortions(&settings);
		return 0;
	}
	given = settings.size_count > 0;
	if (!given) {
		memcpy(settings.sizes, all_sizes, sizeof(all_sizes));
		settings.size_count = sizeof(all_sizes) / sizeof(*all_sizes);
	}
	met = report_sizes(&settings);
	if (!given) {
		printf("\n");
		report_distortions(&settings);
		printf("\n");
		report_detection(&settings);
	}
	printf("\n");
	met &= report_gate(&settings);
	met &= report_steadiness(&settings);
	return settings.check && !met;
}
