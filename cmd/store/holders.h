/*
 * store/holders.h - who holds what at a snapshot, as the store has it (see snap/records.h).
 *
 * Ids are places in the snapshot's file.  Texts live until the next row.
 */
#ifndef STORE_HOLDERS_H
#define STORE_HOLDERS_H

#include "store/store.h"

struct store_group {
	uint32_t kind;     /* enum snap_group_kind */
	const char *label; /* "" none */
	int64_t site_id;   /* 0: no call stack */
	uint64_t blocks, bytes;
	uint64_t direct_blocks, direct_bytes, indirect_blocks, indirect_bytes, ring_blocks;
	uint64_t retained_bytes; /* SNAP_UNKNOWN: not computed */
};
typedef enum snap_status store_group_fn(void *user, const struct store_group *row);

struct store_root {
	uint32_t kind;     /* enum snap_root_kind */
	const char *name;  /* in words: holders_root_words() */
	const char *label; /* "" none; likewise module, its path, and symbol */
	const char *module, *symbol;
	uint32_t thread;
	uint64_t address, size, offset;
	uint64_t retained_bytes;
};
typedef enum snap_status store_root_fn(void *user, const struct store_root *row);

typedef enum snap_status store_edge_fn(void *user, const struct snap_edge *row);
typedef enum snap_status store_path_fn(void *user, const struct snap_path *row,
				       const struct snap_step *steps);

/** The rows of the graph of a snapshot, in the order of their ids; none where it has no graph.
 * Ids in them are smaller than the number of rows that they refer to: SNAP_ECORRUPT otherwise. */
enum snap_status store_each_group(struct store *store, int64_t snapshot_id, store_group_fn *fn,
				  void *user, struct snap_error *err);
enum snap_status store_each_root(struct store *store, int64_t snapshot_id, store_root_fn *fn,
				 void *user, struct snap_error *err);
enum snap_status store_each_edge(struct store *store, int64_t snapshot_id, store_edge_fn *fn,
				 void *user, struct snap_error *err);
enum snap_status store_each_path(struct store *store, int64_t snapshot_id, store_path_fn *fn,
				 void *user, struct snap_error *err);

/* ---- the rows of reports, for the statements of --sql: after store_record() ---- */

/** A row that may hold or be held. */
struct store_node {
	uint32_t row;
	const char *key, *kind;
};

/** A group of blocks, or a root, counts towards a row. */
struct store_member {
	uint32_t row, id;
	bool is_root;
};

enum snap_status store_put_nodes(struct store *store, const struct store_node *nodes, size_t count,
				 struct snap_error *err);
enum snap_status store_put_members(struct store *store, const struct store_member *members,
				   size_t count, struct snap_error *err);

/** Ask what nothing reaches, by the rows of store_show_rows(). */
enum snap_status store_ask_leaks(struct store *store, int64_t snapshot_id, struct snap_error *err);
/** Ask who holds these rows, and whom they hold, at most `limit` of each for a row. */
enum snap_status store_ask_holders(struct store *store, int64_t snapshot_id, size_t limit,
				   struct snap_error *err);

#endif
