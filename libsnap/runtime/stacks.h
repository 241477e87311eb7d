/*
 * runtime/stacks.h - the tree of call stacks.
 *
 * A node is (parent, pc).  Nodes are only ever added, ids are dense and start at 1, so that
 * readers (the snapshot) need no lock: they read ids below snap__stacks_count().  A parent's
 * id is always smaller than its child's.  Id 0 is the empty stack.
 *
 * A pc is the address of a byte inside the call instruction (or of the interrupted
 * instruction itself, below a signal frame); its upper 16 bits are the module tag of modules.h.
 */
#ifndef SNAP_RUNTIME_STACKS_H
#define SNAP_RUNTIME_STACKS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/hidden.h"

/** Most nodes that the tree will hold: ids fit in 28 bits. */
#define SNAP__STACK_ID_BITS 28

/** pc values that are not addresses.  One of them is the root of a truncated stack, in place of the
 * caller. */
enum snap__pc_mark {
	SNAP__PC_TRUNCATED = 1, /* unwinding could not go on here */
	SNAP__PC_DEPTH = 2,     /* the depth limit was reached */
	SNAP__PC_MEMORY = 3,    /* the tree is full: only the newest frames are kept */
};

/** For whom a node is added. */
enum snap__claim {
	SNAP__CLAIM_USUAL,    /* refused when the tree has reached its limit */
	SNAP__CLAIM_RESERVED, /* may use the reserve for shortened stacks */
};

#define SNAP__STACKS_CHUNK_BITS 14

/** Marks in a node's `parent`.  The first is set when the node is filled in, because an id may be
 * counted a moment before.  The second is set when the node is linked, because if two threads add
 * the same node, only one of them is linked. */
#define SNAP__STACKS_FILLED (1u << 31)
#define SNAP__STACKS_LINKED (1u << 30)

/** A node, and its place in the trie of its siblings. */
struct snap__stacks_node {
	_Atomic uintptr_t pc;
	_Atomic uint32_t parent;   /* with the marks above */
	_Atomic uint32_t children; /* the top of their trie */
	_Atomic uint32_t below[2]; /* further siblings of this node */
};

extern SNAP__HIDDEN _Atomic uint32_t snap__stacks_roots;
extern SNAP__HIDDEN void
	*_Atomic snap__stacks_chunks[1u << (SNAP__STACK_ID_BITS - SNAP__STACKS_CHUNK_BITS)];

/** The node with an id that was handed out: its chunk exists. */
static inline struct snap__stacks_node *snap__stacks_node(uint32_t id)
{
	struct snap__stacks_node *chunk = atomic_load_explicit(
		&snap__stacks_chunks[id >> SNAP__STACKS_CHUNK_BITS], memory_order_acquire);

	return &chunk[id & ((1u << SNAP__STACKS_CHUNK_BITS) - 1)];
}

static inline uintptr_t snap__stacks_node_pc(const struct snap__stacks_node *node)
{
	return atomic_load_explicit(&node->pc, memory_order_relaxed);
}

/** A new child of `parent`.  The search for it went as far as the empty `link`; `path` has the bits
 *  that choose further links. */
uint32_t snap__stacks_insert(_Atomic uint32_t *link, uint64_t path, uint32_t parent, uintptr_t pc,
			     enum snap__claim claim);

/**
 * The child of `parent` for `pc`, added if it is new.  Lock-free, async-signal-safe.
 * Returns 0 when the tree is full or memory ran out: the caller shortens the stack, or counts a
 * loss.
 */
static inline uint32_t snap__stacks_child_for(uint32_t parent, uintptr_t pc, enum snap__claim claim)
{
	_Atomic uint32_t *link =
		parent ? &snap__stacks_node(parent)->children : &snap__stacks_roots;
	uint32_t id = atomic_load_explicit(link, memory_order_acquire);
	struct snap__stacks_node *node = NULL;
	uint64_t path;

	/* Most nodes have one child. */
	if (id) {
		node = snap__stacks_node(id);
		if (__builtin_expect(snap__stacks_node_pc(node) == pc, 1))
			return id;
	}
	for (path = pc * 0x9e3779b97f4a7c15u; id; path <<= 1) {
		link = &node->below[path >> 63];
		id = atomic_load_explicit(link, memory_order_acquire);
		node = snap__stacks_node(id);
		if (id && snap__stacks_node_pc(node) == pc)
			return id;
	}
	return snap__stacks_insert(link, path, parent, pc, claim);
}

static inline uint32_t snap__stacks_child(uint32_t parent, uintptr_t pc)
{
	return snap__stacks_child_for(parent, pc, SNAP__CLAIM_USUAL);
}

/** A node that a search passes on its way down the tree, frame by frame. */
struct snap__stacks_at {
	uint32_t id;
	const struct snap__stacks_node *next; /* where the node with the next id would be */
};

extern SNAP__HIDDEN const struct snap__stacks_node snap__stacks_nowhere;

/** snap__stacks_child(), out of line. */
uint32_t snap__stacks_look(uint32_t parent, uintptr_t pc);

static inline struct snap__stacks_at snap__stacks_start(uint32_t id)
{
	return (struct snap__stacks_at){id, id ? snap__stacks_node(id) + 1 : &snap__stacks_nowhere};
}

/**
 * Go to the child for `pc`, as snap__stacks_child() does; false if there is no room for it.  Most
 * nodes were added right after their parent, and have the next id.  Then no link is read.
 */
static inline bool snap__stacks_go(struct snap__stacks_at *at, uintptr_t pc)
{
	const struct snap__stacks_node *next = at->next;
	uint32_t linked = at->id | SNAP__STACKS_FILLED | SNAP__STACKS_LINKED;

	if (__builtin_expect(atomic_load_explicit(&next->parent, memory_order_acquire) == linked &&
				     snap__stacks_node_pc(next) == pc,
			     1)) {
		at->id++;
		at->next = next + 1;
		return true;
	}
	*at = snap__stacks_start(snap__stacks_look(at->id, pc));
	return at->id != 0;
}

/**
 * A table of stacks that were searched before, by a hash of all their pcs.  To follow the tree from
 * node to node would wait for memory at each of them.  The hash has 64 bits: that two of a million
 * stacks share one has a probability of 3 in 100 million.  Two stacks that differ only because two
 * frames, 2^k frames apart, changed places share one with a probability of 2^-(62 - k).
 */
struct snap__stacks_hashed {
	_Atomic uint64_t check; /* hash ^ id: not valid while another thread writes both */
	_Atomic uint64_t id;    /* 0: none */
};

#define SNAP__STACKS_HASHED_BITS 17
extern SNAP__HIDDEN struct snap__stacks_hashed snap__stacks_hashed[1u << SNAP__STACKS_HASHED_BITS];
extern SNAP__HIDDEN _Atomic uint32_t snap__stacks_hashed_shift; /* of a hash, to find its place */

/*
 * The hash of a stack is a polynomial: the sum over its frames of a number for the frame, times a
 * power of this factor, which is 0 for the newest.  So a walk can add its frames from the newest
 * outwards, while it does not yet know where the stack ends.
 */
#define SNAP__STACKS_HASH_FACTOR UINT64_C(0x9e3779b97f4a7c15)

/** The number of a frame with this pc in hashes of stacks. */
static inline uint64_t snap__stacks_hash_of_frame(uintptr_t pc)
{
	uint64_t number = pc * UINT64_C(0xd6e8feb86659fd93);

	return (number ^ number >> 32) * UINT64_C(0xd6e8feb86659fd93);
}

/** The hash of a stack from that of its caller's stack; 0: there is no caller. */
static inline uint64_t snap__stacks_hash(uint64_t hash, uintptr_t pc)
{
	return hash * SNAP__STACKS_HASH_FACTOR + snap__stacks_hash_of_frame(pc);
}

/* The place of a hash: entries that fill a cache line. */
#define SNAP__STACKS_HASHED_WAYS 4u
static inline struct snap__stacks_hashed *snap__stacks_hashed_place(uint64_t hash)
{
	uint32_t shift = atomic_load_explicit(&snap__stacks_hashed_shift, memory_order_relaxed);

	return &snap__stacks_hashed[hash >> shift & ~(uint64_t)(SNAP__STACKS_HASHED_WAYS - 1)];
}

/** The stack with this hash; 0 if it is not known.  There is no branch on the result, because the
 * processor would mispredict it. */
static inline uint32_t snap__stacks_by_hash(uint64_t hash)
{
	struct snap__stacks_hashed *entry = snap__stacks_hashed_place(hash);
	uint64_t found = 0;

	for (unsigned i = 0; i < SNAP__STACKS_HASHED_WAYS; i++, entry++) {
		uint64_t id = atomic_load_explicit(&entry->id, memory_order_acquire);
		uint64_t check = atomic_load_explicit(&entry->check, memory_order_relaxed);

		found = (check ^ id) == hash ? id : found;
	}
	return (uint32_t)found;
}

/** Enter the stack `id` with this hash. */
void snap__stacks_remember(uint64_t hash, uint32_t id);

/**
 * Most bytes that the tree and its counters may take; before the first node.  When they are used
 * up, new stacks are shortened to their newest frames, first to a few, finally to none.  Shortened
 * stacks may use an eighth more. 0: as much as ids allow.
 */
void snap__stacks_limit(uint64_t bytes);

/** 0 while there is room; then the number of newest frames that a new stack may have, plus one. */
unsigned snap__stacks_shortened(void);

/**
 * Number of ids handed out, the empty stack included: valid ids are 0 .. count-1.  For readers, not
 * for recording: it waits for threads that are filling in a node.
 */
uint32_t snap__stacks_count(void);

/** Parent and pc of a node (id >= 1). */
uint32_t snap__stacks_parent(uint32_t id);
uintptr_t snap__stacks_pc(uint32_t id);

/**
 * Add to the cumulative counters of the stack that ends at `id`, when a thread's cache entry is
 * evicted or flushed (relaxed atomic adds).  False when memory ran out and the credit is lost.
 */
bool snap__stacks_credit(uint32_t id, uint64_t blocks, uint64_t bytes);
void snap__stacks_credited(uint32_t id, uint64_t *blocks, uint64_t *bytes);

#endif
