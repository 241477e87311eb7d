/*
 * ids.h - find rows by id in an array that is sorted by id.
 *
 * Ids of sites are hashes: their first bits tell roughly where a row is.  So rows lie in buckets by
 * these bits.  Within a bucket the search is binary: hostile input may have many ids in one bucket.
 */
#ifndef STORE_IDS_H
#define STORE_IDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ids {
	const char *first; /* the id of the first row; the other rows follow at `stride` bytes */
	size_t stride, count;
	uint32_t *starts; /* of each bucket, its first row; one extra at the end */
	unsigned shift;   /* id >> shift is the bucket */
};

/** Rows must stay where they are.  False when memory is out. */
bool ids_make(struct ids *ids, const int64_t *first, size_t stride, size_t count);
/** The first row whose id is not below `id`. */
size_t ids_find(const struct ids *ids, int64_t id);
/** The same; the row is likely to be `guess`. */
size_t ids_find_from(const struct ids *ids, size_t guess, int64_t id);
/** The row after the last one with this id; `from` is the first one. */
size_t ids_end(const struct ids *ids, size_t from, int64_t id);
void ids_release(struct ids *ids);

#endif
