/*
 * runtime/python/ways.c - count the holders of the objects of a group.
 */
#include "runtime/python/ways.h"

#include "runtime/holders/copy.h"
#include "runtime/python/find.h"
#include "runtime/python/objects.h"
#include "runtime/python/words.h"

#define MOST_WAYS    2048u
#define FIRST_PAIRS  65536u
#define FIRST_TABLES 4096u
#define WORDS_SIZE   1024

/* The references to the objects of a group from one place. */
enum pair_kind {
	PAIR_WAY = 1, /* the way by which they were found */
	PAIR_TABLE,   /* the same for blocks that belong to objects of other groups */
	PAIR_OTHER,   /* another reference */
};

struct pair {
	uint32_t group, place;
	enum pair_kind kind; /* 0 is empty */
	uint32_t objects;
	uint32_t first; /* the first object; of PAIR_OTHER: who refers to it */
};

struct table {
	uint32_t group, object;
};

static const struct snap__objects *const o = &snap__objects;
static struct pair *pairs;
static size_t pair_count, pair_capacity;
static struct table *tables;
static size_t table_count, table_capacity;

void snap__ways_add_table(uint32_t group, uint32_t object)
{
	if (table_count == table_capacity) {
		size_t old = table_capacity * sizeof(*tables);

		table_capacity = tables ? 2 * table_capacity : FIRST_TABLES;
		tables = tables ? snap__copy_grow(tables, old, table_capacity * sizeof(*tables))
				: snap__copy_need(table_capacity * sizeof(*tables));
	}
	tables[table_count++] = (struct table){group, object};
}

static struct pair *pair_at(uint32_t group, uint32_t place, enum pair_kind kind)
{
	uint64_t hash = (((uint64_t)group << 32 | place) + kind) * 0x9e3779b97f4a7c15u;
	size_t i = (size_t)(hash >> 24) & (pair_capacity - 1);

	while (pairs[i].kind &&
	       (pairs[i].group != group || pairs[i].place != place || pairs[i].kind != kind))
		i = (i + 1) & (pair_capacity - 1);
	return &pairs[i];
}

static void grow_pairs(void)
{
	struct pair *old = pairs;
	size_t old_capacity = pair_capacity;

	pair_capacity = old ? 2 * old_capacity : FIRST_PAIRS;
	pairs = snap__copy_need(pair_capacity * sizeof(*pairs));
	for (size_t i = 0; i < old_capacity; i++)
		/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): without old ones, none is looked at */
		if (old[i].kind)
			*pair_at(old[i].group, old[i].place, old[i].kind) = old[i];
	if (old)
		snap__copy_give_back(old, old_capacity * sizeof(*old));
}

static void count_pair(uint32_t group, uint32_t place, enum pair_kind kind, uint32_t object)
{
	struct pair *pair;

	if (2 * pair_count >= pair_capacity)
		grow_pairs();
	pair = pair_at(group, place, kind);
	if (!pair->kind) {
		*pair = (struct pair){group, place, kind, 0, object};
		pair_count++;
	}
	pair->objects++;
}

/* Objects that no place holds, grouped by the reason. */
static uint32_t place_of(uint32_t object, const uint32_t *places)
{
	return object < o->held ? places[object] : UINT32_MAX - o->state[object];
}

static void count_pairs(const uint32_t *group_of, const uint32_t *places, const uint8_t *wanted)
{
	for (uint32_t i = 0; i < o->count; i++) {
		if (wanted[group_of[i]])
			count_pair(group_of[i], place_of(i, places), PAIR_WAY, i);
		if (i % 65536 == 0)
			snap__copy_tick();
	}
	for (size_t i = 0; i < table_count; i++)
		if (wanted[tables[i].group])
			count_pair(tables[i].group, place_of(tables[i].object, places), PAIR_TABLE,
				   tables[i].object);
}

/* ---- who else ---------------------------------------------------------------------------------- */

/* While one object's references are looked at. */
struct referrer {
	const uint32_t *group_of, *places;
	const struct pair *const *best;
	uint32_t object, place;
};

/* Objects that all code shares say nothing about a holder: plain values, classes, code, a module's
   globals. */
static bool is_common(uint32_t object)
{
	const void *type = snap__python_type(o->at[object]);

	return o->parent[object] == SNAP__NO_OBJECT || type == snap__python.code_type ||
	       (snap__type_flags(type) & (SNAP__TYPE_IS_STR | SNAP__TYPE_IS_INT |
					  SNAP__TYPE_IS_BYTES | SNAP__TYPE_IS_TYPE)) != 0;
}

static void count_other(uint32_t target, void *user)
{
	const struct referrer *from = user;
	uint32_t group = from->group_of[target];
	const struct pair *best = from->best[group];

	if (!best || best->kind != PAIR_WAY || target >= o->held ||
	    o->parent[target] == from->object || from->place == best->place ||
	    from->places[target] != best->place || is_common(target))
		return;
	count_pair(group, from->place, PAIR_OTHER, from->object);
}

/* References from other places than that which holds most.  `best` points into a copy: the pairs
   move. */
static void count_others(const uint32_t *group_of, const uint32_t *places,
			 const struct pair *const *best)
{
	for (uint32_t i = 0; i < o->held; i++) {
		struct referrer from = {group_of, places, best, i, places[i]};

		snap__object_each(i, count_other, &from);
		if (i % 65536 == 0)
			snap__copy_tick();
	}
}

/* The largest groups by bytes, at most MOST_WAYS. */
static void choose_groups(const uint64_t *bytes, uint32_t groups, uint8_t *wanted)
{
	uint64_t low = 1, high = UINT64_MAX;
	uint32_t chosen;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		chosen = 0;
		for (uint32_t i = 0; i < groups; i++)
			chosen += bytes[i] >= middle;
		if (chosen <= MOST_WAYS)
			high = middle;
		else
			low = middle + 1;
	}
	for (uint32_t i = 0; i < groups; i++)
		wanted[i] = bytes[i] >= low;
}

static uint32_t root_of(uint32_t object)
{
	while (o->parent[object] != SNAP__NO_OBJECT)
		object = o->parent[object];
	return object;
}

static bool is_better(const struct pair *pair, const struct pair *than)
{
	if (!than || pair->kind != than->kind)
		return !than || pair->kind < than->kind;
	return pair->objects > than->objects;
}

/* Of each group, the pair of these kinds with most objects. */
static const struct pair **best_pairs(uint32_t groups, enum pair_kind first, enum pair_kind last)
{
	const struct pair **best = snap__copy_need(((size_t)groups + 1) * sizeof(*best));

	for (size_t i = 0; i < pair_capacity; i++)
		if (pairs[i].kind >= first && pairs[i].kind <= last &&
		    is_better(&pairs[i], best[pairs[i].group]))
			best[pairs[i].group] = &pairs[i];
	return best;
}

/* The pairs will move: put copies of the best in their place. */
static void keep_best(const struct pair **best, uint32_t groups)
{
	struct pair *kept = snap__copy_need(((size_t)groups + 1) * sizeof(*kept));

	for (uint32_t i = 0; i < groups; i++)
		if (best[i]) {
			kept[i] = *best[i];
			best[i] = &kept[i];
		}
}

static void fill_way(struct snap__way *way, const struct pair *pair, const struct pair *other,
		     const uint32_t *places)
{
	struct snap__text text;

	way->group = pair->group;
	way->object = pair->first;
	way->root = root_of(pair->first);
	way->objects = pair->objects;
	way->is_table = pair->kind == PAIR_TABLE;
	way->words = snap__copy_need(WORDS_SIZE);
	text = snap__text_in(way->words, WORDS_SIZE);
	snap__way_in_words(&text, pair->first, places, way->is_table);
	if (!other || other->objects < pair->objects / 2)
		return;
	snap__text_add(&text, "; and by ");
	snap__way_in_words(&text, other->first, places, true);
}

uint32_t snap__ways_make(const uint32_t *group_of, const uint64_t *bytes, uint32_t groups,
			 const uint32_t *places, struct snap__way **ways)
{
	uint8_t *wanted = snap__copy_need((size_t)groups + 1);
	const struct pair **best, **other;
	uint32_t count = 0;

	choose_groups(bytes, groups, wanted);
	count_pairs(group_of, places, wanted);
	best = best_pairs(groups, PAIR_WAY, PAIR_TABLE);
	keep_best(best, groups);
	count_others(group_of, places, best);
	other = best_pairs(groups, PAIR_OTHER, PAIR_OTHER);
	*ways = snap__copy_need((MOST_WAYS + 1) * sizeof(**ways));
	for (uint32_t i = 0; i < groups && count < MOST_WAYS; i++)
		if (best[i])
			fill_way(&(*ways)[count++], best[i], other[i], places);
	snap__copy_tick();
	return count;
}
