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
 * Blocks of more than 512 bytes have a map of their own with granules of 512 bytes, and those of
 * more than 2 KiB one with granules of 2 KiB.  No two of them begin in one granule, and for a block
 * of some kilobytes the map takes a few bytes instead of a quarter of its size.
 *
 * A further map is for allocators inside the program that place blocks 16 bytes apart in arenas of
 * their own (finemap.h).
 *
 * A block is in one of the maps.  A free does not know the block's size, and looks in all maps.
 *
 * If few blocks are recorded (sampling), those of all sizes are in one map with granules of 512 bytes.
 * There threads may put blocks of one granule at the same time: the first gets the slot, the others
 * go to the side table.
 */
#ifndef SNAP_RUNTIME_HEAPMAP_H
#define SNAP_RUNTIME_HEAPMAP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/hidden.h"
#include "runtime/slot.h"

/**
 * Choose the granule (1 << `shift` bytes; 5 for glibc, 4 otherwise), or that few blocks will be
 * recorded (`sparse`), so that most look-ups miss.  Before the first put.  False if memory ran out.
 */
bool snap__heapmap_init(unsigned shift, bool sparse);

/** Set up the map of finemap.h, after the others; a second call does nothing.  `shared`: see
 * there. */
void snap__heapmap_init_fine(bool shared);

/**
 * Record that `address` holds `block`.  A stale block at the same place is replaced; `*stale` then
 * says so.  False if there is no memory for it.  Async-signal-safe; errno is preserved.
 */
bool snap__heapmap_put(uintptr_t address, const struct snap__block *block, bool *stale);

/**
 * For sparse maps: the number of blocks in each 4 KiB of the address space.  A counter that reached
 * its maximum stays there.  Most look-ups of a sampled program read a zero here: one load, from a
 * table that is rarely written.  Entries are in address order.  So a program that works in a part
 * of its heap reads a part of this table that is a thousandth of that size, and fits into the
 * first-level cache.  A hash would spread the same look-ups over the whole table.  Addresses that
 * are 4 GiB apart share an entry.
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
 * The usual cases, inlined into the record path.  A leaf is the slots (slot.h) of 2 MiB, then a
 * byte for each page of slots: whether it was ever written.
 */
#define SNAP__HEAPMAP_LARGE_SHIFT 9
#define SNAP__HEAPMAP_HUGE_SHIFT  11
#define SNAP__HEAPMAP_LEAF_BITS   21
#define SNAP__HEAPMAP_MID_BITS    9
#define SNAP__HEAPMAP_PAGE_SLOTS  512u

typedef snap__slot *_Atomic snap__leaf;
typedef snap__leaf *_Atomic snap__mid;

struct snap__heapmap {
	snap__mid *top;
	/* The same, but NULL in a sparse map: the fast paths below do not apply there. */
	snap__mid *dense;
	uintptr_t index; /* bits of a granule's number within its leaf */
	unsigned shift;  /* granules have 1 << shift bytes */
	bool sparse;
	bool is_wide; /* positions in its slots are wide: blocks begin at multiples of 16 */
};
extern SNAP__HIDDEN struct snap__heapmap snap__heapmap;
extern SNAP__HIDDEN struct snap__heapmap snap__heapmap_large;
extern SNAP__HIDDEN struct snap__heapmap snap__heapmap_huge;

/** snap__heapmap_put() and snap__heapmap_take() for the map of finemap.h alone. */
bool snap__heapmap_put_fine(uintptr_t address, const struct snap__block *block, bool *stale);
bool snap__heapmap_take_fine(uintptr_t address, struct snap__block *out);

/** Where a block is recorded: its slot in a leaf. */
struct snap__place {
	snap__slot *leaf; /* NULL: call snap__heapmap_put() or snap__heapmap_take() */
	uintptr_t index;
};

/** The place for the block at `address`; its slot is prefetched into the cache. */
static inline struct snap__place snap__heapmap_place_in(const struct snap__heapmap *map,
							uintptr_t address)
{
	const uintptr_t mid_bits = SNAP__HEAPMAP_LEAF_BITS + SNAP__HEAPMAP_MID_BITS;
	struct snap__place place = {0};
	snap__leaf *mid;

	if (!snap__address_is_regular(address) || !map->dense)
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
static inline bool snap__heapmap_put_at(struct snap__place place, uintptr_t address,
					const struct snap__block *block)
{
	return place.leaf &&
	       atomic_load_explicit(snap__heapmap_touched(&snap__heapmap, place.leaf, place.index),
				    memory_order_relaxed) &&
	       snap__slot_fill(&place.leaf[place.index], address, block);
}

/** Take a block whose size is in its slot out of a dense map; false: ask snap__heapmap_take(). */
static inline bool snap__heapmap_take_at(struct snap__place place, uintptr_t address,
					 struct snap__block *out)
{
	return place.leaf && snap__slot_empty(&place.leaf[place.index], address, out);
}

/** The position of a block in a slot of a map with granules of 2 KiB. */
static inline uint64_t snap__heapmap_wide_position(uintptr_t address)
{
	return address >> SNAP__SLOT_WIDE_SHIFT & SNAP__SLOT_WIDE;
}

/** The same for larger blocks, for which no place was found before. */
static inline bool snap__heapmap_take_large(uintptr_t address, struct snap__block *out)
{
	struct snap__place place = snap__heapmap_place_in(&snap__heapmap_large, address);

	if (snap__heapmap_take_at(place, address, out))
		return true;
	place = snap__heapmap_place_in(&snap__heapmap_huge, address);
	return place.leaf && address % 16 == 0 &&
	       snap__slot_empty_at(&place.leaf[place.index], snap__heapmap_wide_position(address),
				   out);
}

/** Every block that the maps and the side table hold for the whole time of the walk is passed to
 * `fn` once.  Addresses of the side table's blocks are what the program says. */
typedef void snap__heapmap_at_fn(void *user, uintptr_t address, const struct snap__block *block);
void snap__heapmap_walk(snap__heapmap_at_fn *fn, void *user);

/** The same.  Blocks of the fine map go to `fine`, those of the side table to `beside`. */
void snap__heapmap_walk_apart(snap__heapmap_at_fn *fn, snap__heapmap_at_fn *fine,
			      snap__heapmap_at_fn *beside, void *user);

/** As snap__heapmap_walk(), but of the side table only malloc's blocks.  For a copy of the process, where nothing
 * changes. */
void snap__heapmap_walk_at(snap__heapmap_at_fn *fn, void *user);

/** The block that begins at `address`, in any map; false if none does.  Blocks of the side table
 * are not found. */
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
