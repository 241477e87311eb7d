/*
 * relation.h - which call stacks count towards which rows of a report.
 *
 * Each side of the relation lies by rising site.  It is put in the order of the rows when somebody
 * asks for rows.
 *
 * Where a call stack counts towards many rows, to join each pair in SQL costs far more than the
 * rest of the report.  So the figures of such a side are added up here in one pass over a snapshot,
 * and SQL sums what is left: see temp.held in array_tables.h.
 */
#ifndef STORE_RELATION_H
#define STORE_RELATION_H

#include "base/choices.h"
#include "store/sqlite/ids.h"
#include "store/store.h"

/** What the call stacks of a row hold in one snapshot. */
struct held {
	uint32_t row;
	uint64_t stacks;
	int64_t sums[FIGURES];   /* of those that are known */
	uint64_t known[FIGURES]; /* of how many call stacks the figure is known */
	double variances[FIGURES];
	int64_t most[FIGURES];      /* what the heaviest call stack holds, and which it is */
	int64_t most_site[FIGURES]; /* of equals the one with the lowest id */
	bool overflows[FIGURES];
};

/** One side of the relation. */
struct credit_side {
	struct store_credit *by_site; /* by rising site */
	size_t count;
	uint32_t row_end;            /* above all rows */
	bool each_row_once;          /* each row is one call stack */
	bool overlaps;               /* a call stack counts towards several rows */
	struct store_credit *by_row; /* by rising row, then by site; NULL: not asked yet */
	struct ids sites;            /* of by_site; without starts: not asked yet */
	struct held *held;           /* by rising row, of one snapshot; NULL: not asked yet */
	size_t held_count;
	int64_t held_snapshot;
	int64_t *counted[2]; /* sites, each once: all, and those of a row that is shown; NULL: not
				asked yet */
	size_t counted_count[2];
};

struct relation {
	struct credit_side *sides;
	size_t count, capacity;
	bool *shown; /* of row r < shown_end: is it shown? */
	size_t shown_end;
};

/** Take a copy of the relation of `side`.  False when memory is out. */
bool relation_put(struct relation *relation, uint32_t side, const struct store_credit *credits,
		  size_t count);
/** Say which rows are shown.  False when memory is out. */
bool relation_show(struct relation *relation, const struct store_shown *shown, size_t count);
void relation_clear(struct relation *relation);
void relation_release(struct relation *relation);

/** The side, or NULL when nothing was put there. */
const struct credit_side *relation_side(const struct relation *relation, uint32_t side);

/** Make the parts that are made only when needed.  False when memory is out. */
bool relation_order_by_row(struct credit_side *side);
bool relation_find_sites(struct credit_side *side);
bool relation_count_sites(const struct relation *relation, struct credit_side *side, bool shown);

/** Add up what the rows of the side hold in a snapshot. */
enum snap_status relation_hold(struct store *store, struct credit_side *side, int64_t snapshot_id,
			       struct snap_error *err);

/** The first of `count` rows, which rise, that is not below `row`. */
size_t relation_find_held(const struct held *held, size_t count, int64_t row);

#endif
