/*
 * runtime/tally.c - rows in the order in which they came, and a hash to find them.
 *
 * The hash is separate from the rows, because most of its places are empty and rows are large.
 * Rows are sorted in place (heapsort), which keeps the snapshot's own memory small; qsort() cannot
 * be used, because it may call malloc.
 */
#include "runtime/tally.h"

#include <string.h>

#include "runtime/arena.h"

#define FIRST_PLACES 4096u  /* a power of 2 */
#define FIRST_ROWS   16384u /* pages that are not used take no memory */

/* The place of that row, or the empty one where it belongs. */
static uint32_t *place_of(const struct snap__tally *tally, uint32_t stack, uint32_t age)
{
	uint64_t hash = ((uint64_t)stack << 13 | age) * 0x9e3779b97f4a7c15ull;
	size_t i = (size_t)(hash >> 20) & (tally->place_count - 1);

	for (; tally->places[i]; i = (i + 1) & (tally->place_count - 1)) {
		const struct snap__tally_row *row = &tally->rows[tally->places[i] - 1];

		if (row->stack == stack && row->age == age)
			break;
	}
	return &tally->places[i];
}

static void free_places(struct snap__tally *tally)
{
	if (tally->places)
		snap__unmap(tally->places, tally->place_count * sizeof(*tally->places));
	tally->places = NULL;
	tally->place_count = 0;
}

static bool grow_places(struct snap__tally *tally)
{
	size_t count = tally->place_count ? tally->place_count * 2 : FIRST_PLACES;
	uint32_t *places = snap__map_filled(count * sizeof(*places));

	if (!places)
		return false;
	free_places(tally);
	tally->places = places;
	tally->place_count = count;
	for (size_t i = 0; i < tally->count; i++)
		*place_of(tally, tally->rows[i].stack, tally->rows[i].age) = (uint32_t)i + 1;
	return true;
}

/* Rows, and behind them their variances. */
static size_t rows_size(size_t capacity)
{
	return capacity * (sizeof(struct snap__tally_row) + sizeof(struct snap__tally_variance));
}

static void free_rows(struct snap__tally *tally)
{
	if (tally->rows)
		snap__unmap(tally->rows, rows_size(tally->capacity));
}

static bool grow_rows(struct snap__tally *tally)
{
	size_t capacity = tally->capacity ? tally->capacity * 2 : FIRST_ROWS;
	struct snap__tally_row *rows = snap__map_passing(rows_size(capacity));
	struct snap__tally_variance *variances = (void *)(rows + capacity);

	if (!rows)
		return false;
	if (tally->count > 0)
		memcpy(rows, tally->rows, tally->count * sizeof(*rows));
	if (tally->count > 0 && snap__sample_period())
		memcpy(variances, tally->variances, tally->count * sizeof(*variances));
	free_rows(tally);
	tally->rows = rows;
	tally->variances = variances;
	tally->capacity = capacity;
	return true;
}

/* Can one more row be added? */
static bool has_room(struct snap__tally *tally)
{
	return (tally->count < tally->capacity || grow_rows(tally)) &&
	       (tally->count * 4 < tally->place_count * 3 || grow_places(tally));
}

static bool is_last(const struct snap__tally *tally, uint32_t stack, uint32_t age)
{
	return tally->count > 0 && tally->rows[tally->last].stack == stack &&
	       tally->rows[tally->last].age == age;
}

/* Make the row of `stack` and `age` the last one.  False: no memory. */
static bool look_up(struct snap__tally *tally, uint32_t stack, uint32_t age)
{
	uint32_t *place;

	if (!has_room(tally))
		return false;
	place = place_of(tally, stack, age);
	if (!*place) {
		tally->rows[tally->count] = (struct snap__tally_row){.stack = stack, .age = age};
		*place = (uint32_t)++tally->count;
	}
	tally->last = *place - 1;
	return true;
}

static void add_sampled(struct snap__tally *tally, uint64_t size)
{
	struct snap__tally_row *row = &tally->rows[tally->last];
	struct snap__tally_variance *variance = &tally->variances[tally->last];
	struct snap__estimate sum = {0};

	snap__sample_weigh(size, &sum);
	row->blocks += sum.blocks;
	row->bytes += sum.bytes;
	variance->blocks += sum.blocks_variance;
	variance->bytes += sum.bytes_variance;
}

void snap__tally_add(struct snap__tally *tally, uint32_t stack, uint32_t age, uint64_t size)
{
	if (tally->failed)
		return;
	if (!is_last(tally, stack, age + 1) && !look_up(tally, stack, age + 1)) {
		tally->failed = true;
		return;
	}
	if (snap__sample_period()) {
		add_sampled(tally, size);
		return;
	}
	tally->rows[tally->last].blocks += 1;
	tally->rows[tally->last].bytes += (double)size;
}

static bool is_before(const struct snap__tally_row *a, const struct snap__tally_row *b)
{
	return a->stack != b->stack ? a->stack < b->stack : a->age < b->age;
}

static void swap(struct snap__tally *tally, size_t a, size_t b)
{
	struct snap__tally_row row = tally->rows[a];
	struct snap__tally_variance variance;

	tally->rows[a] = tally->rows[b];
	tally->rows[b] = row;
	if (!snap__sample_period())
		return;
	variance = tally->variances[a];
	tally->variances[a] = tally->variances[b];
	tally->variances[b] = variance;
}

static void sift_down(struct snap__tally *tally, size_t root, size_t count)
{
	const struct snap__tally_row *rows = tally->rows;

	for (size_t child; (child = 2 * root + 1) < count; root = child) {
		if (child + 1 < count && is_before(&rows[child], &rows[child + 1]))
			child++;
		if (!is_before(&rows[root], &rows[child]))
			return;
		swap(tally, root, child);
	}
}

void snap__tally_sort(struct snap__tally *tally)
{
	free_places(tally);
	for (size_t i = tally->count / 2; i-- > 0;)
		sift_down(tally, i, tally->count);
	for (size_t i = tally->count; i-- > 1;) {
		swap(tally, 0, i);
		sift_down(tally, 0, i);
	}
}

void snap__tally_free(struct snap__tally *tally)
{
	free_places(tally);
	free_rows(tally);
	*tally = (struct snap__tally){0};
}
