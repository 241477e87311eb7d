/*
 * report/growth_cache_known.h - caches of the standard library, by name and by function, and those
 * whose limit a census says.
 */
#ifndef REPORT_GROWTH_CACHE_KNOWN_H
#define REPORT_GROWTH_CACHE_KNOWN_H

#include "dataset/dataset.h"
#include "dataset/facts.h"
#include "report/growth_way.h"

/** Of the newest census and of the first. */
struct growth_facts {
	const struct facts *last, *first;
};

/** What fills. */
struct growth_cache {
	char name[160];           /* "the lru_cache of `page`"; "": nothing does */
	uint64_t entries, before; /* at the newest census, and at the first; 0 unknown */
	uint64_t limit;           /* 0: it has one that is no number */
	char rule[96];            /* "each module once"; "": the limit says it */
	bool unsure; /* it may be one: a function of a library was called; the limit is of blocks */
};

/** The rule of a cache in which each of a fixed number of items gets one. */
#define GROWTH_CACHE_PLACES "one for each item"

/** Does the way to objects of this type lead through a cache with a limit? */
bool growth_cache_known_way(const struct way *way, const char *type,
			    const struct growth_facts *facts, struct growth_cache *cache);

/** Does the line call a function of a library that keeps what was allocated at this site in a cache
 * with a limit?  Without a census (`facts` is NULL) the cache's limit is one of blocks. */
bool growth_cache_known_stack(const struct dataset *dataset, uint32_t site,
			      const struct growth_facts *facts, struct growth_cache *cache);

/** Is such a function among the frames of any call stack? */
bool growth_cache_may_be(const struct dataset *dataset);

#endif
