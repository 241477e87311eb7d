/*
 * align.c - alignment of two sequences of tokens.
 */
#include "analysis/pairing/align.h"

#include <stdlib.h>
#include <string.h>

#include "snap/records.h"

/* 1024 by 1024 differing frames.  Without a limit, a hostile input could cost any time and
   memory. */
enum { MOST_CELLS = 1 << 20 };

/* The part between the equal ends. */
struct middle {
	const uint32_t *a, *b;
	size_t first;            /* frames stripped at the newest end */
	size_t a_count, b_count; /* the part that is left to align */
};

static struct middle strip_ends(const uint32_t *a, size_t a_count, const uint32_t *b,
				size_t b_count)
{
	struct middle middle = {a, b, 0, a_count, b_count};

	while (middle.a_count && middle.b_count && a[middle.first] == b[middle.first]) {
		middle.first++;
		middle.a_count--;
		middle.b_count--;
	}
	while (middle.a_count && middle.b_count &&
	       a[middle.first + middle.a_count - 1] == b[middle.first + middle.b_count - 1]) {
		middle.a_count--;
		middle.b_count--;
	}
	return middle;
}

static void add_step(struct aligner *aligner, size_t a, size_t b)
{
	aligner->steps[aligner->step_count++] = (struct align_step){(uint32_t)a, (uint32_t)b};
}

static bool reserve(struct aligner *aligner, size_t steps, size_t cells)
{
	void *more;

	if (aligner->other_capacity < steps) {
		more = realloc(aligner->others, steps * sizeof(*aligner->others));
		if (!more)
			return false;
		aligner->others = more;
		aligner->other_capacity = steps;
	}
	if (aligner->step_capacity < steps) {
		more = realloc(aligner->steps, steps * sizeof(*aligner->steps));
		if (!more)
			return false;
		aligner->steps = more;
		aligner->step_capacity = steps;
	}
	if (aligner->cell_capacity < cells) {
		more = realloc(aligner->cells, cells * sizeof(*aligner->cells));
		if (!more)
			return false;
		aligner->cells = more;
		aligner->cell_capacity = cells;
	}
	return true;
}

static bool stands_for_others(const struct aligner *aligner, uint32_t token, bool is_b)
{
	return !aligner->stands_for_others ||
	       aligner->stands_for_others(aligner->context, token, is_b);
}

/* Totals fall from left to right, so a frame that matches nothing has those of the frame after it. */
static void fill_row(struct aligner *aligner, const struct middle *middle, size_t i)
{
	uint32_t a = middle->a[middle->first + i];
	const uint32_t *b = middle->b + middle->first;
	bool others = stands_for_others(aligner, a, false);
	size_t width = middle->b_count + 1;
	float *row = aligner->cells + i * width;
	const float *next = row + width; /* of frame i + 1 */

	memcpy(row, next, width * sizeof(*row));
	for (size_t j = middle->b_count; j-- > 0;) {
		if (a == b[j] || (others && aligner->others[j])) {
			double score = aligner->score(aligner->context, a, b[j]);

			if (score > 0 && (float)score + next[j + 1] > row[j])
				row[j] = (float)score + next[j + 1];
		}
		if (row[j] < row[j + 1])
			row[j] = row[j + 1];
	}
}

/* cells[i][j]: the best total for the frames from i of a, and from j of b, on. */
static void fill(struct aligner *aligner, const struct middle *middle)
{
	size_t width = middle->b_count + 1;

	for (size_t j = 0; j < width; j++)
		aligner->cells[middle->a_count * width + j] = 0;
	for (size_t j = 0; j < middle->b_count; j++)
		aligner->others[j] = stands_for_others(aligner, middle->b[middle->first + j], true);
	for (size_t i = middle->a_count; i-- > 0;)
		fill_row(aligner, middle, i);
}

/* The longer of the two parts has all tokens of the shorter one, and the search from its newest end
 * finds them where the search from its oldest end does. */
static bool is_contained_once(struct aligner *aligner, const struct middle *middle)
{
	bool b_is_longer = middle->b_count > middle->a_count;
	const uint32_t *longer = (b_is_longer ? middle->b : middle->a) + middle->first;
	const uint32_t *shorter = (b_is_longer ? middle->a : middle->b) + middle->first;
	size_t long_count = b_is_longer ? middle->b_count : middle->a_count;
	size_t short_count = b_is_longer ? middle->a_count : middle->b_count;
	size_t newest = 0, oldest = short_count;

	if (long_count == short_count)
		return false;
	for (size_t i = 0; i < long_count; i++)
		newest += newest < short_count && longer[i] == shorter[newest];
	if (newest < short_count)
		return false;
	for (size_t i = long_count; i-- > 0;) {
		aligner->others[i] = oldest > 0 && longer[i] == shorter[oldest - 1];
		oldest -= aligner->others[i];
	}
	for (size_t i = 0, at = 0; i < long_count; i++) {
		bool from_newest = at < short_count && longer[i] == shorter[at];

		if (from_newest != aligner->others[i])
			return false;
		at += from_newest;
	}
	for (size_t i = 0; i < short_count; i++)
		if (stands_for_others(aligner, shorter[i], !b_is_longer))
			return false;
	return true;
}

/* Then there is one best way, and no table is needed to find it. */
static void add_contained(struct aligner *aligner, const struct middle *middle)
{
	const uint32_t *a = middle->a + middle->first, *b = middle->b + middle->first;
	size_t i = 0, j = 0;

	while (i < middle->a_count || j < middle->b_count) {
		bool equal = i < middle->a_count && j < middle->b_count && a[i] == b[j];
		bool of_a = equal || middle->a_count > middle->b_count;
		bool of_b = equal || !of_a;

		add_step(aligner, of_a ? middle->first + i : SNAP_NONE,
			 of_b ? middle->first + j : SNAP_NONE);
		i += of_a;
		j += of_b;
	}
}

static void trace(struct aligner *aligner, const struct middle *middle)
{
	size_t width = middle->b_count + 1, i = 0, j = 0;

	while (i < middle->a_count || j < middle->b_count) {
		const float *cell = &aligner->cells[i * width + j];

		if (i < middle->a_count && (j == middle->b_count || cell[width] >= *cell)) {
			add_step(aligner, middle->first + i++, SNAP_NONE);
		} else if (j < middle->b_count && (i == middle->a_count || cell[1] >= *cell)) {
			add_step(aligner, SNAP_NONE, middle->first + j++);
		} else {
			add_step(aligner, middle->first + i, middle->first + j);
			i++;
			j++;
		}
	}
}

bool align(struct aligner *aligner, const uint32_t *a, size_t a_count, const uint32_t *b,
	   size_t b_count)
{
	struct middle middle = strip_ends(a, a_count, b, b_count);
	bool sane = (middle.a_count + 1) <= MOST_CELLS / (middle.b_count + 1);

	if (!reserve(aligner, a_count + b_count + 1,
		     sane ? (middle.a_count + 1) * (middle.b_count + 1) : 0))
		return false;
	aligner->step_count = 0;
	for (size_t i = 0; i < middle.first; i++)
		add_step(aligner, i, i);
	if (is_contained_once(aligner, &middle)) {
		add_contained(aligner, &middle);
	} else if (sane) {
		fill(aligner, &middle);
		trace(aligner, &middle);
	} else {
		for (size_t i = 0; i < middle.a_count; i++)
			add_step(aligner, middle.first + i, SNAP_NONE);
		for (size_t j = 0; j < middle.b_count; j++)
			add_step(aligner, SNAP_NONE, middle.first + j);
	}
	for (size_t i = middle.first + middle.a_count, j = middle.first + middle.b_count;
	     i < a_count; i++, j++)
		add_step(aligner, i, j);
	return true;
}

void aligner_release(struct aligner *aligner)
{
	free(aligner->steps);
	free(aligner->cells);
	free(aligner->others);
}
