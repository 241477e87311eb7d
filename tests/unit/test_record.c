/*
 * test_record.c - the life of an allocation, sampling and sums, by calling the record path
 * directly.
 */
/* links: snapruntime m */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <math.h>
#include <pthread.h>
#include <stdint.h>

#include "runtime/record.h"
#include "runtime/stacks.h"
#include "runtime/tally.h"

#define FRAME __builtin_frame_address(0)

static void start(uint64_t period)
{
	cr_assert(snap__threads_init());
	cr_assert(snap__heapmap_init(5, period > 0));
	snap__sample_init(period, 12345);
	snap__unwind_init(64);
	snap__record_switch(true);
}

struct sums {
	uint64_t blocks, bytes, stack, epoch;
};

static void add(void *user, uintptr_t address, const struct snap__block *block)
{
	struct sums *sums = user;

	(void)address;
	sums->blocks++;
	sums->bytes += block->size;
	sums->stack = block->stack;
	sums->epoch = block->epoch;
}

static struct sums live(void)
{
	struct sums sums = {0};

	snap__heapmap_walk(add, &sums);
	return sums;
}

static const void *at(uintptr_t i)
{
	return (const void *)(0x70000000 + i * 32);
}

/* Entry points of a host: the recorded stack begins at whoever calls them. */
__attribute__((noinline)) static void came(const void *ptr, size_t size)
{
	snap__record_alloc(ptr, size, FRAME);
}

__attribute__((noinline)) static void moved(const struct snap__held *held, const void *ptr,
					    size_t size)
{
	snap__record_resized(held, ptr, size, FRAME);
}

Test(record, a_freed_block_is_gone_and_an_unknown_free_is_counted)
{
	start(0);
	snap__record_alloc(at(1), 100, FRAME);
	snap__record_alloc(at(2), 50, FRAME);
	snap__record_free(at(1));
	snap__record_free(at(3));
	cr_expect(eq(u64, live().blocks, 1));
	cr_expect(eq(u64, snap__record_live_bytes(), 50));
	cr_expect(eq(u64, snap__record_peak_bytes(), 150));
	cr_expect(eq(u64, snap__threads_total(SNAP__COUNT_UNKNOWN_FREES), 1));
}

Test(record, a_resized_block_keeps_its_birth_and_gets_a_new_stack)
{
	struct snap__held held;
	struct sums before, after;

	start(0);
	came(at(1), 100);
	before = live();
	snap__record_close_epoch();
	snap__record_forget(at(1), &held);
	cr_expect(eq(u64, live().blocks, 0));
	moved(&held, at(9), 300);
	after = live();
	cr_expect(eq(u64, after.bytes, 300));
	cr_expect(eq(u64, after.epoch, before.epoch));
	cr_expect(after.stack != before.stack, "another call, another stack");
	cr_expect(eq(u64, snap__threads_total(SNAP__COUNT_ALLOCATED), 2));
}

Test(record, a_failed_resize_leaves_everything_as_it_was)
{
	struct snap__held held;
	struct sums before, after;

	start(0);
	snap__record_alloc(at(1), 5 << 20, FRAME);
	before = live();
	snap__record_close_epoch();
	snap__record_forget(at(1), &held);
	snap__record_restore(&held, at(1));
	after = live();
	cr_expect(eq(u64, after.bytes, 5 << 20));
	cr_expect(eq(u64, after.epoch, before.epoch));
	cr_expect(eq(u64, after.stack, before.stack));
	cr_expect(eq(u64, snap__record_live_bytes(), 5 << 20));
}

Test(record, no_credit_is_lost_however_many_stacks_take_turns)
{
	enum { STACKS = 50000, ROUNDS = 8, APART = 7 };
	struct snap__thread *thread;
	uint64_t blocks, bytes;

	start(0);
	thread = snap__thread_get();
	for (uint32_t round = 0; round < ROUNDS; round++)
		for (uint32_t i = 1; i <= STACKS; i++)
			snap__thread_credit(thread, i * APART, i + round);
	snap__thread_leave(thread);
	for (uint32_t i = 1; i <= STACKS; i++) {
		snap__stacks_credited(i * APART, &blocks, &bytes);
		cr_assert(eq(u64, blocks, ROUNDS), "of stack %u", i);
		cr_assert(eq(u64, bytes, (uint64_t)ROUNDS * i + ROUNDS * (ROUNDS - 1) / 2));
	}
}

Test(record, late_credits_add_up_with_those_at_once)
{
	enum { STACKS = 1000, ROUNDS = 9 };
	struct snap__thread *thread;
	uint64_t blocks, bytes;

	start(0);
	thread = snap__thread_get();
	for (uint32_t round = 0; round < ROUNDS; round++)
		for (uint32_t i = 1; i <= STACKS; i++)
			if ((i + round) % 3)
				snap__thread_credit_late(thread, i, 10);
			else
				snap__thread_credit(thread, i, 10);
	snap__thread_leave(thread);
	for (uint32_t i = 1; i <= STACKS; i++) {
		snap__stacks_credited(i, &blocks, &bytes);
		cr_assert(eq(u64, blocks, ROUNDS), "of stack %u", i);
		cr_assert(eq(u64, bytes, ROUNDS * 10));
	}
}

Test(record, events_of_our_own_are_not_the_hosts)
{
	start(0);
	snap__record_alloc(at(1), 10, FRAME);
	snap__thread_internal(true);
	snap__record_alloc(at(2), 10, FRAME);
	snap__record_free(at(77));
	snap__thread_internal(false);
	cr_expect(eq(u64, live().blocks, 1));
	cr_expect(eq(u64, snap__threads_total(SNAP__COUNT_UNKNOWN_FREES), 0));
	cr_expect(eq(u64, snap__threads_total(SNAP__COUNT_REENTRANT), 0));
}

static atomic_int woken;
static struct sums when_it_falls;

static void wake(bool falls)
{
	woken++;
	if (falls)
		when_it_falls = live();
}

Test(record, the_watch_fires_when_the_live_heap_reaches_its_level)
{
	start(0);
	snap__record_watch(1000, 0, 10, wake);
	for (uintptr_t i = 0; i < 9; i++)
		snap__record_alloc(at(i), 100, FRAME);
	cr_expect(eq(int, woken, 0));
	snap__record_alloc(at(9), 100, FRAME);
	cr_expect(ne(int, woken, 0));
}

Test(record, the_watch_fires_when_the_live_heap_has_fallen_to_its_lower_level)
{
	start(0);
	snap__record_watch(UINT64_MAX, 0, 10, wake);
	for (uintptr_t i = 0; i < 9; i++)
		snap__record_alloc(at(i), 100, FRAME);
	snap__record_watch(UINT64_MAX, 700, 10, wake);
	snap__record_free(at(0));
	cr_expect(eq(int, woken, 0));
	snap__record_free(at(1));
	cr_expect(ne(int, woken, 0));
	woken = 0;
	snap__record_watch(UINT64_MAX, 0, 10, wake);
	for (uintptr_t i = 2; i < 9; i++)
		snap__record_free(at(i));
	cr_expect(eq(int, woken, 0));
}

enum { RESTING = 20, UNREPORTED = 900, QUANTUM = 1000, LEVEL = 30000, LOW = 25000 };

static pthread_barrier_t resting;
static pthread_t threads[RESTING];

/* Places that a block of 2,048 bytes fits into. */
static const void *far_at(uintptr_t i)
{
	return at(64 * i);
}

static void *free_and_rest(void *number)
{
	snap__record_free(far_at((uintptr_t)number));
	pthread_barrier_wait(&resting);
	pthread_barrier_wait(&resting);
	return NULL;
}

static void *allocate_and_rest(void *number)
{
	snap__record_alloc(far_at((uintptr_t)number), UNREPORTED, FRAME);
	pthread_barrier_wait(&resting);
	pthread_barrier_wait(&resting);
	return NULL;
}

/* Threads that do too little to be reported, and then rest. */
static void let_threads_rest(void *(*fn)(void *number))
{
	cr_assert(eq(int, pthread_barrier_init(&resting, NULL, RESTING + 1), 0));
	for (uintptr_t i = 0; i < RESTING; i++)
		cr_assert(eq(int, pthread_create(&threads[i], NULL, fn, (void *)i), 0));
	pthread_barrier_wait(&resting);
}

/* They report what they have done. */
static void let_threads_end(void)
{
	pthread_barrier_wait(&resting);
	for (int i = 0; i < RESTING; i++)
		pthread_join(threads[i], NULL);
}

static uint64_t reached, fallen_to;

/* As a snapshot does: look, then watch again. */
static void look_for_rise(bool falls)
{
	(void)falls;
	woken++;
	reached = snap__record_live_bytes() >= LEVEL ? snap__record_live_bytes() : 0;
	snap__record_watch(reached ? UINT64_MAX : LEVEL, 0, QUANTUM, look_for_rise);
}

static void look_for_fall(bool falls)
{
	(void)falls;
	woken++;
	fallen_to = snap__record_live_bytes() <= LOW ? snap__record_live_bytes() : 0;
	snap__record_watch(UINT64_MAX, fallen_to ? 0 : LOW, QUANTUM, look_for_fall);
}

Test(record, a_call_for_nothing_does_not_hide_that_the_level_is_reached_later)
{
	start(0);
	snap__record_watch(UINT64_MAX, 0, QUANTUM, NULL);
	for (uintptr_t i = 0; i < 2 * RESTING; i++)
		snap__record_alloc(far_at(i), UNREPORTED, FRAME);
	let_threads_rest(free_and_rest);
	snap__record_watch(LEVEL, 0, QUANTUM, look_for_rise);
	snap__record_alloc(far_at(100), 2 * QUANTUM, FRAME);
	cr_expect(eq(int, woken, 1));
	cr_expect(eq(u64, reached, 0));
	let_threads_end();
	cr_assert(eq(u64, snap__record_live_bytes(), RESTING * UNREPORTED + 2 * QUANTUM));
	for (uintptr_t i = 0; i < 9; i++)
		snap__record_alloc(far_at(200 + i), QUANTUM, FRAME);
	cr_expect(eq(u64, reached, 0));
	for (uintptr_t i = 9; i < 11; i++)
		snap__record_alloc(far_at(200 + i), QUANTUM, FRAME);
	cr_expect(ge(u64, reached, LEVEL));
}

Test(record, a_call_for_nothing_does_not_hide_that_the_heap_falls_later)
{
	start(0);
	snap__record_watch(UINT64_MAX, 0, QUANTUM, NULL);
	for (uintptr_t i = 0; i < 20; i++)
		snap__record_alloc(far_at(200 + i), QUANTUM, FRAME);
	let_threads_rest(allocate_and_rest);
	snap__record_watch(UINT64_MAX, LOW, QUANTUM, look_for_fall);
	snap__record_free(far_at(200));
	cr_expect(eq(int, woken, 1));
	cr_expect(eq(u64, fallen_to, 0));
	let_threads_end();
	cr_assert(eq(u64, snap__record_live_bytes(), RESTING * UNREPORTED + 19 * QUANTUM));
	for (uintptr_t i = 1; i < 12; i++)
		snap__record_free(far_at(200 + i));
	cr_expect(eq(u64, fallen_to, 0));
	snap__record_free(far_at(212));
	cr_expect(ne(u64, fallen_to, 0));
	cr_expect(le(u64, fallen_to, LOW));
}

Test(record, a_large_block_is_still_there_when_the_heap_is_about_to_fall)
{
	start(0);
	snap__record_alloc(at(0), 1000000, FRAME);
	snap__record_alloc(at(1), 100, FRAME);
	snap__record_watch(UINT64_MAX, 900000, 10, wake);
	snap__record_free(at(0));
	cr_expect(eq(u64, when_it_falls.blocks, 2));
	cr_expect(eq(u64, when_it_falls.bytes, 1000100));
	cr_expect(eq(u64, live().bytes, 100));
	cr_expect(eq(u64, snap__record_live_bytes(), 100));
}

Test(record, a_block_that_is_resized_does_not_look_freed)
{
	struct snap__held held;

	start(0);
	snap__record_alloc(at(0), 1000000, FRAME);
	snap__record_watch(UINT64_MAX, 900000, 10, wake);
	snap__record_forget(at(0), &held);
	cr_expect(eq(u64, snap__record_live_bytes(), 1000000));
	snap__record_resized(&held, at(1), 1000100, FRAME);
	cr_expect(eq(u64, snap__record_live_bytes(), 1000100));
	cr_expect(eq(u64, snap__record_peak_bytes(), 1000100));
	snap__record_forget(at(1), &held);
	snap__record_restore(&held, at(1));
	cr_expect(eq(int, woken, 0));
	snap__record_forget(at(1), &held);
	snap__record_resized(&held, at(1), 500, FRAME);
	cr_expect(ne(int, woken, 0));
	snap__record_forget(at(1), &held);
	snap__record_gone(&held);
	cr_expect(eq(u64, snap__record_live_bytes(), 0));
}

static void *begin_to_resize(void *held)
{
	snap__record_alloc(at(0), 1000, FRAME);
	snap__record_forget(at(0), held);
	return snap__thread_self;
}

Test(record, a_forked_child_forgets_what_other_threads_resized)
{
	struct snap__held held;
	pthread_t thread;
	void *state;

	start(0);
	pthread_create(&thread, NULL, begin_to_resize, &held);
	pthread_join(thread, &state);
	cr_assert(eq(ptr, (void *)(uintptr_t)((struct snap__thread *)state)->moving.ptr,
		     (void *)(uintptr_t)at(0)));
	snap__threads_after_fork();
	cr_expect(zero(ptr, (void *)(uintptr_t)((struct snap__thread *)state)->moving.ptr));
}

/* The exact probability of a block of s bytes is 1 - exp(-s/period); libm is the oracle here. */
Test(sample, weights_are_those_of_horvitz_and_thompson)
{
	static const uint64_t sizes[] = {1, 100, 4096, 65536, 524288, 10000000, 1ull << 40};

	snap__sample_init(524288, 1);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct snap__estimate sum = {0};
		double p = -expm1(-(double)sizes[i] / 524288);

		snap__sample_weigh(sizes[i], &sum);
		cr_expect(epsilon_eq(dbl, sum.blocks * p, 1, 1e-9));
		cr_expect(epsilon_eq(dbl, sum.bytes * p / (double)sizes[i], 1, 1e-9));
		cr_expect(epsilon_eq(dbl, sum.blocks_variance, (1 - p) / (p * p),
				     1e-6 * (1 + (1 - p) / (p * p))));
	}
}

Test(sample, blocks_are_taken_as_often_as_they_should)
{
	struct snap__sampler sampler = {0};
	const uint64_t period = 10000, size = 3000, n = 400000;
	double p = -expm1(-(double)size / (double)period), taken = 0;

	snap__sample_init(period, 7);
	for (uint64_t i = 0; i < n; i++)
		taken += snap__sample_takes(&sampler, size);
	/* Five standard deviations of a binomial. */
	cr_expect(epsilon_eq(dbl, taken, p * (double)n, 5 * sqrt((double)n * p * (1 - p))));
}

Test(tally, rows_come_out_by_stack_then_age_with_exact_sums)
{
	struct snap__tally tally = {0};
	size_t at_row = 0;

	snap__sample_init(0, 0);
	for (uint32_t i = 0; i < 30000; i++) /* stack s, age a: 10 blocks of s + a bytes each */
		snap__tally_add(&tally, 999 - i % 1000, i / 1000 % 3,
				999 - i % 1000 + i / 1000 % 3);
	cr_assert(eq(sz, tally.count, 3000));
	snap__tally_sort(&tally);
	for (uint32_t s = 0; s < 1000; s++)
		for (uint32_t a = 0; a < 3; a++, at_row++) {
			cr_assert(eq(u32, tally.rows[at_row].stack, s));
			cr_assert(eq(u32, tally.rows[at_row].age, a + 1));
			cr_assert(eq(dbl, tally.rows[at_row].blocks, 10));
			cr_assert(eq(dbl, tally.rows[at_row].bytes, 10.0 * (s + a)));
		}
	snap__tally_free(&tally);
}

/* Poisson sampling: a block of s bytes is taken with p = 1 - exp(-s / period), and stands for 1 / p. */
Test(tally, rows_of_a_sample_keep_their_own_variances)
{
	struct snap__tally tally = {0};

	snap__sample_init(1000, 1);
	for (uint32_t i = 0; i < 40000; i++) /* more than the first tables have room for */
		snap__tally_add(&tally, 39999 - i, 0, 39999 - i + 1);
	cr_assert(eq(sz, tally.count, 40000));
	snap__tally_sort(&tally);
	for (uint32_t i = 0; i < 40000; i += 7) {
		double size = i + 1, p = -expm1(-size / 1000), variance = (1 - p) / (p * p);

		cr_assert(eq(u32, tally.rows[i].stack, i));
		cr_assert(epsilon_eq(dbl, tally.rows[i].blocks * p, 1, 1e-9));
		cr_assert(epsilon_eq(dbl, tally.rows[i].bytes * p / size, 1, 1e-9));
		cr_assert(epsilon_eq(dbl, tally.variances[i].blocks, variance,
				     1e-9 + variance * 1e-6));
		cr_assert(epsilon_eq(dbl, tally.variances[i].bytes, size * size * variance,
				     1e-6 + size * size * variance * 1e-6));
	}
	snap__tally_free(&tally);
	snap__sample_init(0, 1);
}
