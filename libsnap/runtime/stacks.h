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

#include <stdbool.h>
#include <stdint.h>

/** Most nodes that the tree will hold: ids fit in 28 bits. */
#define SNAP__STACK_ID_BITS 28

/** pc values that are not addresses: what a truncated stack's root says instead of a caller. */
enum snap__pc_mark {
	SNAP__PC_TRUNCATED = 1, /* unwinding could not go on here */
	SNAP__PC_DEPTH = 2,     /* the depth limit was reached */
};

/**
 * The child of `parent` for `pc`, added if it is new.  Lock-free, async-signal-safe.
 * Returns 0 when the tree is full or memory ran out: the caller counts a loss.
 */
uint32_t snap__stacks_child(uint32_t parent, uintptr_t pc);

/**
 * Number of ids handed out, the empty stack included: valid ids are 0 .. count-1.  For readers, not
 * for recording: it gives way to threads that are just filling in a node that they were given.
 */
uint32_t snap__stacks_count(void);

/** Parent and pc of a node (id >= 1). */
uint32_t snap__stacks_parent(uint32_t id);
uintptr_t snap__stacks_pc(uint32_t id);

/**
 * Cumulative counters of the stack that ends at `id`: added to when a thread's cache
 * entry is evicted or flushed (relaxed atomic adds).  False when memory ran out and the
 * credit is lost.
 */
bool snap__stacks_credit(uint32_t id, uint64_t blocks, uint64_t bytes);
void snap__stacks_credited(uint32_t id, uint64_t *blocks, uint64_t *bytes);

#endif
