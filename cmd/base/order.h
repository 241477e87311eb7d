/*
 * base/order.h - put the first rows of an array in order, where only those are shown.
 */
#ifndef BASE_ORDER_H
#define BASE_ORDER_H

#include <stddef.h>

/** As for qsort_r(). */
typedef int order_compare_fn(const void *left, const void *right, void *context);

/** Move the `keep` rows that come first to the front, in their order.  The others follow in no
 * order.  No two rows may be equal. */
void order_first(void *rows, size_t count, size_t size, size_t keep, order_compare_fn *compare,
		 void *context);

#endif
