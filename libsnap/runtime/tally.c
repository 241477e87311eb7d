/*
 * runtime/tally.c - a hash table that ends its life as a sorted array.
 *
 * Sorting in place (heapsort) rather than by an index keeps the snapshot's own memory small.
 * qsort() cannot be used, because it may call malloc.
 */
#include "runtime/tally.h"

#include "runtime/arena.h"

#define FIRST_CAPACITY 1024u

static struct snap__tally_row *find(const struct snap__tally *tally, uint32_t stack, uint32_t age)
{
	uint64_t hash = ((uint64_t)stack << 13 | age) * 0x9e3779b97f4a7c15ull;
	size_t i = (size_t)(hash >> 20) & (tally->capacity - 1);

	while (tally->rows[i].age && (tally->rows[i].stack != stack || tally->rows[i].age != age))
		i = (i + 1) & (tally->capacity - 1);
	return &tally->rows[i];
}

static bool grow(struct snap__tally *tally)
{
	struct snap__tally larger = {.count = tally->count};

	larger.capacity = tally->capacity ? tally->capacity * 2 : FIRST_CAPACITY;
	larger.rows = snap__map(larger.capacity * sizeof(*larger.rows));
	if (!larger.rows)
		return false;
	for (size_t i = 0; i < tally->capacity; i++)
		if (tally->rows[i].age)
			*find(&larger, tally->rows[i].stack, tally->rows[i].age) = tally->rows[i];
	snap__tally_free(tally);
	*tally = larger;
	return true;
}

void snap__tally_add(struct snap__tally *tally, uint32_t stack, uint32_t age, uint64_t size)
{
	struct snap__tally_row *row;

	if (tally->failed)
		return;
	if (tally->count * 4 >= tally->capacity * 3 && !grow(tally)) {
		tally->failed = true;
		return;
	}
	row = find(tally, stack, age + 1);
	if (!row->age) {
		row->stack = stack;
		row->age = age + 1;
		tally->count++;
	}
	snap__sample_weigh(size, &row->sum);
}

static bool is_before(const struct snap__tally_row *a, const struct snap__tally_row *b)
{
	return a->stack != b->stack ? a->stack < b->stack : a->age < b->age;
}

static void swap(struct snap__tally_row *a, struct snap__tally_row *b)
{
	struct snap__tally_row t = *a;

	*a = *b;
	*b = t;
}

static void sift_down(struct snap__tally_row *rows, size_t root, size_t count)
{
	for (size_t child; (child = 2 * root + 1) < count; root = child) {
		if (child + 1 < count && is_before(&rows[child], &rows[child + 1]))
			child++;
		if (!is_before(&rows[root], &rows[child]))
			return;
		swap(&rows[root], &rows[child]);
	}
}

void snap__tally_sort(struct snap__tally *tally)
{
	size_t n = 0;

	for (size_t i = 0; i < tally->capacity; i++)
		if (tally->rows[i].age)
			tally->rows[n++] = tally->rows[i];
	for (size_t i = n / 2; i-- > 0;)
		sift_down(tally->rows, i, n);
	for (size_t i = n; i-- > 1;) {
		swap(&tally->rows[0], &tally->rows[i]);
		sift_down(tally->rows, 0, i);
	}
}

void snap__tally_free(struct snap__tally *tally)
{
	if (tally->rows)
		snap__unmap(tally->rows, tally->capacity * sizeof(*tally->rows));
	*tally = (struct snap__tally){0};
}
