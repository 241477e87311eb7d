/*
 * runtime/heapmap.h - address -> live block, for the host's malloc.
 *
 * A radix tree by address (1 GiB -> 2 MiB -> slots) with one 8-byte slot per granule.  The granule
 * is 32 bytes over glibc, whose chunks are at least that large and 16-aligned, so that two blocks
 * never share one; 16 bytes over other allocators.  The thread that owns a block owns its slot: the
 * block is put in after the allocator returned it and taken out before it is freed, so plain atomic
 * loads and stores are enough.  Blocks that do not fit (odd pointers, two blocks in a granule) go
 * to the side table.
 *
 * Blocks of more than 512 bytes have a map of their own with granules of 512 bytes.  No two of
 * them begin in one granule, and for a block of some kilobytes the map takes a few bytes instead
 * of a quarter of its size.
 *
 * A further map has granules of 16 bytes.  It is for allocators inside the program that place
 * blocks 16 bytes apart in arenas of their own (CPython's).
 *
 * A block is in one of the maps.  Who takes it out does not know its size, and looks in all.
 */
#ifndef SNAP_RUNTIME_HEAPMAP_H
#define SNAP_RUNTIME_HEAPMAP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/hidden.h"
#include "runtime/stacks.h"

#define SNAP__EPOCH_BITS 12
#define SNAP__EPOCHS     (1u << SNAP__EPOCH_BITS)

/** A live block as the map knows it. */
struct snap__block {
	uint32_t stack; /* id in the stack tree */
	uint32_t epoch; /* of birth, modulo SNAP__EPOCHS */
	uint64_t size;  /* bytes as requested */
	bool marked;    /* see snap__heapmap_fine_mark(); set when a block is taken */
};

/**
 * Choose the granule (1 << `shift` bytes; 5 for glibc, 4 otherwise) and whether few blocks will
 * be recorded, so that most look-ups miss.  Before the first put.  False if memory ran out.
 */
bool snap__heapmap_init(unsigned shift, bool sparse);

/** Set up CPython's map, after the others; again is harmless. */
bool snap__heapmap_init_fine(void);

/**
 * Record that `address` holds `block`.  A stale block at the same place is replaced; `*stale` then
 * says so.  False if there is no memory for it.  Async-signal-safe; errno is preserved.
 */
bool snap__heapmap_put(uintptr_t address, const struct snap__block *block, bool *stale);

/**
 * For sparse maps: the number of blocks in each 4 KiB of the address space.  A counter that reached
 * its maximum stays there.  Most look-ups of a sampled program find a zero here: one load, from a
 * table that is rarely written.  Entries are in address order.  So a program that works in a part
 * of its heap uses a thousandth of that size here, which fits into the first-level cache; a hash
 * would spread the same look-ups over the whole table.  Addresses that are 4 GiB apart share an
 * entry.
 */
#define SNAP__FILTER_REGION_BITS 12
#define SNAP__FILTER_BITS        20
#define SNAP__FILTER_MASK        ((1u << SNAP__FILTER_BITS) - 1)
extern SNAP__HIDDEN atomic_uchar snap__heapmap_filter[1u << SNAP__FILTER_BITS];

static inline atomic_uchar *snap__heapmap_filter_of(uintptr_t address)
{
	return &snap__heapmap_filter[address >> SNAP__FILTER_REGION_BITS & SNAP__FILTER_MASK];
}

/** From now on, snap__heapmap_may_hold() is true for all of [base, base + size): every look-up
 * there is done. */
void snap__heapmap_filter_mark(uintptr_t base, size_t size);

/** SNAP__FILTER_MASK; or 0, and every look-up is of the first entry, which is marked. */
extern SNAP__HIDDEN _Atomic uint32_t snap__heapmap_filter_mask;

/** Is snap__heapmap_may_hold() true for every address? */
static inline void snap__heapmap_suspect_all(bool on)
{
	atomic_store(&snap__heapmap_filter_mask, on ? 0 : SNAP__FILTER_MASK);
}

/** False: the sparse map has no block at `address`, and the address is not marked. */
static inline bool snap__heapmap_may_hold(uintptr_t address)
{
	uint32_t mask = atomic_load_explicit(&snap__heapmap_filter_mask, memory_order_relaxed);
	uint32_t entry = (uint32_t)(address >> SNAP__FILTER_REGION_BITS) & mask;

	return atomic_load_explicit(&snap__heapmap_filter[entry], memory_order_relaxed) != 0;
}

/** Remove and return the block at `address`; false if there is none. */
bool snap__heapmap_take(uintptr_t address, struct snap__block *out);

/*
 * The usual cases, inlined into the record path.  A slot, from the lowest bit:
 *    1 bit   used
 *    1 bit   large: the size does not fit; it stands in the following slot, which the block
 *            covers as well and therefore owns (shifted left by one, so that it is not "used")
 *    1 bit   mark, see snap__heapmap_fine_mark()
 *    6 bits  position: bits 3 to 8 of the block's address
 *   28 bits  stack id
 *   15 bits  size
 *   12 bits  birth epoch
 *
 * A leaf is the slots of 2 MiB, then a byte for each page of slots: whether it was ever written.
 */
#define SNAP__SLOT_USED        1ull
#define SNAP__SLOT_LARGE       2ull
#define SNAP__SLOT_MARK        4ull
#define SNAP__SLOT_POSITION    0x1f8ull
#define SNAP__SLOT_STACK_SHIFT 9
#define SNAP__SLOT_SIZE_SHIFT  (SNAP__SLOT_STACK_SHIFT + SNAP__STACK_ID_BITS)
#define SNAP__SLOT_SIZE_BITS   15
#define SNAP__SLOT_EPOCH_SHIFT (SNAP__SLOT_SIZE_SHIFT + SNAP__SLOT_SIZE_BITS)

/* Larger blocks are in the map for large ones. */
#define SNAP__HEAPMAP_SMALL_MAX   512u
#define SNAP__HEAPMAP_LARGE_SHIFT 9

#define SNAP__HEAPMAP_ADDRESS_BITS 47
#define SNAP__HEAPMAP_LEAF_BITS    21
#define SNAP__HEAPMAP_MID_BITS     9
#define SNAP__HEAPMAP_PAGE_SLOTS   512u

typedef _Atomic uint64_t snap__slot;
typedef snap__slot *_Atomic snap__leaf;
typedef snap__leaf *_Atomic snap__mid;

struct snap__heapmap {
	snap__mid *top;
	/* The same, but NULL in a sparse map: the fast paths below do not apply there. */
	snap__mid *dense;
	uintptr_t index; /* bits of a granule's number within its leaf */
	unsigned shift;  /* granules have 1 << shift bytes */
	bool sparse;
};
extern SNAP__HIDDEN struct snap__heapmap snap__heapmap;
extern SNAP__HIDDEN struct snap__heapmap snap__heapmap_large;
extern SNAP__HIDDEN struct snap__heapmap snap__heapmap_fine;

/** CPython's map, with the parts that never change as constants. */
#define SNAP__HEAPMAP_FINE_SHIFT 4
static inline struct snap__heapmap snap__heapmap_fine_now(void)
{
	return (struct snap__heapmap){
		.dense = snap__heapmap_fine.dense,
		.index = (1u << (SNAP__HEAPMAP_LEAF_BITS - SNAP__HEAPMAP_FINE_SHIFT)) - 1,
		.shift = SNAP__HEAPMAP_FINE_SHIFT,
	};
}

/** snap__heapmap_put() and snap__heapmap_take() of one of the maps. */
bool snap__heapmap_put_in(const struct snap__heapmap *map, uintptr_t address,
			  const struct snap__block *block, bool *stale);
bool snap__heapmap_take_from(const struct snap__heapmap *map, uintptr_t address,
			     struct snap__block *out);

/**
 * Mark the block at `address` of CPython's map.  Taking it then sets `is_marked`, and only
 * snap__heapmap_take_from() takes it.  False if that map has no such block.
 */
bool snap__heapmap_fine_mark(uintptr_t address);

/** Where a block is recorded: its slot in a leaf. */
struct snap__place {
	snap__slot *leaf; /* NULL: call snap__heapmap_put() or snap__heapmap_take() */
	uintptr_t index;
};

/** The place for the block at `address`, with its slot on the way into the cache. */
static inline struct snap__place snap__heapmap_place_in(const struct snap__heapmap *map,
							uintptr_t address)
{
	const uintptr_t regular =
		(((uintptr_t)1 << SNAP__HEAPMAP_ADDRESS_BITS) - 1) & ~(uintptr_t)7;
	const uintptr_t mid_bits = SNAP__HEAPMAP_LEAF_BITS + SNAP__HEAPMAP_MID_BITS;
	struct snap__place place = {0};
	snap__leaf *mid;

	if ((address & ~regular) != 0 || !map->dense)
		return place;
	mid = atomic_load_explicit(&map->dense[address >> mid_bits], memory_order_acquire);
	if (!mid)
		return place;
	place.leaf = atomic_load_explicit(
		&mid[address >> SNAP__HEAPMAP_LEAF_BITS & ((1u << SNAP__HEAPMAP_MID_BITS) - 1)],
		memory_order_acquire);
	place.index = address >> map->shift & map->index;
	if (place.leaf)
		__builtin_prefetch(&place.leaf[place.index], 1);
	return place;
}

static inline struct snap__place snap__heapmap_place(uintptr_t address)
{
	return snap__heapmap_place_in(&snap__heapmap, address);
}

/** The byte of a leaf that says whether the page of slots around `index` was ever written. */
static inline atomic_uchar *snap__heapmap_touched(const struct snap__heapmap *map, snap__slot *leaf,
						  uintptr_t index)
{
	return (atomic_uchar *)(leaf + map->index + 1) + index / SNAP__HEAPMAP_PAGE_SLOTS;
}

/** Put a small block into an empty slot of a dense map; false: it takes snap__heapmap_put(). */
static inline bool snap__heapmap_put_at_in(const struct snap__heapmap *map,
					   struct snap__place place, uintptr_t address,
					   const struct snap__block *block)
{
	uint64_t value = SNAP__SLOT_USED | (address & SNAP__SLOT_POSITION) |
			 (uint64_t)block->stack << SNAP__SLOT_STACK_SHIFT |
			 block->size << SNAP__SLOT_SIZE_SHIFT |
			 (uint64_t)block->epoch << SNAP__SLOT_EPOCH_SHIFT;

	if (!place.leaf || block->size > SNAP__HEAPMAP_SMALL_MAX ||
	    atomic_load_explicit(&place.leaf[place.index], memory_order_relaxed) != 0 ||
	    !atomic_load_explicit(snap__heapmap_touched(map, place.leaf, place.index),
				  memory_order_relaxed))
		return false;
	atomic_store_explicit(&place.leaf[place.index], value, memory_order_release);
	return true;
}

/** Take a block whose size is in its slot out of a dense map; false: ask snap__heapmap_take(). */
static inline bool snap__heapmap_take_at(struct snap__place place, uintptr_t address,
					 struct snap__block *out)
{
	const uint64_t looked_at =
		SNAP__SLOT_USED | SNAP__SLOT_LARGE | SNAP__SLOT_MARK | SNAP__SLOT_POSITION;
	uint64_t value;

	if (!place.leaf)
		return false;
	value = atomic_load_explicit(&place.leaf[place.index], memory_order_relaxed);
	if ((value & looked_at) != (SNAP__SLOT_USED | (address & SNAP__SLOT_POSITION)))
		return false;
	atomic_store_explicit(&place.leaf[place.index], 0, memory_order_relaxed);
	out->stack =
		(uint32_t)(value >> SNAP__SLOT_STACK_SHIFT) & ((1u << SNAP__STACK_ID_BITS) - 1);
	out->size = value >> SNAP__SLOT_SIZE_SHIFT & ((1u << SNAP__SLOT_SIZE_BITS) - 1);
	out->epoch = (uint32_t)(value >> SNAP__SLOT_EPOCH_SHIFT);
	return true;
}

static inline bool snap__heapmap_put_at(struct snap__place place, uintptr_t address,
					const struct snap__block *block)
{
	return snap__heapmap_put_at_in(&snap__heapmap, place, address, block);
}

/** The same, for large blocks: without a place that was found before. */
static inline bool snap__heapmap_take_large(uintptr_t address, struct snap__block *out)
{
	return snap__heapmap_take_at(snap__heapmap_place_in(&snap__heapmap_large, address), address,
				     out);
}

/** Every block that the maps and the side table hold for the whole time of the walk is passed to
 * `fn` once.  Addresses of the side table's blocks are what the program says. */
typedef void snap__heapmap_at_fn(void *user, uintptr_t address, const struct snap__block *block);
void snap__heapmap_walk(snap__heapmap_at_fn *fn, void *user);

/** The same; of the side table, malloc's alone.  In a copy of the process, where nothing changes. */
void snap__heapmap_walk_at(snap__heapmap_at_fn *fn, void *user);

/** The block that begins at `address`, in any map; false if none does.  What is in the side table
 *  is not found. */
bool snap__heapmap_find(uintptr_t address, struct snap__block *out);

/** Bytes of the maps' address space that were never written, and so take no memory. */
uint64_t snap__heapmap_untouched(void);

/**
 * Give blocks whose birth epoch lies in [oldest, oldest + count) (modulo SNAP__EPOCHS) the epoch
 * oldest + count, so that the numbers can be used again.
 */
void snap__heapmap_merge_epochs(uint32_t oldest, uint32_t count);

/** Forget everything: recording starts anew. */
void snap__heapmap_clear(void);

#endif
