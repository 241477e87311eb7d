/* test_base.c - arrays that grow, searches and orders, against plain loops and the C library. */
/* links: cmd_base */
#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/hash.h"
#include "base/keyed.h"
#include "base/order.h"
#include "base/pattern.h"
#include "base/search.h"
#include "snap/records.h"

Test(arrays, items_stay_while_the_array_grows)
{
	uint32_t *items = NULL;
	size_t capacity = 0;

	for (uint32_t i = 0; i < 1000; i++) {
		cr_assert(array_reserve(&items, &capacity, i, sizeof(*items)));
		cr_assert_gt(capacity, i);
		items[i] = i * 7;
	}
	for (uint32_t i = 0; i < 1000; i++)
		cr_assert_eq(items[i], i * 7);
	free(items);
}

Test(arrays, room_is_made_at_once)
{
	char *bytes = NULL;
	size_t capacity = 0;

	cr_assert(array_room(&bytes, &capacity, 0, 1));
	cr_assert_null(bytes);
	cr_assert(array_room(&bytes, &capacity, 100000, 1));
	cr_assert_geq(capacity, 100000);
	memset(bytes, 1, capacity);
	free(bytes);
}

Test(arrays, what_is_too_large_leaves_the_array_as_it_was)
{
	uint64_t *items = NULL, *before;
	size_t capacity = 0, room;

	cr_assert(array_reserve(&items, &capacity, 0, sizeof(*items)));
	before = items;
	room = capacity;
	cr_assert(!array_room(&items, &capacity, SIZE_MAX / 4, sizeof(*items)));
	cr_assert(!array_id_room(&items, &capacity, SNAP_NONE - 1, 1, sizeof(*items)));
	cr_assert(!array_id_room(&items, &capacity, 1, UINT32_MAX, sizeof(*items)));
	cr_assert_eq(items, before);
	cr_assert_eq(capacity, room);
	free(items);
}

Test(search, finds_the_first_place_of_every_value)
{
	static const int sorted[] = {1, 3, 3, 3, 8, 9, 9};
	enum { COUNT = sizeof(sorted) / sizeof(*sorted) };

	for (int wanted = 0; wanted <= 10; wanted++)
		for (size_t from = 0; from <= COUNT; from++) {
			size_t at, plain = from;

			while (plain < COUNT && sorted[plain] < wanted)
				plain++;
			SEARCH(at, from, COUNT, sorted[at] < wanted);
			cr_expect_eq(at, plain, "%d from %zu", wanted, from);
		}
}

static int compare_rows(const void *left, const void *right)
{
	const struct keyed_row *a = left, *b = right;

	if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	return (a->row > b->row) - (a->row < b->row);
}

/* Keys of all kinds: spread, in few upper bits, in lower bits only, equal. */
Test(keyed, sorts_as_qsort_does)
{
	static const uint64_t masks[] = {UINT64_MAX, UINT64_C(0xf) << 60, 0xffff, 0,
					 UINT64_C(0x7ff) << 31};
	enum { COUNT = 5000 };
	struct keyed_row *rows = calloc(COUNT, sizeof(*rows)),
			 *plain = calloc(COUNT, sizeof(*rows));
	uint64_t state = 1;

	for (size_t m = 0; m < sizeof(masks) / sizeof(*masks); m++) {
		for (uint32_t i = 0; i < COUNT; i++) {
			state = state * UINT64_C(6364136223846793005) +
				UINT64_C(1442695040888963407);
			rows[i] = (struct keyed_row){(state ^ state >> 29) & masks[m], i};
		}
		memcpy(plain, rows, COUNT * sizeof(*rows));
		qsort(plain, COUNT, sizeof(*plain), compare_rows);
		cr_assert(keyed_sort(rows, COUNT));
		for (uint32_t i = 0; i < COUNT; i++)
			cr_assert(rows[i].key == plain[i].key && rows[i].row == plain[i].row,
				  "mask %zu, row %u", m, i);
	}
	cr_assert(keyed_sort(rows, 0));
	free(rows);
	free(plain);
}

static int compare_numbers(const void *left, const void *right, void *context)
{
	const uint32_t *a = left, *b = right;

	++*(size_t *)context;
	return (*a > *b) - (*a < *b);
}

/* The numbers 0 to COUNT - 1 in no order: 7919 is a prime, and no factor of COUNT. */
Test(order, puts_those_that_come_first_in_front)
{
	enum { COUNT = 4000 };
	static const size_t keeps[] = {0, 1, 2, 30, COUNT / 2, COUNT - 1, COUNT, COUNT + 5};
	uint32_t numbers[COUNT];

	for (size_t k = 0; k < sizeof(keeps) / sizeof(*keeps); k++) {
		uint64_t sum = 0;
		size_t compared = 0, keep = keeps[k] < COUNT ? keeps[k] : COUNT;

		for (uint32_t i = 0; i < COUNT; i++)
			numbers[i] = i * 7919 % COUNT;
		order_first(numbers, COUNT, sizeof(*numbers), keeps[k], compare_numbers, &compared);
		for (uint32_t i = 0; i < keep; i++)
			cr_expect_eq(numbers[i], i, "of %zu", keeps[k]);
		for (uint32_t i = 0; i < COUNT; i++)
			sum += numbers[i];
		cr_expect_eq(sum, (uint64_t)COUNT * (COUNT - 1) / 2, "all are there");
		if (keep <= 30)
			cr_expect_lt(compared, 3 * COUNT, "of %zu", keeps[k]);
	}
	order_first(numbers, 0, sizeof(*numbers), 3, compare_numbers, NULL);
}

/* The published test vectors of FNV-1a, 64 bits. */
Test(hash, is_fnv_1a)
{
	cr_assert_eq(hash_fnv("", 0), UINT64_C(0xcbf29ce484222325));
	cr_assert_eq(hash_fnv("a", 1), UINT64_C(0xaf63dc4c8601ec8c));
	cr_assert_eq(hash_fnv("foobar", 6), UINT64_C(0x85944171f73967e8));
}

/* POSIX, 2.13: a bracket that no other closes, and a backslash before the end, are no patterns. */
Test(globs, mistakes_are_told)
{
	static const char *const right[] = {
		"*",
		"a[bc]d",
		"[!a]",
		"[]a]",
		"[^]a]",
		"[[:alpha:]_]",
		"[[.].]]",
		"\\[a",
		"a]b",
		"operator[]*",
		"std::map<*>::operator[]",
		"[a\\]b]",
		"?",
		"[a-z]",
		"[-z]",
		"[z-]",
		"[]-a]",
		"[[:digit:]x]",
		"operator\"\"_km",
	};
	static const char *const wrong[] = {
		"",    "[",     "a[bc",  "[!",      "[!]",          "[[:alpha:]",    "[a\\]",
		"a\\", "\\[a[", "[z-a]", "x[9-0]*", "[[:letter:]]", "\"libcodec*\"", "\"\"",
	};

	for (size_t i = 0; i < sizeof(right) / sizeof(*right); i++)
		cr_expect_null(glob_problem(right[i]), "%s", right[i]);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		cr_expect_not_null(glob_problem(wrong[i]), "%s", wrong[i]);
}
