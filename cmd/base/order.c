/*
 * order.c - the first rows of an array, by a heap of those that were found so far.
 */
#include "base/order.h"

#include <stdlib.h>

struct ordering {
	char *rows;
	size_t size, keep;
	order_compare_fn *compare;
	void *context;
};

static char *row_at(const struct ordering *ordering, size_t i)
{
	return ordering->rows + i * ordering->size;
}

static int compare_at(const struct ordering *ordering, size_t a, size_t b)
{
	return ordering->compare(row_at(ordering, a), row_at(ordering, b), ordering->context);
}

static void swap(const struct ordering *ordering, size_t a, size_t b)
{
	char *left = row_at(ordering, a), *right = row_at(ordering, b);

	for (size_t i = 0; i < ordering->size; i++) {
		char kept = left[i];

		left[i] = right[i];
		right[i] = kept;
	}
}

/* The last of the kept rows is at the root of the heap. */
static void sink(const struct ordering *ordering, size_t at)
{
	for (size_t below; (below = 2 * at + 1) < ordering->keep; at = below) {
		if (below + 1 < ordering->keep && compare_at(ordering, below, below + 1) < 0)
			below++;
		if (compare_at(ordering, at, below) >= 0)
			return;
		swap(ordering, at, below);
	}
}

void order_first(void *rows, size_t count, size_t size, size_t keep, order_compare_fn *compare,
		 void *context)
{
	const struct ordering ordering = {rows, size, keep < count ? keep : count, compare,
					  context};

	if (ordering.keep == 0)
		return;
	for (size_t i = ordering.keep < count ? ordering.keep / 2 : 0; i-- > 0;)
		sink(&ordering, i);
	for (size_t i = ordering.keep; i < count; i++)
		if (compare_at(&ordering, i, 0) < 0) {
			swap(&ordering, i, 0);
			sink(&ordering, 0);
		}
	qsort_r(rows, ordering.keep, size, compare, context);
}
