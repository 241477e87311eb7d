/*
 * growth_cache_known.c - caches of the standard library, and their limits as its sources say them.
 */
#include "report/growth_cache_known.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCKS_OF_ENTRY = 16 }; /* more than an entry of such a cache takes */

#define STATEMENTS "up to 128 statements"
enum { MOST_STATEMENTS = 128 };

/* ---- by the way ------------------------------------------------------------------------------ */

struct known_way {
	const char *place, *file; /* how the place begins, and what is in it */
	const char *name;
	uint64_t limit; /* 0: see the rule */
	const char *rule;
};

static const struct known_way known_ways[] = {
	{"`_cache`", ", re.py", "the cache of the module re", 512, ""},
	{"`_cache`", ", re/__init__.py", "the cache of the module re", 512, ""},
	{"`_cache2`", ", re/__init__.py", "the cache of the module re", 256, ""},
	{"`_parse_cache`", ", parse.py", "the cache of urllib.parse", 20, ""},
	{"", "._abc_impl` (class attribute", "", 0,
	 "at most one entry for each class that was checked"},
};

static void set(struct growth_cache *cache, const char *name, uint64_t limit, const char *rule)
{
	snprintf(cache->name, sizeof(cache->name), "%s", name);
	snprintf(cache->rule, sizeof(cache->rule), "%s", rule);
	cache->limit = limit;
}

static bool is_of_library(const struct way *way, struct growth_cache *cache)
{
	struct part name = part_name(way->place);

	for (size_t i = 0; i < sizeof(known_ways) / sizeof(*known_ways); i++) {
		const struct known_way *known = &known_ways[i];

		if (!part_begins(way->place, known->place) || !part_has(way->place, known->file) ||
		    (way->count && !part_is_container(way->steps[0])))
			continue;
		set(cache, known->name, known->limit, known->rule);
		if (!known->name[0])
			snprintf(cache->name, sizeof(cache->name), "%.*s", (int)name.size,
				 name.text);
		cache->entries = way->count ? part_entries(way->steps[0]) : 0;
		return !cache->limit || cache->entries <= cache->limit;
	}
	return false;
}

/* The module struct has its formats in a dict that only native code knows, up to 3.10 outside of the
 * module. */
static bool is_of_struct(const struct way *way, const char *type, struct growth_cache *cache)
{
	enum { LIMIT = 100 };
	static const char module[] = "native code of the module `_struct`",
			  format[] = "_struct.Struct";
	bool is_native = part_begins(way->place, "native code"), has_format = !strcmp(type, format);
	size_t dict = 0;

	for (size_t i = 0; i < way->count; i++) {
		has_format |= part_is(way->steps[i], format);
		if (part_is(way->steps[i], module))
			dict = i + 1;
	}
	if (dict == way->count || !part_is_mapping(way->steps[dict]) ||
	    !(dict || (is_native && has_format)))
		return false;
	set(cache, "the cache of the module struct", LIMIT, "");
	cache->entries = part_entries(way->steps[dict]);
	return cache->entries <= LIMIT;
}

/* ---- lru_cache ------------------------------------------------------------------------------- */

struct uses {
	uint64_t entries, limit; /* summed, if several have the name */
	bool unlimited;
};

/* "app.square: entries 120, limit 128, hits 0, misses 120"; `name` is without backquotes. */
static struct uses uses_of(const struct facts *facts, struct part name)
{
	struct uses uses = {0};

	for (size_t i = 0; i < facts->count; i++) {
		const char *value = facts->items[i].value, *entries = strstr(value, ": entries ");
		const char *limit = entries ? strstr(entries, ", limit ") : NULL;

		if (strncmp(facts->items[i].key, "census.lru_cache.", 17) != 0 || !entries ||
		    !part_ends_in((struct part){value, (size_t)(entries - value)}, name))
			continue;
		uses.entries += strtoull(entries + 10, NULL, 10);
		uses.limit += limit ? strtoull(limit + 8, NULL, 10) : 0;
		uses.unlimited |= !limit;
	}
	return uses;
}

static bool find_uses(const struct growth_facts *facts, struct part name,
		      struct growth_cache *cache)
{
	struct uses last = uses_of(facts->last, name);

	cache->entries = last.entries;
	cache->before = uses_of(facts->first, name).entries;
	cache->limit = last.limit;
	return last.entries && !last.unlimited && last.entries <= last.limit;
}

static bool is_lru_cache(const struct way *way, const struct growth_facts *facts,
			 struct growth_cache *cache)
{
	for (size_t i = 0; i < way->count; i++) {
		struct part name = part_name(way->steps[i]);

		if (!part_begins(way->steps[i], "lru_cache of ") || name.size < 3)
			continue;
		snprintf(cache->name, sizeof(cache->name), "the %.*s", (int)way->steps[i].size,
			 way->steps[i].text);
		return find_uses(facts, (struct part){name.text + 1, name.size - 2}, cache);
	}
	return false;
}

/* Up to 3.10 a connection of sqlite3 has a cache of its own, which has an object for each statement. */
static bool is_of_statements(const char *type, struct growth_cache *cache)
{
	if (strcmp(type, "sqlite3Node") != 0 && strcmp(type, "sqlite3.Node") != 0 &&
	    strcmp(type, "sqlite3.Statement") != 0)
		return false;
	set(cache, "a connection of sqlite3", MOST_STATEMENTS * BLOCKS_OF_ENTRY, STATEMENTS);
	cache->unsure = true;
	return true;
}

bool growth_cache_known_way(const struct way *way, const char *type,
			    const struct growth_facts *facts, struct growth_cache *cache)
{
	return is_of_statements(type, cache) || is_lru_cache(way, facts, cache) ||
	       is_of_struct(way, type, cache) || is_of_library(way, cache);
}

/* ---- by the stack ---------------------------------------------------------------------------- */

struct known_stack {
	const char *function,
		*file; /* file: how it ends; NULL: the function is native, and this is how
					it begins */
	const char *name, *rule;
	uint64_t entries; /* 0: it has a limit that is no number */
	/* What a census says of it; NULL: with a census, the ways to the objects tell. */
	bool (*confirm)(const struct growth_facts *facts, struct growth_cache *cache);
};

/* Loading a module again and again, without a new name, is no such cache. */
static bool has_new_modules(const struct growth_facts *facts, struct growth_cache *cache)
{
	enum { LEAST = 3 };

	cache->entries = facts_number(facts->last, "census.modules");
	cache->before = facts_number(facts->first, "census.modules");
	return cache->entries >= cache->before + LEAST;
}

/* Up to 3.10 the cache of a connection is no lru_cache. */
static bool has_statements(const struct growth_facts *facts, struct growth_cache *cache)
{
	static const char name[] = "sqlite3.Connection";
	struct growth_cache found = *cache;

	if (!find_uses(facts, (struct part){name, sizeof(name) - 1}, &found)) {
		cache->unsure = found.entries == 0;
		return cache->unsure;
	}
	*cache = found;
	cache->rule[0] = '\0';
	return cache->entries > cache->before;
}

static bool has_lines(const struct growth_facts *facts, struct growth_cache *cache)
{
	(void)facts;
	cache->entries = 0;
	return true;
}

static const struct known_stack known_stacks[] = {
	{"_find_and_load", "<frozen importlib._bootstrap>", "`sys.modules`", "each module once", 0,
	 has_new_modules},
	{"updatecache", "/linecache.py", "the module linecache",
	 "the lines of each source file once", 0, has_lines},
	{"_compile", "/re.py", "the module re", "up to 512 compiled patterns", 512, NULL},
	{"_compile", "/re/__init__.py", "the module re", "up to 512 compiled patterns", 512, NULL},
	{"urlsplit", "/urllib/parse.py", "the module urllib.parse", "up to 128 results", 128, NULL},
	{"sqlite3_prepare", NULL, "a connection of sqlite3", STATEMENTS, MOST_STATEMENTS,
	 has_statements},
};

static bool is_at(const struct dataset *dataset, const struct dataset_frame *frame,
		  const struct known_stack *known)
{
	const char *function = dataset_text(dataset, frame->function);
	const char *file = dataset_text(dataset, frame->file);
	size_t size = strlen(file), end = known->file ? strlen(known->file) : 0;

	if (!known->file)
		return strncmp(function, known->function, strlen(known->function)) == 0;
	return strcmp(function, known->function) == 0 && size >= end &&
	       strcmp(file + size - end, known->file) == 0;
}

static bool is_named_by_python(const struct dataset *dataset, uint32_t site)
{
	const struct dataset_site *of = &dataset->sites[site];
	const char *file =
		of->identity.named < of->depth
			? dataset_text(dataset,
				       dataset_frame_at(dataset, site, of->identity.named)->file)
			: "";
	size_t size = strlen(file);

	return size > 3 && strcmp(file + size - 3, ".py") == 0;
}

/* Only frames below the line that names the site: what the line calls. */
static const struct known_stack *find_stack(const struct dataset *dataset, uint32_t site)
{
	const struct dataset_site *of = &dataset->sites[site];

	for (uint32_t i = 0; i < of->depth && i < of->identity.named; i++)
		for (size_t k = 0; k < sizeof(known_stacks) / sizeof(*known_stacks); k++)
			if (is_at(dataset, dataset_frame_at(dataset, site, i), &known_stacks[k]) &&
			    (known_stacks[k].file || is_named_by_python(dataset, site)))
				return &known_stacks[k];
	return NULL;
}

bool growth_cache_known_stack(const struct dataset *dataset, uint32_t site,
			      const struct growth_facts *facts, struct growth_cache *cache)
{
	const struct known_stack *known = find_stack(dataset, site);

	if (!known || (facts && !known->confirm))
		return false;
	set(cache, known->name, known->entries * BLOCKS_OF_ENTRY, known->rule);
	cache->unsure = !facts;
	return !facts || known->confirm(facts, cache);
}

bool growth_cache_may_be(const struct dataset *dataset)
{
	for (size_t i = 0; i < dataset->frame_count; i++)
		for (size_t k = 0; k < sizeof(known_stacks) / sizeof(*known_stacks); k++)
			if (is_at(dataset, &dataset->frames[i], &known_stacks[k]))
				return true;
	return false;
}
