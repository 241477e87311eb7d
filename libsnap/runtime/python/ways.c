/*
 * runtime/python/ways.c - count the holders of the objects of a group.
 */
#include "runtime/python/ways.h"

#include "runtime/holders/copy.h"
#include "runtime/python/objects.h"
#include "runtime/python/words.h"

#define MOST_WAYS   2048u
#define FIRST_PAIRS 65536u
#define WORDS_SIZE  1024

/* Objects of a group that are held from one place. */
struct pair {
	uint32_t group, place; /* group plus one; 0 is empty */
	uint32_t objects, first;
};

static const struct snap__objects *const o = &snap__objects;
static struct pair *pairs;
static size_t pair_count, pair_capacity;

static struct pair *pair_at(uint32_t group, uint32_t place)
{
	uint64_t hash = ((uint64_t)group << 32 | place) * 0x9e3779b97f4a7c15u;
	size_t i = (size_t)(hash >> 24) & (pair_capacity - 1);

	while (pairs[i].group && (pairs[i].group != group + 1 || pairs[i].place != place))
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
		if (old[i].group)
			*pair_at(old[i].group - 1, old[i].place) = old[i];
	if (old)
		snap__copy_give_back(old, old_capacity * sizeof(*old));
}

/* Objects that no place holds, grouped by the reason. */
static uint32_t place_of(uint32_t object, const uint32_t *places)
{
	return object < o->held ? places[object] : UINT32_MAX - o->state[object];
}

static void count_pairs(const uint32_t *group_of, const uint32_t *places, const uint8_t *wanted)
{
	for (uint32_t i = 0; i < o->count; i++) {
		struct pair *pair;

		if (!wanted[group_of[i]])
			continue;
		if (2 * pair_count >= pair_capacity)
			grow_pairs();
		pair = pair_at(group_of[i], place_of(i, places));
		if (!pair->group) {
			*pair = (struct pair){group_of[i] + 1, place_of(i, places), 0, i};
			pair_count++;
		}
		pair->objects++;
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

static void fill_way(struct snap__way *way, const struct pair *pair, const uint32_t *places)
{
	struct snap__text text;

	way->group = pair->group - 1;
	way->object = pair->first;
	way->root = root_of(pair->first);
	way->objects = pair->objects;
	way->words = snap__copy_need(WORDS_SIZE);
	text = snap__text_in(way->words, WORDS_SIZE);
	snap__way_in_words(&text, pair->first, places);
}

uint32_t snap__ways_make(const uint32_t *group_of, const uint64_t *bytes, uint32_t groups,
			 struct snap__way **ways)
{
	uint8_t *wanted = snap__copy_need((size_t)groups + 1);
	const struct pair **best = snap__copy_need(((size_t)groups + 1) * sizeof(*best));
	const uint32_t *places = snap__places_make();
	uint32_t count = 0;

	choose_groups(bytes, groups, wanted);
	count_pairs(group_of, places, wanted);
	for (size_t i = 0; i < pair_capacity; i++) {
		const struct pair *pair = &pairs[i];

		if (pair->group &&
		    (!best[pair->group - 1] || best[pair->group - 1]->objects < pair->objects))
			best[pair->group - 1] = pair;
	}
	*ways = snap__copy_need((MOST_WAYS + 1) * sizeof(**ways));
	for (uint32_t i = 0; i < groups && count < MOST_WAYS; i++)
		if (best[i])
			fill_way(&(*ways)[count++], best[i], places);
	snap__copy_tick();
	return count;
}
