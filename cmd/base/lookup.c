/*
 * lookup.c - open addressing with linear probing, at most two thirds full.
 */
#include "base/lookup.h"

#include <stdlib.h>
#include <string.h>

#include "snap/records.h"

uint32_t lookup_find(const struct lookup *lookup, uint64_t hash, lookup_equal_fn *equal,
		     const void *context, const void *wanted)
{
	size_t mask = lookup->capacity - 1;

	if (lookup->capacity == 0)
		return SNAP_NONE;
	for (size_t i = hash & mask; lookup->slots[i].id != SNAP_NONE; i = (i + 1) & mask)
		if (lookup->slots[i].hash == hash && equal(context, wanted, lookup->slots[i].id))
			return lookup->slots[i].id;
	return SNAP_NONE;
}

static void place(struct lookup *lookup, uint64_t hash, uint32_t id)
{
	size_t mask = lookup->capacity - 1, i = hash & mask;

	while (lookup->slots[i].id != SNAP_NONE)
		i = (i + 1) & mask;
	lookup->slots[i] = (struct lookup_slot){hash, id};
}

static bool grow(struct lookup *lookup)
{
	struct lookup bigger = {.capacity = lookup->capacity ? lookup->capacity * 2 : 64,
				.count = lookup->count};

	bigger.slots = malloc(bigger.capacity * sizeof(*bigger.slots));
	if (!bigger.slots)
		return false;
	memset(bigger.slots, 0xff, bigger.capacity * sizeof(*bigger.slots)); /* id SNAP_NONE */
	for (size_t i = 0; i < lookup->capacity; i++)
		if (lookup->slots[i].id != SNAP_NONE)
			place(&bigger, lookup->slots[i].hash, lookup->slots[i].id);
	free(lookup->slots);
	*lookup = bigger;
	return true;
}

bool lookup_add(struct lookup *lookup, uint64_t hash, uint32_t id)
{
	if ((lookup->count + 1) * 3 > lookup->capacity * 2 && !grow(lookup))
		return false;
	place(lookup, hash, id);
	lookup->count++;
	return true;
}

void lookup_release(struct lookup *lookup)
{
	free(lookup->slots);
	*lookup = (struct lookup){0};
}

uint64_t lookup_fold(uint64_t hash, uint64_t next)
{
	hash = (hash ^ next) * 0x9e3779b97f4a7c15ULL;
	return hash ^ (hash >> 29);
}

uint64_t lookup_hash(const void *data, size_t size)
{
	const char *p = data;
	uint64_t hash = size, word;

	for (; size >= sizeof(word); size -= sizeof(word), p += sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		hash = lookup_fold(hash, word);
	}
	word = 0;
	memcpy(&word, p, size);
	return lookup_fold(hash, word);
}
