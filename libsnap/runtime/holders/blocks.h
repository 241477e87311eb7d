/*
 * holders/blocks.h - the live blocks of malloc by address, and the block that a pointer points
 * into.
 *
 * In a frozen copy of the process: nothing changes, and nothing is given back.
 */
#ifndef SNAP_RUNTIME_HOLDERS_BLOCKS_H
#define SNAP_RUNTIME_HOLDERS_BLOCKS_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/hidden.h"
#include "runtime/holders/space.h"

#define SNAP__NO_BLOCK UINT32_MAX

/** A page of the heap: in which of its granules of 16 bytes blocks begin. */
struct snap__heap_page {
	uint64_t starts[4];
	uint32_t before;      /* blocks that begin before this page */
	uint8_t before_in[4]; /* blocks that begin in the words of `starts` before this one */
};

/** A block of 4 GiB or more. */
struct snap__huge_block {
	uintptr_t address;
	uint64_t size;
};

struct snap__blocks {
	uintptr_t *address; /* ascending */
	uint32_t *size;     /* UINT32_MAX: it is among the huge ones; ask snap__blocks_size() */
	uint32_t *stack;    /* the id of its call stack; later, when groups are numbered, its
			       group */
	uint32_t count, capacity;
	struct snap__huge_block *huge; /* in any order */
	uint32_t huge_count, huge_capacity;
	uintptr_t low, high;           /* all blocks lie in [low, high) */
	struct snap__heap_page ***top; /* 1 GiB -> 2 MiB -> 4 KiB */
	bool crowded; /* two blocks begin in one granule somewhere, so that counting bits cannot
		         tell them apart */
};
extern SNAP__HIDDEN struct snap__blocks snap__blocks;

/** Collect them.  `space` is the memory of the copy.  If memory runs out, this ends the copy. */
void snap__blocks_collect(struct snap__space *space);

uint32_t snap__blocks_search(uintptr_t pointer);
uint64_t snap__blocks_huge_size(uint32_t block);

static inline uint64_t snap__blocks_size(uint32_t block)
{
	uint32_t size = snap__blocks.size[block];

	return size < UINT32_MAX ? size : snap__blocks_huge_size(block);
}

/* The number of bits set in `word`, without the popcount instruction, which not every processor
 * has. */
static inline uint32_t snap__bits_set(uint64_t word)
{
	word -= word >> 1 & 0x5555555555555555u;
	word = (word & 0x3333333333333333u) + (word >> 2 & 0x3333333333333333u);
	word = (word + (word >> 4)) & 0x0f0f0f0f0f0f0f0fu;
	return (uint32_t)(word * 0x0101010101010101u >> 56);
}

/** The same as snap__blocks_find() for a pointer between `low` and `high`. */
__attribute__((always_inline)) static inline uint32_t snap__blocks_find_between(uintptr_t pointer)
{
	struct snap__heap_page **middle = snap__blocks.top[pointer >> 30], *page;
	unsigned granule = pointer >> 4 & 255, word = granule >> 6;
	uint32_t after; /* blocks that begin at or before the pointer's granule */
	uintptr_t address;

	page = middle ? middle[pointer >> 21 & 511] : NULL;
	if (!page)
		return SNAP__NO_BLOCK;
	if (snap__blocks.crowded)
		return snap__blocks_search(pointer);
	page += pointer >> 12 & 511;
	after = page->before + page->before_in[word] +
		snap__bits_set(page->starts[word] & ~0ull >> (63 - (granule & 63)));
	if (after > 0 && snap__blocks.address[after - 1] > pointer)
		after--; /* it begins later in the granule */
	if (after == 0)
		return SNAP__NO_BLOCK;
	address = snap__blocks.address[after - 1];
	return pointer - address <= snap__blocks_size(after - 1) ? after - 1 : SNAP__NO_BLOCK;
}

/** The block that contains `pointer`, or that ends at it; SNAP__NO_BLOCK if there is none. */
static inline uint32_t snap__blocks_find(uintptr_t pointer)
{
	return pointer >= snap__blocks.low && pointer < snap__blocks.high
		       ? snap__blocks_find_between(pointer)
		       : SNAP__NO_BLOCK;
}

#endif
