/*
 * holders/owned.c - a table of what allocators map.  Entries are added, and can be emptied.
 *
 * An allocator may map memory before anybody knows where the allocator is: until then every caller
 * of mmap is noted.
 */
#include "runtime/holders/owned.h"

#include <stdatomic.h>
#include <stdbool.h>

#include "runtime/modules.h"
#include "runtime/hidden.h"

#define MOST 16384u /* further mappings are recognised by the blocks in them */

struct entry {
	_Atomic uintptr_t address;
	_Atomic size_t size; /* 0: nothing */
	_Atomic uintptr_t caller;
};

static struct entry entries[MOST] SNAP__PAGES;
static atomic_uint count;
static atomic_bool is_off;
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
