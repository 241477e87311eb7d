/*
 * runtime/python/containers.c - containers that have a name, by how many entries they have.
 */
#include "runtime/python/containers.h"

#include "runtime/holders/copy.h"
#include "runtime/python/find.h"
#include "runtime/python/objects.h"
#include "runtime/python/types.h"
#include "runtime/python/words.h"
#include "runtime/text.h"

#define MOST       16u /* that are reported: of the program, and of modules of libraries */
#define LEAST      16u /* entries */
#define WORDS_SIZE 512
#define SET_COUNT  24

struct container {
	uint32_t object;
	uint64_t entries;
	char *words;
};

/* The largest first. */
struct ranking {
	struct container items[MOST];
	uint32_t count;
};

static const struct snap__objects *const o = &snap__objects;
static struct ranking of_program, of_libraries;

/* 0: it is no container that can grow. */
static uint64_t entries_of(uint32_t object)
{
	const char *type = snap__python_type(o->at[object]);
	uint64_t flags = snap__type_flags(type);

	if (flags & (SNAP__TYPE_IS_DICT | SNAP__TYPE_IS_LIST) ||
	    snap__equal(snap__type_short_name(type), "collections.deque"))
		return snap__python_word(o->at[object], SNAP__PYTHON_VAR_SIZE);
	if (snap__equal(snap__type_short_name(type), "set"))
		return snap__python_word(o->at[object], SET_COUNT);
	return 0;
}

static bool is_of_library(uint32_t object)
{
	while (o->parent[object] != SNAP__NO_OBJECT)
		object = o->parent[object];
	for (uint32_t i = 0; i < o->start_count; i++)
		if (o->starts[i].object == object)
			return o->starts[i].is_library;
	return false;
}

static void rank(struct ranking *ranking, uint32_t object, uint64_t entries)
{
	uint32_t at = ranking->count;

	if (at == MOST && ranking->items[MOST - 1].entries >= entries)
		return;
	if (at == MOST)
		at--;
	else
		ranking->count++;
	for (; at > 0 && ranking->items[at - 1].entries < entries; at--)
		ranking->items[at] = ranking->items[at - 1];
	ranking->items[at] = (struct container){object, entries, NULL};
}

static void name(struct ranking *ranking, const uint32_t *places)
{
	for (uint32_t i = 0; i < ranking->count; i++) {
		struct snap__text text;

		ranking->items[i].words = snap__copy_need(WORDS_SIZE);
		text = snap__text_in(ranking->items[i].words, WORDS_SIZE);
		snap__way_in_words(&text, ranking->items[i].object, places, false);
	}
}

void snap__containers_make(const uint32_t *places)
{
	for (uint32_t i = 0; i < o->held; i++) {
		uint64_t entries;

		/* A container without a name of its own cannot be followed from snapshot to
		   snapshot.  A module's dict is the module itself. */
		if (places[i] != i || o->parent[i] == SNAP__NO_OBJECT)
			continue;
		entries = entries_of(i);
		if (entries >= LEAST)
			rank(is_of_library(i) ? &of_libraries : &of_program, i, entries);
	}
	name(&of_program, places);
	name(&of_libraries, places);
}

static uint32_t tell(const struct ranking *ranking, uint32_t told, snap__things_fn *fn, void *user)
{
	for (uint32_t i = 0; i < ranking->count; i++) {
		const struct container *container = &ranking->items[i];
		char key_buffer[32], value_buffer[WORDS_SIZE + 128];
		struct snap__text key = SNAP__TEXT(key_buffer), value = SNAP__TEXT(value_buffer);

		snap__text_add(&key, "container.");
		snap__text_add_u64(&key, told + i + 1);
		snap__text_add(&value,
			       snap__type_short_name(snap__python_type(o->at[container->object])));
		snap__text_add(&value, " of ");
		snap__text_add_u64(&value, container->entries);
		snap__text_add(&value, ": ");
		snap__text_add(&value, container->words);
		fn(user, key_buffer, value_buffer);
	}
	return told + ranking->count;
}

void snap__containers_each(snap__things_fn *fn, void *user)
{
	tell(&of_libraries, tell(&of_program, 0, fn, user), fn, user);
}
