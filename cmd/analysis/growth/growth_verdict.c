/*
 * growth_verdict.c - the verdict from the counts of blocks and bytes alone, and how sure it is.
 */
#include "analysis/growth/growth_verdict.h"

#include <math.h>

#include "analysis/growth/growth_confidence.h"

enum {
	SURE_LEAPS = 6, /* doublings for high confidence; two fewer if it is known that they go
			   on */
};
static const double items_vary = 0.02, few_bytes = 8;
static const double long_ago = 0.7;  /* of the time between two doublings; the next is due at 2 */
static const double recently = 0.5;  /* of the same time: the table has just doubled */
static const double at_once = 0.6;   /* of the growth after the warm-up */
static const double no_little = 0.1; /* of the largest rise */
static const double little = 0.1;    /* of the bytes held after the warm-up */
static const double as_fast = 0.7;   /* late pace as a share of the early one */
static const double steep = 8;       /* pace of the start, relative to the pace after it */

static enum growth_verdict judge_sawtooth(const struct growth_shape *s)
{
	return s->trough_gain > s->largest_drop / 2 ? GROWTH_LEAK : GROWTH_SAWTOOTH;
}

enum growth_verdict growth_verdict_of_shape(const struct growth_shape *s)
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
		return s->same_steps >= 5 ? most : growth_weaker(most, GROWTH_MEDIUM);
	late_share = growth_shape_late_share(s);
	if (s->floor_gain > 3 * s->give_back && s->rise_count >= 5 && late_share > 0.7)
		return most;
	if (s->floor_gain <= 3 * s->give_back)
		*doubt = "what it gave back is not small against what it gained";
	if (late_share <= 0.7)
		*doubt = "it rose more slowly at the end";
	if (s->rise_count >= 3 && late_share > 0.6)
		return growth_weaker(most, GROWTH_MEDIUM);
	return GROWTH_LOW;
}

bool growth_may_be_full(const struct growth_measures *m)
{
	return growth_shape_leaps(&m->bytes) && m->fill == FILL_UNKNOWN &&
	       growth_shape_since_leap(&m->bytes) > long_ago;
}

/* How sure is it that a table that doubles goes on? */
static enum growth_confidence leaps_confidence(const struct growth_measures *m, const char **doubt)
{
	enum growth_confidence most = growth_most_confidence(m->bytes.count);
	bool goes_on = m->fill == FILL_GOES_ON;

	*doubt = "it doubled a few times only";
	if (growth_may_be_full(m)) {
		*doubt = "it may be full: it did not double for a while";
		return GROWTH_LOW;
	}
	if (m->bytes.leaps >= (goes_on ? SURE_LEAPS - 2 : SURE_LEAPS))
		return most;
	if (growth_shape_leaps(&m->bytes) && growth_shape_since_leap(&m->bytes) < recently)
		return growth_weaker(most, GROWTH_MEDIUM);
	return m->bytes.leaps >= (goes_on ? 2 : SURE_LEAPS - 2) ? growth_weaker(most, GROWTH_MEDIUM)
								: GROWTH_LOW;
}

bool growth_in_leaps(const struct growth_measures *m)
{
	return growth_shape_leaps(&m->bytes) || m->fill == FILL_GOES_ON;
}

/* It rises in all intervals, and by a considerable amount. Then one large rise among them does not
 * prove a table that doubled. */
static bool rises_always(const struct growth_shape *bytes, double gain)
{
	return growth_shape_is_exact(bytes) || (bytes->rise_count == bytes->tail_steps &&
						gain - bytes->jump > no_little * bytes->jump);
}

/* One interval has most of the growth: a table that doubled once is no growth that goes on. */
static bool rose_at_once(const struct growth_shape *bytes)
{
	double gain = bytes->last - bytes->y[bytes->tail];

	return bytes->jump_at > bytes->tail && bytes->jump > at_once * gain &&
	       !rises_always(bytes, gain);
}

/* Buffers that are as large as the largest request so far grow like this, more and more slowly. */
static bool gained_little(const struct growth_shape *bytes)
{
	double level = bytes->y[bytes->tail], gain = bytes->last - level;

	return !growth_shape_is_exact(bytes) && gain <= little * level &&
	       growth_shape_late_share(bytes) <= as_fast &&
	       level / (double)(bytes->tail + 1) > steep * gain / (double)bytes->tail_steps;
}

enum growth_confidence growth_verdict_confidence(enum growth_verdict verdict,
						 const struct growth_measures *m,
						 const char **doubt)
{
	const struct growth_shape *s = growth_deciding(m);

	switch (verdict) {
	case GROWTH_CONTAINER:
		if (growth_in_leaps(m))
			return leaps_confidence(m, doubt);
		*doubt = "one interval has most of the growth";
		if (m->at_once)
			return GROWTH_LOW;
		*doubt = "it gained little after its start: buffers as large as the largest "
			 "request grow like this, too";
		return gained_little(&m->bytes) ? GROWTH_LOW : leak_confidence(s, doubt);
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
static bool bytes_grow_in_place(const struct growth_measures *m)
{
	const struct growth_ages *ages = &m->ages;
	struct growth_shape old;

	if (growth_in_leaps(m) && !blocks_explain_bytes(&m->blocks, &m->bytes))
		return true;
	if (ages->old_count < 3)
		return false;
	growth_shape_measure(&old, ages->old_at, ages->old_bytes, ages->old_count, 0);
	return growth_verdict_of_shape(&old) == GROWTH_LEAK || growth_shape_leaps(&old);
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
	return blocks->last >= GROWTH_MANY_ITEMS &&
	       (gain <= share * bytes->last || gain <= few_bytes * blocks->last);
}

/* Container growth means that only the bytes grow: the number of blocks stays the same, except
 * for blocks in flight. */
static bool blocks_keep_still(const struct growth_shape *blocks)
{
	double allowed = fmax(fmax(blocks->give_back, 2), blocks->last / 10);

	return blocks->floor_gain <= allowed &&
	       blocks->last < 3 * blocks->first + GROWTH_MANY_ITEMS;
}

enum growth_verdict growth_verdict_of_both(enum growth_verdict of_blocks, struct growth_measures *m)
{
	const struct growth_shape *blocks = &m->blocks, *bytes = &m->bytes;
	enum growth_verdict of_bytes = growth_verdict_of_shape(bytes);
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
