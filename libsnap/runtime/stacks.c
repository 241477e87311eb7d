/*
 * stacks.c - the tree of call stacks: each node's children are a hash trie of their own.
 *
 * The bits of the pc's hash choose one of two links in each node on the path, so that one of k
 * siblings is found in about log2(k) steps; most nodes have one child.  Nodes are numbered in the
 * order in which they are first met, so that the nodes of a stack are neighbours in memory:
 * compared with one hash table for the whole tree, measurements show that this saves a cache miss
 * for each frame.
 *
 * A node is filled in completely and then published by one compare-and-swap into the first empty
 * link on its path.  No thread waits for another, and a signal handler may insert while it
 * interrupts an insertion.  Nothing is ever moved.
 *
 * Memory: 24 bytes a node, 4 for the number of its credit, and 16 for the credit of a node where a
 * stack ends: in large programs one node in five.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "runtime/arena.h"
#include "runtime/os_linux.h"
#include "runtime/stacks.h"
#include "runtime/hidden.h"

#define CHUNK_BITS  SNAP__STACKS_CHUNK_BITS
#define CHUNK_NODES (1u << CHUNK_BITS)
#define CHUNKS      (1u << (SNAP__STACK_ID_BITS - CHUNK_BITS))

#define FILLED SNAP__STACKS_FILLED
#define LINKED SNAP__STACKS_LINKED

typedef struct snap__stacks_node node_t;

/* The table of hashes begins with a page, and doubles each time it is half full. */
#define FIRST_HASHED_BITS 8u

/* In chunks of their own, by a number that a node gets when it is first credited; 0: none yet. */
struct credit {
	atomic_uint_fast64_t blocks;
	atomic_uint_fast64_t bytes;
};

_Atomic uint32_t snap__stacks_roots;
const struct snap__stacks_node snap__stacks_nowhere;
void *_Atomic snap__stacks_chunks[CHUNKS] SNAP__PAGES;
struct snap__stacks_hashed snap__stacks_hashed[1u << SNAP__STACKS_HASHED_BITS] SNAP__PAGES;
_Atomic uint32_t snap__stacks_hashed_shift = 64 - FIRST_HASHED_BITS;
static _Atomic uint32_t hashed;                         /* since the table was last enlarged */
static void *_Atomic number_chunks[CHUNKS] SNAP__PAGES; /* of the nodes' credits */
static void *_Atomic credit_chunks[CHUNKS] SNAP__PAGES;
static uint64_t limit_bytes = UINT64_MAX;
static _Atomic uint64_t used_bytes;
static atomic_bool is_full; /* once true, it stays true */
static _Atomic uint32_t next_id = 1;
static _Atomic uint32_t next_credit = 1;

static uint32_t node_parent(const node_t *node)
{
	return atomic_load_explicit(&node->parent, memory_order_relaxed) & ~(FILLED | LINKED);
}

/* The chunk at `place`, made if there is none; NULL when memory ran out.  One more element remains
   empty, so that a walk from node to node need not check for the end of a chunk. */
static void *chunk_made(void *_Atomic *place, size_t element)
{
	void *chunk = atomic_load_explicit(place, memory_order_acquire);
	void *fresh;

	if (chunk)
		return chunk;
	fresh = snap__map((CHUNK_NODES + 1) * element);
	if (!fresh)
		return NULL;
	if (!atomic_compare_exchange_strong(place, &chunk, fresh)) {
		snap__unmap(fresh, (CHUNK_NODES + 1) * element);
		return chunk;
	}
	atomic_fetch_add(&used_bytes, CHUNK_NODES * element);
	return fresh;
}

void snap__stacks_limit(uint64_t bytes)
{
	limit_bytes = bytes ? bytes : UINT64_MAX;
}

/* Memory beyond the limit that shortened stacks may use. */
static uint64_t reserve(void)
{
	return limit_bytes / 8;
}

unsigned snap__stacks_shortened(void)
{
	uint64_t used = atomic_load_explicit(&used_bytes, memory_order_relaxed), over;

	if (!atomic_load_explicit(&is_full, memory_order_relaxed))
		return 0;
	over = used > limit_bytes ? used - limit_bytes : 0;
	if (over < reserve() / 2)
		return 1 + 8;
	if (over < reserve() / 4 * 3)
		return 1 + 4;
	if (over < reserve() / 8 * 7)
		return 1 + 2;
	return over < reserve() ? 1 + 1 : 1;
}

/* May the node `id` be added?  It may need a new chunk. */
static bool has_room(uint32_t id, enum snap__claim claim)
{
	uint64_t used = atomic_load_explicit(&used_bytes, memory_order_relaxed);

	if (claim ==
	    SNAP__CLAIM_RESERVED) /* the last of them is the mark that stands for a caller */
		return true;
	if (id >> CHUNK_BITS > 0 && used >= limit_bytes)
		atomic_store_explicit(&is_full, true, memory_order_relaxed);
	return !atomic_load_explicit(&is_full, memory_order_relaxed);
}

/* A new node that nothing links to yet; 0 when there is no room. */
static uint32_t node_create(uint32_t parent, uintptr_t pc, enum snap__claim claim)
{
	uint32_t id = atomic_load_explicit(&next_id, memory_order_relaxed);
	node_t *node;

	/* The chunk is made first, so that every counted id has a place. */
	do {
		if (id >= (1u << SNAP__STACK_ID_BITS) || !has_room(id, claim) ||
		    !chunk_made(&snap__stacks_chunks[id >> CHUNK_BITS], sizeof(node_t)))
			return 0;
	} while (!atomic_compare_exchange_weak_explicit(&next_id, &id, id + 1, memory_order_acq_rel,
							memory_order_relaxed));
	node = snap__stacks_node(id);
	atomic_store_explicit(&node->pc, pc, memory_order_relaxed);
	atomic_store_explicit(&node->parent, parent | FILLED, memory_order_release);
	return id;
}

uint32_t snap__stacks_insert(_Atomic uint32_t *link, uint64_t path, uint32_t parent, uintptr_t pc,
			     enum snap__claim claim)
{
	uint32_t fresh = node_create(parent, pc, claim);

	while (fresh) {
		uint32_t id = 0;
		node_t *node;

		if (atomic_compare_exchange_strong(link, &id, fresh)) {
			atomic_store_explicit(&snap__stacks_node(fresh)->parent,
					      parent | FILLED | LINKED, memory_order_release);
			return fresh;
		}
		/* Another thread was first.  If it added the same stack, `fresh` remains as a
		 * node where no stack ends. */
		node = snap__stacks_node(id);
		if (snap__stacks_node_pc(node) == pc)
			return id;
		link = &node->below[path >> 63];
		path <<= 1;
	}
	return 0;
}

uint32_t snap__stacks_look(uint32_t parent, uintptr_t pc)
{
	return snap__stacks_child(parent, pc);
}

static void put_hashed(struct snap__stacks_hashed *entry, uint64_t hash, uint64_t id)
{
	atomic_store_explicit(&entry->check, hash ^ id, memory_order_relaxed);
	atomic_store_explicit(&entry->id, id, memory_order_release);
}

/* The newest entry of a place comes first, and the oldest is dropped.  After the table was
   enlarged, a stack's place is another one: stacks that still occur are entered again. */
void snap__stacks_remember(uint64_t hash, uint32_t id)
{
	uint32_t shift = atomic_load_explicit(&snap__stacks_hashed_shift, memory_order_relaxed);
	struct snap__stacks_hashed *entry = snap__stacks_hashed_place(hash);
	uint32_t count = atomic_fetch_add_explicit(&hashed, 1, memory_order_relaxed);

	for (unsigned i = SNAP__STACKS_HASHED_WAYS - 1; i > 0; i--) {
		uint64_t older = atomic_load_explicit(&entry[i - 1].id, memory_order_acquire);
		uint64_t check = atomic_load_explicit(&entry[i - 1].check, memory_order_relaxed);

		put_hashed(&entry[i], check ^ older, older);
	}
	put_hashed(&entry[0], hash, id);
	if (count >> (63 - shift) && shift > 64 - SNAP__STACKS_HASHED_BITS &&
	    atomic_compare_exchange_strong(&snap__stacks_hashed_shift, &shift, shift - 1))
		atomic_store(&hashed, 0);
}

/* Is the node `id` filled in? */
static bool is_filled(uint32_t id)
{
	return atomic_load_explicit(&snap__stacks_node(id)->parent, memory_order_acquire) & FILLED;
}

uint32_t snap__stacks_count(void)
{
	static _Atomic uint32_t checked = 1; /* ids below are known to be filled in */
	uint32_t count = atomic_load_explicit(&next_id, memory_order_acquire);
	uint32_t id = atomic_load_explicit(&checked, memory_order_relaxed);

	for (; id < count; id++)
		for (int patience = 1000; !is_filled(id) && patience > 0; patience--)
			snap__os_yield();
	atomic_store_explicit(&checked, count, memory_order_relaxed);
	return count;
}

uint32_t snap__stacks_parent(uint32_t id)
{
	return node_parent(snap__stacks_node(id));
}

uintptr_t snap__stacks_pc(uint32_t id)
{
	return snap__stacks_node_pc(snap__stacks_node(id));
}

static struct credit *numbered_credit(uint32_t number)
{
	struct credit *chunk =
		atomic_load_explicit(&credit_chunks[number >> CHUNK_BITS], memory_order_acquire);

	return number ? &chunk[number & (CHUNK_NODES - 1)] : NULL;
}

static struct credit *credit_of(uint32_t id)
{
	_Atomic uint32_t *numbers =
		atomic_load_explicit(&number_chunks[id >> CHUNK_BITS], memory_order_acquire);

	if (!numbers)
		return NULL;
	return numbered_credit(atomic_load(&numbers[id & (CHUNK_NODES - 1)]));
}

/* A new number, whose chunk exists; 0 when there is no room. */
static uint32_t new_number(void)
{
	uint32_t number = atomic_load_explicit(&next_credit, memory_order_relaxed);

	do {
		if (number >= (1u << SNAP__STACK_ID_BITS) ||
		    !chunk_made(&credit_chunks[number >> CHUNK_BITS], sizeof(struct credit)))
			return 0;
	} while (!atomic_compare_exchange_weak(&next_credit, &number, number + 1));
	return number;
}

static struct credit *credit_made(uint32_t id)
{
	_Atomic uint32_t *numbers = chunk_made(&number_chunks[id >> CHUNK_BITS], sizeof(*numbers));
	uint32_t number = 0, fresh;

	if (!numbers)
		return NULL;
	numbers += id & (CHUNK_NODES - 1);
	number = atomic_load(numbers);
	if (number)
		return numbered_credit(number);
	fresh = new_number();
	/* The thread that loses this race wastes 16 bytes. */
	if (fresh && atomic_compare_exchange_strong(numbers, &number, fresh))
		number = fresh;
	return numbered_credit(number);
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
