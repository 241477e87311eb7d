/*
 * intern.c - an open-addressing table from 128-bit content hashes to row ids.
 */
#include "store/sqlite/intern.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"

static bool is_equal(struct hash128 a, struct hash128 b)
{
	return a.low == b.low && a.high == b.high;
}

/* The slot of `hash`, or the free one where it belongs.  The table always has a free slot. */
static struct intern_slot *find_slot(struct intern_slot *slots, size_t size, struct hash128 hash)
{
	size_t at = hash.low & (size - 1);

	while (slots[at].id && !is_equal(slots[at].hash, hash))
		at = (at + 1) & (size - 1);
	return &slots[at];
}

static bool grow(struct intern *intern)
{
	size_t size = intern->size ? intern->size * 2 : 1024;
	struct intern_slot *slots = calloc(size, sizeof(*slots));

	if (!slots)
		return false;
	for (size_t i = 0; i < intern->size; i++)
		if (intern->slots[i].id)
			*find_slot(slots, size, intern->slots[i].hash) = intern->slots[i];
	free(intern->slots);
	intern->slots = slots;
	intern->size = size;
	return true;
}

int64_t intern_find(const struct intern *intern, struct hash128 hash)
{
	return intern->size ? find_slot(intern->slots, intern->size, hash)->id : 0;
}

/* Without memory, rows are looked up in the table. */
static bool reserve_recent(struct intern *intern, size_t count)
{
	size_t before = intern->recent_count;

	if (!array_room(&intern->recent, &intern->recent_count, count, sizeof(*intern->recent)))
		return false;
	if (intern->recent_count > before)
		memset(intern->recent + before, 0,
		       (intern->recent_count - before) * sizeof(*intern->recent));
	return true;
}

int64_t intern_find_at(struct intern *intern, size_t position, struct hash128 hash)
{
	struct intern_slot *recent;
	int64_t id;

	if (position < intern->recent_count) {
		recent = &intern->recent[position];
		if (recent->id && is_equal(recent->hash, hash))
			return recent->id;
	}
	id = intern_find(intern, hash);
	if (id && reserve_recent(intern, position + 1))
		intern->recent[position] = (struct intern_slot){hash, id};
	return id;
}

bool intern_add(struct intern *intern, struct hash128 hash, int64_t id)
{
	if (intern->used * 2 >= intern->size && !grow(intern))
		return false;
	*find_slot(intern->slots, intern->size, hash) = (struct intern_slot){hash, id};
	intern->used++;
	return true;
}

void intern_clear(struct intern *intern)
{
	free(intern->slots);
	free(intern->recent);
	*intern = (struct intern){0};
}
