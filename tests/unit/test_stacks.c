/*
 * The tree of call stacks: one id for each (parent, pc), also when threads race for it.
 */
/* links: snapruntime */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>

#include "runtime/arena.h"
#include "runtime/stacks.h"

Test(stacks, the_same_parent_and_pc_give_the_same_id)
{
	uint32_t main_id = snap__stacks_child(0, 0x401000);
	uint32_t a = snap__stacks_child(main_id, 0x401100);
	uint32_t b = snap__stacks_child(main_id, 0x401200);

	cr_assert_neq(main_id, 0);
	cr_assert_neq(a, b);
	cr_assert_eq(snap__stacks_child(0, 0x401000), main_id);
	cr_assert_eq(snap__stacks_child(main_id, 0x401100), a);
	cr_assert_eq(snap__stacks_child(main_id, 0x401200), b);
}

Test(stacks, one_pc_under_two_parents_is_two_nodes)
{
	uint32_t first = snap__stacks_child(snap__stacks_child(0, 1000), 5);
	uint32_t second = snap__stacks_child(snap__stacks_child(0, 2000), 5);

	cr_assert_neq(first, second);
	cr_assert_eq(snap__stacks_pc(first), 5);
	cr_assert_eq(snap__stacks_pc(snap__stacks_parent(first)), 1000);
	cr_assert_eq(snap__stacks_pc(snap__stacks_parent(second)), 2000);
}

Test(stacks, tags_in_the_upper_bits_tell_pcs_apart)
{
	uintptr_t pc = 0x7f0000001234;

	cr_assert_neq(snap__stacks_child(0, pc), snap__stacks_child(0, pc | (uintptr_t)1 << 48));
}

Test(stacks, many_siblings_keep_their_own_ids)
{
	enum { SIBLINGS = 50000 };
	static uint32_t ids[SIBLINGS];
	uint32_t parent = snap__stacks_child(0, 77);

	for (uint32_t i = 0; i < SIBLINGS; i++)
		ids[i] = snap__stacks_child(parent, 0x400000 + i * 5u);
	cr_assert_eq(snap__stacks_count(), SIBLINGS + 2);
	for (uint32_t i = 0; i < SIBLINGS; i++) {
		cr_assert_eq(snap__stacks_child(parent, 0x400000 + i * 5u), ids[i]);
		cr_assert_eq(snap__stacks_pc(ids[i]), 0x400000 + i * 5u);
		cr_assert_lt(snap__stacks_parent(ids[i]), ids[i]);
	}
}

Test(stacks, going_down_the_tree_is_asking_for_child_after_child)
{
	enum { FRAMES = 50000 }; /* more than three chunks of the tree */
	static uint32_t ids[FRAMES];
	uint32_t parent = 0;

	for (uint32_t i = 0; i < FRAMES; i++) {
		ids[i] = parent = snap__stacks_child(parent, 0x400000 + i % 7);
		if (i % 3 == 0) /* so that some nodes do not follow their parent directly */
			snap__stacks_child(parent, 0x500000);
	}
	for (int time = 0; time < 2; time++) {
		struct snap__stacks_at at = snap__stacks_start(0);

		for (uint32_t i = 0; i < FRAMES; i++) {
			cr_assert(snap__stacks_go(&at, 0x400000 + i % 7));
			cr_assert_eq(at.id, ids[i]);
		}
		cr_assert(snap__stacks_go(&at, 0x600000));
		cr_assert_eq(snap__stacks_parent(at.id), ids[FRAMES - 1]);
		cr_assert_eq(snap__stacks_pc(at.id), 0x600000);
	}
	cr_assert_eq(snap__stacks_count(), 1 + FRAMES + (FRAMES + 2) / 3 + 1);
}

Test(stacks, the_next_node_is_not_taken_for_a_child_if_it_is_anothers)
{
	uint32_t first = snap__stacks_child(0, 1), second = snap__stacks_child(0, 2);
	uint32_t below_first = snap__stacks_child(first, 5);
	struct snap__stacks_at at = snap__stacks_start(second);

	cr_assert_eq(below_first, second + 1);
	cr_assert(snap__stacks_go(&at, 5));
	cr_assert_neq(at.id, below_first);
	cr_assert_eq(snap__stacks_parent(at.id), second);
}

Test(stacks, a_hash_leads_to_its_own_stack_or_to_none)
{
	enum { STACKS = 200000 }; /* more than the table has room for */
	uint32_t found = 0;

	for (uint32_t i = 1; i <= STACKS; i++) {
		uint64_t hash = snap__stacks_hash(0, 0x400000 + i);

		cr_assert_eq(snap__stacks_by_hash(hash), 0);
		snap__stacks_remember(hash, i);
		/* Not if that enlarged the table. */
		found += snap__stacks_by_hash(hash) == i;
	}
	cr_assert_gt(found, STACKS - 20);
	found = 0;
	for (uint32_t i = 1; i <= STACKS; i++) {
		uint32_t id = snap__stacks_by_hash(snap__stacks_hash(0, 0x400000 + i));

		cr_assert(id == 0 || id == i, "the hash of %u leads to %u", i, id);
		found += id != 0;
	}
	cr_assert_gt(found, 100000);
}

Test(stacks, the_hash_depends_on_each_pc_and_on_their_order)
{
	uint64_t caller = snap__stacks_hash(0, 1000), other = snap__stacks_hash(0, 2000);

	cr_assert_neq(snap__stacks_hash(caller, 2000), snap__stacks_hash(other, 1000));
	cr_assert_neq(snap__stacks_hash(caller, 5), snap__stacks_hash(other, 5));
	cr_assert_neq(snap__stacks_hash(caller, 5),
		      snap__stacks_hash(caller, 5 | (uintptr_t)1 << 48));
}

Test(stacks, credits_add_up)
{
	uint32_t id = snap__stacks_child(0, 99);
	uint64_t blocks, bytes;

	snap__stacks_credited(id, &blocks, &bytes);
	cr_assert_eq(blocks + bytes, 0);
	cr_assert(snap__stacks_credit(id, 2, 100));
	cr_assert(snap__stacks_credit(id, 3, 50));
	snap__stacks_credited(id, &blocks, &bytes);
	cr_assert_eq(blocks, 5);
	cr_assert_eq(bytes, 150);
}

enum { THREADS = 4, PATHS = 3000, PATH_LENGTH = 12 };

struct racer {
	pthread_t thread;
	uint32_t ends[PATHS];
};

/* Every racer inserts the same paths, which share prefixes. */
static void *race(void *data)
{
	struct racer *racer = data;

	for (uint32_t path = 0; path < PATHS; path++) {
		struct snap__stacks_at at = snap__stacks_start(0);

		for (uint32_t i = 0; i < PATH_LENGTH; i++)
			snap__stacks_go(&at, 0x1000 + ((path * 2654435761u) >> (22 - i)));
		racer->ends[path] = at.id;
	}
	return NULL;
}

Test(stacks, racing_threads_agree_on_every_id)
{
	static struct racer racers[THREADS];

	for (int i = 0; i < THREADS; i++)
		pthread_create(&racers[i].thread, NULL, race, &racers[i]);
	for (int i = 0; i < THREADS; i++)
		pthread_join(racers[i].thread, NULL);
	for (int i = 1; i < THREADS; i++)
		for (int path = 0; path < PATHS; path++)
			cr_assert_eq(racers[i].ends[path], racers[0].ends[path]);
}

/* 228,371 distinct stacks in 304,495 nodes, as espresso has them: within 64 bytes a stack. */
Test(stacks, memory_stays_within_64_bytes_for_each_stack)
{
	enum { STACKS = 228371 };
	uint64_t before = snap__memory_mapped();
	uint32_t parent = 0;

	for (uint32_t i = 0; i < STACKS; i++) {
		if (i % 3 == 0)
			parent = snap__stacks_child(0, i);
		cr_assert(snap__stacks_credit(snap__stacks_child(parent, i + 1), 1, 1));
	}
	cr_assert_lt(snap__memory_mapped() - before, 64ull * STACKS);
}

/* A limit of 16 MiB, and more and more stacks: known ones stay; new ones are shortened, and later
 * refused. */
Test(stacks, beyond_the_limit_only_shortened_stacks_get_nodes)
{
	uint32_t parent, known, refused = 0;

	snap__stacks_limit(16 << 20);
	parent = snap__stacks_child(0, 0x400000);
	known = snap__stacks_child(parent, 0x400001);
	cr_assert_eq(snap__stacks_shortened(), 0);
	for (uintptr_t pc = 0x500000; pc < 0x500000 + 900000; pc++)
		refused += snap__stacks_child(parent, pc) == 0;
	cr_assert_gt(refused, 100000);
	cr_assert_eq(snap__stacks_shortened(), 1 + 8);
	cr_assert_eq(snap__stacks_child(parent, 0x400001), known);
	cr_assert_eq(snap__stacks_child(parent, 0x400002), 0);
	cr_assert_neq(snap__stacks_child_for(parent, 0x400002, SNAP__CLAIM_RESERVED), 0);
	for (uintptr_t pc = 0x2000000; pc < 0x2000000 + 80000; pc++)
		cr_assert_neq(snap__stacks_child_for(parent, pc, SNAP__CLAIM_RESERVED), 0);
	cr_assert_lt(snap__stacks_shortened(), 1 + 8);
}
