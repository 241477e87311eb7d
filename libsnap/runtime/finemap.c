/*
 * runtime/finemap.c - an array of slots for each page of small blocks.
 *
 * Arrays come from the recorder's arena, and are kept in lists by size when the host gives their
 * pages back.  A list's head has a count of changes beside the address, so that a late
 * compare-and-swap fails.
 */
#include "runtime/finemap.h"

#include "runtime/arena.h"
#include "runtime/sidetable.h"

#define PAGE_BYTES   (1u << SNAP__FINE_PAGE_BITS)
#define LEAF_PAGES   (1u << SNAP__FINE_LEAF_BITS)
#define TOPS         ((uintptr_t)1 << SNAP__FINE_TOP_BITS)
#define TOPS_A_PAGE  (PAGE_BYTES / sizeof(snap__fine_leaf))
#define FINEST       4u /* shifts of granules */
#define COARSEST     9u
#define MOST_SLOTS   (PAGE_BYTES >> FINEST)
#define GROUP_PAGES  (PAGE_BYTES / sizeof(struct snap__fine_page))
#define GROUPS       (LEAF_PAGES / GROUP_PAGES)
#define LEAF_BYTES   (LEAF_PAGES * sizeof(struct snap__fine_page) + GROUPS)
#define CHANGES_BITS 22 /* of a list's head, above an address of which 6 bits are 0 */

typedef struct snap__fine_page page_t;

struct snap__finemap snap__finemap;
static snap__fine_leaf top[TOPS] SNAP__PAGES;
static atomic_uchar top_touched[TOPS / TOPS_A_PAGE]; /* was this page of the table ever written? */
static _Atomic uint64_t free_arrays[COARSEST + 1];   /* by shift */

static bool is_shared;

void snap__finemap_init(bool sparse, bool shared)
{
	is_shared = shared;
	snap__finemap.top = top;
	snap__finemap.dense = sparse ? NULL : top;
}

/* ---- arrays ---------------------------------------------------------------------------------- */

static unsigned slots_of(unsigned shift)
{
	return PAGE_BYTES >> shift;
}

static snap__slot *array_at(uint64_t head)
{
	return (snap__slot *)(uintptr_t)(head >> CHANGES_BITS << 6);
}

static uint64_t head_of(const snap__slot *array, uint64_t before)
{
	return (uint64_t)((uintptr_t)array >> 6) << CHANGES_BITS |
	       ((before + 1) & ((1u << CHANGES_BITS) - 1));
}

/* The first slot of a free array has the address of the next; it does not look used. */
static snap__slot *array_new(unsigned shift)
{
	uint64_t head = atomic_load(&free_arrays[shift]);

	while (array_at(head)) {
		snap__slot *array = array_at(head);
		uint64_t next = atomic_load(&array[0]);

		if (!atomic_compare_exchange_weak(&free_arrays[shift], &head,
						  head_of((snap__slot *)(uintptr_t)next, head)))
			continue;
		atomic_store(&array[0], 0);
		return array;
	}
	return snap__arena_alloc(slots_of(shift) * sizeof(snap__slot));
}

static void array_give_back(snap__slot *array, unsigned shift)
{
	uint64_t head = atomic_load(&free_arrays[shift]);

	do
		atomic_store(&array[0], (uintptr_t)array_at(head));
	while (!atomic_compare_exchange_weak(&free_arrays[shift], &head, head_of(array, head)));
}

/* ---- pages ----------------------------------------------------------------------------------- */

/* Was this group of a leaf's pages ever written? */
static atomic_uchar *touched(page_t *leaf, size_t group)
{
	return (atomic_uchar *)(leaf + LEAF_PAGES) + group;
}

static page_t *leaf_made(uintptr_t index)
{
	page_t *leaf = atomic_load_explicit(&top[index], memory_order_acquire), *none = NULL;

	if (leaf)
		return leaf;
	leaf = snap__map(LEAF_BYTES);
	if (!leaf)
		return NULL;
	/* In this order: a process that is forked between the two steps must find the leaf. */
	atomic_store_explicit(&top_touched[index / TOPS_A_PAGE], 1, memory_order_seq_cst);
	if (!atomic_compare_exchange_strong(&top[index], &none, leaf)) {
		snap__unmap(leaf, LEAF_BYTES);
		leaf = none;
	}
	return leaf;
}

/* The number of the first leaf from `index` on; TOPS if there is none.  Most pages of the table were
 * never written, and are not read, so that they take no memory. */
static uintptr_t next_leaf(uintptr_t index)
{
	while (index < TOPS) {
		if (!atomic_load_explicit(&top_touched[index / TOPS_A_PAGE], memory_order_acquire))
			index += TOPS_A_PAGE - index % TOPS_A_PAGE;
		else if (!atomic_load_explicit(&top[index], memory_order_acquire))
			index++;
		else
			break;
	}
	return index;
}

static page_t *page_at(uintptr_t address)
{
	page_t *leaf =
		atomic_load_explicit(&top[address >> (SNAP__FINE_LEAF_BITS + SNAP__FINE_PAGE_BITS)],
				     memory_order_acquire);

	return leaf ? &leaf[address >> SNAP__FINE_PAGE_BITS & (LEAF_PAGES - 1)] : NULL;
}

static page_t *page_made(uintptr_t address)
{
	page_t *leaf = leaf_made(address >> (SNAP__FINE_LEAF_BITS + SNAP__FINE_PAGE_BITS));
	size_t index = address >> SNAP__FINE_PAGE_BITS & (LEAF_PAGES - 1);

	if (!leaf)
		return NULL;
	atomic_store_explicit(touched(leaf, index / GROUP_PAGES), 1, memory_order_release);
	return &leaf[index];
}

static uintptr_t array_of(page_t *page, unsigned i)
{
	return atomic_load_explicit(&page->arrays[i], memory_order_acquire);
}

/* The allocator rounds sizes up to a multiple of 16.  Slots are filled without an exchange, so
 * that threads without a common lock must not meet in one granule. */
static unsigned shift_for(uint64_t size)
{
	uint64_t room = size > 16 ? (size + 15) & ~15ull : 16;
	unsigned shift = 63 - (unsigned)__builtin_clzll(room);

	if (is_shared)
		return FINEST;
	return shift > COARSEST ? COARSEST : shift;
}

/* The shift of the page's array number `i`, after `previous`; the last one has the finest. */
static unsigned next_shift(unsigned i, uint64_t size, uintptr_t previous)
{
	unsigned shift = shift_for(size), above = previous & SNAP__FINE_SHIFT;

	if (i == SNAP__FINE_ARRAYS - 1)
		return FINEST;
	return previous && shift >= above ? above - 1 : shift;
}

static uintptr_t array_made(page_t *page, unsigned i, uint64_t size, uintptr_t previous)
{
	unsigned shift = next_shift(i, size, previous);
	snap__slot *array = array_new(shift);
	uintptr_t word = (uintptr_t)array | shift, none = 0;

	if (!array)
		return 0;
	if (atomic_compare_exchange_strong(&page->arrays[i], &none, word))
		return word;
	array_give_back(array, shift);
	return none;
}

/* ---- blocks ---------------------------------------------------------------------------------- */

/* The slot of the block at `address`; NULL: it has none. */
static snap__slot *slot_of(uintptr_t address)
{
	page_t *page =
		snap__finemap.top && snap__address_is_regular(address) ? page_at(address) : NULL;
	uintptr_t array;

	for (unsigned i = 0; page && i < SNAP__FINE_ARRAYS && (array = array_of(page, i)); i++) {
		snap__slot *slot = snap__finemap_slot_in(array, address);

		if (snap__slot_is_of(atomic_load_explicit(slot, memory_order_relaxed), address))
			return slot;
	}
	return NULL;
}

/* A slot that is free, in an array that is made if there is none; NULL: there is no such slot, or,
 * with `*failed`, no memory. */
static snap__slot *free_slot(uintptr_t address, uint64_t size, bool *failed)
{
	page_t *page = page_made(address);
	uintptr_t previous = 0;

	*failed = !page;
	for (unsigned i = 0; page && i < SNAP__FINE_ARRAYS; i++) {
		uintptr_t array = array_of(page, i);
		snap__slot *slot;

		if (!array && (previous & SNAP__FINE_SHIFT) == FINEST)
			return NULL;
		if (!array && !(array = array_made(page, i, size, previous))) {
			*failed = true;
			return NULL;
		}
		slot = snap__finemap_slot_in(array, address);
		if (!(atomic_load_explicit(slot, memory_order_relaxed) & SNAP__SLOT_USED))
			return slot;
		previous = array;
	}
	return NULL;
}

bool snap__finemap_put(uintptr_t address, const struct snap__block *block, bool *stale)
{
	snap__slot *slot = slot_of(address);
	bool failed = false;

	*stale = slot != NULL;
	if (!slot && snap__address_is_regular(address))
		slot = free_slot(address, block->size, &failed);
	if (failed)
		return false;
	if (!slot)
		return snap__side_put(SNAP__SIDE_MALLOC, address, block, stale);
	atomic_store_explicit(slot, snap__slot_pack(address, block), memory_order_release);
	return true;
}

bool snap__finemap_take(uintptr_t address, struct snap__block *out)
{
	snap__slot *slot = slot_of(address);
	uint64_t value;

	if (!slot)
		return snap__side_take(SNAP__SIDE_MALLOC, address, out);
	value = atomic_load_explicit(slot, memory_order_relaxed);
	snap__slot_unpack(value, out);
	out->marked = (value & SNAP__SLOT_MARK) != 0;
	atomic_store_explicit(slot, 0, memory_order_relaxed);
	return true;
}

bool snap__finemap_find(uintptr_t address, struct snap__block *out)
{
	snap__slot *slot = slot_of(address);

	if (!slot)
		return false;
	snap__slot_unpack(atomic_load_explicit(slot, memory_order_relaxed), out);
	return true;
}

bool snap__finemap_mark(uintptr_t address)
{
	snap__slot *slot = slot_of(address);

	if (!slot)
		return false;
	atomic_fetch_or(slot, SNAP__SLOT_MARK);
	return true;
}

/* ---- walks ----------------------------------------------------------------------------------- */

typedef void page_fn(void *user, page_t *page, uintptr_t base);

static void each_page_of_leaf(page_t *leaf, uintptr_t base, page_fn *fn, void *user)
{
	for (size_t i = 0; i < LEAF_PAGES; i++) {
		if (i % GROUP_PAGES == 0 &&
		    !atomic_load_explicit(touched(leaf, i / GROUP_PAGES), memory_order_acquire)) {
			i += GROUP_PAGES - 1;
			continue;
		}
		fn(user, &leaf[i], base + ((uintptr_t)i << SNAP__FINE_PAGE_BITS));
	}
}

static void each_page(page_fn *fn, void *user)
{
	for (uintptr_t t = 0; (t = next_leaf(t)) < TOPS; t++)
		each_page_of_leaf(atomic_load_explicit(&top[t], memory_order_acquire),
				  t << (SNAP__FINE_LEAF_BITS + SNAP__FINE_PAGE_BITS), fn, user);
}

struct slots {
	snap__finemap_slot_fn *fn;
	void *user;
};

static void slots_of_page(void *user, page_t *page, uintptr_t base)
{
	const struct slots *slots = user;
	uintptr_t array;

	(void)base;
	for (unsigned i = 0; i < SNAP__FINE_ARRAYS && (array = array_of(page, i)); i++)
		for (unsigned j = 0; j < slots_of(array & SNAP__FINE_SHIFT); j++) {
			snap__slot *slot = (snap__slot *)(array & ~(uintptr_t)SNAP__FINE_SHIFT) + j;
			uint64_t value = atomic_load_explicit(slot, memory_order_acquire);

			if (value & SNAP__SLOT_USED)
				slots->fn(slots->user, slot, value);
		}
}

void snap__finemap_each_slot(snap__finemap_slot_fn *fn, void *user)
{
	struct slots slots = {fn, user};

	each_page(slots_of_page, &slots);
}

struct blocks {
	snap__finemap_block_fn *fn;
	void *user;
};

static void pass(const struct blocks *blocks, uint64_t value, uintptr_t granule)
{
	struct snap__block block;

	snap__slot_unpack(value, &block);
	block.marked = (value & SNAP__SLOT_MARK) != 0;
	blocks->fn(blocks->user, (granule & ~SNAP__SLOT_POSITION) | (value & SNAP__SLOT_POSITION),
		   &block);
}

static void blocks_of_array(const struct blocks *blocks, const uint64_t *values, unsigned shift,
			    uintptr_t base)
{
	for (unsigned i = 0; i < slots_of(shift); i++)
		if (values[i] & SNAP__SLOT_USED)
			pass(blocks, values[i], base + ((uintptr_t)i << shift));
}

/* The slots are copied first.  If the arena was given back meanwhile, the array may serve another
 * page, and none of its blocks were there for the whole time. */
static void blocks_of_page(void *user, page_t *page, uintptr_t base)
{
	uint64_t values[MOST_SLOTS];
	uintptr_t array;

	for (unsigned i = 0; i < SNAP__FINE_ARRAYS && (array = array_of(page, i)); i++) {
		unsigned shift = array & SNAP__FINE_SHIFT;
		snap__slot *slots = (snap__slot *)(array - shift);

		for (unsigned j = 0; j < slots_of(shift); j++)
			values[j] = atomic_load_explicit(&slots[j], memory_order_acquire);
		if (array_of(page, i) == array)
			blocks_of_array(user, values, shift, base);
	}
}

void snap__finemap_walk(snap__finemap_block_fn *fn, void *user)
{
	struct blocks blocks = {fn, user};

	each_page(blocks_of_page, &blocks);
}

/* ---- arenas that are given back --------------------------------------------------------------- */

static void empty_array(const struct blocks *left, uintptr_t array, uintptr_t base)
{
	unsigned shift = array & SNAP__FINE_SHIFT;
	snap__slot *slots = (snap__slot *)(array - shift);

	for (unsigned i = 0; i < slots_of(shift); i++) {
		uint64_t value = atomic_load_explicit(&slots[i], memory_order_relaxed);

		if (!value)
			continue;
		atomic_store_explicit(&slots[i], 0, memory_order_relaxed);
		pass(left, value, base + ((uintptr_t)i << shift));
	}
	array_give_back(slots, shift);
}

void snap__finemap_forget(uintptr_t base, size_t size, snap__finemap_block_fn *left, void *user)
{
	const struct blocks blocks = {left, user};

	if (!snap__finemap.top || base >> SNAP__ADDRESS_BITS != 0)
		return;
	for (uintptr_t at = base & ~(uintptr_t)(PAGE_BYTES - 1); at < base + size;
	     at += PAGE_BYTES) {
		page_t *page = page_at(at);

		for (unsigned i = 0; page && i < SNAP__FINE_ARRAYS && array_of(page, i); i++)
			empty_array(&blocks, atomic_exchange(&page->arrays[i], 0), at);
	}
}

uint64_t snap__finemap_untouched(void)
{
	uint64_t bytes = 0;

	for (uintptr_t t = 0; (t = next_leaf(t)) < TOPS; t++) {
		page_t *leaf = atomic_load_explicit(&top[t], memory_order_acquire);

		for (size_t group = 0; group < GROUPS; group++)
			if (!atomic_load_explicit(touched(leaf, group), memory_order_relaxed))
				bytes += PAGE_BYTES;
	}
	return bytes;
}
