/*
 * ids.c - a directory of buckets over rows by rising id.
 */
#include "store/sqlite/ids.h"

#include <stdlib.h>
#include <string.h>

#include "base/search.h"

enum { ID_BITS = 63 }; /* ids are positive */

static int64_t id_at(const struct ids *ids, size_t row)
{
	int64_t id;

	memcpy(&id, ids->first + row * ids->stride, sizeof(id));
	return id;
}

/* A negative id, which no site has, lies in the first bucket, as it does in the order. */
static size_t bucket_of(const struct ids *ids, int64_t id)
{
	return id < 0 ? 0 : (size_t)((uint64_t)id >> ids->shift);
}

bool ids_make(struct ids *ids, const int64_t *first, size_t stride, size_t count)
{
	size_t buckets = 1, bucket = 0;

	*ids = (struct ids){(const char *)first, stride, count, NULL, ID_BITS};
	while (buckets < count) {
		buckets *= 2;
		ids->shift--;
	}
	ids->starts = malloc((buckets + 1) * sizeof(*ids->starts));
	if (!ids->starts)
		return false;
	for (size_t row = 0; row < count; row++)
		for (size_t last = bucket_of(ids, id_at(ids, row)); bucket <= last; bucket++)
			ids->starts[bucket] = (uint32_t)row;
	for (; bucket <= buckets; bucket++)
		ids->starts[bucket] = (uint32_t)count;
	return true;
}

size_t ids_find(const struct ids *ids, int64_t id)
{
	size_t row, bucket = bucket_of(ids, id);

	if (!ids->starts)
		return 0;
	SEARCH(row, ids->starts[bucket], ids->starts[bucket + 1], id_at(ids, row) < id);
	return row;
}

size_t ids_find_from(const struct ids *ids, size_t guess, int64_t id)
{
	if (guess < ids->count && id_at(ids, guess) == id &&
	    (guess == 0 || id_at(ids, guess - 1) != id))
		return guess;
	return ids_find(ids, id);
}

size_t ids_end(const struct ids *ids, size_t from, int64_t id)
{
	while (from < ids->count && id_at(ids, from) == id)
		from++;
	return from;
}

void ids_release(struct ids *ids)
{
	free(ids->starts);
	*ids = (struct ids){0};
}
