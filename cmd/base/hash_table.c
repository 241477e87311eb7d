/*
 * hash_table.c - open addressing with linear probing, at most two thirds full.
 */
#include "base/hash_table.h"

#include <stdlib.h>
#include <string.h>

#include "snap/records.h"

uint32_t hash_table_find(const struct hash_table *table, uint64_t hash, hash_table_equal_fn *equal,
			 const void *context, const void *wanted)
{
	size_t mask = table->capacity - 1;

	if (table->capacity == 0)
		return SNAP_NONE;
	for (size_t i = hash & mask; table->slots[i].id != SNAP_NONE; i = (i + 1) & mask)
		if (table->slots[i].hash == hash && equal(context, wanted, table->slots[i].id))
			return table->slots[i].id;
	return SNAP_NONE;
}

static void place(struct hash_table *table, uint64_t hash, uint32_t id)
{
	size_t mask = table->capacity - 1, i = hash & mask;

	while (table->slots[i].id != SNAP_NONE)
		i = (i + 1) & mask;
	table->slots[i] = (struct hash_table_slot){hash, id};
}

static bool grow(struct hash_table *table)
{
	struct hash_table bigger = {.capacity = table->capacity ? table->capacity * 2 : 64,
				    .count = table->count};

	bigger.slots = malloc(bigger.capacity * sizeof(*bigger.slots));
	if (!bigger.slots)
		return false;
	memset(bigger.slots, 0xff, bigger.capacity * sizeof(*bigger.slots)); /* id SNAP_NONE */
	for (size_t i = 0; i < table->capacity; i++)
		if (table->slots[i].id != SNAP_NONE)
			place(&bigger, table->slots[i].hash, table->slots[i].id);
	free(table->slots);
	*table = bigger;
	return true;
}

bool hash_table_add(struct hash_table *table, uint64_t hash, uint32_t id)
{
	if ((table->count + 1) * 3 > table->capacity * 2 && !grow(table))
		return false;
	place(table, hash, id);
	table->count++;
	return true;
}

void hash_table_release(struct hash_table *table)
{
	free(table->slots);
	*table = (struct hash_table){0};
}
