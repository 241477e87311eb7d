/*
 * dataset/dataset.h - the stacks and figures of one or more snapshots, as plain rows in memory.
 *
 * fetch.c fills one from the store, tests fill one by hand; everything in analysis/ works on
 * it. A stack that several snapshots share is one site with a cell in each.  Ids are positions in
 * the arrays.
 */
#ifndef DATASET_DATASET_H
#define DATASET_DATASET_H

#include <stdbool.h>

#include "dataset/figures.h"
#include "base/hash_table.h"
#include "model/identity.h"
#include "model/own.h"

struct dataset_frame {
	uint32_t function, file; /* string ids; 0, the empty string, where unknown */
	uint32_t module;         /* base name of module_path */
	uint32_t module_path;
	uint32_t line; /* 0 unknown */
	bool inlined, has_address;
	enum own_kind kind; /* filled in by dataset_frame_add() */
	uint64_t address;
};

struct dataset_site {
	int64_t id;   /* in the store; the sites are ordered by it */
	size_t first; /* its frames are stack[first .. first + depth), newest first */
	uint32_t depth;
	uint32_t domain;               /* string id */
	struct site_identity identity; /* .named is filled in by dataset_site_add() */
	uint32_t asked;                /* position of the frame that asked for memory, see own.h */
};

struct dataset_cell {
	uint32_t site;
	struct figures figures;
};

struct dataset_snapshot {
	struct dataset_cell *cells; /* one per site at most */
	size_t count, capacity;
	struct figures totals;
	bool sampled;
};

struct store;

struct dataset {
	struct store *store;         /* where it is from, for sums.h; NULL when made by hand */
	const int64_t *snapshot_ids; /* the ids of the snapshots in that store */
	char **strings;
	size_t string_count, string_capacity;
	struct hash_table string_index;
	struct dataset_frame *frames;
	size_t frame_count, frame_capacity;
	uint32_t *stack;
	size_t stack_count, stack_capacity;
	struct dataset_site *sites;
	size_t site_count, site_capacity;
	struct dataset_snapshot *snapshots;
	size_t snapshot_count;
};

/** An empty dataset for so many snapshots; NULL when memory is out.  Release with dataset_free().
 */
struct dataset *dataset_new(size_t snapshot_count);
void dataset_free(struct dataset *dataset);

/** Add rows; they return the new (or for strings, an equal) id, SNAP_NONE or false when memory is
 * out. */
uint32_t dataset_string(struct dataset *dataset, const char *text);
uint32_t dataset_frame_add(struct dataset *dataset, const struct dataset_frame *frame);
uint32_t dataset_site_add(struct dataset *dataset, const char *domain, const uint32_t *frames,
			  uint32_t depth, const struct site_identity *identity);
/** The site with this id in the store, or SNAP_NONE. */
uint32_t dataset_site_of(const struct dataset *dataset, int64_t id);
bool dataset_cell_add(struct dataset *dataset, size_t snapshot, uint32_t site,
		      const struct figures *figures);

/** Text of a string id; never NULL. */
const char *dataset_text(const struct dataset *dataset, uint32_t string);

/** The frame at `position` (newest = 0) of a site's stack. */
const struct dataset_frame *dataset_frame_at(const struct dataset *dataset, uint32_t site,
					     uint32_t position);

/** For each site, its cell in a snapshot or NULL; malloc'ed, NULL when memory is out. */
const struct dataset_cell **dataset_cells_by_site(const struct dataset *dataset, size_t snapshot);

#endif
