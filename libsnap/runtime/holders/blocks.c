/*
 * holders/blocks.c - from the heap maps and the side table to arrays sorted by address.
 */
#include "runtime/holders/blocks.h"

#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "runtime/heapmap.h"
#include "runtime/holders/copy.h"
#include "runtime/sidetable.h"
#include "runtime/thread.h"
#include "write/sys.h"

#define FIRST_BLOCKS ((uint32_t)1 << 16)
#define FIRST_HUGE   256u
#define STEP         ((uint32_t)1 << 14) /* pages, for every element */
#define TOP_ENTRIES  ((size_t)1 << 18)   /* of 1 GiB: 48 bits of addresses */
#define MIDDLES      512u
#define PAGES        512u

struct snap__blocks snap__blocks;

static void *doubled(void *array, size_t capacity, size_t element)
{
	return snap__copy_grow(array, capacity * element, capacity * 2 * element);
}

static void make_room(struct snap__blocks *all)
{
	if (all->capacity >= SNAP__NO_BLOCK / 2)
		snap__copy_fail("there are too many blocks");
	all->address = doubled(all->address, all->capacity, sizeof(*all->address));
	all->size = doubled(all->size, all->capacity, sizeof(*all->size));
	all->stack = doubled(all->stack, all->capacity, sizeof(*all->stack));
	all->capacity *= 2;
}

/* Memory for so many more. */
static void take_step(struct snap__blocks *all)
{
	if (all->count == all->capacity)
		make_room(all);
	snap__copy_will_write(all->address + all->count, STEP * sizeof(*all->address));
	snap__copy_will_write(all->size + all->count, STEP * sizeof(*all->size));
	snap__copy_will_write(all->stack + all->count, STEP * sizeof(*all->stack));
}

static void add_huge(struct snap__blocks *all, uintptr_t address, uint64_t size)
{
	size_t element = sizeof(*all->huge);

	if (!all->huge) {
		all->huge = snap__copy_need(FIRST_HUGE * element);
		all->huge_capacity = FIRST_HUGE;
	} else if (all->huge_count == all->huge_capacity) {
		all->huge = doubled(all->huge, all->huge_capacity, element);
		all->huge_capacity *= 2;
	}
	all->huge[all->huge_count++] = (struct snap__huge_block){address, size};
}

/* There are few: their sizes together fit into the address space. */
uint64_t snap__blocks_huge_size(uint32_t block)
{
	const struct snap__blocks *all = &snap__blocks;
	uint32_t i = 0;

	while (i + 1 < all->huge_count && all->huge[i].address != all->address[block])
		i++;
	return all->huge[i].size;
}

/* Of the 2 MiB around `address`. */
static struct snap__heap_page *pages_around(uintptr_t address)
{
	struct snap__heap_page ***middle = &snap__blocks.top[address >> 30];
	struct snap__heap_page **pages;

	if (!*middle)
		*middle = snap__copy_need(MIDDLES * sizeof(**middle));
	pages = &(*middle)[address >> 21 & (MIDDLES - 1)];
	if (!*pages)
		*pages = snap__copy_need(PAGES * sizeof(**pages));
	return *pages;
}

/* Blocks come mostly in order: the pages of the last one are at hand. */
static void mark_start(struct snap__blocks *all, uintptr_t address, uintptr_t end)
{
	static struct snap__heap_page *pages;
	static uintptr_t leaf; /* whose pages those are */
	unsigned granule = address >> 4 & 255;
	uint64_t bit = 1ull << (granule & 63), *starts;

	if (!pages || address >> 21 != leaf)
		pages = pages_around(address);
	leaf = address >> 21;
	for (uintptr_t next = leaf + 1; next <= end >> 21; next++)
		pages_around(next << 21);
	starts = &pages[address >> 12 & (PAGES - 1)].starts[granule >> 6];
	all->crowded |= (*starts & bit) != 0;
	*starts |= bit;
	all->high = end >= all->high ? end + 1 : all->high;
}

static void add_block(void *user, uintptr_t address, const struct snap__block *block)
{
	struct snap__blocks *all = user;

	if (all->count % STEP == 0)
		take_step(all);
	all->address[all->count] = address;
	all->size[all->count] = block->size < UINT32_MAX ? (uint32_t)block->size : UINT32_MAX;
	if (block->size >= UINT32_MAX)
		add_huge(all, address, block->size);
	all->stack[all->count++] = block->stack;
	mark_start(all, address, address + block->size);
}

static void swap_blocks(struct snap__blocks *all, size_t a, size_t b)
{
	uintptr_t address = all->address[a];
	uint32_t size = all->size[a], stack = all->stack[a];

	all->address[a] = all->address[b];
	all->size[a] = all->size[b];
	all->stack[a] = all->stack[b];
	all->address[b] = address;
	all->size[b] = size;
	all->stack[b] = stack;
}

/* Where the run that begins at `from` ends: its addresses ascend. */
static uint32_t end_of_run(const struct snap__blocks *all, uint32_t from)
{
	while (++from < all->count && all->address[from - 1] <= all->address[from])
		;
	return from;
}

static void copy_block(struct snap__blocks *to, uint32_t at, const struct snap__blocks *from,
		       uint32_t i)
{
	to->address[at] = from->address[i];
	to->size[at] = from->size[i];
	to->stack[at] = from->stack[i];
}

/* Merge the run [from, middle) with [middle, end), from their ends.  `room` holds the second run
   meanwhile.  It has the large blocks, which are few. */
static void merge_runs(struct snap__blocks *all, struct snap__blocks *room, uint32_t from,
		       uint32_t middle, uint32_t end)
{
	uint32_t left = middle, right = end - middle;

	for (uint32_t i = 0; i < right; i++)
		copy_block(room, i, all, middle + i);
	while (right > 0)
		if (left > from && all->address[left - 1] > room->address[right - 1])
			copy_block(all, --end, all, --left);
		else
			copy_block(all, --end, room, --right);
}

/* Merge each run with the next one.  False if there was only one. */
static bool merge_pairs(struct snap__blocks *all, struct snap__blocks *room)
{
	uint32_t from = 0, middle = end_of_run(all, 0);

	if (middle >= all->count)
		return false;
	while (middle < all->count) {
		uint32_t end = end_of_run(all, middle);

		merge_runs(all, room, from, middle, end);
		from = end;
		middle = end_of_run(all, from);
	}
	return true;
}

/* The walk goes through each table of the heap map in order: there are few runs. */
static void sort(struct snap__blocks *all)
{
	size_t most = (size_t)all->count + 1;
	struct snap__blocks room = {
		.address = snap__copy_need(most * sizeof(*room.address)),
		.size = snap__copy_need(most * sizeof(*room.size)),
		.stack = snap__copy_need(most * sizeof(*room.stack)),
	};

	while (merge_pairs(all, &room))
		;
	snap__copy_give_back(room.address, most * sizeof(*room.address));
	snap__copy_give_back(room.size, most * sizeof(*room.size));
	snap__copy_give_back(room.stack, most * sizeof(*room.stack));
}

static void move_last_down(struct snap__blocks *all)
{
	for (uint32_t i = all->count - 1; i > 0 && all->address[i - 1] > all->address[i]; i--)
		swap_blocks(all, i - 1, i);
}

/* Shared memory is the host's too: nothing may be written there. */
static bool is_private(struct snap__space *space, uintptr_t low, uint64_t size)
{
	const struct snap__area *area = snap__space_at(space, low);

	return area && !area->shared && size <= area->high - low;
}

/* If the old place was given back already, some words there are the allocator's: put them back.  It
 * may also be unmapped; the system call says so instead of ending the copy. */
static void put_words_back(struct snap__space *space, const struct snap__moving *moving)
{
	uint64_t size = moving->block.size;
	char *ptr = (char *)(uintptr_t)moving->ptr;
	size_t first = size < sizeof(moving->first) ? (size_t)size : sizeof(moving->first);
	struct iovec from[2] = {{(void *)(uintptr_t)moving->first, first},
				{(void *)(uintptr_t)&moving->last, sizeof(moving->last)}};
	struct iovec to[2] = {{ptr, first}, {ptr + snap__moving_last(size), sizeof(moving->last)}};

	if (moving->kept && is_private(space, (uintptr_t)ptr, size))
		syscall(SYS_process_vm_writev, (long)snap__sys_getpid(), from, 2ul, to, 2ul, 0ul);
}

/* The first block that begins at `address` or above it. */
static uint32_t first_from(const struct snap__blocks *all, uintptr_t address)
{
	uint32_t low = 0, high = all->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (all->address[middle] < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The allocator may have given the old place, or a part of it, to another thread. */
static bool is_used_again(const struct snap__blocks *all, uintptr_t low, uint64_t size)
{
	uint32_t i = first_from(all, low);

	return (i < all->count && all->address[i] - low < size) ||
	       (i > 0 && low - all->address[i - 1] < snap__blocks_size(i - 1));
}

static void add_moving(struct snap__blocks *all, struct snap__space *space,
		       const struct snap__moving *moving)
{
	uintptr_t address = (uintptr_t)moving->ptr;
	uint32_t i = first_from(all, address);

	if (i < all->count && all->address[i] == address)
		return;
	if (!is_used_again(all, address, moving->block.size))
		put_words_back(space, moving);
	add_block(all, address, &moving->block);
	move_last_down(all);
}

/* Blocks that threads were resizing when they were stopped.  New places come first: they may be the
 * old ones of other threads. */
static void add_all_moving(struct snap__blocks *all, struct snap__space *space)
{
	for (int old = 0; old <= 1; old++)
		for (struct snap__thread *t = snap__threads_first(); t; t = t->next)
			if (t->moving.ptr && atomic_load(&t->owned) && t->moving.kept == (old == 1))
				add_moving(all, space, &t->moving);
}

static uint32_t count_starts(struct snap__heap_page *page, uint32_t before)
{
	uint32_t in = 0;

	page->before = before;
	for (unsigned word = 0; word < 4; word++) {
		page->before_in[word] = (uint8_t)in;
		in += snap__bits_set(page->starts[word]);
	}
	return before + in;
}

static void number_starts(void)
{
	uint32_t before = 0;

	for (uintptr_t t = snap__blocks.low >> 30; t <= snap__blocks.high >> 30; t++) {
		struct snap__heap_page **middle = t < TOP_ENTRIES ? snap__blocks.top[t] : NULL;

		for (unsigned m = 0; middle && m < MIDDLES; m++)
			for (unsigned p = 0; middle[m] && p < PAGES; p++)
				before = count_starts(&middle[m][p], before);
	}
}

void snap__blocks_collect(struct snap__space *space)
{
	snap__blocks.capacity = FIRST_BLOCKS;
	snap__blocks.address = snap__copy_need(FIRST_BLOCKS * sizeof(*snap__blocks.address));
	snap__blocks.size = snap__copy_need(FIRST_BLOCKS * sizeof(*snap__blocks.size));
	snap__blocks.stack = snap__copy_need(FIRST_BLOCKS * sizeof(*snap__blocks.stack));
	snap__blocks.top = snap__copy_need((TOP_ENTRIES + 1) * sizeof(*snap__blocks.top));
	snap__heapmap_walk_at(add_block, &snap__blocks);
	sort(&snap__blocks);
	add_all_moving(&snap__blocks, space);
	if (snap__blocks.count == 0)
		return;
	snap__blocks.low = snap__blocks.address[0];
	number_starts();
}

/* The same as snap__blocks_find(), by binary search. */
uint32_t snap__blocks_search(uintptr_t pointer)
{
	uint32_t low = 0, high = snap__blocks.count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (snap__blocks.address[middle] <= pointer)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0 || pointer - snap__blocks.address[low - 1] > snap__blocks_size(low - 1))
		return SNAP__NO_BLOCK;
	return low - 1;
}
