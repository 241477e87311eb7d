/*
 * facts.c - the meta of a snapshot in memory.
 */
#include "dataset/facts.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/fail.h"
#include "store/store.h"

static enum snap_status add_fact(void *user, const char *key, const char *value)
{
	struct facts *facts = user;
	struct fact fact = {strdup(key), strdup(value)};

	if (!fact.key || !fact.value ||
	    !array_reserve(&facts->items, &facts->room, facts->count, sizeof(fact))) {
		free(fact.key);
		free(fact.value);
		return SNAP_ENOMEM;
	}
	facts->items[facts->count++] = fact;
	return SNAP_OK;
}

enum snap_status facts_read(struct facts *facts, struct store *store, int64_t id,
			    struct snap_error *err)
{
	enum snap_status st;

	facts_release(facts);
	st = store_each_meta(store, id, add_fact, facts, err);
	return st == SNAP_ENOMEM ? fail_memory(err, "reading a snapshot's facts") : st;
}

void facts_release(struct facts *facts)
{
	for (size_t i = 0; i < facts->count; i++) {
		free(facts->items[i].key);
		free(facts->items[i].value);
	}
	free(facts->items);
	*facts = (struct facts){0};
}

const char *facts_find(const struct facts *facts, const char *key)
{
	for (size_t i = 0; i < facts->count; i++)
		if (strcmp(facts->items[i].key, key) == 0)
			return facts->items[i].value;
	return NULL;
}

const char *facts_text(const struct facts *facts, const char *key)
{
	const char *value = facts_find(facts, key);

	return value ? value : "";
}

uint64_t facts_number(const struct facts *facts, const char *key)
{
	return strtoull(facts_text(facts, key), NULL, 10);
}

static enum snap_status take_metric(void *user, const char *key, const char *value)
{
	struct heap_sizes *sizes = user;

	if (strcmp(key, "heap.peak_bytes") == 0)
		sizes->peak = strtoull(value, NULL, 10);
	if (strcmp(key, "heap.live_bytes") == 0)
		sizes->live = strtoull(value, NULL, 10);
	return SNAP_OK;
}

enum snap_status facts_read_heap(struct heap_sizes *sizes, struct store *store, int64_t id,
				 struct snap_error *err)
{
	*sizes = (struct heap_sizes){0};
	return store_each_metric(store, id, take_metric, sizes, err);
}
