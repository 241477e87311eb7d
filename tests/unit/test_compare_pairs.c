/*
 * test_compare_pairs.c - which stacks are paired, at which level, and what rows make of it.
 */
/* links: cmd_analysis */
#include "cpu_limit.h"
#include "dataset_builder.h"

#include "analysis/change.h"
#include "analysis/pairing/pair.h"
#include "analysis/pairing/twins.h"

enum { OLD, NEW };

static struct dataset *dataset;

static void make_dataset(void)
{
	dataset = dataset_new(2);
}

static void free_dataset(void)
{
	dataset_free(dataset);
}

TestSuite(pairing, .init = make_dataset, .fini = free_dataset);
TestSuite(signature, .init = make_dataset, .fini = free_dataset);
TestSuite(fuzzy, .init = make_dataset, .fini = free_dataset);
TestSuite(status, .init = make_dataset, .fini = free_dataset);

/* The pair with this site on that side, of a pairing up to `level`. */
static struct pair pair_of(uint32_t site, int side, enum pair_level level)
{
	const struct dataset_cell **old = dataset_cells_by_site(dataset, OLD);
	const struct dataset_cell **new = dataset_cells_by_site(dataset, NEW);
	struct pair_sides sides = {.old = old, .new = new};
	struct pair found = {.old = SNAP_NONE, .new = SNAP_NONE, .level = PAIR_NONE};
	struct pairing pairing;
	size_t times = 0;

	cr_assert_eq(pairing_compute(&pairing, dataset, &sides, level, NULL), SNAP_OK);
	for (size_t i = 0; i < pairing.count; i++)
		if ((side == OLD ? pairing.pairs[i].old : pairing.pairs[i].new) == site) {
			found = pairing.pairs[i];
			times++;
		}
	cr_assert_eq(times, 1, "every stack is in one pair, not %zu", times);
	pairing_release(&pairing);
	free(old);
	free(new);
	return found;
}

#define EXPECT_PAIR(old_site, new_site, up_to, at)                                                 \
	do {                                                                                       \
		struct pair pair_ = pair_of(old_site, OLD, up_to);                                 \
		cr_expect_eq(pair_.new, new_site);                                                 \
		cr_expect_eq(pair_.level, at, "level is %s", pair_level_names[pair_.level]);       \
	} while (0)

Test(pairing, equal_stacks_pair_at_line)
{
	uint32_t a = builder_add(dataset, OLD, "f:f.c:1@app < main:m.c:2@app", 10, 1);
	uint32_t b = builder_add(dataset, NEW, "f:f.c:1@app < main:m.c:2@app", 20, 2);

	EXPECT_PAIR(a, b, PAIR_FUNCTION, PAIR_LINE);
	EXPECT_PAIR(a, SNAP_NONE, PAIR_EXACT, PAIR_NONE);
}

Test(pairing, exact_keys_pair_first)
{
	uint32_t a = builder_add(dataset, OLD, "f:f.c:1@app", 10, 1);
	uint32_t b = builder_add(dataset, NEW, "f:f.c:1@app", 10, 1);
	uint32_t c = builder_add(dataset, NEW, "f:f.c:1@app", 10, 1);

	dataset->sites[a].identity.exact = dataset->sites[c].identity.exact = 77;
	EXPECT_PAIR(a, c, PAIR_FUNCTION, PAIR_EXACT);
	cr_expect_eq(pair_of(b, NEW, PAIR_FUNCTION).level, PAIR_NONE);
}

/* An optimiser made two calls of the one in line 1; the other build has one. */
Test(pairing, stacks_that_differ_in_addresses_alone_are_one_row_in_another_build)
{
	uint32_t a = builder_add(dataset, OLD, "f:f.c:1@app < main:m.c:2@app", 1000, 10);
	uint32_t b = builder_add(dataset, OLD, "f:f.c:1@app < main:m.c:2@app", 9000, 90);
	uint32_t c = builder_add(dataset, OLD, "g:f.c:7@app < main:m.c:3@app", 500, 5);
	uint32_t new = builder_add(dataset, NEW, "f:f.c:1@app < main:m.c:2@app", 10000, 100);
	struct pair first = pair_of(a, OLD, PAIR_FUZZY), second = pair_of(b, OLD, PAIR_FUZZY);
	struct pair other = pair_of(c, OLD, PAIR_FUZZY);

	cr_assert_neq(a, b);
	cr_expect_eq((first.new == new) + (second.new == new), 1);
	cr_expect_eq(first.is_copy + second.is_copy, 1);
	cr_expect_not(other.is_copy);
	cr_expect_eq(change_label_site(&first), new);
	cr_expect_eq(change_label_site(&second), new);
	cr_expect_eq(change_label_site(&other), c);
}

/* The call in line 1 is in line 4 now; one of its stacks passes through functions that are no more. */
Test(pairing, a_call_that_moved_takes_the_old_stacks_without_a_partner_along)
{
	uint32_t a = builder_add(dataset, OLD, "f:f.c:1@app < main:m.c:2@app", 1000, 10);
	uint32_t b = builder_add(dataset, OLD,
				 "f:f.c:1@app < x:x.c:1@app < y:x.c:2@app < z:x.c:3@app", 90, 9);
	uint32_t c = builder_add(dataset, OLD, "g:g.c:1@app < z:x.c:4@app", 77, 7);
	uint32_t new = builder_add(dataset, NEW, "f:f.c:4@app < main:m.c:2@app", 1000, 10);
	const struct dataset_cell **old_cells = dataset_cells_by_site(dataset, OLD);
	const struct dataset_cell **new_cells = dataset_cells_by_site(dataset, NEW);
	struct pair_sides sides = {.old = old_cells, .new = new_cells};
	struct pairing pairing;

	cr_assert_eq(pairing_compute(&pairing, dataset, &sides, PAIR_FUZZY, NULL), SNAP_OK);
	for (size_t i = 0; i < pairing.count; i++)
		if (pairing.pairs[i].old == b)
			cr_expect_eq(change_label_site(&pairing.pairs[i]), b);
	cr_assert(twins_join_sites(&pairing, dataset, &sides, FIGURE_LIVE_BYTES));
	for (size_t i = 0; i < pairing.count; i++) {
		uint32_t label = change_label_site(&pairing.pairs[i]);

		cr_expect_eq(label, pairing.pairs[i].old == c ? c : new);
	}
	cr_expect_eq(pairing.count, 3);
	cr_expect_neq(a, b);
	pairing_release(&pairing);
	free(old_cells);
	free(new_cells);
}

static struct pairing pair_and_join(void)
{
	const struct dataset_cell **old_cells = dataset_cells_by_site(dataset, OLD);
	const struct dataset_cell **new_cells = dataset_cells_by_site(dataset, NEW);
	struct pair_sides sides = {.old = old_cells, .new = new_cells};
	struct pairing pairing;

	cr_assert_eq(pairing_compute(&pairing, dataset, &sides, PAIR_FUZZY, NULL), SNAP_OK);
	cr_assert(twins_join_sites(&pairing, dataset, &sides, FIGURE_LIVE_BYTES));
	free(old_cells);
	free(new_cells);
	return pairing;
}

/* The old program had no debug information, the new one has; one stack of put() has no partner. */
Test(pairing, a_function_without_lines_takes_its_stacks_along_to_where_its_lines_are_known)
{
	uint32_t a = builder_add(dataset, OLD, "put@app < main@app", 1000, 10);
	uint32_t lone = builder_add(dataset, OLD, "put@app < x@app < y@app < z@app", 9000, 90);
	uint32_t gone = builder_add(dataset, OLD, "get@app < z@app", 77, 7);
	uint32_t new = builder_add(dataset, NEW, "put:p.c:4@app < main:m.c:2@app", 1000, 10);
	struct pairing pairing = pair_and_join();

	cr_assert_neq(a, lone);
	cr_expect_eq(pairing.count, 3);
	for (size_t i = 0; i < pairing.count; i++)
		cr_expect_eq(change_label_site(&pairing.pairs[i]),
			     pairing.pairs[i].old == gone ? gone : new);
	pairing_release(&pairing);
}

/* Of put() and take(), one caller is gone and another one holds more: 6 and 100 blocks of 100 bytes. */
Test(pairing, a_function_without_lines_does_not_hide_by_what_is_gone_that_a_call_holds_more)
{
	builder_add(dataset, OLD, "put@app < main@app", 1000, 10);
	uint32_t gone = builder_add(dataset, OLD, "put@app < x@app < y@app < z@app", 9000, 90);
	uint32_t put = builder_add(dataset, NEW, "put:p.c:4@app < main:m.c:2@app", 1600, 16);
	builder_add(dataset, OLD, "take@app < main@app", 1000, 10);
	uint32_t explains = builder_add(dataset, OLD, "take@app < x@app < y@app < z@app", 9000, 90);
	uint32_t take = builder_add(dataset, NEW, "take:p.c:40@app < main:m.c:3@app", 11000, 110);
	struct pairing pairing = pair_and_join();

	cr_expect_eq(pairing.count, 4);
	for (size_t i = 0; i < pairing.count; i++) {
		const struct pair *pair = &pairing.pairs[i];

		if (pair->old == gone)
			cr_expect_eq(change_label_site(pair), gone);
		else if (pair->old == explains)
			cr_expect_eq(change_label_site(pair), take);
		else
			cr_expect(pair->new == put || pair->new == take);
	}
	pairing_release(&pairing);
}

/* resize() has gone into its callers; one stack of those from fill() has no partner. */
Test(pairing, a_call_takes_the_stacks_of_its_own_caller_along)
{
	uint32_t most = builder_add(
		dataset, OLD, "resize:r.c:1@app < make:k.c:3@app < main:m.c:2@app", 90000, 900);
	uint32_t few = builder_add(dataset, OLD,
				   "resize:r.c:1@app < fill:f.c:2@app < main:m.c:1@app", 7800, 78);
	uint32_t lone = builder_add(
		dataset, OLD,
		"resize:r.c:1@app < fill:f.c:2@app < x:x.c:1@app < y:x.c:2@app < z:x.c:3@app", 390,
		39);
	uint32_t make = builder_add(dataset, NEW, "make:k.c:3@app < main:m.c:2@app", 90000, 900);
	uint32_t fill = builder_add(dataset, NEW, "fill:f.c:2@app < main:m.c:1@app", 7800, 78);
	struct pairing pairing = pair_and_join();

	cr_expect_eq(pairing.count, 3);
	for (size_t i = 0; i < pairing.count; i++) {
		const struct pair *pair = &pairing.pairs[i];

		cr_expect_eq(change_label_site(pair), pair->old == most ? make : fill);
		cr_expect_eq(pair->has_twin, pair->old == lone);
	}
	cr_expect_neq(few, lone);
	pairing_release(&pairing);
}

/* dup() is renamed, and has gone into take(), which is renamed, too, and whose caller was copied. */
Test(pairing, copies_of_a_stack_together_are_as_large_as_the_stack_of_another_build)
{
	enum { COPIES = 6 };
	uint32_t old = builder_add(
		dataset, OLD,
		"dup:a.c:66@app < take:l.c:386@app < nodes:l.c:229@app < main:d.c:13@app", 396132,
		18006);
	uint32_t copies[COPIES], more[2];
	struct pair pair;
	bool found = false;

	more[0] = builder_add(
		dataset, OLD,
		"dup:a.c:66@app < start:p.c:9@app < parse:p.c:7@app < main:d.c:14@app", 840, 70);
	for (int i = 0; i < COPIES; i++)
		copies[i] =
			builder_add(dataset, NEW,
				    "load_scalar:l.c:386@app < nodes:l.c:229@app < main:d.c:13@app",
				    66022, 3001);
	more[1] = builder_add(dataset, NEW,
			      "open_doc:p.c:9@app < parse:p.c:7@app < main:d.c:14@app", 840, 70);
	pair = pair_of(old, OLD, PAIR_FUZZY);
	for (int i = 0; i < COPIES; i++)
		found |= pair.new == copies[i];
	cr_expect(found);
	for (int i = 0; i < COPIES; i++)
		cr_expect_eq(pair_of(copies[i], NEW, PAIR_FUZZY).is_copy, pair.new != copies[i]);
	EXPECT_PAIR(more[0], more[1], PAIR_FUZZY, PAIR_FUZZY);
}

/* The call in line 1 is still there; most of its blocks are in a function of another name now. */
Test(pairing, a_call_that_stays_keeps_the_old_stacks_without_a_partner)
{
	uint32_t stays = builder_add(dataset, OLD, "take:f.c:1@app < setup:s.c:4@app", 640, 10);
	uint32_t other = builder_add(
		dataset, OLD, "take:f.c:1@app < item:p.c:5@app < all:p.c:50@app < run:r.c:8@app",
		6400, 100);
	uint32_t gone = builder_add(dataset, OLD, "take:f.c:1@app < fill:c.c:3@app", 9000, 90);
	uint32_t new = builder_add(dataset, NEW, "take:f.c:1@app < setup:s.c:4@app", 640, 10);
	uint32_t renamed = builder_add(
		dataset, NEW, "taken:g.c:7@app < item:p.c:5@app < all:p.c:50@app < run:r.c:8@app",
		6400, 100);
	struct pairing pairing = pair_and_join();

	cr_expect_eq(pairing.count, 3);
	for (size_t i = 0; i < pairing.count; i++) {
		uint32_t old = pairing.pairs[i].old;

		cr_expect_eq(change_label_site(&pairing.pairs[i]), old == stays   ? new
								   : old == other ? renamed
										  : gone);
	}
	pairing_release(&pairing);
}

/* Some blocks of the call are in a function of another name now; more of them are gone. */
Test(pairing, large_old_stacks_without_a_partner_do_not_follow_to_another_function)
{
	uint32_t other = builder_add(
		dataset, OLD, "take:f.c:1@app < item:p.c:5@app < all:p.c:50@app < run:r.c:8@app",
		6400, 100);
	uint32_t gone = builder_add(dataset, OLD, "take:f.c:1@app < fill:c.c:3@app", 9000, 900);
	uint32_t renamed = builder_add(
		dataset, NEW, "taken:g.c:7@app < item:p.c:5@app < all:p.c:50@app < run:r.c:8@app",
		6400, 100);
	struct pairing pairing = pair_and_join();

	cr_expect_eq(pairing.count, 2);
	for (size_t i = 0; i < pairing.count; i++)
		cr_expect_eq(change_label_site(&pairing.pairs[i]),
			     pairing.pairs[i].old == other ? renamed : gone);
	pairing_release(&pairing);
}

/* A compiler copied next(), and knows no line of the copies. */
Test(pairing, the_line_of_the_newest_frame_tells_stacks_apart_where_a_caller_has_none)
{
	builder_add(dataset, OLD, "scan:s.c:36@app < fetch:f.c:9@app < next@app < main:m.c:2@app",
		    48, 3);
	builder_add(dataset, OLD, "scan:s.c:36@app < fetch:f.c:9@app < next@app < main:m.c:2@app",
		    48, 3);
	uint32_t old37 =
		builder_add(dataset, OLD,
			    "scan:s.c:37@app < fetch:f.c:9@app < next@app < main:m.c:2@app", 48, 3);
	uint32_t new36 = builder_add(
		dataset, NEW, "scan:s.c:36@app < fetch:f.c:9@app < next:n.c:5@app < main:m.c:2@app",
		96, 6);
	uint32_t new37 = builder_add(
		dataset, NEW, "scan:s.c:37@app < fetch:f.c:9@app < next:n.c:5@app < main:m.c:2@app",
		48, 3);

	EXPECT_PAIR(old37, new37, PAIR_FUZZY, PAIR_FUNCTION);
	cr_expect_eq(pair_of(new36, NEW, PAIR_FUZZY).level, PAIR_FUNCTION);
}

Test(pairing, a_moved_line_pairs_at_function_when_permitted)
{
	uint32_t a = builder_add(dataset, OLD, "f:f.c:1@app < main:m.c:2@app", 10, 1);
	uint32_t b = builder_add(dataset, NEW, "f:f.c:9@app < main:m.c:3@app", 10, 1);

	EXPECT_PAIR(a, b, PAIR_FUNCTION, PAIR_FUNCTION);
	EXPECT_PAIR(a, SNAP_NONE, PAIR_LINE, PAIR_NONE);
}

/* A library lost its lines, and a call stands in front of the three old ones. */
Test(pairing, lines_of_the_program_tell_stacks_apart_where_a_library_lost_its_own)
{
	uint32_t old10 = builder_add(dataset, OLD, "get:l.c:5@lib < f:f.c:10@app", 1000, 10);
	uint32_t old20 = builder_add(dataset, OLD, "get:l.c:5@lib < f:f.c:20@app", 20000, 200);
	uint32_t old30 = builder_add(dataset, OLD, "get:l.c:5@lib < f:f.c:30@app", 300000, 3000);
	uint32_t new7 = builder_add(dataset, NEW, "get@lib < f:f.c:7@app", 700, 7);
	uint32_t new13 = builder_add(dataset, NEW, "get@lib < f:f.c:13@app", 1100, 11);
	uint32_t new23 = builder_add(dataset, NEW, "get@lib < f:f.c:23@app", 20100, 201);
	uint32_t new33 = builder_add(dataset, NEW, "get@lib < f:f.c:33@app", 300100, 3001);

	EXPECT_PAIR(old10, new13, PAIR_FUNCTION, PAIR_FUNCTION);
	EXPECT_PAIR(old20, new23, PAIR_FUNCTION, PAIR_FUNCTION);
	EXPECT_PAIR(old30, new33, PAIR_FUNCTION, PAIR_FUNCTION);
	cr_expect_eq(pair_of(new7, NEW, PAIR_FUNCTION).level, PAIR_NONE);
}

/* The one line of a caller that both sides know says nothing.  Sites are made in address order. */
Test(pairing, addresses_tell_stacks_apart_where_the_program_lost_its_lines)
{
	uint32_t old30 = builder_add(dataset, OLD, "f:f.c:30@app < start:s.c:5@libc", 1000, 10);
	uint32_t old10 = builder_add(dataset, OLD, "f:f.c:10@app < start:s.c:5@libc", 20000, 200);
	uint32_t new_first = builder_add(dataset, NEW, "f@app < start:s.c:5@libc", 1100, 11);
	uint32_t new_second = builder_add(dataset, NEW, "f@app < start:s.c:5@libc", 20100, 201);

	EXPECT_PAIR(old30, new_first, PAIR_FUNCTION, PAIR_FUNCTION);
	EXPECT_PAIR(old10, new_second, PAIR_FUNCTION, PAIR_FUNCTION);
}

Test(pairing, stacks_that_collide_pair_in_line_order_and_the_surplus_is_left)
{
	uint32_t old30 = builder_add(dataset, OLD, "f:f.c:30@app", 1, 1);
	uint32_t old10 = builder_add(dataset, OLD, "f:f.c:10@app", 1, 1);
	uint32_t new36 = builder_add(dataset, NEW, "f:f.c:36@app", 1, 1);
	uint32_t new16 = builder_add(dataset, NEW, "f:f.c:16@app", 1, 1);
	uint32_t new99 = builder_add(dataset, NEW, "f:f.c:99@app", 1, 1);

	EXPECT_PAIR(old10, new16, PAIR_FUNCTION, PAIR_FUNCTION);
	EXPECT_PAIR(old30, new36, PAIR_FUNCTION, PAIR_FUNCTION);
	cr_expect_eq(pair_of(new99, NEW, PAIR_FUNCTION).level, PAIR_NONE);
}

Test(pairing, the_first_level_that_fits_wins)
{
	uint32_t old40 = builder_add(dataset, OLD, "f:f.c:40@app", 10, 1);
	uint32_t old47 = builder_add(dataset, OLD, "f:f.c:47@app", 20, 1);
	uint32_t new47 = builder_add(dataset, NEW, "f:f.c:47@app", 22, 1);
	uint32_t new54 = builder_add(dataset, NEW, "f:f.c:54@app", 11, 1);

	EXPECT_PAIR(old47, new47, PAIR_FUNCTION, PAIR_LINE);
	EXPECT_PAIR(old40, new54, PAIR_FUNCTION, PAIR_FUNCTION);
}

Test(pairing, lines_that_moved_onto_each_other_are_told_by_their_sizes)
{
	uint32_t old10 = builder_add(dataset, OLD, "f:f.c:10@app", 16, 1);
	uint32_t old11 = builder_add(dataset, OLD, "f:f.c:11@app", 32, 1);
	uint32_t old12 = builder_add(dataset, OLD, "f:f.c:12@app", 64, 1);
	uint32_t new11 = builder_add(dataset, NEW, "f:f.c:11@app", 16, 1);
	uint32_t new12 = builder_add(dataset, NEW, "f:f.c:12@app", 32, 1);
	uint32_t new13 = builder_add(dataset, NEW, "f:f.c:13@app", 64, 1);

	EXPECT_PAIR(old10, new11, PAIR_FUNCTION, PAIR_FUNCTION);
	EXPECT_PAIR(old11, new12, PAIR_FUNCTION, PAIR_FUNCTION);
	EXPECT_PAIR(old12, new13, PAIR_FUNCTION, PAIR_FUNCTION);
}

Test(pairing, an_allocation_inserted_among_others_is_the_one_that_is_new)
{
	uint32_t old10 = builder_add(dataset, OLD, "f:f.c:10@app", 16, 1);
	uint32_t old14 = builder_add(dataset, OLD, "f:f.c:14@app", 32, 1);
	uint32_t leak = builder_add(dataset, NEW, "f:f.c:10@app", 5000, 1);
	uint32_t new12 = builder_add(dataset, NEW, "f:f.c:12@app", 16, 1);
	uint32_t new16 = builder_add(dataset, NEW, "f:f.c:16@app", 32, 1);

	EXPECT_PAIR(old10, new12, PAIR_FUNCTION, PAIR_FUNCTION);
	EXPECT_PAIR(old14, new16, PAIR_FUNCTION, PAIR_FUNCTION);
	cr_expect_eq(pair_of(leak, NEW, PAIR_FUNCTION).level, PAIR_NONE);
}

/* Neighbours that are the same on both sides, so that shared callers tell little. */
static void add_background(void)
{
	char stack[128];

	for (int i = 0; i < 20; i++) {
		uint32_t site;

		snprintf(stack, sizeof(stack),
			 "malloc@libc < work%d:w.c:%d@app < run:r.c:5@app < main:m.c:1@app", i,
			 i + 10);
		site = builder_add(dataset, OLD, stack, 10, 1);
		builder_cell(dataset, NEW, site, 10, 1);
	}
}

/* Python's dumps name no functions.  The assignment of line 2 is gone, and all else moved down: order
 * alone would take the class of line 3 for the function of line 6. */
Test(pairing, blocks_of_another_size_are_another_object_where_only_the_file_is_known)
{
	uint32_t table = builder_add(dataset, OLD, ":shop.py:2 < :main.py:1", 64, 1);
	uint32_t class = builder_add(dataset, OLD, ":shop.py:3 < :main.py:1", 2700, 9);
	uint32_t function = builder_add(dataset, OLD, ":shop.py:6 < :main.py:1", 136, 1);
	uint32_t new_class = builder_add(dataset, NEW, ":shop.py:13 < :main.py:1", 2300, 8);
	uint32_t new_function = builder_add(dataset, NEW, ":shop.py:18 < :main.py:1", 136, 1);

	EXPECT_PAIR(class, new_class, PAIR_FUNCTION, PAIR_FUNCTION);
	EXPECT_PAIR(function, new_function, PAIR_FUNCTION, PAIR_FUNCTION);
	EXPECT_PAIR(table, SNAP_NONE, PAIR_FUZZY, PAIR_NONE);
}

/* What differs between a stack and the one it is paired with; valid until the next call. */
static const char *text_of(uint32_t old)
{
	static char copy[256];
	struct pair pair = pair_of(old, OLD, PAIR_FUZZY);
	char *text;

	cr_assert(change_text(dataset, &pair, &text));
	snprintf(copy, sizeof(copy), "%s", text ? text : "(nothing)");
	free(text);
	return copy;
}

Test(pairing, a_stack_through_another_call_of_a_function_is_another_stack)
{
	uint32_t at46 = builder_add(dataset, OLD, "k@app < parse:p.c:46@app < main@app", 16, 1);
	uint32_t at49 = builder_add(dataset, OLD, "n@app < parse:p.c:49@app < main@app", 32, 1);
	uint32_t old = builder_add(dataset, OLD, "m@app < parse:p.c:46@app < main@app", 64, 1);
	uint32_t new = builder_add(dataset, NEW, "m@app < parse:p.c:49@app < main@app", 64, 1);

	builder_cell(dataset, NEW, at46, 16, 1);
	builder_cell(dataset, NEW, at49, 32, 1);
	EXPECT_PAIR(old, SNAP_NONE, PAIR_FUNCTION, PAIR_NONE);
	cr_expect_eq(pair_of(new, NEW, PAIR_FUNCTION).level, PAIR_NONE);
}

/* ---- changed signatures ---- */

Test(signature, a_changed_signature_pairs_at_function)
{
	uint32_t a, b;

	add_background();
	a = builder_add(dataset, OLD, "operator new(unsigned long)@l < send(int)@app < main@app",
			64, 1);
	b = builder_add(dataset, NEW,
			"operator new(unsigned long)@l < send(long, int)@app < main@app", 64, 1);
	EXPECT_PAIR(a, b, PAIR_FUNCTION, PAIR_FUNCTION);
	EXPECT_PAIR(a, SNAP_NONE, PAIR_LINE, PAIR_NONE);
	cr_expect_str_eq(text_of(a), "signature: send(int) -> send(long, int)");
}

Test(signature, a_template_type_may_change)
{
	uint32_t a = builder_add(dataset, OLD, "Pool<int>::grow()@app < main@app", 64, 1);
	uint32_t b = builder_add(dataset, NEW, "Pool<Token>::grow()@app < main@app", 64, 1);

	EXPECT_PAIR(a, b, PAIR_FUNCTION, PAIR_FUNCTION);
}

Test(signature, calls_of_one_function_keep_their_lines)
{
	uint32_t old3 = builder_add(dataset, OLD, "send(int):s.c:3@app < main:m.c:1@app", 64, 1);
	uint32_t old7 = builder_add(dataset, OLD, "send(int):s.c:7@app < main:m.c:1@app", 96, 1);
	uint32_t new5 = builder_add(dataset, NEW, "send(long):s.c:5@app < main:m.c:1@app", 64, 1);
	uint32_t new9 = builder_add(dataset, NEW, "send(long):s.c:9@app < main:m.c:1@app", 96, 1);

	EXPECT_PAIR(old3, new5, PAIR_FUNCTION, PAIR_FUNCTION);
	EXPECT_PAIR(old7, new9, PAIR_FUNCTION, PAIR_FUNCTION);
}

Test(signature, an_overload_that_lives_on_is_another_function)
{
	uint32_t kept = builder_add(dataset, OLD, "send(int)@app < other@app", 64, 1);
	uint32_t a = builder_add(dataset, OLD, "send(int)@app < main@app", 64, 1);
	uint32_t b = builder_add(dataset, NEW, "send(long)@app < main@app", 64, 1);

	builder_cell(dataset, NEW, kept, 64, 1);
	EXPECT_PAIR(a, SNAP_NONE, PAIR_LINE, PAIR_NONE);
	cr_expect_eq(pair_of(b, NEW, PAIR_FUNCTION).level, PAIR_NONE);
}

Test(signature, two_overloads_that_both_changed_are_ambiguous)
{
	uint32_t a = builder_add(dataset, OLD, "send(int)@app < main@app", 64, 1);
	uint32_t b = builder_add(dataset, OLD, "send(char)@app < main@app", 64, 1);

	builder_add(dataset, NEW, "send(long)@app < main@app", 64, 1);
	builder_add(dataset, NEW, "send(short)@app < main@app", 64, 1);
	EXPECT_PAIR(a, SNAP_NONE, PAIR_LINE, PAIR_NONE);
	EXPECT_PAIR(b, SNAP_NONE, PAIR_FUNCTION, PAIR_NONE);
}

Test(signature, the_same_function_of_another_library_is_another_function)
{
	uint32_t kept = builder_add(dataset, OLD, "init@liba.so < main@app", 64, 1);
	uint32_t too = builder_add(dataset, OLD, "init@libb.so < main@app", 64, 1);
	uint32_t a = builder_add(dataset, OLD, "send(int)@liba.so < main@app", 64, 1);

	builder_cell(dataset, NEW, kept, 64, 1);
	builder_cell(dataset, NEW, too, 64, 1);
	builder_add(dataset, NEW, "send(long)@libb.so < main@app", 64, 1);
	EXPECT_PAIR(a, SNAP_NONE, PAIR_LINE, PAIR_NONE);
}

Test(signature, rust_implementations_for_different_types_are_different_functions)
{
	uint32_t a = builder_add(dataset, OLD, "<Cat as Clone>::clone@app < main@app", 64, 1);

	builder_add(dataset, NEW, "<Dog as Clone>::clone@app < main@app", 64, 1);
	EXPECT_PAIR(a, SNAP_NONE, PAIR_LINE, PAIR_NONE);
}

/* ---- fuzzy ---- */

Test(fuzzy, a_renamed_function_is_recognised)
{
	uint32_t a, b;

	add_background();
	a = builder_add(dataset, OLD,
			"malloc@libc < cache_put:c.c:40@app < serve:s.c:9@app < main:m.c:1@app",
			640, 10);
	b = builder_add(dataset, NEW,
			"malloc@libc < cache_insert:c.c:44@app < serve:s.c:9@app < main:m.c:1@app",
			640, 10);
	EXPECT_PAIR(a, b, PAIR_FUZZY, PAIR_FUZZY);
	EXPECT_PAIR(a, SNAP_NONE, PAIR_LINE, PAIR_NONE);
	cr_expect_str_eq(text_of(a), "renamed: cache_put -> cache_insert");
}

Test(fuzzy, an_inlined_function_is_recognised)
{
	uint32_t a, b;

	add_background();
	a = builder_add(dataset, OLD, "malloc@libc < node_new@app < parse@app < main:m.c:1@app",
			640, 10);
	b = builder_add(dataset, NEW, "malloc@libc < parse@app < main:m.c:1@app", 640, 10);
	EXPECT_PAIR(a, b, PAIR_FUZZY, PAIR_FUZZY);
	cr_expect_str_eq(text_of(a), "node_new inlined into parse");
}

Test(fuzzy, a_wrapper_is_recognised)
{
	uint32_t a, b;

	add_background();
	a = builder_add(dataset, OLD,
			"malloc@libc < grow:t.c:5@app < insert:t.c:9@app < main:m.c:1@app", 64, 1);
	b = builder_add(dataset, NEW,
			"malloc@libc < grow:t.c:5@app < checked:t.c:7@app < insert:t.c:9@app < "
			"main:m.c:1@app",
			64, 1);
	EXPECT_PAIR(a, b, PAIR_FUZZY, PAIR_FUZZY);
	cr_expect_str_eq(text_of(a), "now through checked");
}

Test(fuzzy, functions_that_live_on_in_both_are_not_each_other)
{
	uint32_t a, b, parse, render;

	add_background();
	parse = builder_add(dataset, OLD, "malloc@libc < parse:p.c:1@app < main:m.c:1@app", 64, 1);
	builder_cell(dataset, NEW, parse, 64, 1);
	render =
		builder_add(dataset, OLD, "malloc@libc < render:p.c:3@app < main:m.c:1@app", 64, 1);
	builder_cell(dataset, NEW, render, 64, 1);
	a = builder_add(dataset, OLD,
			"malloc@libc < parse:p.c:1@app < run:r.c:5@app < main:m.c:1@app", 64, 1);
	b = builder_add(dataset, NEW,
			"malloc@libc < render:p.c:3@app < run:r.c:5@app < main:m.c:1@app", 64, 1);
	EXPECT_PAIR(a, SNAP_NONE, PAIR_FUZZY, PAIR_NONE);
	cr_expect_eq(pair_of(b, NEW, PAIR_FUZZY).level, PAIR_NONE);
}

Test(fuzzy, ambiguous_stacks_stay_unpaired)
{
	uint32_t a;

	add_background();
	a = builder_add(dataset, OLD, "malloc@libc < fetch_a@app < serve@app < main@app", 64, 1);
	builder_add(dataset, NEW, "malloc@libc < fetch_b@app < serve@app < main@app", 64, 1);
	builder_add(dataset, NEW, "malloc@libc < fetch_c@app < serve@app < main@app", 64, 1);
	EXPECT_PAIR(a, SNAP_NONE, PAIR_FUZZY, PAIR_NONE);
}

/* Neither program has debug information: put() was inlined into load(), and another caller's memory
 * is gone.  It must not hide what load() gained. */
Test(pairing, a_function_without_lines_takes_nothing_along_to_another_function)
{
	uint32_t gone, inlined, load;
	struct pairing pairing;

	add_background();
	inlined = builder_add(dataset, OLD, "put@app < load@app < run@app < serve@app < main@app",
			      10000, 5);
	gone = builder_add(dataset, OLD, "put@app < cache@app < warm@app < main@app", 1000000, 1);
	load = builder_add(dataset, NEW, "load@app < run@app < serve@app < main@app", 40000, 20);
	pairing = pair_and_join();
	for (size_t i = 0; i < pairing.count; i++) {
		if (pairing.pairs[i].old == inlined)
			cr_expect_eq(pairing.pairs[i].new, load);
		if (pairing.pairs[i].old == gone)
			cr_expect_eq(change_label_site(&pairing.pairs[i]), gone);
	}
	pairing_release(&pairing);
}

/* Both are the call in line 7 and hold as much, so that one is as good as the other. */
Test(fuzzy, rivals_that_are_one_call_and_hold_as_much_do_not_keep_each_other_from_a_partner)
{
	uint32_t old, a, b;

	add_background();
	old = builder_add(dataset, OLD, "put:p.c:7@app < fetch_a@app < serve@app < main@app", 64,
			  1);
	a = builder_add(dataset, NEW, "put:p.c:7@app < fetch_b@app < serve@app < main@app", 64, 1);
	b = builder_add(dataset, NEW, "put:p.c:7@app < fetch_c@app < serve@app < main@app", 64, 1);
	cr_expect_eq((pair_of(a, NEW, PAIR_FUZZY).old == old) +
			     (pair_of(b, NEW, PAIR_FUZZY).old == old),
		     1);
}

Test(fuzzy, sizes_decide_between_equals)
{
	uint32_t a, b;

	add_background();
	a = builder_add(dataset, OLD, "malloc@libc < fetch_a@app < serve@app < main@app", 640, 10);
	builder_add(dataset, NEW, "malloc@libc < fetch_b@app < serve@app < main@app", 7000, 1);
	b = builder_add(dataset, NEW, "malloc@libc < fetch_c@app < serve@app < main@app", 640, 10);
	EXPECT_PAIR(a, b, PAIR_FUZZY, PAIR_FUZZY);
}

/* So many that no function in them is telling, but what the other snapshot lacks: nothing but its
 * skeleton finds a stack. */
Test(fuzzy, a_renamed_function_is_recognised_among_thousands_of_stacks)
{
	enum { WIDTH = 16, STACKS = WIDTH * WIDTH * WIDTH };
	uint32_t old[STACKS], new[STACKS];

	for (unsigned i = 0; i < STACKS; i++) {
		char callers[96], stack[160];

		snprintf(callers, sizeof(callers), "%s%u@app < b%u@app < c%u@app < main@app",
			 i % 2 ? "kept" : "old", i % WIDTH, i / WIDTH % WIDTH, i / WIDTH / WIDTH);
		snprintf(stack, sizeof(stack), "malloc@libc < %s", callers);
		old[i] = builder_add(dataset, OLD, stack, 64 + i, 1);
		if (i % 2) {
			builder_cell(dataset, NEW, new[i] = old[i], 64 + i, 1);
			continue;
		}
		snprintf(stack, sizeof(stack), "malloc@libc < brand%s", callers);
		new[i] = builder_add(dataset, NEW, stack, 64 + i, 1);
	}
	for (unsigned i = 0; i < STACKS; i += 514)
		EXPECT_PAIR(old[i], new[i], PAIR_FUZZY, PAIR_FUZZY);
}

/* Ten thousand on each side that nothing tells apart: the end is what is asked for. */
Test(fuzzy, masses_that_look_alike_stay_unpaired, .timeout = 1200)
{
	uint32_t first = SNAP_NONE;

	limit_cpu_seconds(20);
	for (unsigned i = 0; i < 10000; i++) {
		char stack[64];
		uint32_t site;

		snprintf(stack, sizeof(stack), "serve_%05u@app < loop@app < main@app",
			 i * 7919 % 10007);
		site = builder_add(dataset, OLD, stack, 64, 1);
		first = i == 0 ? site : first;
		snprintf(stack, sizeof(stack), "f%x@app < loop@app < main@app", i * 7919 % 10007);
		builder_add(dataset, NEW, stack, 64, 1);
	}
	EXPECT_PAIR(first, SNAP_NONE, PAIR_FUZZY, PAIR_NONE);
}

/* Nothing else tells which of two calls was inlined, and into what. */
Test(fuzzy, a_size_that_no_other_stack_has_is_telling)
{
	uint32_t a, b, c, d;

	add_background();
	a = builder_add(dataset, OLD, "put@app < cache@app < serve@app < run@app < main@app", 643,
			1);
	b = builder_add(dataset, OLD, "put@app < store@app < serve@app < run@app < main@app", 647,
			1);
	c = builder_add(dataset, NEW, "put@app < table@app < serve@app < run@app < main@app", 647,
			1);
	d = builder_add(dataset, NEW, "put@app < queue@app < serve@app < run@app < main@app", 643,
			1);
	EXPECT_PAIR(a, d, PAIR_FUZZY, PAIR_FUZZY);
	EXPECT_PAIR(b, c, PAIR_FUZZY, PAIR_FUZZY);
}

Test(fuzzy, shared_callers_do_not_make_two_functions_one)
{
	static const char callers[] = "step@app < loop@app < serve@app < accept@app < main@app";
	char stack[128];
	uint32_t read, fetch, a, b;

	add_background();
	read = builder_add(dataset, OLD, "read@app < run@app < main@app", 10, 1);
	fetch = builder_add(dataset, OLD, "fetch@app < run@app < main@app", 10, 1);
	builder_cell(dataset, NEW, read, 10, 1);
	builder_cell(dataset, NEW, fetch, 10, 1);
	snprintf(stack, sizeof(stack), "read@app < %s", callers);
	a = builder_add(dataset, OLD, stack, 64, 1);
	snprintf(stack, sizeof(stack), "fetch@app < %s", callers);
	b = builder_add(dataset, NEW, stack, 5000, 40);
	EXPECT_PAIR(a, SNAP_NONE, PAIR_FUZZY, PAIR_NONE);
	cr_expect_eq(pair_of(b, NEW, PAIR_FUZZY).level, PAIR_NONE);
}

/* An allocation inserted at the top of a renamed function moves its lines against its first one. */
Test(fuzzy, lines_of_a_renamed_function_are_counted_from_either_end)
{
	uint32_t old31, old32, new33, new34;

	add_background();
	builder_add(dataset, OLD, "route:r.c:30@app < main:m.c:1@app", 8, 1);
	old31 = builder_add(dataset, OLD, "put:p.c:7@app < route:r.c:31@app < main:m.c:1@app", 8,
			    1);
	old32 = builder_add(dataset, OLD,
			    "put:p.c:7@app < fill:f.c:3@app < route:r.c:32@app < main:m.c:1@app", 8,
			    1);
	builder_add(dataset, NEW, "route_all:r.c:31@app < main:m.c:1@app", 999, 9);
	builder_add(dataset, NEW, "route_all:r.c:32@app < main:m.c:1@app", 8, 1);
	new33 = builder_add(dataset, NEW, "put:p.c:7@app < route_all:r.c:33@app < main:m.c:1@app",
			    8, 1);
	new34 = builder_add(
		dataset, NEW,
		"put:p.c:7@app < fill:f.c:3@app < route_all:r.c:34@app < main:m.c:1@app", 8, 1);
	EXPECT_PAIR(old31, new33, PAIR_FUZZY, PAIR_FUZZY);
	EXPECT_PAIR(old32, new34, PAIR_FUZZY, PAIR_FUZZY);
}

Test(fuzzy, strangers_stay_strangers)
{
	uint32_t a;

	add_background();
	a = builder_add(dataset, OLD,
			"malloc@libc < zap:z.c:1@app < quit:q.c:3@app < main:m.c:1@app", 64, 1);
	builder_add(dataset, NEW, "malloc@libc < load:l.c:8@app < boot:b.c:2@app < main:m.c:1@app",
		    64, 1);
	EXPECT_PAIR(a, SNAP_NONE, PAIR_FUZZY, PAIR_NONE);
}

/* ---- rows ---- */

Test(pairing, the_same_files_below_another_directory_pair_at_line)
{
	uint32_t a = builder_add(dataset, OLD, "f:/home/a/src/f.c:1@app < g@libc.so", 10, 1);
	uint32_t b = builder_add(dataset, NEW, "f:/ci/build/src/f.c:1@app < g@libc.so", 20, 2);

	EXPECT_PAIR(a, b, PAIR_LINE, PAIR_LINE);
	EXPECT_PAIR(a, SNAP_NONE, PAIR_EXACT, PAIR_NONE);
}

/* Two packages have a file of one name; most files say which directory is which. */
Test(pairing, the_prefix_that_most_files_agree_on_wins)
{
	uint32_t a = builder_add(dataset, OLD, ":/a/one/__init__.py:5 < :/a/main.py:1", 10, 1);
	uint32_t c = builder_add(dataset, OLD, ":/a/two/__init__.py:5 < :/a/main.py:2", 10, 1);
	uint32_t b = builder_add(dataset, NEW, ":/b/one/__init__.py:5 < :/b/main.py:1", 10, 1);
	uint32_t d = builder_add(dataset, NEW, ":/b/two/__init__.py:5 < :/b/main.py:2", 10, 1);

	EXPECT_PAIR(a, b, PAIR_LINE, PAIR_LINE);
	EXPECT_PAIR(c, d, PAIR_LINE, PAIR_LINE);
}

Test(pairing, lines_that_moved_in_another_directory_pair_at_function)
{
	uint32_t a = builder_add(dataset, OLD, ":/a/app.py:5 < :/a/main.py:10", 10, 1);
	uint32_t b = builder_add(dataset, NEW, ":/b/app.py:7 < :/b/main.py:12", 10, 1);

	EXPECT_PAIR(a, b, PAIR_FUNCTION, PAIR_FUNCTION);
}

/* No vote finds that one.py became two.py. */
Test(pairing, a_map_says_which_file_is_which)
{
	static const char *const maps[] = {"/a/one=/b/two"};
	uint32_t a = builder_add(dataset, OLD, ":/a/one.py:5", 10, 1);
	uint32_t b = builder_add(dataset, NEW, ":/b/two.py:5", 10, 1);
	const struct dataset_cell **old = dataset_cells_by_site(dataset, OLD);
	const struct dataset_cell **new = dataset_cells_by_site(dataset, NEW);
	struct pair_sides sides = {.old = old, .new = new, .maps = maps, .map_count = 1};
	struct pairing pairing;

	EXPECT_PAIR(a, SNAP_NONE, PAIR_LINE, PAIR_NONE);
	cr_assert_eq(pairing_compute(&pairing, dataset, &sides, PAIR_LINE, NULL), SNAP_OK);
	cr_assert_eq(pairing.count, 1);
	cr_expect_eq(pairing.pairs[0].old, a);
	cr_expect_eq(pairing.pairs[0].new, b);
	pairing_release(&pairing);
	free(old);
	free(new);
}

/* The row with this key after pairing up to `level`. */
static struct change_row row_of(const char *key, enum pair_level level)
{
	struct select_options options = {.group = GROUP_LINE};
	const struct dataset_cell **old = dataset_cells_by_site(dataset, OLD);
	const struct dataset_cell **new = dataset_cells_by_site(dataset, NEW);
	struct pair_sides sides = {.old = old, .new = new};
	struct change_row row = {0};
	struct pairing pairing;
	struct selection *selection;
	struct changes changes;
	bool found = false;

	cr_assert_eq(pairing_compute(&pairing, dataset, &sides, level, NULL), SNAP_OK);
	cr_assert_eq(selection_new(&selection, dataset, &options, NULL), SNAP_OK);
	cr_assert_eq(changes_compute(&changes, selection, &pairing, &sides, NULL, FIGURE_LIVE_BYTES,
				     NULL, NULL),
		     SNAP_OK);
	for (uint32_t i = 0; i < selection_row_count(selection); i++)
		if (strcmp(selection_row(selection, i)->key, key) == 0) {
			row = changes.rows[i];
			found = true;
		}
	changes_release(&changes);
	selection_free(selection);
	pairing_release(&pairing);
	free(old);
	free(new);
	cr_assert(found, "there is no row %s", key);
	return row;
}

#define EXPECT_STATUS(key, level, expected)                                                        \
	cr_expect_str_eq(change_status_name(row_of(key, level).status), expected)

Test(status, of_each_kind)
{
	builder_add(dataset, NEW, "born:a.c:1@app", 10, 1);
	builder_add(dataset, OLD, "died:a.c:2@app", 10, 1);
	builder_add(dataset, OLD, "rose:a.c:3@app", 10, 1);
	builder_add(dataset, NEW, "rose:a.c:3@app", 11, 1);
	builder_add(dataset, OLD, "fell:a.c:4@app", 10, 1);
	builder_add(dataset, NEW, "fell:a.c:4@app", 9, 1);
	builder_add(dataset, OLD, "kept:a.c:5@app", 10, 1);
	builder_add(dataset, NEW, "kept:a.c:5@app", 10, 1);
	builder_add(dataset, OLD, "slid:a.c:6@app", 10, 1);
	builder_add(dataset, NEW, "slid:a.c:7@app", 10, 1);
	EXPECT_STATUS("born a.c:1", PAIR_FUNCTION, "new");
	EXPECT_STATUS("died a.c:2", PAIR_FUNCTION, "gone");
	EXPECT_STATUS("rose a.c:3", PAIR_FUNCTION, "grew");
	EXPECT_STATUS("fell a.c:4", PAIR_FUNCTION, "shrank");
	EXPECT_STATUS("kept a.c:5", PAIR_FUNCTION, "same");
	EXPECT_STATUS("slid a.c:7", PAIR_FUNCTION, "moved");
}

Test(status, a_moved_line_that_grew_is_grew)
{
	builder_add(dataset, OLD, "slid:a.c:6@app", 10, 1);
	builder_add(dataset, NEW, "slid:a.c:7@app", 20, 2);
	EXPECT_STATUS("slid a.c:7", PAIR_FUNCTION, "grew");
}

Test(status, equal_bytes_in_more_blocks_is_not_the_same)
{
	builder_add(dataset, OLD, "f:a.c:6@app", 10, 1);
	builder_add(dataset, NEW, "f:a.c:6@app", 10, 2);
	EXPECT_STATUS("f a.c:6", PAIR_FUNCTION, "grew");
}

Test(status, a_stack_that_holds_nothing_is_no_news)
{
	builder_add(dataset, NEW, "f:a.c:6@app", 0, 0);
	EXPECT_STATUS("f a.c:6", PAIR_FUNCTION, "same");
}

Test(status, rows_sum_all_stacks_of_both_sides)
{
	struct change_row row;

	builder_add(dataset, OLD, "f:a.c:6@app < x:a.c:1@app", 10, 1);
	builder_add(dataset, OLD, "f:a.c:6@app < y:a.c:2@app", 20, 2);
	builder_add(dataset, NEW, "f:a.c:6@app < x:a.c:1@app", 5, 1);
	builder_add(dataset, NEW, "f:a.c:6@app < z:a.c:3@app", 100, 4);
	row = row_of("f a.c:6", PAIR_FUNCTION);
	cr_expect_eq(row.old.value[FIGURE_LIVE_BYTES], 30);
	cr_expect_eq(row.new.value[FIGURE_LIVE_BYTES], 105);
	cr_expect_eq(row.paired, 1);
	cr_expect_eq(row.old_only, 1);
	cr_expect_eq(row.new_only, 1);
	cr_expect_eq(row.status, CHANGE_GREW);
}

Test(status, a_moved_line_is_said)
{
	uint32_t a = builder_add(dataset, OLD, "f:a.c:40@app < main:m.c:1@app", 10, 1);

	builder_add(dataset, NEW, "f:a.c:47@app < main:m.c:1@app", 10, 1);
	cr_expect_str_eq(text_of(a), "line 40 -> 47");
}

Test(status, a_moved_file_is_said)
{
	uint32_t a = builder_add(dataset, OLD, "f:src/x.c:40@app < main:m.c:1@app", 10, 1);

	builder_add(dataset, NEW, "f:src/y.c:47@app < main:m.c:1@app", 10, 1);
	cr_expect_str_eq(text_of(a), "moved: x.c -> y.c");
}
