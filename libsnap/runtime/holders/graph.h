/*
 * holders/graph.h - blocks and roots, and who refers to whom.
 *
 * Nodes are numbered: the blocks first, as in snap__blocks; then the roots; then one node above all
 * that nothing reaches; then one above everything.
 */
#ifndef SNAP_RUNTIME_HOLDERS_GRAPH_H
#define SNAP_RUNTIME_HOLDERS_GRAPH_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/hidden.h"
#include "runtime/holders/blocks.h"
#include "runtime/holders/copy.h"
#include "runtime/holders/ranges.h"
#include "snap/records.h"

/** Most roots.  Further words belong to the newest one. */
#define SNAP__MOST_ROOTS 200000u

/** A root, before its row is written. */
struct snap__root {
	uint32_t kind;   /* enum snap_root_kind */
	uint32_t module; /* index of modules.h, or SNAP_NONE */
	uint32_t thread;
	const char *label;
	uint64_t address;    /* for the row */
	uintptr_t low, high; /* where its words lie in the copy */
};

/** Weak: reached from stacks and registers only. */
enum snap__reach {
	SNAP__UNREACHED = 0,
	SNAP__LEAKED_DIRECT,
	SNAP__LEAKED_INDIRECT,
	SNAP__REACHED_WEAKLY,
	SNAP__REACHED,
};

/** A node some of whose edges do not count at the moment. */
struct snap__hidden {
	uint32_t node, degree;
};

struct snap__graph {
	struct snap__copy *copy;
	bool rest_is_used; /* words behind the ends of blocks are theirs: see owned.h */
	struct snap__root *roots;
	uint32_t root_count;
	uint32_t *first, *degree;        /* by node, into `to` */
	uint32_t *to;                    /* blocks */
	uint64_t edges, ready, capacity; /* for so many there is memory */
	struct snap__hidden *hidden;     /* edges that do not count at the moment */
	size_t hidden_count, hidden_room;
	uint32_t *parent; /* by node: who reached it first, plus 1; 0: nobody */
	uint32_t *order;  /* of the search */
	uint32_t ordered;
	uint8_t *reach; /* enum snap__reach, by block */
	uint8_t *ring;  /* by block: 1 for one block of each ring that nothing else leads to */
	struct snap__ranges dead; /* parts of blocks that are stacks, below their stack pointers */
	uint64_t rings;           /* requests whose memory only the kernel knows */
	uint64_t roots_merged, edges_cut, pages_unreadable, unreachable_blocks, unreachable_bytes;
};
extern SNAP__HIDDEN struct snap__graph snap__graph;

static inline uint32_t snap__graph_root_node(uint32_t root)
{
	return snap__blocks.count + root;
}

static inline uint32_t snap__graph_leak_node(void)
{
	return snap__blocks.count + snap__graph.root_count;
}

static inline bool snap__graph_is_lost(uint32_t block)
{
	return snap__graph.reach[block] < SNAP__REACHED_WEAKLY;
}

/** Begin with the blocks of snap__blocks and no root. */
void snap__graph_begin(struct snap__copy *copy);

/** Add a root; words that are scanned until the next call belong to it.  If there are too many
 * roots, the words belong to the newest one, and the snapshot says so: no block looks like a leak
 * because of that. */
void snap__graph_add_root(const struct snap__root *root);
/** Forget the newest root if none of its words points into a block. */
void snap__graph_drop_root(void);

/** Add an edge to each block that an aligned word of [low, high) points into. */
void snap__graph_scan(uintptr_t low, uintptr_t high);
void snap__graph_add_edge(uint32_t block);
/** The same as scan, for a range in `area`: pages that were never touched are passed over. */
void snap__graph_scan_touched(struct snap__area *area, uintptr_t low, uintptr_t high);

/** Words of [low, high), which lies in a block, count for nothing. */
void snap__graph_leave_out(uintptr_t low, uintptr_t high);

/** After the last root: mark what the roots reach, and sort the rest into direct and indirect
 * leaks. */
void snap__graph_mark(void);

/** Ignore edges from stacks, from registers, and from blocks that only these hold, if something
 * stronger also holds the target; and count them again. */
void snap__graph_hide_weak(void);
void snap__graph_show_weak(void);

/** Where in [low, high) a word points into `block`: its distance from low; 0 if none does. */
uint64_t snap__graph_offset_of(uintptr_t low, uintptr_t high, uint32_t block);

#endif
