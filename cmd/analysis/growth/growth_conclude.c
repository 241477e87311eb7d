/*
 * growth_conclude.c - from the measures of one run to its judgement.
 */
#include "analysis/growth/growth_conclude.h"

#include "analysis/growth/growth_confidence.h"
#include "analysis/growth/growth_reasons.h"
#include "analysis/growth/growth_verdict.h"
#include "analysis/growth/growth_weigh.h"

/* If the figure grows in few jumps, the median slope is 0; then the mean slope is used. */
static void take_mean_of_leaps(struct growth_judgement *out, const struct growth_run *run)
{
	size_t end = run->count > 0 ? run->count - 1 : 0;
	double elapsed = run->count > 0 ? run->unit_x[end] - run->unit_x[0] : 0;

	if (out->verdict == GROWTH_CONTAINER && out->bytes_slope.value <= 0 && elapsed > 0)
		out->bytes_slope.value = (run->bytes[end] - run->bytes[0]) / elapsed;
	if (out->bytes_slope.high < out->bytes_slope.value)
		out->bytes_slope.high = out->bytes_slope.value;
}

static void measure_slopes(struct growth_judgement *out, const struct growth_run *run, size_t tail)
{
	const double *x = run->unit_x + tail;
	size_t count = run->count - tail;

	stats_theil_sen(x, run->bytes + tail, count, &out->bytes_slope);
	take_mean_of_leaps(out, run);
	if (run->blocks)
		stats_theil_sen(x, run->blocks + tail, count, &out->blocks_slope);
}

static void conclude(struct growth_judgement *out, struct growth_measures *m,
		     const struct growth_run *run)
{
	if (run->blocks)
		out->verdict = growth_verdict_of_both(
			growth_weigh_ages(growth_verdict_of_shape(&m->blocks), &m->blocks,
					  &m->ages),
			m);
	else
		out->verdict = growth_verdict_of_shape(&m->bytes);
	out->confidence = growth_verdict_confidence(out->verdict, m, &m->doubt);
	if (out->verdict == GROWTH_LEAK)
		out->confidence = growth_weigh_confidence(out->confidence, growth_deciding(m),
							  &m->ages, &m->doubt);
	if (out->verdict == GROWTH_LEAK && m->declines) {
		out->confidence = GROWTH_LOW;
		m->doubt = "it adds fewer and fewer blocks: a cache fills like this, too";
	}
	/* A block that was sampled is real: blocks that stay, epoch after epoch, are no chance. */
	if (verdicts[out->verdict].grows && m->within_error && m->ages.pattern != AGES_LASTING) {
		out->confidence = GROWTH_LOW;
		m->doubt = "the growth is within the error of the samples";
	}
}

/* At snapshot `i`, did the growth continue with at least half of its earlier pace? */
static bool agrees(const struct growth_shape *s, size_t i)
{
	double elapsed = s->x[i - 1] - s->x[s->tail], so_far = s->y[i - 1] - s->y[s->tail];
	double rise = s->y[i] - s->y[i - 1];

	return elapsed > 0 && rise > 0 && rise >= so_far / elapsed * (s->x[i] - s->x[i - 1]) / 2;
}

/* Did it reach a new maximum, at its own pace or faster? */
static bool goes_on(const struct growth_shape *s, size_t i)
{
	double elapsed = s->x[i - 1] - s->x[0], gain = s->y[i - 1] - s->y[0];

	for (size_t k = 0; k < i; k++)
		if (s->y[k] >= s->y[i])
			return false;
	return gain > 0 && elapsed > 0 &&
	       (s->y[i] - s->y[i - 1]) * elapsed >= gain * (s->x[i] - s->x[i - 1]);
}

/* Can the ages be judged as of the snapshot at `at`? */
static bool has_births(const struct growth_series *series, size_t at)
{
	for (size_t i = 0; i < series->births_count; i++)
		if (series->births[i].snapshot == at)
			return true;
	return series->births_count == 0;
}

/* Does the last snapshot of a series leave the judgement that it had without it?  If it grew to
 * more than ever before; and while the verdict is open, if it grew at half of its pace. */
static bool confirms(const struct growth_shape *s, enum growth_verdict verdict)
{
	bool open = verdicts[verdict].grows || verdict == GROWTH_INCONCLUSIVE;

	return goes_on(s, s->count - 1) || (open && agrees(s, s->count - 1));
}

static void keep_earlier(struct growth_judgement *out, const struct growth_judgement *earlier)
{
	if (!verdicts[earlier->verdict].grows)
		return;
	if (verdicts[out->verdict].grows &&
	    (earlier->verdict != out->verdict || earlier->confidence <= out->confidence))
		return;
	out->verdict = earlier->verdict;
	out->confidence = earlier->confidence;
}

/*
 * One more snapshot that agrees must not make a verdict less sure.  So the judgements of the
 * shorter series count as long as every snapshot since then confirms them.
 */
static void keep_confidence(const struct growth_series *series, const struct growth_run *run,
			    const struct growth_options *options,
			    const struct growth_measures *measured, struct growth_judgement *out)
{
	enum growth_confidence most = growth_most_confidence(run->count);
	enum growth_verdict verdict = out->verdict;
	struct growth_measures m = *measured;

	for (size_t back = 1;
	     back <= GROWTH_LOOK_BACK && run->count >= GROWTH_LIKELY_SNAPSHOTS + back; back++) {
		struct growth_run shorter = *run;
		struct growth_judgement earlier;

		if ((verdicts[out->verdict].grows && out->confidence == most) || m.declines ||
		    !confirms(growth_deciding(&m), verdict))
			return;
		shorter.count -= back;
		if (!has_births(series, run->from + shorter.count - 1))
			return;
		growth_measure(&m, series, &shorter, options);
		conclude(&earlier, &m, &shorter);
		verdict = earlier.verdict;
		keep_earlier(out, &earlier);
	}
}

void growth_conclude(const struct growth_series *series, const struct growth_run *run,
		     const struct growth_options *options, struct growth_judgement *out)
{
	bool ends = run->from + run->count == series->count;
	struct growth_measures m;

	growth_measure(&m, series, run, options);
	conclude(out, &m, run);
	measure_slopes(out, run, m.bytes.tail);
	if (series->at_exit && ends && run->count >= 3)
		growth_weigh_exit(out, run, &m, series->at_exit);
	keep_confidence(series, run, options, &m, out);
	growth_reasons_why(out, &m, run);
	growth_reasons_doubt(out, &m, run->count);
	if (series->at_exit && ends && out->verdict != GROWTH_STABLE)
		growth_reasons_exit(out, run, series->at_exit);
}
