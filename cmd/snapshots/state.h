/*
 * snapshots/state.h - what the files of this directory share.
 */
#ifndef SNAPSHOTS_STATE_H
#define SNAPSHOTS_STATE_H

#include "input/input.h"
#include "snapshots/session_series.h"
#include "snapshots/session_options.h"
#include "store/store.h"
#include "symbols/symbols.h"

struct session {
	struct session_options options;
	struct store *store;
	struct store *objects; /* what of a database was counted by its censuses, or NULL */
	struct store
		*cache; /* where symbols are remembered: the store itself, another one, or NULL */
	struct symbols *symbols; /* made when first needed */
	struct symbol_cache symbol_cache;
	size_t damaged; /* see session_damaged() */
	char **skipped; /* see session_skipped() */
	size_t skipped_count, skipped_capacity;
	bool skipped_lost;           /* memory was out for one of them */
	struct ahead *ahead;         /* files that are read ahead, or NULL */
	struct session_taken *taken; /* files that were read, in the order of reading */
	size_t taken_count, taken_capacity, taken_at;
	bool remembers; /* what was taken, see session_remember() */
};

/** Snapshots of the store in order of capture, copied so that they can be looked at more than once.
 */
struct snapshot_list {
	struct snapshot_entry {
		int64_t id, run_id;
		uint64_t pid, time_ns, start_ns;
		char *program, *label; /* label NULL when it has none */
	} * entries;
	size_t count, capacity;
};

/** Does a snapshot of this process pass --pid and --program? */
bool session_wants(const struct session *session, uint64_t pid, const char *program);

/** Pass a notice on; with `quiet`, no warnings. */
void session_notice(const struct session *session, const struct notice *notice);

/** Warn of a damaged file, and count it. */
void session_note_damage(struct session *session, const char *sentence);

/** Leave out a damaged file that was warned of.  False when memory is out. */
bool session_keep_skipped(struct session *session, const char *path);

/** The files of a directory that may be snapshots, in order; those that are none, but look like
 * some, are left out with a warning.  Release with input_free_list(). */
enum snap_status session_list_directory(struct session *session, const char *dir, char ***paths,
					size_t *count, struct snap_error *err);

/** A file of a directory could not be read: leave it out if it is damaged, forget it if it is gone
 * meanwhile; other failures are passed on. */
enum snap_status session_skip_damaged(struct session *session, const char *path,
				      enum snap_status status, const struct snap_error *problem,
				      struct snap_error *err);

/** SNAP_ENOTFOUND: nothing in `path` passes --pid and --program. */
enum snap_status session_nothing_wanted(const struct session *session, const char *path,
					struct snap_error *err);

/** On a terminal, say how far a long series has got; done == total wipes the line. */
void session_progress(const struct session *session, size_t done, size_t total);

/** The path of the snapshot of `dir` that is shown where one is wanted, malloc'ed; says which it
 * is. NULL where `dir` has none. */
enum snap_status session_choose(struct session *session, const char *dir, char **path,
				struct snap_error *err);

/** Read, symbolise and load `path`, unless --pid or --program turn it away: *id is 0 then. */
enum snap_status session_take_file(struct session *session, const char *path,
				   const struct store_labels *labels, int64_t *id, bool *already,
				   struct snap_error *err);

/** Has the file been read as it is now?  *id is what came of it, 0 where --pid or --program
 * turned it away. */
bool session_has_taken(struct session *session, const char *path, int64_t *id);

/** Files to load, one after the other. */
struct session_files {
	struct session_file {
		char *path;
		bool listed;  /* of a directory, not named itself */
		size_t place; /* as named */
		struct input_time time;
	} * files;
	size_t count;
};

/** The files that `names` stand for, directories listed, in options.order. */
enum snap_status session_files_of(struct session *session, const char *const *names,
				  size_t name_count, struct session_files *files,
				  struct snap_error *err);
void session_files_free(struct session_files *files);

/** A file as far as it can be brought without symbols and store. */
struct session_input {
	enum snap_status status;
	struct snap_error err; /* why, where status says so */
	struct model *model;
	struct store_prepared *prepared; /* NULL: to be done once the model is symbolised */
};

/** Read `path`, or take what was read of it ahead.  Release the input in any case. */
void session_read(struct session *session, const char *path, struct session_input *input);
void session_input_release(struct session_input *input);

/** session_expect() for a list of files. */
void session_expect_files(struct session *session, const struct session_files *files);

/** End reading ahead. */
void session_ahead_end(struct session *session);

/** The series among the snapshots `ids`.  SNAP_EUSAGE where there is none. */
enum snap_status series_split(struct session_series_list *out, const struct snapshot_list *list,
			      const int64_t *ids, size_t count, struct snap_error *err);

#endif
