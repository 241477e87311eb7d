/*
 * store/store.h - the interface of the store.  The engine behind it is SQLite (store/sqlite/), the
 * only place that includes sqlite3.h.
 *
 * An engine implements this file and holders.h.  What does not depend on the engine is beside them:
 * the ids of call stacks (hash128.h, prepare.h) and what meta keys are (meta.h).
 *
 * Base tables may change between versions (migrated on open); views are the stable interface.
 * There is one writer at a time.  A store handle belongs to one thread; store_prepare() needs no
 * handle.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/choices.h"
#include "model/identity.h"
#include "model/model.h"

struct store;

enum store_mode {
	STORE_CREATE, /* open or create, read and write (load) */
	STORE_WRITE,  /* must exist (query --write) */
	STORE_READ,   /* must exist, read-only */
	STORE_CACHE,  /* open or create, for the symbol cache only: never waits, need not survive a
			 crash */
};

/** Open the database `path`; NULL is a private one in memory.  SNAP_ENOTFOUND, SNAP_ECORRUPT (not a
 * database, not ours), SNAP_EVERSION (written by a newer version), SNAP_EUNSUPPORTED (not a file),
 * SNAP_ESYSTEM. */
enum snap_status store_open(struct store **out, const char *path, enum store_mode mode,
			    struct snap_error *err);
void store_close(struct store *store);

/** Have the first store, and those after it, count the memory that they take: without it,
 * max_memory of store_query() holds for files only.  Reports are faster without. */
void store_count_memory(void);

/** The schema version that the file had, when opening brought it up to date; else 0. */
int store_migrated_from(const struct store *store);

/** Do the part of loading a symbolised model that does not need the database.  NULL when memory
 * is out; otherwise free it with store_prepared_free(). */
struct store_prepared;
struct store_prepared *store_prepare(const struct model *model);
void store_prepared_free(struct store_prepared *prepared);

/** Labels to add to a snapshot: keys[i] = values[i]. */
struct store_labels {
	const char *const *keys, *const *values;
	size_t count;
};

/** How much of a snapshot to load. */
enum store_part {
	STORE_ALL,
	STORE_WITHOUT_AGES, /* all but the cohorts */
	STORE_FACTS,        /* totals, meta and modules: no call stacks, and no figures of them */
};

/**
 * Load one symbolised snapshot in one transaction: after a failure the database is as it was.
 * `prepared` may be NULL: then it is done here.
 * `labels` (may be NULL) are added to those of the snapshot.  The same content (model->digest) is
 * loaded once: then *already is true and *snapshot_id is the old one.
 */
enum snap_status store_load(struct store *store, const struct model *model,
			    const struct store_prepared *prepared, enum store_part part,
			    const struct store_labels *labels, int64_t *snapshot_id, bool *already,
			    struct snap_error *err);

/**
 * Delete snapshots, and the processes, call stacks, frames and modules that no other one uses, in
 * one transaction.  The file does not get smaller: later loads use the room.
 */
enum snap_status store_forget(struct store *store, const int64_t *ids, size_t count,
			      struct snap_error *err);

/** The name of a model's program: as recorded, or taken from its command; "" unknown. */
#define STORE_PROGRAM_SIZE 256
void store_program_name(const struct model *model, char out[STORE_PROGRAM_SIZE]);

/** True if content with this digest is loaded; *snapshot_id is then its id. */
bool store_has_digest(struct store *store, uint64_t digest, int64_t *snapshot_id);

/* ---- what reports read: rows as plain values; texts live until the next row ------------------ */

struct store_snapshot {
	int64_t id, run_id;
	uint64_t seq, pid, time_ns, mono_ns, start_ns;
	const char *path, *label, *command, *program, *trigger,
		*host; /* "" when unknown; label NULL when none */
	uint64_t sample_period;
	uint64_t live_bytes, live_blocks, allocated_bytes,
		allocated_blocks; /* SNAP_UNKNOWN possible */
	uint64_t sites;           /* call stacks that it holds figures of */
	const char *time;         /* time_ns as ISO 8601 with nanoseconds, UTC; "" when unknown */
	const char *title;        /* what the process had written over its arguments; "" nothing */
	bool has_errors;          /* its figures may be off: sampled, or medians of several runs */
};
typedef enum snap_status store_snapshot_fn(void *user, const struct store_snapshot *row);
/** All snapshots ordered by capture: run start, pid, seq, id. */
enum snap_status store_each_snapshot(struct store *store, store_snapshot_fn *fn, void *user,
				     struct snap_error *err);

typedef enum snap_status store_pair_fn(void *user, const char *key, const char *value);
enum snap_status store_each_label(struct store *store, int64_t snapshot_id, store_pair_fn *fn,
				  void *user, struct snap_error *err);
enum snap_status store_each_metric(struct store *store, int64_t snapshot_id, store_pair_fn *fn,
				   void *user, struct snap_error *err);
enum snap_status store_each_loss(struct store *store, int64_t snapshot_id, store_pair_fn *fn,
				 void *user, struct snap_error *err);

struct store_frame {
	int64_t id;
	const char *function, *file, *module; /* module: path; "" unknown */
	uint32_t line;
	bool inlined, has_address;
	uint64_t address;
};
typedef enum snap_status store_frame_fn(void *user, const struct store_frame *row);

struct store_site {
	int64_t id; /* = stack_id */
	const char *domain;
	const int64_t *frames; /* frame ids, newest first, inlined ones included */
	uint32_t depth;
	struct site_identity identity;
};
typedef enum snap_status store_site_fn(void *user, const struct store_site *row);

struct store_cell {
	uint32_t snapshot; /* index into the list of ids given */
	int64_t site_id;
	uint64_t live_bytes, live_blocks, allocated_bytes,
		allocated_blocks;      /* SNAP_UNKNOWN possible */
	struct snap_variance variance; /* zeros in exact mode */
};
typedef enum snap_status store_cell_fn(void *user, const struct store_cell *row);

/** Any other fact of a snapshot's meta that has no table of its own (arch, allocator, ...). */
enum snap_status store_each_meta(struct store *store, int64_t snapshot_id, store_pair_fn *fn,
				 void *user, struct snap_error *err);

struct store_module {
	const char *path, *build_id; /* "" when it has none */
	uint64_t base, size;         /* size 0: unknown */
};
typedef enum snap_status store_module_fn(void *user, const struct store_module *row);
enum snap_status store_each_module(struct store *store, int64_t snapshot_id, store_module_fn *fn,
				   void *user, struct snap_error *err);

/** Frames / sites used by, and cells of, the given snapshots.  Cells come grouped by
 * snapshot, in the order of `ids`; sites and frames in id order, each once. */
enum snap_status store_each_frame(struct store *store, const int64_t *ids, size_t count,
				  store_frame_fn *fn, void *user, struct snap_error *err);
enum snap_status store_each_site(struct store *store, const int64_t *ids, size_t count,
				 store_site_fn *fn, void *user, struct snap_error *err);
enum snap_status store_each_cell(struct store *store, const int64_t *ids, size_t count,
				 store_cell_fn *fn, void *user, struct snap_error *err);

/* ---- sums: which call stack counts towards which row is decided elsewhere and summed here ---- */

struct store_credit {
	uint32_t row;
	int64_t site_id;
};

/** Begin a report: forget the relation and the shown rows of an earlier one. */
enum snap_status store_begin_rows(struct store *store, struct snap_error *err);

/**
 * Hand over the relation between call stacks and rows: by rising site, each pair once.  A report
 * may have several relations.  `side` tells them apart: of a comparison 0 is the old snapshot's and
 * 1 the new one's, of several series each has its own.
 */
enum snap_status store_credit_rows(struct store *store, uint32_t side,
				   const struct store_credit *credits, size_t count,
				   struct snap_error *err);

/** Say which rows the report shows, in their order, and what they are called. */
struct store_shown {
	uint32_t row;
	const char *key;
};
enum snap_status store_show_rows(struct store *store, const struct store_shown *shown, size_t count,
				 struct snap_error *err);

/** What is summed: in which snapshot, and by which relation. */
struct store_sums {
	int64_t snapshot_id;
	uint32_t side;
	bool sampled; /* with variances */
};

struct store_sum {
	uint32_t row;             /* of store_each_shown_sum(): the place among the shown ones */
	uint64_t stacks;          /* that hold something in this snapshot; never 0 */
	uint64_t values[FIGURES]; /* as in struct store_cell; SNAP_UNKNOWN when a part is unknown */
	double variances[FIGURES];
	int64_t heaviest; /* of store_each_shown_sum(): the site that holds most of it */
	uint64_t weight;  /* how much that is */
};
typedef enum snap_status store_sum_fn(void *user, const struct store_sum *row);

/** The sums of all rows that hold something, by rising row. */
enum snap_status store_each_sum(struct store *store, const struct store_sums *sums,
				store_sum_fn *fn, void *user, struct snap_error *err);

/** Live bytes and blocks alone, for long series. */
struct store_live_sum {
	uint32_t row;
	uint64_t bytes, blocks; /* as far as they are known */
	bool bytes_known, blocks_known;
	double bytes_variance;
};
typedef enum snap_status store_live_sum_fn(void *user, const struct store_live_sum *row);
enum snap_status store_each_live_sum(struct store *store, const struct store_sums *sums,
				     store_live_sum_fn *fn, void *user, struct snap_error *err);

/** The live bytes, as far as known, of all call stacks, or of those that count towards a row that
 * is shown. */
enum snap_status store_total_live(struct store *store, const struct store_sums *sums, bool shown,
				  uint64_t *bytes, struct snap_error *err);

/** The sums of the rows that are shown.  `figure`, an index into values, says which site is the
 * heaviest; of equals the one with the lowest id is. */
enum snap_status store_each_shown_sum(struct store *store, const struct store_sums *sums,
				      uint32_t figure, store_sum_fn *fn, void *user,
				      struct snap_error *err);

/** Call stacks that count once, however many rows they count towards. */
enum store_scope {
	STORE_SCOPE_ALL,      /* of the snapshot */
	STORE_SCOPE_SELECTED, /* those that count towards any row */
	STORE_SCOPE_SHOWN,    /* those that count towards a row that is shown */
};
enum snap_status store_total(struct store *store, const struct store_sums *sums,
			     enum store_scope scope, struct store_sum *out, struct snap_error *err);

/** When the live blocks of the rows were allocated; by rising row and birth_seq. */
struct store_cohort_sum {
	uint32_t row;
	uint64_t birth_seq, blocks, bytes;
};
typedef enum snap_status store_cohort_sum_fn(void *user, const struct store_cohort_sum *row);
enum snap_status store_each_cohort_sum(struct store *store, const struct store_sums *sums,
				       store_cohort_sum_fn *fn, void *user, struct snap_error *err);

/** From now on, keep the text of the statements behind the sums, with their values (for --sql).
 * They run in order in `sqlite3` on a loaded database: so relations are tables from now on, filled
 * by statements.  Call it before store_begin_rows().  False when memory is out. */
bool store_record(struct store *store);
/** The text so far; the store's. */
const char *store_recorded(struct store *store);

/* ---- symbol cache (see symbols/symbols.h), keyed by build-id and address --------------------- */
struct store_symbol {
	const char *function, *file;
	uint32_t line;
	bool inlined;
};
bool store_symbol_get(struct store *store, const char *build_id, uint64_t address,
		      struct store_symbol *frames, size_t max, size_t *count);
void store_symbol_put(struct store *store, const char *build_id, uint64_t address,
		      const struct store_symbol *frames, size_t count);
/** Between these, many gets cost little; nothing is put meanwhile. */
void store_symbol_begin(struct store *store);
void store_symbol_end(struct store *store);
/** Make what was put durable; store_load() and store_close() do so by themselves. */
void store_symbol_flush(struct store *store);

/* ---- ad-hoc SQL ------------------------------------------------------------------------------ */
enum store_type { STORE_NULL, STORE_INTEGER, STORE_REAL, STORE_TEXT, STORE_BLOB };
struct store_value {
	enum store_type type;
	int64_t integer;
	double real;
	const char *text; /* TEXT or BLOB bytes */
	size_t size;
};
/** Called once with the column names (row NULL), then once per row. */
typedef enum snap_status store_row_fn(void *user, size_t columns, const char *const *names,
				      const struct store_value *row);
struct store_param {
	const char *name;  /* without its sign */
	const char *value; /* bound as an integer or a real where it is one, else as text */
	bool used;         /* set once a statement has asked for it */
};

struct store_query_options {
	bool write;          /* without it: authorizer refuses everything but reading */
	uint64_t timeout_ns; /* 0 none */
	uint64_t max_rows;   /* 0 none; when more exist, *truncated is set */
	uint64_t max_memory; /* bytes that the engine may take; 0: the store's own limit */
	const volatile sig_atomic_t *cancel; /* stop when this is not 0; NULL: never */
	/** Values of the parameters :name, @name and $name. */
	struct store_param *params;
	size_t param_count;
};
/** Runs every statement in `sql`; rows of the last statements that have columns are given in turn.
 */
enum snap_status store_query(struct store *store, const char *sql,
			     const struct store_query_options *options, store_row_fn *fn,
			     void *user, bool *truncated, struct snap_error *err);

/** Does `sql` end in a whole statement (at a semicolon outside of strings and comments)? */
bool store_query_is_complete(const char *sql);

/** Keywords and functions of SQL for completion: calls `fn` with each. */
void store_each_word(struct store *store, void (*fn)(void *user, const char *word), void *user);

/**
 * Add an aggregate to SQL that judges a series as a whole: `name(x, y)`, or `name(y)` for one
 * argument, where x then counts the rows from 0.  Rows with a NULL are left out; a result that is
 * not finite is NULL.
 */
typedef double store_series_fn(const double *x, const double *y, size_t count);
enum snap_status store_add_series_function(struct store *store, const char *name, int arguments,
					   store_series_fn *fn, struct snap_error *err);

/** Documented views: name, one-line description; columns with descriptions. NULL-terminated static
 * data. */
struct store_column_doc {
	const char *name, *type, *description;
};
struct store_view_doc {
	const char *name, *description;
	const struct store_column_doc *columns;
};
const struct store_view_doc *store_views(void);

#endif
