/*
 * test_finemap.c - the map of small blocks that lie side by side: what is put is what is taken, and
 * the memory goes by the number of blocks.
 */
/* links: snapruntime */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdint.h>

#include "runtime/arena.h"
#include "runtime/finemap.h"
#include "runtime/heapmap.h"

#define ARENA ((uintptr_t)0x7f0000100000)
#define POOL  16384u

static void put(uintptr_t address, uint32_t stack, uint64_t size, uint32_t epoch)
{
	struct snap__block block = {.stack = stack, .size = size, .epoch = epoch};
	bool stale;

	cr_assert(snap__finemap_put(address, &block, &stale));
	cr_assert(not(stale));
}

static void expect_taken(uintptr_t address, uint32_t stack, uint64_t size, uint32_t epoch)
{
	struct snap__block out = {0};

	cr_assert(snap__finemap_take(address, &out));
	cr_expect(eq(u32, out.stack, stack));
	cr_expect(eq(u64, out.size, size));
	cr_expect(eq(u32, out.epoch, epoch));
	cr_expect(not(snap__finemap_take(address, &out)));
}

struct sums {
	uint64_t blocks, bytes, addresses, marked;
};

static void add(void *user, uintptr_t address, const struct snap__block *block)
{
	struct sums *sums = user;

	sums->blocks++;
	sums->bytes += block->size;
	sums->addresses += address;
	sums->marked += block->marked;
}

static struct sums walk(void)
{
	struct sums sums = {0};

	snap__finemap_walk(add, &sums);
	return sums;
}

/* As pymalloc does: blocks of one size behind a header of 48 bytes. */
static uint64_t fill_pool(uintptr_t pool, uint64_t size, uint64_t *addresses)
{
	uint64_t blocks = 0;

	for (uintptr_t at = pool + 48; at + size <= pool + POOL; at += size, blocks++) {
		put(at, (uint32_t)blocks + 1, size, (uint32_t)blocks % 4096);
		*addresses += at;
	}
	return blocks;
}

static void empty_pool(uintptr_t pool, uint64_t size)
{
	uint64_t blocks = 0;

	for (uintptr_t at = pool + 48; at + size <= pool + POOL; at += size, blocks++)
		expect_taken(at, (uint32_t)blocks + 1, size, (uint32_t)blocks % 4096);
}

Test(finemap, pools_of_every_size_come_back_exactly)
{
	uint64_t blocks = 0, bytes = 0, addresses = 0;
	struct sums sums;

	snap__finemap_init(false, false);
	for (uint64_t size = 16; size <= 512; size += 16) {
		uint64_t here = fill_pool(ARENA + size / 16 * POOL, size, &addresses);

		blocks += here;
		bytes += here * size;
	}
	sums = walk();
	cr_expect(eq(u64, sums.blocks, blocks));
	cr_expect(eq(u64, sums.bytes, bytes));
	cr_expect(eq(u64, sums.addresses, addresses));
	for (uint64_t size = 16; size <= 512; size += 16)
		empty_pool(ARENA + size / 16 * POOL, size);
	cr_expect(eq(u64, walk().blocks, 0));
}

Test(finemap, a_page_serves_any_size_after_any_other)
{
	uint64_t addresses = 0;

	snap__finemap_init(false, false);
	for (uint64_t first = 16; first <= 512; first += 48)
		for (uint64_t then = 16; then <= 512; then += 80) {
			fill_pool(ARENA, first, &addresses);
			empty_pool(ARENA, first);
			fill_pool(ARENA, then, &addresses);
			empty_pool(ARENA, then);
		}
	cr_expect(eq(u64, walk().blocks, 0));
}

Test(finemap, blocks_of_any_size_may_share_a_page)
{
	static const uint64_t sizes[] = {512, 16, 100, 0, 1, 33, 256, 500, 8, 64};
	uintptr_t at = ARENA;

	snap__finemap_init(false, false);
	for (unsigned i = 0; i < 1000; i++) {
		put(at, i + 1, sizes[i % 10], i);
		at += (sizes[i % 10] + 16) & ~(uint64_t)15;
	}
	put(ARENA + 8, 5000, 4, 0); /* two in 16 bytes, and odd */
	put(ARENA + 3, 5001, 1, 0);
	at = ARENA;
	for (unsigned i = 0; i < 1000; i++) {
		expect_taken(at, i + 1, sizes[i % 10], i);
		at += (sizes[i % 10] + 16) & ~(uint64_t)15;
	}
	expect_taken(ARENA + 8, 5000, 4, 0);
	expect_taken(ARENA + 3, 5001, 1, 0);
	cr_expect(eq(u64, walk().blocks, 0));
}

Test(finemap, the_usual_slot_is_where_put_looks)
{
	struct snap__block block = {.stack = 7, .size = 100, .epoch = 3}, out;
	snap__slot *slot;

	snap__finemap_init(false, false);
	cr_expect(eq(ptr, snap__finemap_slot(ARENA + 48), NULL));
	put(ARENA + 48, 1, 112, 0);
	slot = snap__finemap_slot(ARENA + 48 + 112);
	cr_assert(snap__slot_fill(slot, ARENA + 48 + 112, &block));
	cr_expect(not(snap__slot_fill(slot, ARENA + 48 + 112, &block)));
	cr_expect(not(snap__slot_empty(slot, ARENA + 48 + 128, &out)));
	expect_taken(ARENA + 48 + 112, 7, 100, 3);
	expect_taken(ARENA + 48, 1, 112, 0);
}

Test(finemap, a_stale_block_is_replaced_and_a_mark_is_returned)
{
	struct snap__block block = {.stack = 2, .size = 20}, out;
	bool stale;

	snap__finemap_init(false, false);
	put(ARENA + 64, 1, 20, 0);
	cr_assert(snap__finemap_put(ARENA + 64, &block, &stale));
	cr_expect(stale);
	cr_expect(snap__finemap_mark(ARENA + 64));
	cr_expect(not(snap__finemap_mark(ARENA + 80)));
	cr_expect(not(snap__slot_empty(snap__finemap_slot(ARENA + 64), ARENA + 64, &out)));
	cr_assert(snap__finemap_take(ARENA + 64, &out));
	cr_expect(out.marked);
	cr_expect(eq(u32, out.stack, 2));
}

Test(finemap, memory_goes_by_blocks_and_is_used_again)
{
	uint64_t before, after, addresses = 0, blocks = 0;
	struct sums left = {0};

	snap__finemap_init(false, false);
	put(ARENA, 1, 16, 0);
	before = snap__memory_mapped() - snap__finemap_untouched();
	for (unsigned round = 0; round < 20; round++) {
		for (uintptr_t pool = 1; pool <= 64; pool++)
			blocks = fill_pool(ARENA + pool * POOL, 160, &addresses);
		put(ARENA + 100 * POOL, 9, 48, 0);
		cr_expect(snap__finemap_mark(ARENA + 100 * POOL));
		left = (struct sums){0};
		snap__finemap_forget(ARENA + POOL, 128 * POOL, add, &left);
		cr_expect(eq(u64, left.blocks, 64 * blocks + 1));
		cr_expect(eq(u64, left.bytes, 64 * blocks * 160 + 48));
		cr_expect(eq(u64, left.marked, 1));
		cr_expect(eq(u64, walk().blocks, 1));
	}
	after = snap__memory_mapped() - snap__finemap_untouched();
	/* 32 slots for 25 blocks in a page, and a slab of the arena */
	cr_expect(lt(u64, after - before, 64 * 4 * 32 * 8 + (256u << 10) + (64u << 10)));
}

Test(finemap, a_sparse_map_is_looked_into_slowly)
{
	struct snap__block block = {.stack = 3, .size = 100}, out;
	bool stale;

	cr_assert(snap__heapmap_init(5, true));
	snap__heapmap_init_fine(false);
	cr_assert(snap__heapmap_put_fine(ARENA + 48, &block, &stale));
	cr_expect(eq(ptr, snap__finemap_slot(ARENA + 48), NULL));
	cr_expect(not(snap__heapmap_take_fine(ARENA + 64, &out)));
	cr_assert(snap__heapmap_take_fine(ARENA + 48, &out));
	cr_expect(eq(u32, out.stack, 3));
	cr_expect(not(snap__heapmap_may_hold(ARENA + 48)));
}

Test(finemap, epochs_are_merged)
{
	snap__heapmap_init_fine(false);
	cr_assert(snap__heapmap_init(5, false));
	for (uint32_t i = 0; i < 100; i++)
		put(ARENA + i * 64, 1, 60, 100 + i);
	snap__heapmap_merge_epochs(100, 50);
	for (uint32_t i = 0; i < 100; i++)
		expect_taken(ARENA + i * 64, 1, 60, i < 50 ? 150 : 100 + i);
}
