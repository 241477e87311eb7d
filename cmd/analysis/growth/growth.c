/*
 * growth.c - does a row keep growing?  The order of the steps.
 *
 * Idle intervals are left out (growth_idle.c), one run is chosen (growth_runs.c), and that run is
 * judged (growth_conclude.c).  If the program stopped to allocate, the series until then is judged, too
 * (growth_ending.c).
 */
#include "analysis/growth/growth.h"

#include "analysis/growth/growth_ending.h"
#include "analysis/growth/growth_idle.h"
#include "analysis/growth/growth_runs.h"
#include "analysis/growth/growth_say.h"

static void judge_awake(const struct growth_series *series, const struct growth_options *options,
			struct growth_judgement *out)
{
	struct growth_awake awake;

	if (!growth_awake_make(&awake, series)) {
		growth_judge_runs(series, options, out);
		return;
	}
	growth_judge_runs(&awake.series, options, out);
	out->judged_from = awake.kept[out->judged_from];
	out->idle = awake.left_out;
	if (out->idle)
		growth_say(out, "%zu interval%s in which the program was idle %s left out",
			   out->idle, out->idle == 1 ? "" : "s", out->idle == 1 ? "is" : "are");
	growth_awake_release(&awake);
}

/* This sentence comes first because it decides. */
static void say_ending(struct growth_judgement *out, enum growth_ending ending, size_t left_out)
{
	const char *s = left_out == 1 ? "" : "s";

	if (out->reason_count == GROWTH_REASONS)
		out->reason_count--;
	if (ending == ENDING_UNKNOWN)
		growth_say(out,
			   "grew evenly until the program allocated no more, %zu interval%s before "
			   "the end: it is full, or a leak whose load ended",
			   left_out, s);
	else
		growth_say(out,
			   "still there at the exit, where the program freed most else; the last "
			   "%zu interval%s left out: the load had ended",
			   left_out, left_out == 1 ? " is" : "s are");
	if (out->reason_count > 1)
		growth_say_swap(out, 0, out->reason_count - 1);
}

/* If the load ended, a row that stayed the same afterwards was not tested. */
static void judge_before_ending(const struct growth_series *series,
				const struct growth_options *options, struct growth_judgement *out)
{
	size_t at = growth_ending_find(series), left_out = series->count - 1 - at;
	struct growth_series before = growth_ending_before(series, at);
	struct growth_judgement until;
	enum growth_ending ending;
	bool is_container;

	if (left_out == 0)
		return;
	judge_awake(&before, options, &until);
	if (!verdicts[until.verdict].grows || until.confidence == GROWTH_LOW)
		return;
	is_container = until.verdict == GROWTH_CONTAINER || !series->blocks;
	ending = growth_ending_weigh(series, is_container ? series->bytes : series->blocks, at);
	if (ending == ENDING_NONE)
		return;
	if (ending == ENDING_UNKNOWN) {
		out->verdict = GROWTH_INCONCLUSIVE;
		out->confidence = GROWTH_LOW;
		out->bytes_slope = until.bytes_slope; /* while it grew */
		out->blocks_slope = until.blocks_slope;
	} else {
		*out = until;
		out->idle += left_out;
	}
	say_ending(out, ending, left_out);
}

void growth_judge(const struct growth_series *series, const struct growth_options *options,
		  struct growth_judgement *out)
{
	judge_awake(series, options, out);
	if (out->verdict == GROWTH_WARM_UP || out->verdict == GROWTH_INCONCLUSIVE)
		judge_before_ending(series, options, out);
}

const char *growth_verdict_name(enum growth_verdict verdict)
{
	return verdicts[verdict].name;
}
