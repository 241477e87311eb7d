/*
 * runtime/finemap.h - address -> live block, for an allocator inside the program that places small
 * blocks of one size side by side in arenas of its own (CPython's).
 *
 * Each page of 4 KiB has an array with a slot for each granule of the page.  The first block in a
 * page sets the granule: the largest power of two that is not larger than the block, between 16 and
 * 512 bytes.  Its neighbours have the same size, so no two of them share a granule, and the map
 * takes 8 bytes a block, or less than 16.  If the page is used for smaller blocks later, it gets a
 * further array with smaller granules.  A block that has no place in any array is in the side
 * table.
 *
 * The thread that owns a block owns its slot.  Arrays are only added, until the allocator gives
 * the arena back: then they serve other pages.
 */
#ifndef SNAP_RUNTIME_FINEMAP_H
#define SNAP_RUNTIME_FINEMAP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/hidden.h"
#include "runtime/slot.h"

#define SNAP__FINE_PAGE_BITS 12
#define SNAP__FINE_LEAF_BITS 18 /* pages of 1 GiB */
#define SNAP__FINE_TOP_BITS  (SNAP__ADDRESS_BITS - SNAP__FINE_LEAF_BITS - SNAP__FINE_PAGE_BITS)
#define SNAP__FINE_ARRAYS    4u
#define SNAP__FINE_SHIFT     63u /* of an array's word: the granule's size, as a power of two */

/** The arrays of a page, by granules that get smaller: an address, and in its low bits the shift
 *  from a place in the page to an index.  0: none. */
struct snap__fine_page {
	_Atomic uintptr_t arrays[SNAP__FINE_ARRAYS];
};

typedef struct snap__fine_page *_Atomic snap__fine_leaf;

struct snap__finemap {
	snap__fine_leaf *top;   /* NULL: not in use */
	snap__fine_leaf *dense; /* the same, but NULL where few blocks are recorded */
};
extern SNAP__HIDDEN struct snap__finemap snap__finemap;

/** Call it before the first put; a second call does nothing.  `sparse`: most look-ups will miss.
 * `shared`: several threads may put blocks of one page at the same time, and its blocks may have
 * different sizes. */
void snap__finemap_init(bool sparse, bool shared);

/** As in heapmap.h. */
bool snap__finemap_put(uintptr_t address, const struct snap__block *block, bool *stale);
bool snap__finemap_take(uintptr_t address, struct snap__block *out);
bool snap__finemap_find(uintptr_t address, struct snap__block *out);

/** Mark the block at `address`.  Taking it then sets `marked`, and only snap__finemap_take() takes
 *  it.  False if the map has no such block. */
bool snap__finemap_mark(uintptr_t address);

static inline snap__slot *snap__finemap_slot_in(uintptr_t array, uintptr_t address)
{
	return (snap__slot *)(array & ~(uintptr_t)SNAP__FINE_SHIFT) +
	       ((address & ((1u << SNAP__FINE_PAGE_BITS) - 1)) >> (array & SNAP__FINE_SHIFT));
}

/** The usual slot for a block at `address`, prefetched into the cache; NULL: there is none, or few
 * blocks are recorded. */
static inline snap__slot *snap__finemap_slot(uintptr_t address)
{
	struct snap__fine_page *leaf;
	snap__slot *slot;
	uintptr_t array;

	if (!snap__address_is_regular(address) || !snap__finemap.dense)
		return NULL;
	leaf = atomic_load_explicit(
		&snap__finemap.dense[address >> (SNAP__FINE_LEAF_BITS + SNAP__FINE_PAGE_BITS)],
		memory_order_acquire);
	if (!leaf)
		return NULL;
	array = atomic_load_explicit(
		&leaf[address >> SNAP__FINE_PAGE_BITS & ((1u << SNAP__FINE_LEAF_BITS) - 1)]
			 .arrays[0],
		memory_order_acquire);
	if (!array)
		return NULL;
	slot = snap__finemap_slot_in(array, address);
	__builtin_prefetch(slot, 1);
	return slot;
}

typedef void snap__finemap_slot_fn(void *user, snap__slot *slot, uint64_t value);
void snap__finemap_each_slot(snap__finemap_slot_fn *fn, void *user);

/** Every block that the map holds for the whole time of the walk is passed once. */
typedef void snap__finemap_block_fn(void *user, uintptr_t address, const struct snap__block *block);
void snap__finemap_walk(snap__finemap_block_fn *fn, void *user);

/** The allocator gives [base, base + size) back.  Blocks that are still in the map, because their
 * free was not seen, are passed to `fn` and removed. */
void snap__finemap_forget(uintptr_t base, size_t size, snap__finemap_block_fn *left, void *user);

/** Bytes of the map's address space that were never written, and so take no memory. */
uint64_t snap__finemap_untouched(void);

#endif
