/*
 * recorded_series.c - the growth rule on series of real programs whose truth is known.
 *
 * usage: recorded_series [-v] FILE...
 *
 * series_of.py wrote the files: one row of a program that leaks, or does not, by construction.  The
 * default gate must fail for the ones and pass for the others.  "leaks, missed" and "clean, alarmed" are
 * what the rule is known to get wrong: they must be mended in the file when the rule learns them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/growth/growth.h"
#include "analysis/growth/growth_wanted.h"

enum { MOST = 64, LINE = 8192 };

struct recorded {
	char name[80], truth[40];
	size_t count;
	double seconds[MOST], blocks[MOST], bytes[MOST], work[MOST], cpu[MOST], x[MOST];
	uint64_t seq[MOST];
	struct growth_cohort cohorts[MOST][MOST];
	size_t cohort_count[MOST];
	struct growth_exit at_exit;
	bool has_exit;
};

static void bad_file(const char *what)
{
	fprintf(stderr, "recorded_series: not a series: %s\n", what);
	exit(2);
}

static void read_births(struct recorded *is, const char *text)
{
	size_t at = is->count, n = 0;
	int used;

	for (; *text && *text != '-' && *text != '\n'; text += used + (text[used] == ',')) {
		unsigned long birth, blocks, bytes;

		if (n == MOST || sscanf(text, "%lu:%lu:%lu%n", &birth, &blocks, &bytes, &used) != 3)
			bad_file(text);
		is->cohorts[at][n++] = (struct growth_cohort){birth, (double)blocks, (double)bytes};
	}
	is->cohort_count[at] = n;
}

static void read_snapshot(struct recorded *is, const char *line)
{
	size_t at = is->count;
	unsigned long ms, cpu;
	int used;

	if (at == MOST || sscanf(line, "%lu %lf %lf %lf %lu %n", &ms, &is->blocks[at],
				 &is->bytes[at], &is->work[at], &cpu, &used) != 5)
		bad_file(line);
	is->seconds[at] = (double)ms / 1e3;
	is->cpu[at] = (double)cpu / 1e6;
	is->x[at] = (double)(at + 1);
	is->seq[at] = at + 1;
	read_births(is, line + used);
	is->count++;
}

static void read_exit(struct recorded *is, const char *line)
{
	int frees_others;

	if (sscanf(line, "exit %lf %lf %d", &is->at_exit.blocks, &is->at_exit.bytes,
		   &frees_others) != 3)
		bad_file(line);
	is->at_exit.frees_others = frees_others;
	is->has_exit = true;
}

static struct growth_judgement judge(struct recorded *is, size_t count)
{
	struct growth_options options = {.warmup = GROWTH_WARMUP_AUTO};
	struct growth_births births[GROWTH_BIRTHS];
	size_t wanted[GROWTH_BIRTHS];
	struct growth_series series = {
		.count = count,
		.x = is->x,
		.seconds = is->seconds,
		.blocks = is->blocks,
		.bytes = is->bytes,
		.work = is->work,
		.cpu = is->cpu,
		.seq = is->seq,
		.at_exit = is->has_exit && count == is->count ? &is->at_exit : NULL,
	};
	struct growth_judgement judgement;

	series.births_count = growth_wanted_births(&series, wanted);
	for (size_t i = 0; i < series.births_count; i++)
		births[i] = (struct growth_births){wanted[i], is->cohorts[wanted[i]],
						   is->cohort_count[wanted[i]]};
	series.births = births;
	growth_judge(&series, &options, &judgement);
	return judgement;
}

static bool fails_the_gate(const struct growth_judgement *judgement)
{
	return (judgement->verdict == GROWTH_LEAK || judgement->verdict == GROWTH_CONTAINER) &&
	       judgement->confidence >= GROWTH_MEDIUM;
}

/* How many of the beginnings of 8 snapshots or more are judged wrongly? */
static void count_beginnings(struct recorded *is, bool leaks, size_t *wrong, size_t *all)
{
	for (size_t count = 8; count < is->count; count++) {
		struct growth_judgement judgement = judge(is, count);

		*all += 1;
		*wrong += fails_the_gate(&judgement) != leaks;
	}
}

static bool judge_one(struct recorded *is, bool verbose, size_t wrong[2], size_t all[2])
{
	bool leaks = strncmp(is->truth, "leaks", 5) == 0, known = strchr(is->truth, ',') != NULL;
	struct growth_judgement judgement = judge(is, is->count);
	bool right = fails_the_gate(&judgement) == leaks;

	count_beginnings(is, leaks, &wrong[leaks], &all[leaks]);
	if (verbose || right == known)
		printf("%s (%s): %s, confidence %s\n", is->name, is->truth,
		       growth_verdict_name(judgement.verdict),
		       growth_confidence_name(judgement.confidence));
	for (size_t i = 0; right == known && i < judgement.reason_count; i++)
		printf("  %s\n", judgement.reasons[i]);
	return right != known;
}

/* Read the next series; false at the end of the file. */
static bool read_one(struct recorded *is, FILE *file, char line[LINE])
{
	*is = (struct recorded){0};
	while (*line != '=')
		if (!fgets(line, LINE, file))
			return false;
	if (sscanf(line, "= %79[^\n]", is->name) != 1 || !fgets(line, LINE, file) ||
	    sscanf(line, "%39[^\n]", is->truth) != 1)
		bad_file(line);
	while (fgets(line, LINE, file) && *line != '=')
		if (strncmp(line, "exit", 4) == 0)
			read_exit(is, line);
		else
			read_snapshot(is, line);
	if (feof(file))
		*line = '\0';
	return true;
}

int main(int count, char **words)
{
	bool verbose = count > 1 && strcmp(words[1], "-v") == 0;
	size_t wrong[2] = {0}, all[2] = {0}, series = 0, failed = 0;
	static struct recorded is;
	static char line[LINE];

	for (int i = 1 + verbose; i < count; i++) {
		FILE *file = fopen(words[i], "r");

		if (!file)
			bad_file(strerror(errno));
		*line = '\0';
		while (read_one(&is, file, line)) {
			failed += !judge_one(&is, verbose, wrong, all);
			series++;
		}
		fclose(file);
	}
	printf("%zu series, %zu not as the file says; of their beginnings of 8 snapshots or more "
	       "%zu of "
	       "%zu leaks pass the gate, %zu of %zu others fail it\n",
	       series, failed, wrong[1], all[1], wrong[0], all[0]);
	return series == 0 || failed > 0;
}
