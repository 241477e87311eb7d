/*
 * report/growth_cache.h - caches that fill up to a known limit: what they hold is no leak.
 *
 * Of some the census says the limit (lru_cache, a deque, a connection of sqlite3).  Those of the
 * standard library are known by name.  Where there is no census, functions of the standard library
 * on the call stack show that a row may be such a cache.
 */
#ifndef REPORT_GROWTH_CACHE_H
#define REPORT_GROWTH_CACHE_H

#include "dataset/graph.h"
#include "report/growth_cache_known.h"
#include "report/growth_rows.h"

/** Of a row. */
struct growth_cache_row {
	struct growth_cache cache; /* of what grew most */
	double most;               /* bytes of that */
	double cached,
		elsewhere; /* bytes by which objects grew that such caches hold, and others */
	double cached_before, cached_now;
	bool other_native; /* objects that may have native memory grew elsewhere */
};

struct growth_caches {
	size_t row_count;
	bool has_census;
	struct growth_cache_row rows[];
};

/** Two censuses: the newest, and an earlier one, which is empty if there is none. */
struct growth_censuses {
	const struct growth_facts *facts;
	const struct graph *now, *before;
};

/** Find the caches of a part's rows; `censuses` may be NULL.  *out is NULL where no row may be a
 * cache.  Release with free(). */
enum snap_status growth_caches_find(struct growth_caches **out,
				    const struct growth_censuses *censuses,
				    const struct growth_table *table, struct snap_error *err);

/** A growing row that is a cache which fills becomes a warm-up, unless it would be huge when it is
 * full; row->fills says so.  Without a census that is not sure: the confidence gets low. */
void growth_caches_judge(struct growth_list *list);

/** All memory of objects of this type is from Python's own allocators. */
bool growth_cache_has_no_native(const char *type);

#endif
