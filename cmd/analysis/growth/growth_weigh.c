/*
 * growth_weigh.c - what the ages of blocks and the exit change in a verdict from the counts.
 */
#include "analysis/growth/growth_weigh.h"

#include <math.h>

#include "analysis/growth/growth_confidence.h"
#include "analysis/growth/growth_verdict.h"

enum { SPARSE_EPOCHS = 16 }; /* of more epochs than this, two that left blocks are too few */
static const double least_even = 0.6;  /* of a backlog: its late rise as a share of its early
				          rise */
static const double never_freed = 0.9; /* of the bytes held: smaller differences count as none */
static const double little_gain = 0.3; /* of the bytes held after the warm-up */
static const double most_given = 8;    /* blocks given back, for each that it kept */
static const double by_chance = 1.4;   /* deviations of the number of blocks in a queue */
static const double steep_start = 4;   /* pace of the start, relative to the pace after it */

/* With so few intervals, a leak after a warm-up looks like an early rise, and every later
 * interval adds a little. */
static bool still_leaves(size_t count, const struct growth_ages *ages)
{
	return count <= GROWTH_SURE_SNAPSHOTS && ages->epochs >= 2 &&
	       ages->leaving == ages->epochs && ages->late >= 2 &&
	       (count < GROWTH_SURE_SNAPSHOTS || ages->late >= 0.1 * ages->expected_late);
}

/*
 * A queue whose consumer is too slow loses its old blocks, and still grows evenly: what it holds
 * gets older. A pool or cache of a limited size grows ever more slowly once its old blocks go; and
 * if all blocks are young, there is only more to do at a time.
 */
static bool outgrows_deaths(const struct growth_shape *blocks, const struct growth_ages *ages)
{
	return (ages->in_order || ages->expected_loss <= 0.5) && blocks->tail_steps >= 5 &&
	       blocks->floor_gain > 3 * blocks->give_back &&
	       (ages->gone == 0 || blocks->floor_gain > by_chance * sqrt(blocks->last)) &&
	       ages->older >= 0.25 && growth_shape_late_share(blocks) > least_even;
}

/* Correct the verdict from the counts by the ages of the blocks. */
static enum growth_verdict weigh_grown_ages(enum growth_verdict counted,
					    const struct growth_shape *blocks,
					    const struct growth_ages *ages)
{
	bool rising = counted == GROWTH_LEAK || counted == GROWTH_INCONCLUSIVE;

	switch (ages->pattern) {
	case AGES_LASTING:
		if (ages->leaving < 4 && ages->epochs >= 24)
			return rising ? GROWTH_INCONCLUSIVE : counted;
		return counted == GROWTH_SHRINKING ? counted : GROWTH_LEAK;
	case AGES_SPARSE: /* two epochs left blocks that do not go: a rare leak, perhaps */
		if (ages->leaving == 2 && ages->silence > 0.2 && ages->epochs < SPARSE_EPOCHS &&
		    counted != GROWTH_SHRINKING)
			return GROWTH_LEAK;
		return counted;
	case AGES_SLOWING: /* with few epochs it is a guess, with many it is sure */
		if (blocks->count < 12 &&
		    (blocks->count < 8 || ages->late >= 0.3 * ages->expected_late))
			return GROWTH_LEAK;
		return counted == GROWTH_LEAK ? GROWTH_INCONCLUSIVE : counted;
	case AGES_ENDED: /* one idle interval does not end an even growth */
		return rising && !growth_shape_is_exact(blocks) ? GROWTH_INCONCLUSIVE : counted;
	case AGES_EARLY:
		if (still_leaves(blocks->count, ages))
			return GROWTH_LEAK;
		return rising ? GROWTH_WARM_UP : counted;
	case AGES_RECENT:
		return rising && !outgrows_deaths(blocks, ages) ? GROWTH_STABLE : counted;
	case AGES_REPLACED:
	case AGES_DYING: /* a pool: its growth must clearly exceed what it gave back */
		return counted == GROWTH_LEAK && blocks->floor_gain < 2.5 * blocks->give_back
			       ? GROWTH_INCONCLUSIVE
			       : counted;
	case AGES_UNKNOWN:
		break;
	}
	return counted;
}

/* After one deep fall, few epochs do not show that what came since then stays. */
static bool gave_back_most(const struct growth_shape *blocks, const struct growth_ages *ages)
{
	return ages->pattern == AGES_LASTING && ages->epochs < GROWTH_SURE_SNAPSHOTS &&
	       blocks->give_back > most_given * ages->survivors;
}

enum growth_verdict growth_weigh_ages(enum growth_verdict counted,
				      const struct growth_shape *blocks,
				      const struct growth_ages *ages)
{
	enum growth_verdict weighed = weigh_grown_ages(counted, blocks, ages);

	/* A leak adds blocks: there are more of them at the end. */
	if (weighed != GROWTH_LEAK ||
	    (blocks->last > blocks->first && !gave_back_most(blocks, ages)))
		return weighed;
	return counted == GROWTH_LEAK ? GROWTH_INCONCLUSIVE : counted;
}

/* What remains uncertain after the ages were looked at; NULL: nothing. */
static const char *doubt_of_lasting(const struct growth_ages *ages)
{
	if (ages->slower)
		return "the later intervals left fewer blocks than the earlier ones";
	if (ages->faded)
		return "the youngest blocks are fewer than earlier intervals make expect";
	if (ages->silence <= 0.2 && !ages->idle_end)
		return "the last intervals left no blocks";
	return NULL;
}

static const char *doubt_of_ages(const struct growth_ages *ages)
{
	switch (ages->pattern) {
	case AGES_SPARSE:
		return "two intervals only left blocks that still live";
	case AGES_SLOWING:
	case AGES_EARLY:
		return "the later intervals left fewer blocks than the earlier ones";
	case AGES_DYING:
	case AGES_REPLACED:
		return "old blocks still go";
	default:
		return "the ages of its blocks do not show the growth";
	}
}

static bool is_dying(const struct growth_ages *ages)
{
	return ages->pattern == AGES_DYING || ages->pattern == AGES_RECENT ||
	       ages->pattern == AGES_REPLACED;
}

/* Few snapshots, but nothing speaks against growth: it rose in every interval and evenly, each left
 * blocks, and of those none went. */
static bool leaves_in_all(const struct growth_shape *blocks, const struct growth_ages *ages)
{
	return ages->epochs >= 3 && ages->leaving == ages->epochs && ages->deaths == 0 &&
	       ages->survivors >= GROWTH_MANY_ITEMS && blocks->give_back == 0 &&
	       blocks->rise_count == blocks->tail_steps && growth_shape_late_share(blocks) > 0.7;
}

/*
 * A cache whose keys get rarer, and the high-water mark of a pool, rise ever more slowly: their
 * pace falls like 1/t.  After a steep start, a small growth may be that, unless it left enough
 * blocks to show that its pace is steady.
 */
static bool may_be_slowing(const struct growth_shape *blocks, const struct growth_ages *ages)
{
	bool by_age = ages->pattern != AGES_UNKNOWN && !is_dying(ages) && ages->epochs > 0;
	size_t from = by_age ? ages->first : blocks->tail;
	size_t steps = by_age ? ages->epochs : blocks->tail_steps, half = from + steps / 2;
	double gain = by_age ? ages->survivors : blocks->last - blocks->y[blocks->tail];
	double late = by_age ? ages->late : blocks->last - blocks->y[half];
	double early = by_age ? ages->early : gain - late;
	/* Blocks in flight are no part of a start. */
	double level = by_age ? ages->before : blocks->last - gain, share;
	/* A program that leaves blocks now and then leaves several at a time. */
	double deviations = by_age && ages->leaving == ages->epochs ? 1.5 : 2.5;
	double grain = by_age ? ages->grain : 1;

	if (steps < 4 || growth_shape_is_exact(blocks) || gain > little_gain * level ||
	    level / (double)(from + 1) < steep_start * gain / (double)steps)
		return false;
	share = log((double)(from + 1 + steps) / (double)(half + 1)) /
		log((double)(half + 1) / (double)(from + 1));
	return late - share * early <=
	       deviations * sqrt(grain * fmax(late + share * share * early, grain));
}

/* The snapshot after which it first grew. */
static size_t onset_of(const struct growth_shape *s)
{
	size_t at = 0;

	while (at + 1 < s->count && s->y[at + 1] <= s->y[0])
		at++;
	return at;
}

/* The growth of the second part as predicted from the first part, by a straight line over `x`. */
static double expected_later(const struct growth_shape *s, const double *x, size_t from,
			     size_t half)
{
	double early = s->y[half] - s->y[from], elapsed = x[half] - x[from];

	return elapsed > 0 ? early / elapsed * (x[s->count - 1] - x[half]) : 0;
}

/*
 * Growth that begins late is compared with its own beginning: against the whole series, a cache that
 * begins to fill late does not slow down.
 */
static bool slows_since_onset(const struct growth_shape *s)
{
	size_t from = onset_of(s), half = from + (s->count - from) / 2;
	double late, expected;

	if (from <= s->tail || s->count - from < GROWTH_SURE_SNAPSHOTS || growth_shape_is_exact(s))
		return false;
	late = s->last - s->y[half];
	expected = expected_later(s, s->x, from, half);
	if (s->seconds)
		expected = fmin(expected, expected_later(s, s->seconds, from, half));
	return late < least_even * expected && expected - late > 2.5 * sqrt(expected + late);
}

enum growth_confidence growth_weigh_confidence(enum growth_confidence counted,
					       const struct growth_shape *blocks,
					       const struct growth_ages *ages, const char **doubt)
{
	enum growth_confidence most = growth_most_confidence(blocks->count);

	if (may_be_slowing(blocks, ages)) {
		*doubt = "it gained little after its start: a cache fills ever more slowly, too";
		return GROWTH_LOW;
	}
	if (slows_since_onset(blocks)) {
		*doubt = "it slows down since it began to grow: a cache fills like this, too";
		return GROWTH_LOW;
	}
	if (ages->pattern == AGES_UNKNOWN)
		return counted;
	if (ages->pattern == AGES_ENDED && growth_shape_is_exact(blocks)) {
		*doubt = "the youngest intervals left no blocks";
		return growth_weaker(counted, GROWTH_MEDIUM);
	}
	*doubt = ages->pattern == AGES_LASTING ? doubt_of_lasting(ages) : doubt_of_ages(ages);
	if (*doubt && is_dying(ages) && outgrows_deaths(blocks, ages))
		return growth_weaker(counted, GROWTH_MEDIUM);
	if (*doubt && ages->pattern == AGES_LASTING && ages->slower && ages->by_chance)
		return growth_weaker(counted, GROWTH_MEDIUM);
	if (*doubt)
		return GROWTH_LOW;
	*doubt = "few intervals left blocks so far";
	if (ages->exposure >= 10 && ages->leaving >= 4 &&
	    (ages->leaving >= 6 || 4 * ages->leaving >= 3 * ages->epochs))
		return most;
	return ages->leaving >= 4 || leaves_in_all(blocks, ages)
		       ? growth_weaker(most, GROWTH_MEDIUM)
		       : GROWTH_LOW;
}

/* Do the ages of its blocks speak against growth, or not clearly for it? */
static bool ages_object(const struct growth_ages *ages)
{
	return ages->pattern != AGES_UNKNOWN &&
	       (ages->pattern != AGES_LASTING || doubt_of_lasting(ages));
}

bool growth_was_never_freed(double left, double held)
{
	return left >= never_freed * held;
}

/*
 * If a program frees its memory at exit, blocks that it does not free then are lost.  If it frees
 * nothing, what is left proves nothing: doubts that come from the ages of blocks remain.
 */
void growth_weigh_exit(struct growth_judgement *out, const struct growth_run *run,
		       const struct growth_measures *m, const struct growth_exit *at_exit)
{
	const struct growth_shape *shape = growth_deciding(m);
	double left = run->blocks ? at_exit->blocks : at_exit->bytes, held = shape->last;

	if (!growth_was_never_freed(left, held) || held <= shape->first ||
	    (out->verdict == GROWTH_CONTAINER && growth_may_be_full(m)) ||
	    (is_dying(&m->ages) && m->ages.gone > 0) || /* what is left was in use */
	    (!m->by_bytes && !at_exit->frees_others &&
	     (m->declines || may_be_slowing(shape, &m->ages) || slows_since_onset(shape))))
		return;
	if (out->verdict == GROWTH_INCONCLUSIVE && at_exit->frees_others &&
	    run->count >= GROWTH_SURE_SNAPSHOTS / 2 && shape->rise_count >= 3)
		out->verdict = GROWTH_LEAK;
	if (verdicts[out->verdict].grows && out->confidence < growth_most_confidence(run->count) &&
	    (at_exit->frees_others || (out->confidence == GROWTH_LOW && !ages_object(&m->ages))))
		out->confidence++;
}
