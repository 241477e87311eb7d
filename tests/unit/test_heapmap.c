/*
 * test_heapmap.c - the shadow map of the heap: what is put is what is taken.
 */
/* links: snapruntime */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <pthread.h>
#include <stdint.h>

#include "runtime/arena.h"
#include "runtime/heapmap.h"

static struct snap__block block_of(uint32_t stack, uint64_t size, uint32_t epoch)
{
	return (struct snap__block){.stack = stack, .size = size, .epoch = epoch};
}

static void put(uintptr_t address, uint32_t stack, uint64_t size, uint32_t epoch)
{
	struct snap__block block = block_of(stack, size, epoch);
	bool stale;

	cr_assert(snap__heapmap_put(address, &block, &stale));
	cr_assert(not(stale));
}

static void expect_taken(uintptr_t address, uint32_t stack, uint64_t size, uint32_t epoch)
{
	struct snap__block out = {0};

	cr_assert(snap__heapmap_take(address, &out));
	cr_expect(eq(u32, out.stack, stack));
	cr_expect(eq(u64, out.size, size));
	cr_expect(eq(u32, out.epoch, epoch));
	cr_expect(not(snap__heapmap_take(address, &out)));
}

struct sums {
	uint64_t blocks, bytes, epochs;
};

static void add(void *user, uintptr_t address, const struct snap__block *block)
{
	struct sums *sums = user;

	(void)address;
	sums->blocks++;
	sums->bytes += block->size;
	sums->epochs += block->epoch;
}

static struct sums walk(void)
{
	struct sums sums = {0};

	snap__heapmap_walk(add, &sums);
	return sums;
}

Test(heapmap, sizes_stacks_and_epochs_come_back_exactly)
{
	static const uint64_t sizes[] = {0,       1,        (1 << 20) - 1,       1 << 20,
					 1 << 21, 1u << 31, (1ull << 45) + 12345};
	uintptr_t at = 0x7f1234567010;

	cr_assert(snap__heapmap_init(5, false));
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++, at += 1ull << 46 >> 8)
		put(at, (1u << 28) - 1 - (uint32_t)i, sizes[i], (uint32_t)(4095 - i));
	at = 0x7f1234567010;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++, at += 1ull << 46 >> 8)
		expect_taken(at, (1u << 28) - 1 - (uint32_t)i, sizes[i], (uint32_t)(4095 - i));
}

Test(heapmap, a_large_block_at_the_end_of_a_leaf_keeps_its_size_in_the_next)
{
	cr_assert(snap__heapmap_init(5, false));
	put(0x5000001ffff0, 7, 5 << 20, 3); /* the last granule of a 2 MiB leaf */
	cr_expect(eq(u64, walk().bytes, 5 << 20));
	expect_taken(0x5000001ffff0, 7, 5 << 20, 3);
	cr_expect(eq(u64, walk().blocks, 0));
}

Test(heapmap, an_address_in_the_same_granule_is_not_the_block)
{
	struct snap__block out;

	cr_assert(snap__heapmap_init(5, false));
	put(0x100010, 1, 8, 0);
	cr_expect(not(snap__heapmap_take(0x100018, &out)));
	cr_expect(not(snap__heapmap_take(0x100000, &out)));
	expect_taken(0x100010, 1, 8, 0);
}

Test(heapmap, two_blocks_in_one_granule_and_odd_addresses_are_kept_apart)
{
	cr_assert(snap__heapmap_init(4, false));
	put(0x200000, 1, 8, 0);
	put(0x200008, 2, 8, 1);
	put(0x200003, 3, 1, 2);
	put(0x900000000000, 4, 5, 3); /* beyond 47 bits */
	cr_expect(eq(u64, walk().blocks, 4));
	expect_taken(0x200008, 2, 8, 1);
	expect_taken(0x200000, 1, 8, 0);
	expect_taken(0x200003, 3, 1, 2);
	expect_taken(0x900000000000, 4, 5, 3);
}

Test(heapmap, a_block_put_over_a_stale_one_replaces_it)
{
	struct snap__block block = block_of(2, 20, 0);
	bool stale;

	cr_assert(snap__heapmap_init(5, false));
	put(0x300000, 1, 10, 0);
	cr_assert(snap__heapmap_put(0x300000, &block, &stale));
	cr_expect(stale);
	expect_taken(0x300000, 2, 20, 0);
}

Test(heapmap, large_and_small_blocks_side_by_side_are_kept_apart)
{
	static const uint64_t sizes[] = {513,   8,     512,   600,  514,     24,   32767, 1,
					 32768, 513,   2048,  2049, 16,      2049, 2060,  2048,
					 3000,  32768, 32768, 513,  4 << 20, 16};
	const size_t count = sizeof(sizes) / sizeof(sizes[0]);
	uintptr_t at = 0x700000;
	uint64_t bytes = 0;

	cr_assert(snap__heapmap_init(5, false));
	for (size_t i = 0; i < count; i++) { /* as glibc places them */
		put(at + 16, (uint32_t)i + 1, sizes[i], (uint32_t)i);
		bytes += sizes[i];
		at += (sizes[i] + 8 + 31) & ~(uintptr_t)15;
	}
	cr_expect(eq(u64, walk().blocks, count));
	cr_expect(eq(u64, walk().bytes, bytes));
	at = 0x700000;
	for (size_t i = 0; i < count; i++) {
		expect_taken(at + 16, (uint32_t)i + 1, sizes[i], (uint32_t)i);
		at += (sizes[i] + 8 + 31) & ~(uintptr_t)15;
	}
	cr_expect(eq(u64, walk().blocks, 0));
}

static void expect_at(void *user, uintptr_t address, const struct snap__block *block)
{
	uintptr_t *expected = user;

	cr_expect(eq(u64, address, *expected));
	*expected += 0x1a8; /* no multiple of any granule */
	cr_expect(eq(u64, block->size, 10));
}

Test(heapmap, a_walk_says_where_blocks_are)
{
	uintptr_t expected = 0x800008;

	cr_assert(snap__heapmap_init(5, false));
	for (unsigned i = 0; i < 1000; i++)
		put(0x800008 + (uintptr_t)i * 0x1a8, 1, 10, 0);
	snap__heapmap_walk(expect_at, &expected);
	cr_expect(eq(u64, expected, 0x800008 + 1000 * 0x1a8));
}

static void expect_kilobytes_at(void *user, uintptr_t address, const struct snap__block *block)
{
	uintptr_t *expected = user;

	cr_expect(eq(u64, address, *expected));
	*expected += 2064; /* each 16 bytes of a granule of 2 KiB has a block sooner or later */
	cr_expect(eq(u64, block->size, 2050));
}

Test(heapmap, a_walk_says_where_blocks_of_kilobytes_are)
{
	uintptr_t expected = 0x7fff00000010;

	cr_assert(snap__heapmap_init(5, false));
	for (uintptr_t i = 0; i < 1000; i++)
		put(0x7fff00000010 + i * 2064, 1, 2050, 0);
	snap__heapmap_walk(expect_kilobytes_at, &expected);
	cr_expect(eq(u64, expected, 0x7fff00000010 + 1000 * 2064));
}

Test(heapmap, an_address_near_a_block_of_kilobytes_is_not_the_block)
{
	struct snap__block out;

	cr_assert(snap__heapmap_init(5, false));
	put(0x100010, 1, 3000, 0);
	for (uintptr_t at = 0x100000; at < 0x100000 + 3000; at += 8)
		if (at != 0x100010) {
			cr_expect(not(snap__heapmap_take_large(at, &out)), "%lx", at);
			cr_expect(not(snap__heapmap_take(at, &out)), "%lx", at);
			cr_expect(not(snap__heapmap_find(at, &out)), "%lx", at);
		}
	cr_expect(snap__heapmap_find(0x100010, &out) && out.size == 3000);
	cr_expect(snap__heapmap_take_large(0x100010, &out) && out.size == 3000);
	cr_expect(not(snap__heapmap_take(0x100010, &out)));
}

Test(heapmap, a_block_of_kilobytes_may_begin_at_any_multiple_of_8)
{
	cr_assert(snap__heapmap_init(4, false));
	put(0x200008, 1, 5000, 4);
	put(0x200008 + 5000, 2, 40000, 5);
	put(0x200008 + 45000, 3, 2049, 6);
	cr_expect(eq(u64, walk().bytes, 47049));
	expect_taken(0x200008, 1, 5000, 4);
	expect_taken(0x200008 + 5000, 2, 40000, 5);
	expect_taken(0x200008 + 45000, 3, 2049, 6);
}

Test(heapmap, a_block_of_any_size_replaces_one_whose_free_was_not_seen)
{
	static const uint64_t sizes[] = {40, 600, 3000, 40000};
	struct snap__block block = block_of(2, 0, 0);
	bool stale;

	cr_assert(snap__heapmap_init(5, false));
	for (unsigned i = 0; i < 16; i++) {
		put(0x300040, 1, sizes[i / 4], 0);
		block.size = sizes[i % 4];
		cr_assert(snap__heapmap_put(0x300040, &block, &stale));
		cr_expect(stale);
		cr_expect(eq(u64, walk().blocks, 1));
		expect_taken(0x300040, 2, sizes[i % 4], 0);
	}
}

Test(heapmap, a_large_block_replaces_a_small_one_whose_free_was_not_seen)
{
	struct snap__block large = block_of(2, 5000, 0);
	bool stale;

	cr_assert(snap__heapmap_init(5, false));
	put(0x300040, 1, 10, 0);
	cr_assert(snap__heapmap_put(0x300040, &large, &stale));
	cr_expect(stale);
	cr_expect(eq(u64, walk().blocks, 1));
	expect_taken(0x300040, 2, 5000, 0);
}

Test(heapmap, a_small_block_replaces_a_large_one_whose_free_was_not_seen)
{
	struct snap__block small = block_of(1, 40, 0);
	bool stale;

	cr_assert(snap__heapmap_init(5, false));
	put(0x300040, 2, 2000, 0);
	cr_assert(snap__heapmap_put(0x300040, &small, &stale));
	cr_expect(stale);
	cr_expect(eq(u64, walk().blocks, 1));
	expect_taken(0x300040, 1, 40, 0);
}

Test(heapmap, a_large_block_under_a_small_one_that_was_put_the_usual_way_is_not_seen)
{
	const uintptr_t address = 0x555500001000;
	struct snap__block small = block_of(2, 64, 0);

	cr_assert(snap__heapmap_init(5, false));
	put(address + 4096, 3, 64, 0); /* makes the leaf and the page of slots */
	put(address, 1, 3000, 0);
	cr_assert(snap__heapmap_put_at(snap__heapmap_place(address), address, &small));
	cr_expect(eq(u64, walk().blocks, 2));
	cr_expect(eq(u64, walk().bytes, 128));
	cr_expect(snap__heapmap_take(address, &small) && small.size == 64);
}

Test(heapmap, blocks_of_kilobytes_take_less_than_half_a_percent_of_their_size)
{
	uint64_t before;

	cr_assert(snap__heapmap_init(5, false));
	put(0x10000000, 1, 3000, 0);
	before = snap__memory_mapped() - snap__heapmap_untouched();
	for (uintptr_t i = 1; i < 20000; i++)
		put(0x10000000 + i * 3040, 1, 3000, 0);
	cr_expect(lt(u64, snap__memory_mapped() - snap__heapmap_untouched() - before,
		     20000ull * 3000 / 200));
}

Test(heapmap, the_sparse_map_finds_what_was_put_and_nothing_else)
{
	struct snap__block out;

	cr_assert(snap__heapmap_init(5, true));
	for (uintptr_t i = 0; i < 10000; i += 7)
		put(0x400000 + i * 32, (uint32_t)i + 1, i % 33, 0);
	for (uintptr_t i = 0; i < 10000; i++)
		cr_expect(eq(int, snap__heapmap_take(0x400000 + i * 32, &out), i % 7 == 0));
	cr_expect(eq(u64, walk().blocks, 0));
}

Test(heapmap, merged_epochs_become_the_first_that_is_kept)
{
	cr_assert(snap__heapmap_init(5, false));
	for (uint32_t i = 0; i < 100; i++) /* epochs 4050 ... 4149, modulo 4096 */
		put(0x500000 + i * 64, 1, 1, (4050 + i) % 4096);
	snap__heapmap_merge_epochs(4050, 60); /* 4050 ... 4109 become 4110, that is 14 */
	for (uint32_t i = 0; i < 100; i++)
		expect_taken(0x500000 + i * 64, 1, 1, i < 60 ? 14 : (4050 + i) % 4096);
}

Test(heapmap, nothing_is_left_after_clear)
{
	cr_assert(snap__heapmap_init(5, false));
	put(0x600000, 1, 3 << 20, 0);
	put(0x600003, 1, 3, 0);
	snap__heapmap_clear();
	cr_expect(eq(u64, walk().blocks, 0));
	put(0x600000, 1, 5, 0);
	expect_taken(0x600000, 1, 5, 0);
}

static void *fill(void *argument)
{
	uintptr_t base = 0x10000000 + (uintptr_t)argument * 32;

	for (int round = 0; round < 20; round++)
		for (uintptr_t i = 0; i < 5000; i++) {
			struct snap__block block = block_of(1, i % 128, 0), out;
			bool stale;

			snap__heapmap_put(base + i * 128, &block, &stale);
			if (round < 19)
				snap__heapmap_take(base + i * 128, &out);
		}
	return NULL;
}

static void fill_from_four_threads(bool sparse)
{
	pthread_t threads[4];

	cr_assert(snap__heapmap_init(5, sparse));
	for (uintptr_t i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, fill, (void *)i);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	cr_expect(eq(u64, walk().blocks, 4 * 5000));
	/* 39 times 0 to 127, then 0 to 7 */
	cr_expect(eq(u64, walk().bytes, 4ull * (39 * 127 * 128 / 2 + 7 * 8 / 2)));
}

Test(heapmap, threads_whose_blocks_lie_side_by_side_do_not_disturb_each_other)
{
	fill_from_four_threads(false);
}

Test(heapmap, in_a_sparse_map_they_may_share_a_granule)
{
	struct snap__block out;

	fill_from_four_threads(true);
	for (uintptr_t i = 0; i < 4 * 5000; i++)
		cr_expect(snap__heapmap_take(0x10000000 + i * 32, &out));
	cr_expect(eq(u64, walk().blocks, 0));
}

Test(heapmap, a_sparse_map_takes_little_for_blocks_that_lie_far_apart)
{
	uint64_t before;

	cr_assert(snap__heapmap_init(5, true));
	put(0x10000000, 1, 100, 0);
	before = snap__memory_mapped() - snap__heapmap_untouched();
	for (uintptr_t i = 1; i < 2000; i++)
		put(0x10000000 + (i << 16), 1, 100, 0);
	/* a page of slots for each four blocks at most, and not for each of them */
	cr_expect(lt(u64, snap__memory_mapped() - snap__heapmap_untouched() - before,
		     2000ull * 4096 / 3));
}
