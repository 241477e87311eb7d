/*
 * runtime/heapmap.c - a table with a slot for each granule of the heap.
 *
 * In sparse mode (sampling) most look-ups are of blocks that were not recorded.  A bitmap over the
 * granules would need three dependent loads to say so; a table of counters by address needs one.
 * Blocks of all sizes are in one map with large granules: two recorded blocks are rarely that close,
 * and smaller granules would cost a page of slots for each of the few pages that a block is in.
 *
 * The kernel makes a page of slots when it is first written.  A byte for each page says whether it
 * was written, so that a walk skips the others and does not create them.
 */
#include "runtime/heapmap.h"

#include <limits.h>
#include <stdatomic.h>

#include "runtime/arena.h"
#include "runtime/finemap.h"
#include "runtime/sidetable.h"
#include "runtime/hidden.h"

#define ADDRESS_BITS SNAP__ADDRESS_BITS
#define LEAF_BITS    SNAP__HEAPMAP_LEAF_BITS
#define MID_BITS     SNAP__HEAPMAP_MID_BITS
#define TOP_BITS     (ADDRESS_BITS - LEAF_BITS - MID_BITS)
#define SLOTS_A_PAGE SNAP__HEAPMAP_PAGE_SLOTS
#define MIDS_A_PAGE  (PAGE_SIZE / sizeof(mid_t))
#define TOP_PAGES    (((uintptr_t)1 << TOP_BITS) / MIDS_A_PAGE)
#define PAGE_SIZE    (SLOTS_A_PAGE * sizeof(slot_t))

#define USED        SNAP__SLOT_USED
#define LARGE       SNAP__SLOT_LARGE
#define EPOCH_SHIFT SNAP__SLOT_EPOCH_SHIFT

typedef snap__slot slot_t;
typedef snap__leaf leaf_t;
typedef snap__mid mid_t;

#define HUGE_LEAST (((size_t)1 << SNAP__HEAPMAP_HUGE_SHIFT) + 1)

struct snap__heapmap snap__heapmap, snap__heapmap_large, snap__heapmap_huge;
static struct snap__heapmap *const maps[] = {&snap__heapmap, &snap__heapmap_large,
					     &snap__heapmap_huge};
#define MAPS (sizeof(maps) / sizeof(maps[0]))
atomic_uchar snap__heapmap_filter[1u << SNAP__FILTER_BITS] SNAP__PAGES;
_Atomic uint32_t snap__heapmap_filter_mask = SNAP__FILTER_MASK;

static size_t slots_per_leaf(const struct snap__heapmap *map)
{
	return (size_t)1 << (LEAF_BITS - map->shift);
}

static size_t leaf_size(const struct snap__heapmap *map)
{
	return slots_per_leaf(map) * sizeof(slot_t) + slots_per_leaf(map) / SLOTS_A_PAGE;
}

static inline void touch(const struct snap__heapmap *map, slot_t *leaf, size_t index)
{
	atomic_uchar *byte = snap__heapmap_touched(map, leaf, index);

	if (!atomic_load_explicit(byte, memory_order_relaxed))
		atomic_store_explicit(byte, 1, memory_order_release);
}

/* One mapping for all tables, because each mapping costs two system calls. */
static void map_tops(void)
{
	size_t used = (sizeof(mid_t) << TOP_BITS) + TOP_PAGES;
	size_t size = (used + PAGE_SIZE - 1) & ~(size_t)(PAGE_SIZE - 1);
	char *base = snap__heapmap.top ? NULL : snap__map(MAPS * size);

	for (size_t i = 0; base && i < MAPS; i++)
		maps[i]->top = (void *)(base + i * size);
}

static bool init(struct snap__heapmap *map, unsigned shift, bool sparse)
{
	map->shift = sparse ? SNAP__HEAPMAP_LARGE_SHIFT : shift;
	map->sparse = sparse;
	map->index = slots_per_leaf(map) - 1;
	map->dense = sparse ? NULL : map->top;
	return map->top != NULL;
}

bool snap__heapmap_init(unsigned shift, bool sparse)
{
	snap__heapmap_filter_mark(0, 1); /* see snap__heapmap_suspect_all() */
	map_tops();
	snap__heapmap_huge.is_wide = true;
	return init(&snap__heapmap, shift, sparse) &&
	       init(&snap__heapmap_large, SNAP__HEAPMAP_LARGE_SHIFT, sparse) &&
	       init(&snap__heapmap_huge, SNAP__HEAPMAP_HUGE_SHIFT, sparse);
}

/* The map for a block. */
static struct snap__heapmap *map_for(uintptr_t address, uint64_t size)
{
	if (snap__heapmap.sparse || size <= SNAP__SMALL_MAX)
		return &snap__heapmap;
	return size >= HUGE_LEAST && address % 16 == 0 ? &snap__heapmap_huge : &snap__heapmap_large;
}

static uint64_t position_of(const struct snap__heapmap *map, uintptr_t address)
{
	return map->is_wide ? snap__heapmap_wide_position(address) : address & SNAP__SLOT_POSITION;
}

/* Is the block of this slot the one at `address`? */
static bool is_of(const struct snap__heapmap *map, uint64_t value, uintptr_t address)
{
	uint64_t position = map->is_wide ? SNAP__SLOT_WIDE : SNAP__SLOT_POSITION;

	return (value & SNAP__SLOT_USED) && (value & position) == position_of(map, address) &&
	       (!map->is_wide || address % 16 == 0);
}

void snap__heapmap_init_fine(bool shared)
{
	snap__finemap_init(snap__heapmap.sparse, shared);
}

/* After the top table there is a byte for each of its pages: was it ever written?  Most of the 256
 * pages never are, and a snapshot skips them. */
static atomic_uchar *top_page(const struct snap__heapmap *map, uintptr_t top_index)
{
	return (atomic_uchar *)(map->top + ((uintptr_t)1 << TOP_BITS)) + top_index / MIDS_A_PAGE;
}

/* The first entry from `t` on whose page was written; their number if there is none. */
static uintptr_t next_written(const struct snap__heapmap *map, uintptr_t t)
{
	while (t < (uintptr_t)1 << TOP_BITS && t % MIDS_A_PAGE == 0 &&
	       !atomic_load_explicit(top_page(map, t), memory_order_acquire))
		t += MIDS_A_PAGE;
	return t;
}

static inline slot_t *leaf_at(const struct snap__heapmap *map, uintptr_t address)
{
	leaf_t *mid = atomic_load_explicit(&map->top[address >> (LEAF_BITS + MID_BITS)],
					   memory_order_acquire);

	if (!mid)
		return NULL;
	return atomic_load_explicit(&mid[(address >> LEAF_BITS) & ((1u << MID_BITS) - 1)],
				    memory_order_acquire);
}

static slot_t *leaf_made(const struct snap__heapmap *map, uintptr_t address)
{
	mid_t *mid_slot = &map->top[address >> (LEAF_BITS + MID_BITS)];
	leaf_t *mid = atomic_load_explicit(mid_slot, memory_order_acquire);
	leaf_t *leaf_slot;
	slot_t *leaf, *expected = NULL;
	bool is_small = map->shift >= SNAP__HEAPMAP_LARGE_SHIFT; /* not worth a mapping */

	if (!mid) {
		leaf_t *fresh = snap__arena_alloc(sizeof(leaf_t) << MID_BITS);

		if (!fresh)
			return NULL;
		atomic_store(top_page(map, address >> (LEAF_BITS + MID_BITS)), 1);
		/* The thread that loses this race wastes 4 KiB of the arena, once; or a small leaf.
		 */
		if (atomic_compare_exchange_strong(mid_slot, &mid, fresh))
			mid = fresh;
	}
	leaf_slot = &mid[(address >> LEAF_BITS) & ((1u << MID_BITS) - 1)];
	leaf = is_small ? snap__arena_alloc(leaf_size(map)) : snap__map(leaf_size(map));
	if (!leaf)
		return NULL;
	if (!atomic_compare_exchange_strong(leaf_slot, &expected, leaf)) {
		if (!is_small)
			snap__unmap(leaf, leaf_size(map));
		leaf = expected;
	}
	return leaf;
}

static inline size_t slot_index(const struct snap__heapmap *map, uintptr_t address)
{
	return (address >> map->shift) & (slots_per_leaf(map) - 1);
}

/* A counter that reached its maximum stays there, because the true count is no longer known. */
static void filter_add(uintptr_t address, int change)
{
	atomic_uchar *counter = snap__heapmap_filter_of(address);
	unsigned char old = atomic_load(counter);

	while (old != UCHAR_MAX &&
	       !atomic_compare_exchange_weak(counter, &old, (unsigned char)(old + change)))
		;
}

void snap__heapmap_filter_mark(uintptr_t base, size_t size)
{
	uintptr_t last = (base + size - 1) >> SNAP__FILTER_REGION_BITS;

	for (uintptr_t region = base >> SNAP__FILTER_REGION_BITS; region <= last; region++)
		atomic_store(snap__heapmap_filter_of(region << SNAP__FILTER_REGION_BITS),
			     UCHAR_MAX);
}

/* The slot that holds the size of the large block whose own slot is for `address`. */
static slot_t *size_slot(const struct snap__heapmap *map, uintptr_t address, bool make)
{
	uintptr_t next = address + ((uintptr_t)1 << map->shift);
	slot_t *leaf = leaf_at(map, next);

	if (!leaf && make)
		leaf = leaf_made(map, next);
	return leaf ? &leaf[slot_index(map, next)] : NULL;
}

static uint64_t packed(const struct snap__heapmap *map, uintptr_t address,
		       const struct snap__block *block)
{
	struct snap__block sizeless = *block;
	uint64_t position = position_of(map, address);

	if (block->size <= SNAP__SLOT_SIZE_MAX)
		return snap__slot_pack(0, block) | position;
	sizeless.size = 0;
	return snap__slot_pack(0, &sizeless) | position | LARGE;
}

/* Whether several blocks may begin in a granule: the slot is for one of them. */
static bool is_shared(const struct snap__heapmap *map)
{
	return map->sparse || map->shift < 5;
}

/* Write the slot, whose value was `old`.  False: a thread whose block begins in the same granule was
 * first. */
static bool fill(const struct snap__heapmap *map, slot_t *slot, uint64_t old, uint64_t value)
{
	if (map->sparse)
		return atomic_compare_exchange_strong(slot, &old, value);
	atomic_store_explicit(slot, value, memory_order_release);
	return true;
}

static bool put(const struct snap__heapmap *map, uintptr_t address, const struct snap__block *block,
		bool *stale)
{
	slot_t *leaf, *slot, *size;
	uint64_t old, value = packed(map, address, block);

	*stale = false;
	if (!snap__address_is_regular(address))
		return snap__side_put(SNAP__SIDE_MALLOC, address, block, stale);
	leaf = leaf_at(map, address);
	if (!leaf && !(leaf = leaf_made(map, address)))
		return false;
	slot = &leaf[slot_index(map, address)];
	size = value & LARGE ? size_slot(map, address, true) : NULL;
	if ((value & LARGE) && !size)
		return false;
	do {
		old = atomic_load_explicit(slot, memory_order_relaxed);
		if ((old & USED) && !is_of(map, old, address) && is_shared(map))
			return snap__side_put(SNAP__SIDE_MALLOC, address, block, stale);
		*stale = (old & USED) != 0;
		if (size)
			atomic_store_explicit(size, block->size << 1, memory_order_relaxed);
	} while (!fill(map, slot, old, value));
	touch(map, leaf, slot_index(map, address));
	return true;
}

static bool take(const struct snap__heapmap *map, uintptr_t address, struct snap__block *out)
{
	slot_t *leaf, *slot;
	uint64_t value;

	if (!snap__address_is_regular(address))
		return snap__side_take(SNAP__SIDE_MALLOC, address, out);
	leaf = leaf_at(map, address);
	if (!leaf)
		return false;
	slot = &leaf[slot_index(map, address)];
	value = atomic_load_explicit(slot, memory_order_relaxed);
	if (!is_of(map, value, address))
		return snap__side_take(SNAP__SIDE_MALLOC, address, out);
	snap__slot_unpack(value, out);
	atomic_store_explicit(slot, 0, memory_order_relaxed);
	if (value & LARGE) {
		slot_t *size = size_slot(map, address, false);

		out->size = atomic_load_explicit(size, memory_order_relaxed) >> 1;
		atomic_store_explicit(size, 0, memory_order_relaxed);
	}
	return true;
}

static bool put_in(const struct snap__heapmap *map, uintptr_t address,
		   const struct snap__block *block, bool *stale)
{
	if (!put(map, address, block, stale))
		return false;
	if (map->sparse && !*stale)
		filter_add(address, 1);
	return true;
}

static bool take_from(const struct snap__heapmap *map, uintptr_t address, struct snap__block *out)
{
	if (map->sparse && !snap__heapmap_may_hold(address))
		return false;
	if (!take(map, address, out))
		return false;
	if (map->sparse)
		filter_add(address, -1);
	return true;
}

bool snap__heapmap_take(uintptr_t address, struct snap__block *out)
{
	for (size_t i = 0; i < (snap__heapmap.sparse ? 1 : MAPS); i++)
		if (take_from(maps[i], address, out))
			return true;
	return false;
}

bool snap__heapmap_put_fine(uintptr_t address, const struct snap__block *block, bool *stale)
{
	if (!snap__finemap_put(address, block, stale))
		return false;
	if (snap__heapmap.sparse && !*stale)
		filter_add(address, 1);
	return true;
}

bool snap__heapmap_take_fine(uintptr_t address, struct snap__block *out)
{
	if (snap__heapmap.sparse && !snap__heapmap_may_hold(address))
		return false;
	if (!snap__finemap_take(address, out))
		return false;
	if (snap__heapmap.sparse)
		filter_add(address, -1);
	return true;
}

static bool find(const struct snap__heapmap *map, uintptr_t address, struct snap__block *out)
{
	slot_t *leaf = map->top && snap__address_is_regular(address) ? leaf_at(map, address) : NULL;
	uint64_t value =
		leaf ? atomic_load_explicit(&leaf[slot_index(map, address)], memory_order_relaxed)
		     : 0;

	if (!is_of(map, value, address))
		return false;
	snap__slot_unpack(value, out);
	if (value & LARGE) {
		slot_t *size = size_slot(map, address, false);

		out->size = size ? atomic_load_explicit(size, memory_order_relaxed) >> 1 : 0;
	}
	return true;
}

/* A block in another map whose free was not seen: it would be mistaken for the new block, or stay
   forever.  The fast path of a small block does not look for it, because that would make each of
   them slower; see is_hidden(). */
static inline bool forget_in(const struct snap__heapmap *map, uintptr_t address)
{
	const slot_t *leaf = leaf_at(map, address);
	struct snap__block gone;

	return leaf &&
	       is_of(map,
		     atomic_load_explicit(&leaf[slot_index(map, address)], memory_order_relaxed),
		     address) &&
	       take_from(map, address, &gone);
}

static inline bool forget_in_others(const struct snap__heapmap *map, uintptr_t address)
{
	bool hides = false;

	if (!snap__address_is_regular(address))
		return false; /* it is in no map */
	if (map != &snap__heapmap)
		hides = forget_in(&snap__heapmap, address);
	if (map != &snap__heapmap_large)
		hides = forget_in(&snap__heapmap_large, address) || hides;
	if (map != &snap__heapmap_huge)
		hides = forget_in(&snap__heapmap_huge, address) || hides;
	return hides;
}

bool snap__heapmap_put(uintptr_t address, const struct snap__block *block, bool *stale)
{
	const struct snap__heapmap *map = map_for(address, block->size);
	bool hides = !map->sparse && forget_in_others(map, address);

	if (!put_in(map, address, block, stale))
		return false;
	*stale = *stale || hides;
	return true;
}

bool snap__heapmap_find(uintptr_t address, struct snap__block *out)
{
	if (snap__finemap_find(address, out))
		return true;
	for (size_t i = 0; i < MAPS; i++)
		if (find(maps[i], address, out))
			return true;
	return false;
}

typedef void slot_fn(void *user, const struct snap__heapmap *map, slot_t *slot, uint64_t value,
		     uintptr_t address);

static void each_slot_of_leaf(const struct snap__heapmap *map, slot_t *leaf, uintptr_t base,
			      slot_fn *fn, void *user)
{
	size_t end = slots_per_leaf(map);

	for (size_t page = 0; page < end; page += SLOTS_A_PAGE) {
		if (!atomic_load_explicit(snap__heapmap_touched(map, leaf, page),
					  memory_order_acquire))
			continue;
		for (size_t i = page; i < page + SLOTS_A_PAGE; i++) {
			uint64_t value = atomic_load_explicit(&leaf[i], memory_order_acquire);

			if (value & USED)
				fn(user, map, &leaf[i], value, base + ((uintptr_t)i << map->shift));
		}
	}
}

static void each_slot_of(const struct snap__heapmap *map, slot_fn *fn, void *user)
{
	if (!map->top)
		return;
	for (uintptr_t t = next_written(map, 0); t < (uintptr_t)1 << TOP_BITS;
	     t = next_written(map, t + 1)) {
		leaf_t *mid = atomic_load_explicit(&map->top[t], memory_order_acquire);

		for (uintptr_t m = 0; mid && m < (uintptr_t)1 << MID_BITS; m++) {
			slot_t *leaf = atomic_load_explicit(&mid[m], memory_order_acquire);

			if (leaf)
				each_slot_of_leaf(map, leaf, (t << MID_BITS | m) << LEAF_BITS, fn,
						  user);
		}
	}
}

static void each_slot(slot_fn *fn, void *user)
{
	for (size_t i = 0; i < MAPS; i++)
		each_slot_of(maps[i], fn, user);
}

static uint64_t untouched_in_leaf(const struct snap__heapmap *map, slot_t *leaf)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < slots_per_leaf(map); i += SLOTS_A_PAGE)
		if (!atomic_load_explicit(snap__heapmap_touched(map, leaf, i),
					  memory_order_relaxed))
			bytes += PAGE_SIZE;
	return bytes;
}

static uint64_t untouched_in(const struct snap__heapmap *map)
{
	uint64_t bytes = 0;

	if (!map->top)
		return 0;
	for (uintptr_t t = next_written(map, 0); t < (uintptr_t)1 << TOP_BITS;
	     t = next_written(map, t + 1)) {
		leaf_t *mid = atomic_load_explicit(&map->top[t], memory_order_acquire);

		for (uintptr_t m = 0; mid && m < (uintptr_t)1 << MID_BITS; m++) {
			slot_t *leaf = atomic_load_explicit(&mid[m], memory_order_acquire);

			bytes += leaf ? untouched_in_leaf(map, leaf) : 0;
		}
	}
	for (uintptr_t t = 0; t < (uintptr_t)1 << TOP_BITS; t += MIDS_A_PAGE)
		bytes += atomic_load(top_page(map, t)) ? 0 : PAGE_SIZE;
	return bytes;
}

uint64_t snap__heapmap_untouched(void)
{
	uint64_t bytes = snap__finemap_untouched();

	for (size_t i = 0; i < MAPS; i++)
		bytes += untouched_in(maps[i]);
	return bytes;
}

struct walk {
	snap__heapmap_at_fn *fn;
	void *user;
};

static uintptr_t address_of(const struct snap__heapmap *map, uint64_t value, uintptr_t granule)
{
	if (map->is_wide)
		return granule | (value & SNAP__SLOT_WIDE) << SNAP__SLOT_WIDE_SHIFT;
	return (granule & ~SNAP__SLOT_POSITION) | (value & SNAP__SLOT_POSITION);
}

/* The fast path of a small block does not look for a large block at the same place whose free was
   not seen.  So a walk skips such a large block. */
static bool is_hidden(const struct snap__heapmap *map, uintptr_t address)
{
	struct snap__block small;

	return map != &snap__heapmap && find(&snap__heapmap, address, &small);
}

static void walk_slot(void *user, const struct snap__heapmap *map, slot_t *slot, uint64_t value,
		      uintptr_t address)
{
	const struct walk *walk = user;
	struct snap__block block;

	snap__slot_unpack(value, &block);
	if (value & LARGE) {
		slot_t *size = size_slot(map, address, false);

		block.size = size ? atomic_load_explicit(size, memory_order_relaxed) >> 1 : 0;
		if (atomic_load_explicit(slot, memory_order_acquire) != value)
			return; /* freed while we looked */
	}
	if (is_hidden(map, address_of(map, value, address)))
		return;
	walk->fn(walk->user, address_of(map, value, address), &block);
}

void snap__heapmap_walk_apart(snap__heapmap_at_fn *fn, snap__heapmap_at_fn *fine,
			      snap__heapmap_at_fn *beside, void *user)
{
	struct walk walk = {fn, user};

	each_slot(walk_slot, &walk);
	snap__finemap_walk(fine, user);
	snap__side_walk(beside, user);
}

void snap__heapmap_walk(snap__heapmap_at_fn *fn, void *user)
{
	snap__heapmap_walk_apart(fn, fn, fn, user);
}

static void walk_slot_at(void *user, const struct snap__heapmap *map, slot_t *slot, uint64_t value,
			 uintptr_t address)
{
	const struct walk *walk = user;
	struct snap__block block;

	(void)slot;
	snap__slot_unpack(value, &block);
	if (value & LARGE) {
		slot_t *size = size_slot(map, address, false);

		block.size = size ? atomic_load_explicit(size, memory_order_relaxed) >> 1 : 0;
	}
	if (is_hidden(map, address_of(map, value, address)))
		return;
	walk->fn(walk->user, address_of(map, value, address), &block);
}

void snap__heapmap_walk_at(snap__heapmap_at_fn *fn, void *user)
{
	struct walk walk = {fn, user};

	each_slot(walk_slot_at, &walk);
	snap__finemap_walk(fn, user);
	snap__side_walk_at(fn, user);
}

struct merge {
	uint32_t oldest, count;
};

static void merge_in(void *user, snap__slot *slot, uint64_t value)
{
	const struct merge *merge = user;
	uint32_t age = ((uint32_t)(value >> EPOCH_SHIFT) - merge->oldest) % SNAP__EPOCHS;
	uint64_t epoch = (merge->oldest + merge->count) % SNAP__EPOCHS;

	/* A failed exchange means that the owner freed or moved the block: nothing left to do. */
	if (age < merge->count)
		atomic_compare_exchange_strong(
			slot, &value, (value & ((1ull << EPOCH_SHIFT) - 1)) | epoch << EPOCH_SHIFT);
}

static void merge_slot(void *user, const struct snap__heapmap *map, slot_t *slot, uint64_t value,
		       uintptr_t address)
{
	(void)map;
	(void)address;
	merge_in(user, slot, value);
}

void snap__heapmap_merge_epochs(uint32_t oldest, uint32_t count)
{
	struct merge merge = {oldest, count};

	each_slot(merge_slot, &merge);
	snap__finemap_each_slot(merge_in, &merge);
	snap__side_merge_epochs(oldest, count);
}

static void clear_slot(void *user, const struct snap__heapmap *map, slot_t *slot, uint64_t value,
		       uintptr_t address)
{
	(void)user;
	if (value & LARGE) {
		slot_t *size = size_slot(map, address, false);

		if (size)
			atomic_store_explicit(size, 0, memory_order_relaxed);
	}
	atomic_store_explicit(slot, 0, memory_order_relaxed);
}

static void clear_fine(void *user, snap__slot *slot, uint64_t value)
{
	(void)user;
	(void)value;
	atomic_store_explicit(slot, 0, memory_order_relaxed);
}

void snap__heapmap_clear(void)
{
	each_slot(clear_slot, NULL);
	snap__finemap_each_slot(clear_fine, NULL);
	snap__side_clear();
	for (size_t i = 0; i < 1u << SNAP__FILTER_BITS; i++) {
		unsigned char blocks =
			atomic_load_explicit(&snap__heapmap_filter[i], memory_order_relaxed);

		/* Do not write what is already marked: the write would allocate the page. */
		if (blocks != 0 && blocks != UCHAR_MAX)
			atomic_store_explicit(&snap__heapmap_filter[i], 0, memory_order_relaxed);
	}
}
