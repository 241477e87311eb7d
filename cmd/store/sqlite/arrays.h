/*
 * arrays.h - the call stacks of a private database and their figures, in arrays.
 *
 * A private database lives as long as one report.  Rows in tables would cost more than the report:
 * so frames, sites, figures and cohorts are kept here, and array_tables.c shows them to SQL as the
 * tables of the schema.
 */
#ifndef STORE_ARRAYS_H
#define STORE_ARRAYS_H

#include <stdbool.h>

#include "base/array.h"
#include "store/sqlite/ids.h"
#include "store/sqlite/intern.h"
#include "store/sqlite/packed.h"
#include "store/store.h"

struct array_frame {
	struct hash128 hash;
	int64_t module_id; /* 0: none */
	uint64_t address;
	struct snap_text function, file; /* of size 0: unknown */
	uint32_t line;                   /* 0: unknown */
	bool inlined, has_address;
};

struct array_site {
	struct hash128 hash;
	uint64_t exact, line, function; /* its keys, see model/identity.h */
	int64_t named;                  /* as in the table `site` */
	struct snap_text domain;
	size_t first; /* its frame ids: stack[first .. first + depth), newest first */
	uint32_t depth;
	uint32_t named_frame; /* 0: none */
};

/** The figures of a site in a snapshot. */
struct array_cell {
	int64_t site_id;
	uint64_t figures[FIGURES]; /* SNAP_UNKNOWN possible */
	double variances[FIGURES];
};

/** The live blocks of a site that were allocated in one epoch. */
struct array_birth {
	int64_t site_id;
	uint64_t seq, blocks, bytes;
};

/** One snapshot, packed: see packed.h. */
struct array_snapshot {
	int64_t id;
	uint32_t cell_count, birth_count;
	bool sampled;
	struct packed cells, variances, births;
};

/** One snapshot, unpacked; rows by rising site. */
struct array_page {
	size_t snapshot; /* position in arrays->snapshots */
	unsigned users;  /* while there are any, the page stays */
	struct array_cell *cells;
	struct array_birth *births;
	struct ids cell_ids, birth_ids;
};

enum { ARRAY_PAGES = 2 }; /* unpacked snapshots that are kept when nobody uses them */

struct arrays {
	struct array_frame *frames; /* the frame with id n is frames[n - 1] */
	size_t frame_count, frame_capacity;
	uint32_t *stack;
	size_t stack_count, stack_capacity;
	struct array_site *sites; /* in the order in which they came */
	int64_t *site_ids;        /* of sites[i] */
	size_t site_count, site_capacity, site_id_capacity;
	uint32_t *by_id; /* positions in `sites`, by rising id */
	size_t by_id_count;
	struct array_snapshot *snapshots; /* by rising id */
	size_t snapshot_count, snapshot_capacity;
	struct array_page **pages; /* the one used last is the last */
	size_t page_count, page_capacity;
	struct pile pile;    /* where packed snapshots lie */
	struct intern texts; /* content -> position in `text` + 1 */
	struct snap_text *text;
	size_t text_count, text_capacity;
};

void arrays_release(struct arrays *arrays);

/** A copy of `text`, which has this hash, that lives as long as the arrays.  False when memory is
 * out. */
bool arrays_text(struct arrays *arrays, const struct hash128 *hash, struct snap_text text,
		 struct snap_text *copy);

/** Add a frame; its id, or 0 when memory is out. */
int64_t arrays_add_frame(struct arrays *arrays, const struct array_frame *frame);

/** Make room for a stack of `depth` more frames, at arrays->stack + arrays->stack_count. */
static inline bool arrays_reserve_stack(struct arrays *arrays, size_t depth)
{
	return array_room(&arrays->stack, &arrays->stack_capacity, arrays->stack_count + depth,
			  sizeof(*arrays->stack));
}
/** Add a site whose stack was written there.  False when memory is out. */
bool arrays_add_site(struct arrays *arrays, int64_t id, const struct array_site *site);

/** A load adds frames and sites after arrays_mark(), in the order of the sites' ids, then calls
 * arrays_sort(); if it fails, arrays_undo(). */
struct array_mark {
	size_t frames, sites, stack, snapshots;
};
struct array_mark arrays_mark(const struct arrays *arrays);
void arrays_undo(struct arrays *arrays, const struct array_mark *mark);
/** SNAP_ECORRUPT: two sites have the same id. */
enum snap_status arrays_sort(struct arrays *arrays);

/** The position among arrays->by_id of the first site whose id is not below `id`. */
size_t arrays_find_site(const struct arrays *arrays, int64_t id);

/** Add a snapshot: cells and births by rising site, which arrays_sort() knows.  SNAP_ENOMEM,
 * SNAP_ESYSTEM. */
enum snap_status arrays_add_snapshot(struct arrays *arrays, int64_t id,
				     const struct array_cell *cells, size_t cell_count,
				     bool sampled);
enum snap_status arrays_add_births(struct arrays *arrays, const struct array_birth *births,
				   size_t count);

/** The position of the snapshot with this id; arrays->snapshot_count when there is none. */
size_t arrays_find_snapshot(const struct arrays *arrays, int64_t id);

/** Unpack a snapshot, with or without its births; NULL with errno set. Give it back with
 * arrays_leave(). */
struct array_page *arrays_use(struct arrays *arrays, size_t snapshot, bool with_births);
void arrays_leave(struct arrays *arrays, struct array_page *page);

#endif
