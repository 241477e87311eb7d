/*
 * runtime/sidetable.c - open addressing with linear probing, sharded.
 */
#include "runtime/sidetable.h"

#include <stdatomic.h>
#include <string.h>

#include "runtime/arena.h"
#include "runtime/lock.h"
#include "runtime/hidden.h"

#define SHARDS         64u
#define FIRST_CAPACITY 128u

struct entry {
	uintptr_t address;
	uint64_t size;
	uint32_t domain, stack, epoch;
	uint32_t used;
};

struct shard {
	struct snap__lock lock;
	struct entry *entries;
	size_t capacity, count; /* capacity is a power of two */
} __attribute__((aligned(64)));

static struct shard shards[SHARDS] SNAP__PAGES;
static atomic_size_t malloc_blocks; /* lets most look-ups end at once */
static atomic_bool has_blocks;      /* or had */

static uint64_t hash_of(uint32_t domain, uintptr_t address)
{
	uint64_t h = (address ^ (uint64_t)domain << 56) * 0x9e3779b97f4a7c15ull;

	return h ^ h >> 32;
}

static struct shard *shard_of(uint64_t hash)
{
	return &shards[hash % SHARDS];
}

static size_t first_place_of(const struct shard *shard, const struct entry *entry)
{
	return (hash_of(entry->domain, entry->address) / SHARDS) & (shard->capacity - 1);
}

/* The entry of (domain, address), or the free one where it would be; the shard is not full. */
static struct entry *find(const struct shard *shard, uint32_t domain, uintptr_t address)
{
	size_t i = (hash_of(domain, address) / SHARDS) & (shard->capacity - 1);

	while (shard->entries[i].used &&
	       (shard->entries[i].address != address || shard->entries[i].domain != domain))
		i = (i + 1) & (shard->capacity - 1);
	return &shard->entries[i];
}

static bool grow(struct shard *shard)
{
	struct shard larger = {.capacity = shard->capacity ? shard->capacity * 2 : FIRST_CAPACITY};

	larger.entries = snap__map(larger.capacity * sizeof(struct entry));
	if (!larger.entries)
		return false;
	for (size_t i = 0; i < shard->capacity; i++)
		if (shard->entries[i].used)
			*find(&larger, shard->entries[i].domain, shard->entries[i].address) =
				shard->entries[i];
	if (shard->entries)
		snap__unmap(shard->entries, shard->capacity * sizeof(struct entry));
	shard->entries = larger.entries;
	shard->capacity = larger.capacity;
	return true;
}

bool snap__side_put(uint32_t domain, uintptr_t address, const struct snap__block *block,
		    bool *stale)
{
	struct shard *shard = shard_of(hash_of(domain, address));
	struct entry *entry;
	bool done = false;

	if (!snap__lock_take(&shard->lock))
		return false;
	if (shard->count * 4 < shard->capacity * 3 || grow(shard)) {
		atomic_store(&has_blocks, true);
		entry = find(shard, domain, address);
		*stale = entry->used;
		if (!entry->used) {
			shard->count++;
			if (domain == SNAP__SIDE_MALLOC)
				atomic_fetch_add(&malloc_blocks, 1);
		}
		*entry =
			(struct entry){address, block->size, domain, block->stack, block->epoch, 1};
		done = true;
	}
	snap__lock_release(&shard->lock);
	return done;
}

/* Close the gap at `gap`, so that every entry can still be reached from its first place. */
static void remove_entry(struct shard *shard, struct entry *gap)
{
	size_t mask = shard->capacity - 1, hole = (size_t)(gap - shard->entries), i = hole;

	for (;;) {
		i = (i + 1) & mask;
		if (!shard->entries[i].used)
			break;
		/* The entry may stay only if its first place lies after the gap, cyclically. */
		if (((i - first_place_of(shard, &shard->entries[i])) & mask) >=
		    ((i - hole) & mask)) {
			shard->entries[hole] = shard->entries[i];
			hole = i;
		}
	}
	shard->entries[hole].used = 0;
	shard->count--;
}

bool snap__side_take(uint32_t domain, uintptr_t address, struct snap__block *out)
{
	struct shard *shard = shard_of(hash_of(domain, address));
	struct entry *entry;
	bool found = false;

	if (domain == SNAP__SIDE_MALLOC && atomic_load(&malloc_blocks) == 0)
		return false;
	if (!snap__lock_take(&shard->lock))
		return false;
	if (shard->capacity > 0 && (entry = find(shard, domain, address))->used) {
		*out = (struct snap__block){
			.stack = entry->stack, .epoch = entry->epoch, .size = entry->size};
		remove_entry(shard, entry);
		if (domain == SNAP__SIDE_MALLOC)
			atomic_fetch_sub(&malloc_blocks, 1);
		found = true;
	}
	snap__lock_release(&shard->lock);
	return found;
}

void snap__side_walk(snap__heapmap_at_fn *fn, void *user)
{
	if (!atomic_load(&has_blocks))
		return; /* as in every short process */
	for (struct shard *shard = shards; shard < shards + SHARDS; shard++) {
		if (!snap__lock_take(&shard->lock))
			continue;
		for (size_t i = 0; i < shard->capacity; i++) {
			const struct entry *e = &shard->entries[i];
			struct snap__block block = {
				.stack = e->stack, .epoch = e->epoch, .size = e->size};

			if (e->used)
				fn(user, e->address, &block);
		}
		snap__lock_release(&shard->lock);
	}
}

void snap__side_walk_at(snap__heapmap_at_fn *fn, void *user)
{
	for (struct shard *shard = shards; shard < shards + SHARDS; shard++) {
		if (!snap__lock_take(&shard->lock))
			continue;
		for (size_t i = 0; i < shard->capacity; i++) {
			const struct entry *e = &shard->entries[i];
			struct snap__block block = {
				.stack = e->stack, .epoch = e->epoch, .size = e->size};

			if (e->used && e->domain == SNAP__SIDE_MALLOC)
				fn(user, e->address, &block);
		}
		snap__lock_release(&shard->lock);
	}
}

void snap__side_merge_epochs(uint32_t oldest, uint32_t count)
{
	for (struct shard *shard = shards; shard < shards + SHARDS; shard++) {
		if (!snap__lock_take(&shard->lock))
			continue;
		for (size_t i = 0; i < shard->capacity; i++)
			if ((shard->entries[i].epoch - oldest) % SNAP__EPOCHS < count)
				shard->entries[i].epoch = (oldest + count) % SNAP__EPOCHS;
		snap__lock_release(&shard->lock);
	}
}

void snap__side_clear(void)
{
	for (struct shard *shard = shards; shard < shards + SHARDS; shard++) {
		if (!snap__lock_take(&shard->lock))
			continue;
		if (shard->entries)
			memset(shard->entries, 0, shard->capacity * sizeof(struct entry));
		shard->count = 0;
		snap__lock_release(&shard->lock);
	}
	atomic_store(&malloc_blocks, 0);
}

void snap__side_before_fork(void)
{
	for (struct shard *shard = shards; shard < shards + SHARDS; shard++)
		snap__lock_take(&shard->lock);
}

void snap__side_after_fork(void)
{
	for (struct shard *shard = shards; shard < shards + SHARDS; shard++)
		snap__lock_reset(&shard->lock);
}
