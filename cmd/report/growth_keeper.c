/*
 * growth_keeper.c - climb from a row to the row that holds it, and on.
 */
#include "report/growth_keeper.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/fail.h"
#include "store/holders.h"

enum { MOST_STEPS = 32 };

/* Blocks of one row that another row refers to. */
struct hold {
	uint32_t to, from;
	uint64_t blocks;
};

struct holds {
	const struct growth_keeper_rows *rows;
	size_t count, room;
	struct hold *items;
	struct snap_error *err;
};

static enum snap_status take_edge(void *user, const struct snap_edge *edge)
{
	struct holds *holds = user;
	uint32_t to, from;

	if (edge->from_root || edge->to >= holds->rows->group_count ||
	    edge->from >= holds->rows->group_count)
		return SNAP_OK;
	to = holds->rows->row_of_group[edge->to];
	from = holds->rows->row_of_group[edge->from];
	if (to == SNAP_NONE || from == SNAP_NONE || to == from)
		return SNAP_OK;
	if (!array_reserve(&holds->items, &holds->room, holds->count, sizeof(*holds->items)))
		return fail_memory(holds->err, "reading who holds what");
	holds->items[holds->count++] = (struct hold){to, from, edge->blocks};
	return SNAP_OK;
}

static int compare_holds(const void *a, const void *b)
{
	const struct hold *left = a, *right = b;

	if (left->to != right->to)
		return left->to < right->to ? -1 : 1;
	return left->from < right->from ? -1 : left->from > right->from;
}

static void add_up(struct holds *holds)
{
	size_t last = 0;

	if (!holds->count)
		return;
	qsort(holds->items, holds->count, sizeof(*holds->items), compare_holds);
	for (size_t i = 1; i < holds->count; i++)
		if (compare_holds(&holds->items[last], &holds->items[i]) == 0)
			holds->items[last].blocks += holds->items[i].blocks;
		else
			holds->items[++last] = holds->items[i];
	holds->count = last + 1;
}

static bool is_most(const struct holds *holds, const struct hold *hold)
{
	return hold->blocks >= (holds->rows->blocks[hold->to] + 1) / 2;
}

/* Does the held row hold its holder likewise?  Parts often point back at the whole. */
static bool is_mutual(const struct holds *holds, const struct hold *hold)
{
	const struct hold back = {.to = hold->from, .from = hold->to};
	const struct hold *found =
		bsearch(&back, holds->items, holds->count, sizeof(back), compare_holds);

	return found && is_most(holds, found);
}

/* above[row]: the other row that holds most of its blocks, and at least half; SNAP_NONE: none.  Of two rows
 * that hold each other, the one that a third row holds is the whole. */
static void find_above(uint32_t *above, const struct holds *holds, bool mutual)
{
	uint64_t best = 0;

	for (size_t i = 0; i < holds->count; i++) {
		const struct hold *hold = &holds->items[i];

		if (i > 0 && hold->to != hold[-1].to)
			best = 0;
		if (hold->blocks <= best || !is_most(holds, hold) ||
		    is_mutual(holds, hold) != mutual)
			continue;
		if (mutual &&
		    ((best == 0 && above[hold->to] != SNAP_NONE) || above[hold->from] == SNAP_NONE))
			continue;
		best = hold->blocks;
		above[hold->to] = hold->from;
	}
}

static uint32_t keeper_of(const uint32_t *above, uint32_t row)
{
	uint32_t at = row;

	for (int i = 0; i < MOST_STEPS; i++, at = above[at])
		if (above[at] == SNAP_NONE)
			return at;
	return row;
}

enum snap_status growth_keepers_find(uint32_t *keepers, const struct growth_keeper_rows *rows,
				     struct store *store, int64_t id, struct snap_error *err)
{
	struct holds holds = {.rows = rows, .err = err};
	uint32_t *above = array_unset(rows->count + 1, sizeof(*above));
	enum snap_status st = above ? SNAP_OK : fail_memory(err, "reading who holds what");

	for (size_t row = 0; st == SNAP_OK && row < rows->count; row++)
		above[row] = SNAP_NONE;
	if (st == SNAP_OK)
		st = store_each_edge(store, id, take_edge, &holds, err);
	if (st == SNAP_OK) {
		add_up(&holds);
		find_above(above, &holds, false);
		find_above(above, &holds, true);
		for (uint32_t row = 0; row < rows->count; row++)
			keepers[row] = keeper_of(above, row);
	}
	free(holds.items);
	free(above);
	return st;
}
