/*
 * stacks.c - the tree of call stacks, found through a hash trie.
 *
 * (parent, pc) is hashed.  The hash's low bits pick a bucket, each bit after them picks one of two
 * links in the nodes below it.  A node is filled in completely and then published by one
 * compare-and-swap into the first empty link on its path, so nobody waits for anybody, a
 * signal handler may insert in the middle of an interrupted insertion, and nothing is ever
 * rehashed.  With 2^17 buckets a path is one or two nodes long up to a few hundred thousand
 * nodes, and grows by one link for each doubling after that.
 *
 * Memory: 20 bytes a node, 16 more where a stack ends (and its neighbours in the page).
 */
#include <stdatomic.h>
#include <stddef.h>

#include "runtime/arena.h"
#include "runtime/stacks.h"

#define BUCKET_BITS 17u
#define CHUNK_BITS  14u
#define CHUNK_NODES (1u << CHUNK_BITS)
#define CHUNKS      (1u << (SNAP__STACK_ID_BITS - CHUNK_BITS))

/* Set in `parent` once the node is filled in: an id may be counted a moment before that. */
#define FILLED (1u << 31)

/* The pc is kept in halves: 20 bytes a node instead of 24. */
struct node {
	_Atomic uint32_t pc_low;
	_Atomic uint32_t pc_high;
	_Atomic uint32_t parent;
	_Atomic uint32_t below[2];
};

struct credit {
	atomic_uint_fast64_t blocks;
	atomic_uint_fast64_t bytes;
};

static _Atomic uint32_t buckets[1u << BUCKET_BITS];
static _Atomic(struct node *) node_chunks[CHUNKS];
static _Atomic(struct credit *) credit_chunks[CHUNKS];
static _Atomic uint32_t next_id = 1;

static uint64_t hash_of(uint32_t parent, uintptr_t pc)
{
	uint64_t h = (pc ^ ((uint64_t)parent << 40) ^ parent) * 0x9e3779b97f4a7c15u;

	h ^= h >> 32;
	return h * 0xd6e8feb86659fd93u;
}

static struct node *node_of(uint32_t id)
{
	struct node *chunk =
		atomic_load_explicit(&node_chunks[id >> CHUNK_BITS], memory_order_acquire);

	return chunk ? &chunk[id & (CHUNK_NODES - 1)] : NULL;
}

static uintptr_t node_pc(const struct node *node)
{
	return ((uintptr_t)atomic_load_explicit(&node->pc_high, memory_order_relaxed) << 32) |
	       atomic_load_explicit(&node->pc_low, memory_order_relaxed);
}

static uint32_t node_parent(const struct node *node)
{
	return atomic_load_explicit(&node->parent, memory_order_relaxed) & ~FILLED;
}

/* The node array that `id` lives in exists afterwards, or memory ran out. */
static bool chunk_ready(uint32_t id)
{
	_Atomic(struct node *) *place = &node_chunks[id >> CHUNK_BITS];
	struct node *expected = NULL;
	struct node *fresh;

	if (atomic_load_explicit(place, memory_order_acquire))
		return true;
	fresh = snap__map(CHUNK_NODES * sizeof(*fresh));
	if (!fresh)
		return false;
	if (!atomic_compare_exchange_strong(place, &expected, fresh))
		snap__unmap(fresh, CHUNK_NODES * sizeof(*fresh));
	return true;
}

/* A new node that nothing links to yet; 0 when there is no room. */
static uint32_t node_create(uint32_t parent, uintptr_t pc)
{
	uint32_t id = atomic_load_explicit(&next_id, memory_order_relaxed);
	struct node *node;

	/* The chunk comes first, so that an id that was counted always has a place. */
	do {
		if (id >= (1u << SNAP__STACK_ID_BITS) || !chunk_ready(id))
			return 0;
	} while (!atomic_compare_exchange_weak_explicit(&next_id, &id, id + 1, memory_order_acq_rel,
							memory_order_relaxed));
	node = node_of(id);
	atomic_store_explicit(&node->pc_low, (uint32_t)pc, memory_order_relaxed);
	atomic_store_explicit(&node->pc_high, (uint32_t)(pc >> 32), memory_order_relaxed);
	atomic_store_explicit(&node->parent, parent | FILLED, memory_order_release);
	return id;
}

uint32_t snap__stacks_child(uint32_t parent, uintptr_t pc)
{
	uint64_t hash = hash_of(parent, pc);
	_Atomic uint32_t *link = &buckets[hash >> (64 - BUCKET_BITS)];
	uint32_t fresh = 0;

	for (uint64_t path = hash;; path >>= 1) {
		uint32_t id = atomic_load_explicit(link, memory_order_acquire);
		struct node *node;

		if (id == 0) {
			if (!fresh)
				fresh = node_create(parent, pc);
			if (!fresh || atomic_compare_exchange_strong(link, &id, fresh))
				return fresh;
			/* Lost: `id` is now what the winner put there.  If that is our own stack,
			   `fresh` stays behind as a node that no stack ends at. */
		}
		node = node_of(id);
		if (node_parent(node) == parent && node_pc(node) == pc)
			return id;
		link = &node->below[path & 1];
	}
}

uint32_t snap__stacks_count(void)
{
	return atomic_load_explicit(&next_id, memory_order_acquire);
}

bool snap__stacks_known(uint32_t id)
{
	const struct node *node = node_of(id);

	return id && node && atomic_load_explicit(&node->parent, memory_order_acquire);
}

uint32_t snap__stacks_parent(uint32_t id)
{
	return node_parent(node_of(id));
}

uintptr_t snap__stacks_pc(uint32_t id)
{
	return node_pc(node_of(id));
}

static struct credit *credit_of(uint32_t id)
{
	struct credit *chunk =
		atomic_load_explicit(&credit_chunks[id >> CHUNK_BITS], memory_order_acquire);

	return chunk ? &chunk[id & (CHUNK_NODES - 1)] : NULL;
}

static struct credit *credit_made(uint32_t id)
{
	_Atomic(struct credit *) *place = &credit_chunks[id >> CHUNK_BITS];
	struct credit *expected = NULL;
	struct credit *fresh;

	if (!atomic_load_explicit(place, memory_order_acquire)) {
		fresh = snap__map(CHUNK_NODES * sizeof(*fresh));
		if (!fresh)
			return NULL;
		if (!atomic_compare_exchange_strong(place, &expected, fresh))
			snap__unmap(fresh, CHUNK_NODES * sizeof(*fresh));
	}
	return credit_of(id);
}

bool snap__stacks_credit(uint32_t id, uint64_t blocks, uint64_t bytes)
{
	struct credit *credit = credit_made(id);

	if (!credit)
		return false;
	atomic_fetch_add_explicit(&credit->blocks, blocks, memory_order_relaxed);
	atomic_fetch_add_explicit(&credit->bytes, bytes, memory_order_relaxed);
	return true;
}

void snap__stacks_credited(uint32_t id, uint64_t *blocks, uint64_t *bytes)
{
	struct credit *credit = credit_of(id);

	*blocks = credit ? atomic_load_explicit(&credit->blocks, memory_order_relaxed) : 0;
	*bytes = credit ? atomic_load_explicit(&credit->bytes, memory_order_relaxed) : 0;
}
