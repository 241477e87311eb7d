/*
 * holders/ranges.c - a sorted list of ranges.
 */
#include "runtime/holders/ranges.h"

#include "runtime/holders/copy.h"

#define FIRST_CAPACITY ((size_t)512)

void snap__ranges_add(struct snap__ranges *r, uintptr_t low, uintptr_t high)
{
	if (low >= high)
		return;
	if (r->count > 0 && r->all[r->count - 1].low <= low && low <= r->all[r->count - 1].high) {
		if (high > r->all[r->count - 1].high)
			r->all[r->count - 1].high = high;
		return;
	}
	if (r->count == r->capacity) {
		size_t capacity = r->capacity ? r->capacity * 2 : FIRST_CAPACITY;

		r->all = r->all ? snap__copy_grow(r->all, r->capacity * sizeof(*r->all),
						  capacity * sizeof(*r->all))
				: snap__copy_need(capacity * sizeof(*r->all));
		r->capacity = capacity;
	}
	r->all[r->count++] = (struct snap__range){low, high};
}

static void sift_down(struct snap__range *all, size_t root, size_t end)
{
	for (size_t child; (child = 2 * root + 1) < end; root = child) {
		struct snap__range moved = all[root];

		if (child + 1 < end && all[child].low < all[child + 1].low)
			child++;
		if (all[root].low >= all[child].low)
			return;
		all[root] = all[child];
		all[child] = moved;
	}
}

void snap__ranges_join(struct snap__ranges *r)
{
	size_t kept = 0;

	for (size_t i = r->count / 2; i-- > 0;)
		sift_down(r->all, i, r->count);
	for (size_t i = r->count; i-- > 1;) {
		struct snap__range moved = r->all[0];

		r->all[0] = r->all[i];
		r->all[i] = moved;
		sift_down(r->all, 0, i);
	}
	for (size_t i = 0; i < r->count; i++) {
		if (kept > 0 && r->all[i].low <= r->all[kept - 1].high) {
			if (r->all[i].high > r->all[kept - 1].high)
				r->all[kept - 1].high = r->all[i].high;
		} else {
			r->all[kept++] = r->all[i];
		}
	}
	r->count = kept;
}

/* The first range that ends after `address`. */
static size_t first_after(const struct snap__ranges *r, uintptr_t address)
{
	size_t low = 0, high = r->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (r->all[middle].high <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int snap__ranges_gap(const struct snap__ranges *r, uintptr_t *low, uintptr_t high, uintptr_t *end)
{
	size_t i = first_after(r, *low);

	if (i < r->count && r->all[i].low <= *low)
		*low = r->all[i++].high;
	if (*low >= high)
		return 0;
	*end = i < r->count && r->all[i].low < high ? r->all[i].low : high;
	return 1;
}
