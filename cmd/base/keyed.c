/*
 * keyed.c - hashes are spread evenly, so their upper bits are sorted digit by digit, and only ties
 * are compared.
 */
#include "base/keyed.h"

#include <stdlib.h>
#include <string.h>

enum { DIGIT_BITS = 11, DIGITS = 1 << DIGIT_BITS, PASSES = 3, SHIFT = 64 - PASSES * DIGIT_BITS };

static int compare_rows(const void *left, const void *right)
{
	const struct keyed_row *a = left, *b = right;

	if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	return (a->row > b->row) - (a->row < b->row);
}

static void sort_by_digit(const struct keyed_row *from, struct keyed_row *to, size_t count,
			  unsigned shift, size_t *starts)
{
	size_t start = 0;

	memset(starts, 0, DIGITS * sizeof(*starts));
	for (size_t i = 0; i < count; i++)
		starts[(from[i].key >> shift) % DIGITS]++;
	for (size_t i = 0; i < DIGITS; i++) {
		size_t size = starts[i];

		starts[i] = start;
		start += size;
	}
	for (size_t i = 0; i < count; i++)
		to[starts[(from[i].key >> shift) % DIGITS]++] = from[i];
}

/* Equal keys are in order already. */
static void sort_ties(struct keyed_row *rows, size_t count)
{
	for (size_t first = 0, next; first < count; first = next) {
		bool rises = true;

		for (next = first + 1; next < count; next++) {
			if (rows[next].key >> SHIFT != rows[first].key >> SHIFT)
				break;
			rises &= rows[next - 1].key <= rows[next].key;
		}
		if (!rises)
			qsort(rows + first, next - first, sizeof(*rows), compare_rows);
	}
}

bool keyed_sort(struct keyed_row *rows, size_t count)
{
	/* Each pass writes all of it, which an analyzer cannot see. */
	struct keyed_row *scratch = calloc(count + 1, sizeof(*scratch));
	size_t *starts = malloc(DIGITS * sizeof(*starts));
	bool ok = scratch && starts;

	if (ok) {
		sort_by_digit(rows, scratch, count, SHIFT, starts);
		sort_by_digit(scratch, rows, count, SHIFT + DIGIT_BITS, starts);
		sort_by_digit(rows, scratch, count, SHIFT + 2 * DIGIT_BITS, starts);
		memcpy(rows, scratch, count * sizeof(*rows));
		sort_ties(rows, count);
	}
	free(scratch);
	free(starts);
	return ok;
}
