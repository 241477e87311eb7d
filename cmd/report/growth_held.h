/*
 * report/growth_held.h - the newest census of objects, for the rows of growth.
 */
#ifndef REPORT_GROWTH_HELD_H
#define REPORT_GROWTH_HELD_H

#include "dataset/facts.h"
#include "report/growth_table.h"
#include "store/store.h"

struct growth_held {
	struct facts first, last; /* of the first and the newest snapshot with a census */
	uint64_t first_peak, last_peak, last_live; /* of the heap, at these snapshots; 0 unknown */
	size_t row_count;
	struct growth_held_row {
		char *words;  /* by what most of its objects are held; NULL: it has none */
		char *type;   /* of these objects */
		double exact; /* how many of that type come between two snapshots, in each of the
				      last intervals; 0: not as many in each */
		uint64_t objects; /* all that were allocated there */
		uint64_t bytes;   /* with the blocks that belong to them */
		uint64_t lost;    /* of the objects: only the collector would free them */
		uint64_t reuse;   /* freed objects that the interpreter keeps for new ones */
		bool has_native;  /* blocks that native code took: a census does not see them */
		bool is_table;    /* what was allocated there belongs to objects made elsewhere */
		bool is_unseen; /* its objects did not grow, so that something else did: they are not
				     what is held by `words`, which is NULL */
	} rows[];
};

struct growth_caches;

/** *out is NULL where no snapshot has a census.  Release with growth_held_free().  `caches` says which
 * rows are caches that fill, with a census or without: see growth_cache.h. */
enum snap_status growth_held_read(struct growth_held **out, struct growth_caches **caches,
				  struct store *store, const int64_t *ids, size_t count,
				  struct growth_table *table, struct snap_error *err);
void growth_held_free(struct growth_held *held);

/** Freed objects that the interpreter keeps are no leak.  Lower the confidence of rows whose
 * objects wait for the collector, and of rows in which a small amount of memory grew that no census
 * saw. */
struct growth_list;
void growth_held_judge(struct growth_list *list);

/** Do the objects of `upper` hold those of `lower`? */
bool growth_held_is_above(const struct growth_held_row *upper, const struct growth_held_row *lower);

/** The newest census's data for a row; NULL: none. */
struct growth_row;
const struct growth_held_row *growth_held_of(const struct growth_row *row);

#endif
