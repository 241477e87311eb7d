/*
 * bench_capture.c - nanoseconds for one capture, by depth, next to the floor: reading every return
 * address once.
 *
 * Functions of random frame sizes call each other at random; the leaf captures.  The leaf's own
 * cost and the tree's are measured with an empty leaf and subtracted.
 */
#include <alloca.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "runtime/unwind/unwind.h"

#define NOT_INLINED   __attribute__((noinline))
#define FLOOR_FRAMES  128
#define SLOT_DISTANCE 8 /* words: one frame to a cache line */

enum { DISTINCT_STACKS = 8000, LEAVES = 6 * DISTINCT_STACKS, RUNS = 7 };

static struct snap__unwind_thread *thread;
static uint64_t seed = 88172645463325252ull;
static uint64_t captured_frames, captures;
static volatile uintptr_t sink;

static const uintptr_t *return_slots[FLOOR_FRAMES];
static unsigned return_slot_count;

static inline uint64_t random_number(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

NOT_INLINED static void leaf_empty(void)
{
	struct snap__regs regs = snap__regs_of_caller(__builtin_frame_address(0));

	sink = regs.pc;
}

NOT_INLINED static void leaf_capture(void)
{
	struct snap__regs regs = snap__regs_of_caller(__builtin_frame_address(0));
	struct snap__capture capture = snap__unwind_capture(thread, &regs);

	captured_frames += capture.frames;
	captures++;
	sink = capture.stack;
}

/* No capture reuses anything of the one before. */
NOT_INLINED static void leaf_full_walk(void)
{
	snap__unwind_after_fork(thread);
	leaf_capture();
}

NOT_INLINED static void leaf_floor(void)
{
	uintptr_t sum = 0;

	for (unsigned i = 0; i < return_slot_count; i++)
		sum += *return_slots[i];
	sink = sum;
}

static void (*leaf)(void);

static int go_on(int depth);

#define TREE(n, bytes)                                                                             \
	NOT_INLINED static int tree_##n(int depth)                                                 \
	{                                                                                          \
		char room[bytes];                                                                  \
		int sum;                                                                           \
		__asm__ volatile("" : : "r"(room) : "memory");                                     \
		sum = go_on(depth - 1) + depth;                                                    \
		if ((random_number() & 3) == 0)                                                    \
			sum += go_on(depth - 1) * depth;                                           \
		__asm__ volatile("" : : "r"(room) : "memory");                                     \
		return sum;                                                                        \
	}
TREE(0, 8)
TREE(1, 24)
TREE(2, 56)
TREE(3, 8)
TREE(4, 120)
TREE(5, 40)
TREE(6, 16)
TREE(7, 88)

static int (*const trees[])(int) = {tree_0, tree_1, tree_2, tree_3, tree_4, tree_5, tree_6, tree_7};
static int leaves_left;

NOT_INLINED static int go_on(int depth)
{
	if (leaves_left <= 0)
		return 0;
	if (depth <= 0) {
		leaves_left--;
		leaf();
		return 1;
	}
	return trees[random_number() & 7](depth) + 1;
}

static double now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

/* ns for each leaf of a random tree, `depth` calls of go_on() and a tree function down.  The tree
   is the same each time: some DISTINCT_STACKS stacks, which the first round makes known. */
static double time_tree(void (*which)(void), int depth, int leaves)
{
	double start = 0;
	int rounds = leaves / DISTINCT_STACKS;

	leaf = which;
	for (int round = -1; round < rounds; round++) {
		if (round == 0)
			start = now_ns();
		seed = 88172645463325252ull;
		leaves_left = DISTINCT_STACKS;
		while (leaves_left > 0)
			go_on(depth);
	}
	return (now_ns() - start) / (rounds * DISTINCT_STACKS);
}

/* The same leaf called again and again from one place at that depth. */
NOT_INLINED static double time_same(void (*which)(void), int depth, int leaves)
{
	double start, result;

	if (depth > 0) {
		result = time_same(which, depth - 1, leaves);
		__asm__ volatile("" : : : "memory");
		return result;
	}
	which();
	start = now_ns();
	for (int i = 0; i < leaves; i++)
		which();
	return (now_ns() - start) / leaves;
}

static double median(double (*run)(void (*)(void), int, int), void (*which)(void), int depth)
{
	double times[RUNS];

	for (int i = 0; i < RUNS; i++) {
		double t = run(which, depth, LEAVES);
		int at = i;

		for (; at > 0 && times[at - 1] > t; at--)
			times[at] = times[at - 1];
		times[at] = t;
	}
	return times[RUNS / 2];
}

static void report(int frames)
{
	int depth = frames / 2 - 2; /* a tree function and go_on() are two frames */
	double tree_empty, tree_full, tree_reuse, same, same_empty, floor_ns;
	double mean;
	uintptr_t room[FLOOR_FRAMES * SLOT_DISTANCE] = {0};

	tree_empty = median(time_tree, leaf_empty, depth);
	tree_full = median(time_tree, leaf_full_walk, depth) - tree_empty;
	captured_frames = captures = 0;
	tree_reuse = median(time_tree, leaf_capture, depth) - tree_empty;
	mean = (double)captured_frames / (double)captures;
	same_empty = median(time_same, leaf_empty, frames);
	same = median(time_same, leaf_capture, frames) - same_empty;
	return_slot_count = (unsigned)frames;
	for (unsigned i = 0; i < return_slot_count; i++)
		return_slots[i] = room + i * SLOT_DISTANCE;
	floor_ns = median(time_same, leaf_floor, frames) - same_empty;
	printf("%6.1f %12.1f %12.1f %12.1f %12.1f %10.1f %10.2f\n", mean, tree_full, tree_reuse,
	       same, floor_ns, same / floor_ns, tree_reuse / mean);
}

int main(void)
{
	static const int depths[] = {10, 17, 30, 37, 60};
	struct snap__unwind_counts counts;

	snap__unwind_init(0);
	thread = aligned_alloc(64, (snap__unwind_thread_size() + 63) & ~(size_t)63);
	if (!thread)
		return 1;
	memset(thread, 0, snap__unwind_thread_size());
	printf("ns for one capture with its stack id; random call trees, and the same stack "
	       "again\n");
	printf("%6s %12s %12s %12s %12s %10s %10s\n", "frames", "full walk", "tree", "same",
	       "floor", "same/floor", "tree/frame");
	for (size_t i = 0; i < sizeof(depths) / sizeof(depths[0]); i++)
		report(depths[i]);
	snap__unwind_counts(&counts);
	printf("captures %lu, frames walked %lu, reused %lu, rules compiled %lu, truncated %lu\n",
	       (unsigned long)counts.captures, (unsigned long)counts.frames_walked,
	       (unsigned long)counts.frames_reused, (unsigned long)counts.rules_compiled,
	       (unsigned long)counts.truncated);
	return 0;
}
