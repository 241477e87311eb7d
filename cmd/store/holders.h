/*
 * store/holders.h - who holds what at a snapshot, in the store (see snap/records.h).
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

/** The same check of the edges alone, which sums need. */
enum snap_status store_check_edges(struct store *store, int64_t snapshot_id,
				   struct snap_error *err);

/* ---- sums: which group or root counts towards which row is decided elsewhere and summed here ---- */

/** A row that may be a holder, or be held. */
struct store_node {
	uint32_t row;
	const char *key, *kind;
};

/** A group of blocks, or a root, counts towards a row.  `side` as in store_credit_rows(): all but
 * store_each_new_holder() are about side 0. */
struct store_member {
	uint32_t row, id, side;
	bool is_root;
};

enum snap_status store_put_nodes(struct store *store, const struct store_node *nodes, size_t count,
				 struct snap_error *err);
/** Each group and each root of a side at most once. */
enum snap_status store_put_members(struct store *store, const struct store_member *members,
				   size_t count, struct snap_error *err);

/** Unreachable blocks; to an indirect one another unreachable block refers. */
struct store_lost {
	uint64_t direct, indirect, live; /* bytes */
	uint64_t direct_blocks, indirect_blocks, ring_blocks, live_blocks;
};
/** `at` is a group, a row, or the place of a row among those that are shown. */
typedef enum snap_status store_lost_fn(void *user, uint32_t at, const struct store_lost *lost);

/** Say what counts as lost: what nothing reaches in a snapshot, as far as `confirm_id` (0: none), a
 * second snapshot, confirms it.  Gives each group. */
enum snap_status store_count_lost(struct store *store, int64_t snapshot_id, int64_t confirm_id,
				  store_lost_fn *fn, void *user, struct snap_error *err);
/** The sums of what counts, by row of store_put_members(); by row of store_show_rows(). */
enum snap_status store_each_lost(struct store *store, store_lost_fn *fn, void *user,
				 struct snap_error *err);
enum snap_status store_each_shown_lost(struct store *store, store_lost_fn *fn, void *user,
				       struct snap_error *err);
/** The same of all groups that count, and of the rows that are shown. */
enum snap_status store_total_lost(struct store *store, struct store_lost *all,
				  struct store_lost *shown, struct snap_error *err);
/** What nothing reaches in the snapshot, but the second one did not confirm. */
enum snap_status store_unconfirmed(struct store *store, int64_t snapshot_id, uint64_t *bytes,
				   uint64_t *blocks, struct snap_error *err);

/** What nothing reaches, by the relation of `side` of store_credit_rows(); by rising row. */
enum snap_status store_each_credited_lost(struct store *store, int64_t snapshot_id, uint32_t side,
					  store_lost_fn *fn, void *user, struct snap_error *err);

/** Objects of one type that count towards a row, by the relation of `side`. */
struct store_objects {
	uint32_t row;
	const char *type;
	bool is_reuse; /* no objects: memory that the interpreter keeps */
	uint64_t objects, bytes;
};
typedef enum snap_status store_objects_fn(void *user, const struct store_objects *row);
/** By rising row. */
enum snap_status store_each_objects(struct store *store, int64_t snapshot_id, uint32_t side,
				    store_objects_fn *fn, void *user, struct snap_error *err);

/** Has a snapshot a graph, and one with retained sizes? */
enum snap_status store_has_graph(struct store *store, int64_t snapshot_id, bool *has, bool *sized,
				 struct snap_error *err);

/** Bytes of a row that nothing reaches, and that it retains; SNAP_UNKNOWN: not computed. */
struct store_reach {
	uint64_t unreachable, retained;
};
typedef enum snap_status store_reach_fn(void *user, uint32_t place, const struct store_reach *row);

/** These figures for the rows of store_show_rows() that have any, by the relation of `side` of
 * store_credit_rows().  If rows overlap, the bytes that they retain are unknown. */
enum snap_status store_each_shown_reach(struct store *store, int64_t snapshot_id, uint32_t side,
					bool overlap, store_reach_fn *fn, void *user,
					struct snap_error *err);

/** Who holds blocks of a row in the new one of two snapshots, and held none of them in the old. */
struct store_new_holder {
	uint32_t row, holder;            /* row of store_credit_rows(), of store_put_nodes() */
	uint64_t blocks, bytes;          /* of the row, that it refers to */
	uint64_t old_blocks, new_blocks; /* that the row has */
};
typedef enum snap_status store_new_holder_fn(void *user, const struct store_new_holder *row);
/** By the relations of side 0, the old one, and 1, and by the members of both.  By rising row; of
 * each, who holds most is first, then by key. */
enum snap_status store_each_new_holder(struct store *store, int64_t old_id, int64_t new_id,
				       store_new_holder_fn *fn, void *user, struct snap_error *err);

/** What a row has; a root has no blocks. */
struct store_size {
	uint64_t bytes, blocks, lost_blocks;
	uint64_t retained_bytes;
	bool sized; /* retained sizes of its blocks are known */
};
typedef enum snap_status store_size_fn(void *user, uint32_t at, const struct store_size *size);

/** Sum up the graph of a snapshot by the rows of store_put_members() and store_put_nodes(): what
 * each has, by rising row. */
enum snap_status store_sum_graph(struct store *store, int64_t snapshot_id, store_size_fn *fn,
				 void *user, struct snap_error *err);
/** What those of store_show_rows() have, by place. */
enum snap_status store_each_shown_size(struct store *store, store_size_fn *fn, void *user,
				       struct snap_error *err);
/** All blocks of the snapshot, and those of the rows that are shown: bytes and blocks alone. */
enum snap_status store_total_size(struct store *store, int64_t snapshot_id, struct store_size *all,
				  struct store_size *shown, struct snap_error *err);

/** How a row that is shown and another refer to each other. */
struct store_link {
	uint32_t place, row; /* the other */
	uint64_t links;      /* how many others there are */
	uint64_t bytes, blocks, references;
	uint64_t retained_bytes; /* SNAP_UNKNOWN: not computed */
};
typedef enum snap_status store_link_fn(void *user, const struct store_link *link);

/** Who holds the rows that are shown, at most `limit` of each; by place, the largest first. */
enum snap_status store_each_holder(struct store *store, size_t limit, store_link_fn *fn, void *user,
				   struct snap_error *err);
/** The rows that those hold.  A row that holds itself is given only by store_each_holder(). */
enum snap_status store_each_held(struct store *store, size_t limit, store_link_fn *fn, void *user,
				 struct snap_error *err);

#endif
