/*
 * race_record.c - the record path from many threads while another one walks the map, as the helper
 * does.
 *
 * A plain program rather than a Criterion test, because Criterion cannot start under
 * ThreadSanitizer; run under every preset.  Threads record, resize and free blocks of their own and
 * free blocks of each other; at the end nothing may be live, and every event must have been
 * counted once.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "runtime/record.h"

enum { THREADS = 8, ROUNDS = 20000, SLOTS = 64, BLOCK_STRIDE = 64 };

#define FRAME __builtin_frame_address(0)

static const uintptr_t base = 0x70000000;
static atomic_uint finished;
/* Blocks that wait to be freed by whoever comes by; 0 is none. */
static _Atomic(uintptr_t) handed_over[SLOTS];

static void check(bool condition, const char *sentence)
{
	if (condition)
		return;
	fprintf(stderr, "race_record: %s\n", sentence);
	exit(1);
}

/* Distinct stacks: one more frame for each level. */
__attribute__((noinline)) static void came(const void *ptr, size_t size, unsigned depth)
{
	if (depth)
		came(ptr, size, depth - 1);
	else
		snap__record_alloc(ptr, size, FRAME);
	__asm__ volatile("" ::: "memory");
}

static void resize(const void *ptr, const void *moved, size_t size)
{
	struct snap__held held;

	snap__record_forget(ptr, &held);
	check(held.known, "a block of one's own was not found");
	snap__record_resized(&held, moved, size, FRAME);
}

static void *host_thread(void *argument)
{
	uintptr_t number = (uintptr_t)argument;

	for (uintptr_t i = 0; i < ROUNDS; i++) {
		uintptr_t at = base + ((number * ROUNDS + i) * 2) * BLOCK_STRIDE;
		uintptr_t other;

		came((const void *)at, 16 + i % 100, (unsigned)(i % 7));
		resize((const void *)at, (const void *)(at + BLOCK_STRIDE), 32 + i % 50);
		other = atomic_exchange(&handed_over[i % SLOTS], at + BLOCK_STRIDE);
		if (other)
			snap__record_free((const void *)other);
	}
	atomic_fetch_add(&finished, 1);
	return NULL;
}

static void add(void *user, uintptr_t address, const struct snap__block *block)
{
	uint64_t *blocks = user;

	(void)address;
	check(block->size < 200, "a block of a size that nobody asked for");
	(*blocks)++;
}

static uint64_t live_blocks(void)
{
	uint64_t blocks = 0;

	snap__heapmap_walk(add, &blocks);
	return blocks;
}

static void walk_meanwhile(void)
{
	while (atomic_load(&finished) < THREADS) {
		snap__record_close_epoch();
		/* A block may be seen, and its successor too: only what each one is can be checked.
		 */
		live_blocks();
	}
}

int main(void)
{
	pthread_t threads[THREADS];

	check(snap__threads_init() && snap__heapmap_init(5, false), "cannot start recording");
	snap__sample_init(0, 1);
	snap__unwind_init(64);
	snap__record_switch(true);
	for (uintptr_t i = 0; i < THREADS; i++)
		check(pthread_create(&threads[i], NULL, host_thread, (void *)i) == 0, "no thread");
	walk_meanwhile();
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < SLOTS; i++)
		if (handed_over[i])
			snap__record_free((const void *)handed_over[i]);
	check(live_blocks() == 0, "blocks are live that were freed");
	check(snap__record_live_bytes() == 0, "bytes are live that were freed");
	check(snap__threads_total(SNAP__COUNT_ALLOCATED) == 2 * THREADS * ROUNDS,
	      "allocations were lost or counted twice");
	check(snap__threads_total(SNAP__COUNT_UNKNOWN_FREES) == 0, "frees found no block");
	puts("race_record: every block came and went once");
	return 0;
}
