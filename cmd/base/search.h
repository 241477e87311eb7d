/*
 * base/search.h - find a place in an array that is in order.
 */
#ifndef BASE_SEARCH_H
#define BASE_SEARCH_H

#include <stddef.h>

/**
 * Set the size_t `at` to the first place in [from, end) for which `is_before`, an expression in
 * `at`, is false; to `end` when there is none.  The places for which it is true come first.
 *
 *	SEARCH(at, 0, count, rows[at].key < key);
 */
#define SEARCH(at, from, end, is_before)                                                           \
	do {                                                                                       \
		size_t search_low = (from), search_high = (end);                                   \
                                                                                                   \
		while (search_low < search_high) {                                                 \
			(at) = search_low + (search_high - search_low) / 2;                        \
			if (is_before)                                                             \
				search_low = (at) + 1;                                             \
			else                                                                       \
				search_high = (at);                                                \
		}                                                                                  \
		(at) = search_low;                                                                 \
	} while (0)

#endif
