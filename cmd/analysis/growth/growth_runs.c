/*
 * growth_runs.c - a series of several processes: which run of it is judged, and do the others
 * agree?  Values are never subtracted across a restart.
 */
#include "analysis/growth/growth_runs.h"

#include <stdlib.h>

#include "analysis/growth/growth_conclude.h"
#include "analysis/growth/growth_confidence.h"
#include "analysis/growth/growth_say.h"

size_t growth_run_end(const struct growth_series *series, size_t from)
{
	size_t end = from + 1;

	while (end < series->count && (!series->run || series->run[end] == series->run[from]))
		end++;
	return end;
}

/* Copies of blocks and bytes with control slopes subtracted; false when memory is out. */
static bool subtract_control(struct growth_run *run, const struct growth_options *options)
{
	double *copy = calloc(2 * run->count + 1, sizeof(*copy));

	if (!copy)
		return false;
	for (size_t i = 0; i < run->count; i++) {
		double elapsed = run->unit_x[i] - run->unit_x[0];

		copy[i] = run->bytes[i] - options->control_bytes * elapsed;
		if (run->blocks)
			copy[run->count + i] = run->blocks[i] - options->control_blocks * elapsed;
	}
	run->owned = copy;
	run->bytes = copy;
	run->blocks = run->blocks ? copy + run->count : NULL;
	return true;
}

static void judge_part(const struct growth_series *series, const struct growth_options *options,
		       size_t from, size_t count, struct growth_judgement *out)
{
	struct growth_run run = {
		.from = from,
		.count = count,
		.x = series->x + from,
		.seconds = series->seconds ? series->seconds + from : NULL,
		.unit_x = (series->unit_x ? series->unit_x : series->x) + from,
		.blocks = series->blocks ? series->blocks + from : NULL,
		.bytes = series->bytes + from,
		.unrecorded = series->unrecorded ? series->unrecorded + from : NULL,
	};

	*out = (struct growth_judgement){
		.verdict = GROWTH_TOO_FEW, .judged_from = from, .judged_count = count};
	if ((options->control_blocks != 0 || options->control_bytes != 0) &&
	    !subtract_control(&run, options)) {
		growth_say(out, "memory ran out while judging");
		return;
	}
	growth_conclude(series, &run, options, out);
	free(run.owned);
}

/* Ignore a run in which this row never held anything: another build may not have the row. */
static bool run_is_empty(const struct growth_series *series, size_t from, size_t end)
{
	for (size_t i = from; i < end; i++)
		if (series->bytes[i] != 0 || (series->blocks && series->blocks[i] != 0))
			return false;
	return true;
}

/* The verdict is as sure as this number of snapshots allows, or sure enough for a gate. */
static bool has_no_doubt(const struct growth_judgement *judgement, size_t count)
{
	return judgement->confidence > GROWTH_LOW ||
	       judgement->confidence == growth_most_confidence(count);
}

/* What the other runs say about a growth verdict of the judged one. */
static void ask_other_runs(const struct growth_series *series, const struct growth_options *options,
			   struct growth_judgement *out)
{
	size_t agree = 0, disagree = 0, sure = 0, snapshots = out->judged_count;

	for (size_t from = 0, end; from < series->count; from = end) {
		struct growth_judgement other;

		end = growth_run_end(series, from);
		if (from == out->judged_from || end - from < 3 || run_is_empty(series, from, end))
			continue;
		judge_part(series, options, from, end - from, &other);
		agree += other.verdict == out->verdict;
		sure += other.verdict == out->verdict &&
			(has_no_doubt(out, out->judged_count) || has_no_doubt(&other, end - from));
		disagree +=
			other.verdict != out->verdict &&
			!(other.verdict == GROWTH_INCONCLUSIVE || other.verdict == GROWTH_TOO_FEW);
		snapshots += end - from;
	}
	/* A cache fills in each run, so a doubt that both runs have proves nothing. */
	if (sure > 0 && out->confidence < growth_most_confidence(snapshots))
		out->confidence++;
	if (disagree > agree && out->confidence > GROWTH_LOW)
		out->confidence--;
	if (agree + disagree > 0)
		growth_say(out,
			   "judged on the longest of several runs; of the others %zu agree, %zu do "
			   "not",
			   agree, disagree);
}

void growth_judge_runs(const struct growth_series *series, const struct growth_options *options,
		       struct growth_judgement *out)
{
	size_t best = 0, best_count = 0, runs = 0;

	for (size_t from = 0, end; from < series->count; from = end, runs++) {
		end = growth_run_end(series, from);
		if (end - from >= best_count) {
			best = from;
			best_count = end - from;
		}
	}
	judge_part(series, options, best, best_count, out);
	if (runs > 1 && out->verdict == GROWTH_TOO_FEW)
		growth_say(out,
			   "%zu processes, none with 3 snapshots: they are never subtracted from "
			   "each other",
			   runs);
	if (runs > 1 && verdicts[out->verdict].grows)
		ask_other_runs(series, options, out);
}
