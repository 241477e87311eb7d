/*
 * growth_reasons.c - which reasons a judgement gives, and in which order.
 */
#include "analysis/growth/growth_reasons.h"

#include <math.h>

#include "analysis/growth/growth_confidence.h"
#include "analysis/growth/growth_say.h"
#include "analysis/growth/growth_verdict.h"
#include "analysis/growth/growth_weigh.h"

static void note_exact(struct growth_judgement *out, const struct growth_shape *blocks,
		       const struct growth_shape *bytes)
{
	bool blocks_exact = blocks && growth_shape_is_exact(blocks);

	if (!growth_shape_is_exact(bytes) ||
	    (out->verdict == GROWTH_LEAK && blocks && !blocks_exact))
		return;
	out->exact = true;
	out->exact_blocks = blocks_exact ? blocks->step : 0;
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): an exact shape is one */
	out->exact_bytes = bytes->step;
}

/* The reasons: first the one that decided (the shape or the ages), then the others. */
static void explain(struct growth_judgement *out, const struct growth_run *run,
		    const struct growth_shape *shape, bool by_bytes, const struct growth_ages *ages)
{
	const char *unit = by_bytes ? "byte" : "block";
	bool shape_agrees =
		growth_verdict_of_shape(shape) == out->verdict || out->verdict == GROWTH_CONTAINER;
	bool about_blocks = run->blocks && !by_bytes;

	if (shape_agrees)
		growth_say_shape(out, out->verdict, shape, unit);
	if (about_blocks && shape->min < shape->max)
		growth_say_ages(out, ages);
	if (!shape_agrees)
		growth_say_shape(out, GROWTH_INCONCLUSIVE, shape, unit);
}

static void say_leaps(struct growth_judgement *out, const struct growth_measures *m)
{
	size_t ago;

	if (!m->by_bytes || !((out->verdict == GROWTH_CONTAINER && growth_in_leaps(m)) ||
			      (out->verdict == GROWTH_WARM_UP && m->fill == FILL_ENDED)))
		return;
	ago = m->bytes.count - 1 - m->bytes.leap_at[0];
	growth_say(out,
		   "grew %zu times by half or more, the last time %zu snapshot%s before the end%s",
		   m->bytes.leaps, ago, ago == 1 ? "" : "s",
		   m->fill == FILL_GOES_ON ? "; it is being filled on: resident memory rises"
		   : m->fill == FILL_ENDED ? "; it is full: resident memory rises no more"
					   : "");
}

void growth_reasons_why(struct growth_judgement *out, const struct growth_measures *m,
			const struct growth_run *run)
{
	char first[GROWTH_AMOUNT_SIZE], second[GROWTH_AMOUNT_SIZE];

	if (verdicts[out->verdict].grows)
		note_exact(out, run->blocks ? &m->blocks : NULL, &m->bytes);
	if (out->exact && out->exact_blocks > 0)
		growth_say(out, "exactly %s, %s per snapshot",
			   growth_amount(out->exact_blocks, "block", first),
			   growth_amount(out->exact_bytes, "byte", second));
	say_leaps(out, m);
	explain(out, run, growth_deciding(m), m->by_bytes, &m->ages);
	if (out->verdict == GROWTH_CONTAINER && run->blocks)
		growth_say(out,
			   "it held %s after the warm-up and %s at the end: the bytes grow inside",
			   growth_amount(m->blocks.y[m->blocks.tail], "block", first),
			   growth_amount(m->blocks.last, "block", second));
}

void growth_reasons_doubt(struct growth_judgement *out, const struct growth_measures *m,
			  size_t count)
{
	size_t said = out->reason_count;

	if (!verdicts[out->verdict].grows || out->confidence == GROWTH_HIGH)
		return;
	if (out->confidence < growth_most_confidence(count))
		growth_say(out, "not sure: %s",
			   m->doubt ? m->doubt : "the last snapshots do not show it clearly");
	else
		growth_say(out, "not sure: %zu snapshots only, a sure verdict takes %d", count,
			   GROWTH_SURE_SNAPSHOTS);
	if (out->reason_count > said && said > 1)
		growth_say_swap(out, 1, said); /* the second most telling */
}

void growth_reasons_exit(struct growth_judgement *out, const struct growth_run *run,
			 const struct growth_exit *at_exit)
{
	double left = run->blocks ? at_exit->blocks : at_exit->bytes;
	double held = run->blocks ? run->blocks[run->count - 1] : run->bytes[run->count - 1];
	char first[GROWTH_AMOUNT_SIZE], second[GROWTH_AMOUNT_SIZE];

	if (held <= 0 && left <= 0)
		return;
	growth_amount(fmin(left, fmax(held, left)), run->blocks ? "block" : "byte", first);
	growth_amount(fmax(held, left), run->blocks ? "block" : "byte", second);
	if (growth_was_never_freed(left, held))
		growth_say(out, "never freed: %s of %s still there at exit", first, second);
	else
		growth_say(out, "%s of %s still there at exit", first, second);
}
