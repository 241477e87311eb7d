/*
 * holders/owned.c - a table of what allocators map.  Entries are added, and can be emptied.
 *
 * An allocator may map memory before anybody knows where the allocator is: until then every caller
 * of mmap is noted.
 */
#include "runtime/holders/owned.h"

#include <stdatomic.h>
#include <stddef.h>

#include "runtime/modules.h"
#include "runtime/hidden.h"

#define MOST        16384u /* further mappings are recognised by the blocks in them */
#define ASKED_SHIFT 19u    /* 64 KiB, taken when somebody asks */
/* after so many times, memory that the program adds to the heap counts as malloc's */
#define MOST_BREAKS 256u

struct entry {
	_Atomic uintptr_t address;
	_Atomic size_t size; /* 0: nothing */
	_Atomic uintptr_t caller;
};

static struct entry entries[MOST] SNAP__PAGES;
static atomic_uint count;
static atomic_bool is_off, rest_is_used;

/* A bit for each block whose real size the program asked for; by chance, some others share a
   bit. */
static _Atomic uint64_t asked[1 << (ASKED_SHIFT - 6)] SNAP__PAGES;

/* What the program added to the heap: ascending, as the heap grows. */
static struct entry breaks[MOST_BREAKS] SNAP__PAGES;
static atomic_uint break_count;
static _Atomic uintptr_t code_start, code_end; /* of the allocator; 0: not known yet */

static bool is_allocator(uintptr_t caller)
{
	return caller >= atomic_load(&code_start) && caller < atomic_load(&code_end);
}

void snap__owned_mapped(uintptr_t address, size_t size, const void *caller)
{
	unsigned index;

	if (atomic_load_explicit(&is_off, memory_order_relaxed) ||
	    (atomic_load(&code_end) && !is_allocator((uintptr_t)caller)) ||
	    atomic_load(&count) >= MOST)
		return;
	index = atomic_fetch_add(&count, 1);
	if (index >= MOST)
		return;
	atomic_store(&entries[index].address, address);
	atomic_store(&entries[index].caller, (uintptr_t)caller);
	atomic_store(&entries[index].size, size);
}

void snap__owned_unmapped(uintptr_t address, size_t size)
{
	unsigned used = atomic_load(&count);

	if (atomic_load_explicit(&is_off, memory_order_relaxed))
		return;
	for (unsigned i = 0; i < used && i < MOST; i++) {
		uintptr_t low = atomic_load(&entries[i].address);

		if (low >= address && low < address + size)
			atomic_store(&entries[i].size, 0);
	}
}

void snap__owned_init(const void *allocator)
{
	const struct snap__module *module =
		allocator ? snap__modules_at((uintptr_t)allocator) : NULL;

	if (!module) {
		atomic_store(&is_off, true);
		return;
	}
	atomic_store(&code_start, module->start);
	atomic_store(&code_end, module->end);
}

void snap__owned_ranges(struct snap__ranges *ranges)
{
	unsigned used = atomic_load(&count);

	for (unsigned i = 0; i < used && i < MOST; i++)
		if (is_allocator(atomic_load(&entries[i].caller)))
			snap__ranges_add(ranges, atomic_load(&entries[i].address),
					 atomic_load(&entries[i].address) +
						 atomic_load(&entries[i].size));
}

static void add_break(unsigned used, uintptr_t low, size_t size, uintptr_t caller)
{
	struct entry *last = used > 0 ? &breaks[used - 1] : NULL;

	if (last && atomic_load(&last->caller) == caller &&
	    atomic_load(&last->address) + atomic_load(&last->size) == low) {
		atomic_fetch_add(&last->size, size);
		return;
	}
	if (used == MOST_BREAKS)
		return;
	atomic_store(&breaks[used].caller, caller);
	atomic_store(&breaks[used].address, low);
	atomic_store(&breaks[used].size, size);
	atomic_store(&break_count, used + 1);
}

void snap__owned_break(uintptr_t low, uintptr_t high, const void *caller)
{
	unsigned used = atomic_load(&break_count);

	if (low < high) {
		add_break(used, low, high - low, (uintptr_t)caller);
		return;
	}
	for (unsigned i = 0; i < used; i++) {
		uintptr_t begin = atomic_load(&breaks[i].address);

		if (begin + atomic_load(&breaks[i].size) > high)
			atomic_store(&breaks[i].size, begin < high ? high - begin : 0);
	}
	while (used > 0 && atomic_load(&breaks[used - 1].size) == 0)
		used--;
	atomic_store(&break_count, used);
}

void snap__owned_heap(struct snap__ranges *ranges, uintptr_t low, uintptr_t high)
{
	unsigned used = atomic_load(&break_count);

	for (unsigned i = 0; i < used && i < MOST_BREAKS; i++) {
		uintptr_t begin = atomic_load(&breaks[i].address);
		size_t size = atomic_load(&breaks[i].size);

		if (size == 0 || begin < low || begin + size > high ||
		    is_allocator(atomic_load(&breaks[i].caller)))
			continue;
		if (low < begin)
			snap__ranges_add(ranges, low, begin);
		low = begin + size;
	}
	if (low < high)
		snap__ranges_add(ranges, low, high);
}

/* The bit of the block at `address`. */
static _Atomic uint64_t *asked_word(uintptr_t address, uint64_t *bit)
{
	uint64_t hash = (uint64_t)address * 0x9e3779b97f4a7c15u >> (64 - ASKED_SHIFT);

	*bit = (uint64_t)1 << (hash & 63);
	return &asked[hash >> 6];
}

void snap__owned_rest_asked(const void *ptr)
{
	uint64_t bit;
	_Atomic uint64_t *word = asked_word((uintptr_t)ptr, &bit);

	if (atomic_load_explicit(word, memory_order_relaxed) & bit)
		return;
	atomic_fetch_or_explicit(word, bit, memory_order_relaxed);
	atomic_store_explicit(&rest_is_used, true, memory_order_relaxed);
}

bool snap__owned_rest_is_used(void)
{
	return atomic_load(&rest_is_used);
}

bool snap__owned_rest_was_asked(uintptr_t block)
{
	uint64_t bit;
	_Atomic uint64_t *word = asked_word(block, &bit);

	return (atomic_load_explicit(word, memory_order_relaxed) & bit) != 0;
}
