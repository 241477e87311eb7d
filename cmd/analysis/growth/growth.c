/*
 * growth.c - does a row keep growing?  Draws the conclusion from the measures, with a confidence.
 */
#include "analysis/growth/growth.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/growth/growth_ages.h"
#include "analysis/growth/growth_ending.h"
#include "analysis/growth/growth_error.h"
#include "analysis/growth/growth_fill.h"
#include "analysis/growth/growth_idle.h"
#include "analysis/growth/growth_say.h"
#include "analysis/growth/growth_shape.h"
#include "base/memory.h"

enum {
	SPARSE_EPOCHS = 16,   /* of more epochs than this, two that left blocks are too few */
	MANY_ITEMS = 8,       /* fewer blocks are not a collection */
	LOOK_BACK = 16,       /* snapshots; see keep_confidence() */
	LIKELY_SNAPSHOTS = 5, /* the fewest for medium confidence, */
	SURE_SNAPSHOTS = 8,   /* and for high */
	SURE_LEAPS = 6, /* doublings for high confidence; two fewer if it is known that they go
			   on */
};
static const double items_vary = 0.02, few_bytes = 8;
static const double long_ago = 0.7;    /* of the time between two doublings; the next is due at 2 */
static const double recently = 0.5;    /* of the same time: the table has just doubled */
static const double least_even = 0.6;  /* of a backlog: its late rise as a share of its early
				          rise */
static const double never_freed = 0.9; /* of the bytes held: smaller differences count as none */
static const double little_gain = 0.3; /* of the bytes held after the warm-up */
static const double at_once = 0.6;     /* of the growth after the warm-up */
static const double most_given = 8;    /* blocks given back, for each that it kept */
static const double steep_start = 4;   /* pace of the start, relative to the pace after it */

/* One run of the series, after the control run's slope was subtracted. */
struct judged_run {
	size_t from, count;
	const double *x, *unit_x, *seconds; /* seconds NULL when unknown */
	const double *blocks, *bytes;       /* blocks NULL when unknown */
	const double *unrecorded;           /* NULL when unknown */
	double *owned;                      /* copies with the control subtracted, or NULL */
};

static bool is_growth(enum growth_verdict verdict)
{
	return verdicts[verdict].grows;
}

static enum growth_confidence weaker(enum growth_confidence a, enum growth_confidence b)
{
	return a < b ? a : b;
}

/* The smallest one-sided p that n snapshots can reach is 1/n!, so few snapshots never give a
 * sure verdict. */
enum growth_confidence growth_most_confidence(size_t count)
{
	if (count < LIKELY_SNAPSHOTS)
		return GROWTH_LOW;
	return count < SURE_SNAPSHOTS ? GROWTH_MEDIUM : GROWTH_HIGH;
}

/* The measures of one run. */
struct measures {
	struct growth_shape blocks, bytes;
	struct growth_ages ages;
	enum growth_fill fill; /* of the bytes' last doubling */
	bool by_bytes;         /* bytes decided */
	bool at_once;          /* one interval has most of the growth in bytes */
	bool within_error;     /* of the samples: the growth may be chance */
	const char *doubt;     /* what keeps the verdict from being sure */
};

static const struct growth_shape *deciding(const struct measures *m)
{
	return m->by_bytes ? &m->bytes : &m->blocks;
}

static enum growth_verdict judge_sawtooth(const struct growth_shape *s)
{
	return s->trough_gain > s->largest_drop / 2 ? GROWTH_LEAK : GROWTH_SAWTOOTH;
}

static enum growth_verdict judge_shape(const struct growth_shape *s)
{
	double late_share;

	if (s->count < 3)
		return GROWTH_TOO_FEW;
	if (s->min == s->max)
		return GROWTH_STABLE;
	if (growth_shape_is_exact(s))
		return GROWTH_LEAK;
	if (growth_shape_is_one_off(s))
		return s->count - s->jump_at > 2 ? GROWTH_ONE_OFF : GROWTH_INCONCLUSIVE;
	if (growth_shape_is_shrinking(s))
		return GROWTH_SHRINKING;
	if (growth_shape_is_sawtooth(s))
		return judge_sawtooth(s);
	if (!growth_shape_passes_floor(s))
		return growth_shape_is_plateau(s) ? GROWTH_WARM_UP : GROWTH_STABLE;
	late_share = growth_shape_late_share(s);
	if (late_share <= 0.2)
		return GROWTH_WARM_UP;
	if (late_share < 0.5)
		return GROWTH_INCONCLUSIVE;
	return GROWTH_LEAK;
}

/* How sure is the growth from the counts alone, and what lowers the confidence? */
static enum growth_confidence leak_confidence(const struct growth_shape *s, const char **doubt)
{
	enum growth_confidence most = growth_most_confidence(s->count);
	double late_share;

	*doubt = "it rose in few of the intervals only";
	if (growth_shape_is_exact(s))
		return s->same_steps >= 5 ? most : weaker(most, GROWTH_MEDIUM);
	late_share = growth_shape_late_share(s);
	if (s->floor_gain > 3 * s->give_back && s->rise_count >= 5 && late_share > 0.7)
		return most;
	if (s->floor_gain <= 3 * s->give_back)
		*doubt = "what it gave back is not small against what it gained";
	if (late_share <= 0.7)
		*doubt = "it rose more slowly at the end";
	if (s->rise_count >= 3 && late_share > 0.6)
		return weaker(most, GROWTH_MEDIUM);
	return GROWTH_LOW;
}

/* Nothing shows that it grew since its last doubling, and that was long ago.  A table that is
 * filled for three quarters of the series, and then full, looks like this. */
static bool may_be_full(const struct measures *m)
{
	return growth_shape_leaps(&m->bytes) && m->fill == FILL_UNKNOWN &&
	       growth_shape_since_leap(&m->bytes) > long_ago;
}

/* How sure is it that a table that doubles goes on? */
static enum growth_confidence leaps_confidence(const struct measures *m, const char **doubt)
{
	enum growth_confidence most = growth_most_confidence(m->bytes.count);
	bool goes_on = m->fill == FILL_GOES_ON;

	*doubt = "it doubled a few times only";
	if (may_be_full(m)) {
		*doubt = "it may be full: it did not double for a while";
		return GROWTH_LOW;
	}
	if (m->bytes.leaps >= (goes_on ? SURE_LEAPS - 2 : SURE_LEAPS))
		return most;
	if (growth_shape_leaps(&m->bytes) && growth_shape_since_leap(&m->bytes) < recently)
		return weaker(most, GROWTH_MEDIUM);
	return m->bytes.leaps >= (goes_on ? 2 : SURE_LEAPS - 2) ? weaker(most, GROWTH_MEDIUM)
								: GROWTH_LOW;
}

static bool grows_in_leaps(const struct measures *m)
{
	return growth_shape_leaps(&m->bytes) || m->fill == FILL_GOES_ON;
}

/* One interval has most of the growth: a table that doubled once is no growth that goes on. */
static bool rose_at_once(const struct growth_shape *bytes)
{
	return bytes->jump_at > bytes->tail &&
	       bytes->jump > at_once * (bytes->last - bytes->y[bytes->tail]);
}

static enum growth_confidence confidence_of(enum growth_verdict verdict, const struct measures *m,
					    const char **doubt)
{
	const struct growth_shape *s = deciding(m);

	switch (verdict) {
	case GROWTH_CONTAINER:
		if (grows_in_leaps(m))
			return leaps_confidence(m, doubt);
		*doubt = "one interval has most of the growth";
		return m->at_once ? GROWTH_LOW : leak_confidence(s, doubt);
	case GROWTH_LEAK:
		return leak_confidence(s, doubt);
	case GROWTH_TOO_FEW:
	case GROWTH_INCONCLUSIVE:
		return GROWTH_LOW;
	default:
		return growth_most_confidence(s->count);
	}
}

/* Do more blocks of the usual size explain at least half of the growth in bytes? */
static bool blocks_explain_bytes(const struct growth_shape *blocks,
				 const struct growth_shape *bytes)
{
	double more_blocks = blocks->last - blocks->y[blocks->tail];
	double more_bytes = bytes->last - bytes->y[bytes->tail];

	return blocks->last > 0 && more_blocks * (bytes->last / blocks->last) >= more_bytes / 2;
}

/* Do the bytes grow inside blocks: in old blocks, or in jumps while the number of blocks stays
 * the same? */
static bool bytes_grow_in_place(const struct measures *m)
{
	const struct growth_ages *ages = &m->ages;
	struct growth_shape old;

	if (grows_in_leaps(m) && !blocks_explain_bytes(&m->blocks, &m->bytes))
		return true;
	if (ages->old_count < 3)
		return false;
	growth_shape_measure(&old, ages->old_at, ages->old_bytes, ages->old_count, 0);
	return judge_shape(&old) == GROWTH_LEAK || growth_shape_leaps(&old);
}

/*
 * A full pool, ring or cache holds the same number of items, but not the same items, so its bytes
 * vary with their sizes.  The sum of n items of different sizes varies by about 1/sqrt(n).
 */
static bool is_items_varying(const struct growth_shape *blocks, const struct growth_shape *bytes)
{
	double share = fmin(items_vary, 1 / sqrt(blocks->last));
	double gain = bytes->last - bytes->y[bytes->tail];

	/* Texts that say larger and larger numbers get a few bytes longer. */
	return blocks->last >= MANY_ITEMS &&
	       (gain <= share * bytes->last || gain <= few_bytes * blocks->last);
}

/* Container growth means that only the bytes grow: the number of blocks stays the same, except
 * for blocks in flight. */
static bool blocks_keep_still(const struct growth_shape *blocks)
{
	double allowed = fmax(fmax(blocks->give_back, 2), blocks->last / 10);

	return blocks->floor_gain <= allowed && blocks->last < 3 * blocks->first + MANY_ITEMS;
}

/* The number of blocks decides.  If it stays the same, bytes may grow inside the blocks. */
static enum growth_verdict combine(enum growth_verdict of_blocks, struct measures *m)
{
	const struct growth_shape *blocks = &m->blocks, *bytes = &m->bytes;
	enum growth_verdict of_bytes = judge_shape(bytes);
	bool inside = blocks_keep_still(blocks) && !is_items_varying(blocks, bytes) &&
		      bytes->last > bytes->first;

	m->by_bytes = false;
	if (of_blocks == GROWTH_LEAK || of_blocks == GROWTH_TOO_FEW)
		return of_blocks;
	m->by_bytes = inside;
	if (inside && m->fill == FILL_ENDED)
		return GROWTH_WARM_UP;
	if (inside && bytes_grow_in_place(m))
		return GROWTH_CONTAINER;
	m->at_once = rose_at_once(bytes);
	if (inside && of_bytes == GROWTH_LEAK && !blocks_explain_bytes(blocks, bytes) &&
	    (bytes->leaps >= 2 || !m->at_once))
		return of_blocks == GROWTH_INCONCLUSIVE ? GROWTH_INCONCLUSIVE : GROWTH_CONTAINER;
	if (of_bytes == GROWTH_LEAK && bytes->last > bytes->first &&
	    !is_items_varying(blocks, bytes) && !blocks_explain_bytes(blocks, bytes))
		return GROWTH_INCONCLUSIVE;
	m->by_bytes =
		of_blocks == GROWTH_STABLE && of_bytes != GROWTH_STABLE && of_bytes != GROWTH_LEAK;
	return m->by_bytes ? of_bytes : of_blocks;
}

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

/* If the figure grows in few jumps, the median slope is 0; then the mean slope is used. */
static void take_mean_of_leaps(struct growth_judgement *out, const struct judged_run *run)
{
	size_t end = run->count > 0 ? run->count - 1 : 0;
	double elapsed = run->count > 0 ? run->unit_x[end] - run->unit_x[0] : 0;

	if (out->verdict == GROWTH_CONTAINER && out->bytes_slope.value <= 0 && elapsed > 0)
		out->bytes_slope.value = (run->bytes[end] - run->bytes[0]) / elapsed;
	if (out->bytes_slope.high < out->bytes_slope.value)
		out->bytes_slope.high = out->bytes_slope.value;
}

static void measure_slopes(struct growth_judgement *out, const struct judged_run *run, size_t tail)
{
	const double *x = run->unit_x + tail;
	size_t count = run->count - tail;

	stats_theil_sen(x, run->bytes + tail, count, &out->bytes_slope);
	take_mean_of_leaps(out, run);
	if (run->blocks)
		stats_theil_sen(x, run->blocks + tail, count, &out->blocks_slope);
}

/* With so few intervals, a leak after a warm-up looks like an early rise, and every later
 * interval adds a little. */
static bool still_leaves(size_t count, const struct growth_ages *ages)
{
	return count <= SURE_SNAPSHOTS && ages->epochs >= 2 && ages->leaving == ages->epochs &&
	       ages->late >= 2 &&
	       (count < SURE_SNAPSHOTS || ages->late >= 0.1 * ages->expected_late);
}

/*
 * A queue whose consumer is too slow loses its old blocks, and still grows evenly: what it holds
 * gets older. A pool or cache of a limited size grows ever more slowly once its old blocks go; and
 * if all blocks are young, there is only more to do at a time.
 */
static bool outgrows_deaths(const struct growth_shape *blocks, const struct growth_ages *ages)
{
	return (ages->in_order || ages->expected_loss <= 0.5) && blocks->tail_steps >= 5 &&
	       blocks->floor_gain > 3 * blocks->give_back && ages->older >= 0.25 &&
	       growth_shape_late_share(blocks) > least_even;
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

static enum growth_verdict weigh_ages(enum growth_verdict counted,
				      const struct growth_shape *blocks,
				      const struct growth_ages *ages)
{
	enum growth_verdict weighed = weigh_grown_ages(counted, blocks, ages);

	/* A leak adds blocks: there are more of them at the end. */
	if (weighed != GROWTH_LEAK || blocks->last > blocks->first)
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
	       ages->survivors >= MANY_ITEMS && blocks->give_back == 0 &&
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
	double level = blocks->last - gain, share;
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

	if (from <= s->tail || s->count - from < SURE_SNAPSHOTS || growth_shape_is_exact(s))
		return false;
	late = s->last - s->y[half];
	expected = expected_later(s, s->x, from, half);
	if (s->seconds)
		expected = fmin(expected, expected_later(s, s->seconds, from, half));
	return late < least_even * expected && expected - late > 2.5 * sqrt(expected + late);
}

/* After one deep fall, few epochs do not show that what came since then stays. */
static bool gave_back_most(const struct growth_shape *blocks, const struct growth_ages *ages)
{
	return ages->pattern == AGES_LASTING && ages->epochs < SURE_SNAPSHOTS &&
	       blocks->give_back > most_given * ages->survivors;
}

static enum growth_confidence weigh_confidence(enum growth_confidence counted,
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
	if (gave_back_most(blocks, ages)) {
		*doubt = "it gave back far more than it kept";
		return GROWTH_LOW;
	}
	if (ages->pattern == AGES_UNKNOWN)
		return counted;
	if (ages->pattern == AGES_ENDED && growth_shape_is_exact(blocks)) {
		*doubt = "the youngest intervals left no blocks";
		return weaker(counted, GROWTH_MEDIUM);
	}
	*doubt = ages->pattern == AGES_LASTING ? doubt_of_lasting(ages) : doubt_of_ages(ages);
	if (*doubt && is_dying(ages) && outgrows_deaths(blocks, ages))
		return weaker(counted, GROWTH_MEDIUM);
	if (*doubt && ages->pattern == AGES_LASTING && ages->slower && ages->by_chance)
		return weaker(counted, GROWTH_MEDIUM);
	if (*doubt)
		return GROWTH_LOW;
	*doubt = "few intervals left blocks so far";
	if (ages->exposure >= 10 && ages->leaving >= 4 &&
	    (ages->leaving >= 6 || 4 * ages->leaving >= 3 * ages->epochs))
		return most;
	return ages->leaving >= 4 || leaves_in_all(blocks, ages) ? weaker(most, GROWTH_MEDIUM)
								 : GROWTH_LOW;
}

/* The reasons: first the one that decided (the shape or the ages), then the others. */
static void explain(struct growth_judgement *out, const struct judged_run *run,
		    const struct growth_shape *shape, bool by_bytes, const struct growth_ages *ages)
{
	const char *unit = by_bytes ? "byte" : "block";
	bool shape_agrees = judge_shape(shape) == out->verdict || out->verdict == GROWTH_CONTAINER;
	bool about_blocks = run->blocks && !by_bytes;

	if (shape_agrees)
		growth_say_shape(out, out->verdict, shape, unit);
	if (about_blocks && shape->min < shape->max)
		growth_say_ages(out, ages);
	if (!shape_agrees)
		growth_say_shape(out, GROWTH_INCONCLUSIVE, shape, unit);
}

/* Do the ages of its blocks speak against growth, or not clearly for it? */
static bool ages_object(const struct growth_ages *ages)
{
	return ages->pattern != AGES_UNKNOWN &&
	       (ages->pattern != AGES_LASTING || doubt_of_lasting(ages));
}

/*
 * If a program frees its memory at exit, blocks that it does not free then are lost.  If it frees
 * nothing, what is left proves nothing: doubts that come from the ages of blocks remain.
 */
static void weigh_exit(struct growth_judgement *out, const struct judged_run *run,
		       const struct measures *m, const struct growth_exit *at_exit)
{
	const struct growth_shape *shape = deciding(m);
	double left = run->blocks ? at_exit->blocks : at_exit->bytes, held = shape->last;

	if (left < never_freed * held || held <= shape->first ||
	    (out->verdict == GROWTH_CONTAINER && may_be_full(m)) ||
	    (!m->by_bytes && !at_exit->frees_others &&
	     (may_be_slowing(shape, &m->ages) || slows_since_onset(shape))))
		return;
	if (out->verdict == GROWTH_INCONCLUSIVE && at_exit->frees_others &&
	    run->count >= SURE_SNAPSHOTS / 2 && shape->rise_count >= 3)
		out->verdict = GROWTH_LEAK;
	if (is_growth(out->verdict) && out->confidence < growth_most_confidence(run->count) &&
	    (at_exit->frees_others || (out->confidence == GROWTH_LOW && !ages_object(&m->ages))))
		out->confidence++;
}

static void measure(struct measures *m, const struct growth_series *series,
		    const struct judged_run *run, const struct growth_options *options)
{
	*m = (struct measures){.ages = {.pattern = AGES_UNKNOWN}, .by_bytes = true};
	growth_shape_measure(&m->bytes, run->x, run->bytes, run->count, options->warmup);
	m->bytes.estimated = series->bytes_stderr != NULL;
	m->within_error = !growth_error_exceeded(series, run->from, run->count, run->bytes);
	m->bytes.seconds = run->seconds;
	m->fill = growth_fill_measure(&m->bytes, run->unrecorded);
	if (!run->blocks)
		return;
	growth_shape_measure(&m->blocks, run->x, run->blocks, run->count, options->warmup);
	m->blocks.estimated = m->bytes.estimated;
	m->blocks.seconds = run->seconds;
	if (options->control_blocks == 0 && options->control_bytes == 0)
		growth_ages_measure(&m->ages, series, run->from, run->count, m->blocks.tail);
}

static void conclude(struct growth_judgement *out, struct measures *m, const struct judged_run *run)
{
	if (run->blocks)
		out->verdict =
			combine(weigh_ages(judge_shape(&m->blocks), &m->blocks, &m->ages), m);
	else
		out->verdict = judge_shape(&m->bytes);
	out->confidence = confidence_of(out->verdict, m, &m->doubt);
	if (out->verdict == GROWTH_LEAK)
		out->confidence =
			weigh_confidence(out->confidence, deciding(m), &m->ages, &m->doubt);
	/* A block that was sampled is real: blocks that stay, epoch after epoch, are no chance. */
	if (is_growth(out->verdict) && m->within_error && m->ages.pattern != AGES_LASTING) {
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
	bool open = is_growth(verdict) || verdict == GROWTH_INCONCLUSIVE;

	return goes_on(s, s->count - 1) || (open && agrees(s, s->count - 1));
}

static void keep_earlier(struct growth_judgement *out, const struct growth_judgement *earlier)
{
	if (!is_growth(earlier->verdict))
		return;
	if (is_growth(out->verdict) &&
	    (earlier->verdict != out->verdict || earlier->confidence <= out->confidence))
		return;
	out->verdict = earlier->verdict;
	out->confidence = earlier->confidence;
}

/*
 * One more snapshot that agrees must not make a verdict less sure.  So the judgements of the
 * shorter series count as long as every snapshot since then confirms them.
 */
static void keep_confidence(const struct growth_series *series, const struct judged_run *run,
			    const struct growth_options *options, const struct measures *measured,
			    struct growth_judgement *out)
{
	enum growth_confidence most = growth_most_confidence(run->count);
	enum growth_verdict verdict = out->verdict;
	struct measures m = *measured;

	for (size_t back = 1; back <= LOOK_BACK && run->count >= LIKELY_SNAPSHOTS + back; back++) {
		struct judged_run shorter = *run;
		struct growth_judgement earlier;

		if ((is_growth(out->verdict) && out->confidence == most) ||
		    !confirms(deciding(&m), verdict))
			return;
		shorter.count -= back;
		if (!has_births(series, run->from + shorter.count - 1))
			return;
		measure(&m, series, &shorter, options);
		conclude(&earlier, &m, &shorter);
		verdict = earlier.verdict;
		keep_earlier(out, &earlier);
	}
}

static void swap_reasons(struct growth_judgement *out, size_t a, size_t b)
{
	char kept[GROWTH_REASON_SIZE];

	memcpy(kept, out->reasons[a], sizeof(kept));
	memcpy(out->reasons[a], out->reasons[b], sizeof(kept));
	memcpy(out->reasons[b], kept, sizeof(kept));
}

static void say_doubt(struct growth_judgement *out, const struct measures *m, size_t count)
{
	size_t said = out->reason_count;

	if (!is_growth(out->verdict) || out->confidence == GROWTH_HIGH)
		return;
	if (out->confidence < growth_most_confidence(count) && m->doubt)
		growth_say(out, "not sure: %s", m->doubt);
	else
		growth_say(out, "not sure: %zu snapshots only, a sure verdict takes %d", count,
			   SURE_SNAPSHOTS);
	if (out->reason_count > said && said > 1)
		swap_reasons(out, 1, said); /* the second most telling */
}

static void say_exit(struct growth_judgement *out, const struct judged_run *run,
		     const struct growth_exit *at_exit)
{
	double left = run->blocks ? at_exit->blocks : at_exit->bytes;
	double held = run->blocks ? run->blocks[run->count - 1] : run->bytes[run->count - 1];
	char first[GROWTH_AMOUNT_SIZE], second[GROWTH_AMOUNT_SIZE];

	if (held <= 0 && left <= 0)
		return;
	growth_amount(fmin(left, fmax(held, left)), run->blocks ? "block" : "byte", first);
	growth_amount(fmax(held, left), run->blocks ? "block" : "byte", second);
	if (left >= never_freed * held)
		growth_say(out, "never freed: %s of %s still there at exit", first, second);
	else
		growth_say(out, "%s of %s still there at exit", first, second);
}

static void say_leaps(struct growth_judgement *out, const struct measures *m)
{
	size_t ago;

	if (!m->by_bytes || !((out->verdict == GROWTH_CONTAINER && grows_in_leaps(m)) ||
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

static void say_why(struct growth_judgement *out, const struct measures *m,
		    const struct judged_run *run)
{
	char first[GROWTH_AMOUNT_SIZE], second[GROWTH_AMOUNT_SIZE];

	if (is_growth(out->verdict))
		note_exact(out, run->blocks ? &m->blocks : NULL, &m->bytes);
	if (out->exact && out->exact_blocks > 0)
		growth_say(out, "exactly %s, %s per snapshot",
			   growth_amount(out->exact_blocks, "block", first),
			   growth_amount(out->exact_bytes, "byte", second));
	say_leaps(out, m);
	explain(out, run, deciding(m), m->by_bytes, &m->ages);
	if (out->verdict == GROWTH_CONTAINER && run->blocks)
		growth_say(out,
			   "it held %s after the warm-up and %s at the end: the bytes grow inside",
			   growth_amount(m->blocks.y[m->blocks.tail], "block", first),
			   growth_amount(m->blocks.last, "block", second));
}

static void judge_run(const struct growth_series *series, const struct judged_run *run,
		      const struct growth_options *options, struct growth_judgement *out)
{
	bool ends = run->from + run->count == series->count;
	struct measures m;

	measure(&m, series, run, options);
	conclude(out, &m, run);
	measure_slopes(out, run, m.bytes.tail);
	if (series->at_exit && ends && run->count >= 3)
		weigh_exit(out, run, &m, series->at_exit);
	keep_confidence(series, run, options, &m, out);
	say_why(out, &m, run);
	say_doubt(out, &m, run->count);
	if (series->at_exit && ends && out->verdict != GROWTH_STABLE)
		say_exit(out, run, series->at_exit);
}

/* ---- runs: values are never subtracted across a restart -------------------------------------- */

static size_t run_end(const struct growth_series *series, size_t from)
{
	size_t end = from + 1;

	while (end < series->count && (!series->run || series->run[end] == series->run[from]))
		end++;
	return end;
}

/* Copies of blocks and bytes with control slopes subtracted; false when memory is out. */
static bool subtract_control(struct judged_run *run, const struct growth_options *options)
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
	struct judged_run run = {
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
	judge_run(series, &run, options, out);
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

/* It is as sure as so many snapshots can make it, or sure enough for a gate. */
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

		end = run_end(series, from);
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
	/* A cache fills in each run: doubts that both have are no evidence. */
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

static void judge_runs(const struct growth_series *series, const struct growth_options *options,
		       struct growth_judgement *out)
{
	size_t best = 0, best_count = 0, runs = 0;

	for (size_t from = 0, end; from < series->count; from = end, runs++) {
		end = run_end(series, from);
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
	if (runs > 1 && is_growth(out->verdict))
		ask_other_runs(series, options, out);
}

static void judge_awake(const struct growth_series *series, const struct growth_options *options,
			struct growth_judgement *out)
{
	struct growth_awake awake;

	if (!growth_awake_make(&awake, series)) {
		judge_runs(series, options, out);
		return;
	}
	judge_runs(&awake.series, options, out);
	out->judged_from = awake.kept[out->judged_from];
	out->idle = awake.left_out;
	if (out->idle)
		growth_say(out, "%zu interval%s in which the program was idle %s left out",
			   out->idle, out->idle == 1 ? "" : "s", out->idle == 1 ? "is" : "are");
	growth_awake_release(&awake);
}

/* ---- a program that went on without allocating ----------------------------------------------- */

/* The beginning of a series, up to the snapshot at `at`. */
static struct growth_series beginning(const struct growth_series *series, size_t at)
{
	struct growth_series begins = *series;

	begins.count = at + 1;
	begins.idle = NULL;
	begins.idle_count = 0;
	while (begins.births_count > 0 && begins.births[begins.births_count - 1].snapshot > at)
		begins.births_count--;
	return begins;
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
		swap_reasons(out, 0, out->reason_count - 1);
}

/* If the load ended, a row that stayed the same afterwards was not tested. */
static void judge_before_ending(const struct growth_series *series,
				const struct growth_options *options, struct growth_judgement *out)
{
	size_t at = growth_ending_find(series), left_out = series->count - 1 - at;
	struct growth_series before = beginning(series, at);
	struct growth_judgement until;
	enum growth_ending ending;
	bool is_container;

	if (left_out == 0)
		return;
	judge_awake(&before, options, &until);
	if (!is_growth(until.verdict) || until.confidence == GROWTH_LOW)
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

/* ---- which cohorts are read ------------------------------------------------------------------ */

/* Is the snapshot at `place`, from 1, one whose ages are looked at when the series of `count` is
 * judged, or when keep_confidence() judges a shorter one? */
static bool is_wanted(size_t place, size_t count)
{
	size_t most = count > GROWTH_MANY_SNAPSHOTS ? 0 : LOOK_BACK;

	for (size_t back = 0; back <= most && place + back <= count; back++)
		if (growth_ages_look_at(place, count - back))
			return true;
	return false;
}

/* The longest run, counted without idle intervals; of equal ones, the newest. */
static size_t longest_run(const struct growth_series *series, const bool *idle, size_t *from)
{
	size_t most = 0;

	*from = 0;
	for (size_t start = 0, end; start < series->count; start = end) {
		size_t kept = 0;

		end = run_end(series, start);
		for (size_t i = start; i < end; i++)
			kept += i + 1 == end || !idle[i + 1];
		if (kept >= most) {
			*from = start;
			most = kept;
		}
	}
	return most;
}

/* Mark what is wanted when this series is judged. */
static void mark_wanted(const struct growth_series *series, bool *wanted)
{
	bool *idle = memory_need(calloc(series->count + 1, sizeof(*idle)), "judging growth");
	size_t from, count, end, place = 0;

	growth_idle_mark(series, idle);
	count = longest_run(series, idle, &from);
	end = series->count ? run_end(series, from) : 0;
	for (size_t i = from; i < end; i++)
		if (!(i + 1 < end && idle[i + 1]) && is_wanted(++place, count))
			wanted[i] = true;
	free(idle);
}

size_t growth_wanted_births(const struct growth_series *series, size_t wanted[GROWTH_BIRTHS])
{
	bool *marked = memory_need(calloc(series->count + 1, sizeof(*marked)), "judging growth");
	size_t at = growth_ending_find(series), found = 0;
	struct growth_series before = beginning(series, at);

	mark_wanted(series, marked);
	if (before.count < series->count)
		mark_wanted(&before, marked);
	for (size_t i = 0; i < series->count && found < GROWTH_BIRTHS; i++)
		if (marked[i])
			wanted[found++] = i;
	free(marked);
	return found;
}

const char *growth_verdict_name(enum growth_verdict verdict)
{
	return verdicts[verdict].name;
}

const char *growth_confidence_name(enum growth_confidence confidence)
{
	static const char *const names[] = {
		[GROWTH_LOW] = "low", [GROWTH_MEDIUM] = "medium", [GROWTH_HIGH] = "high"};

	return names[confidence];
}
