/*
 * snapshots/state.h - what the files of this directory share.
 */
#ifndef SNAPSHOTS_STATE_H
#define SNAPSHOTS_STATE_H

#include "input/input.h"
#include "snapshots/series_list.h"
#include "snapshots/options.h"
#include "snapshots/snapshot_list.h"
#include "snapshots/without_census.h"
#include "store/store.h"
#include "symbols/symbols.h"

struct snapshots {
	struct snapshots_options options;
	struct store *store;
	struct store *objects; /* the objects of a database's snapshots, or NULL */
	struct store
		*cache; /* where symbols are remembered: the store itself, another one, or NULL */
	struct symbols *symbols; /* made when first needed */
	struct symbol_cache symbol_cache;
	size_t damaged; /* see snapshots_damaged() */
	char **skipped; /* see snapshots_skipped() */
	size_t skipped_count, skipped_capacity;
	struct without_census without_census; /* of the last question */
	bool skipped_lost;                    /* memory was out for one of them */
	struct ahead *ahead;                  /* files that are read ahead, or NULL */
	struct snapshots_taken *taken;        /* files that were read, in the order of reading */
	size_t taken_count, taken_capacity, taken_at;
	bool remembers; /* the ids that were used, see snapshots_remember() */
};

/** The snapshots of the store that pass --pid and --program.  Release the list in any case. */
enum snap_status snapshot_list_read(struct snapshots *snapshots, struct snapshot_list *list,
				    struct snap_error *err);
void snapshot_list_free(struct snapshot_list *list);

/** Does a snapshot of this process pass --pid and --program? */
bool snapshots_wants(const struct snapshots *snapshots, uint64_t pid, const char *program);

/** Pass a notice on; with `quiet`, no warnings. */
void snapshots_notice(const struct snapshots *snapshots, const struct notice *notice);

/** Warn of a damaged file, and count it. */
void snapshots_note_damage(struct snapshots *snapshots, const char *sentence);

/** Leave out a damaged file that was warned of.  False when memory is out. */
bool snapshots_keep_skipped(struct snapshots *snapshots, const char *path);

/** The files of a directory that may be snapshots, in order; those that are none, but look like
 * some, are left out with a warning.  Release with input_free_list(). */
enum snap_status snapshots_list_directory(struct snapshots *snapshots, const char *dir,
					  char ***paths, size_t *count, struct snap_error *err);

/** A file of a directory could not be read: leave it out if it is damaged, forget it if it is gone
 * meanwhile; other failures are passed on. */
enum snap_status snapshots_skip_damaged(struct snapshots *snapshots, const char *path,
					enum snap_status st, const struct snap_error *problem,
					struct snap_error *err);

/** Say how many snapshots were left out of `dir`, since they have no census. */
enum snap_status snapshots_say_without_census(struct snapshots *snapshots, const char *dir,
					      struct snap_error *err);

/** SNAP_ENOTFOUND: nothing in `path` passes --pid and --program.  SNAP_EUSAGE: what does has no
 * census. */
enum snap_status snapshots_nothing_wanted(const struct snapshots *snapshots, const char *path,
					  struct snap_error *err);

/** On a terminal, say how far a long series has got; done == total wipes the line. */
void snapshots_progress(const struct snapshots *snapshots, size_t done, size_t total);

/** The path of the snapshot of `dir` that is shown where one is wanted, malloc'ed; says which it
 * is. NULL where `dir` has none.  What it left out is what `snapshots` left out. */
enum snap_status snapshots_choose(struct snapshots *snapshots, const char *dir, char **path,
				  struct snap_error *err);

/** Read, symbolise and load `path`, unless --pid or --program turn it away, or it has no census and is
 * left out for that: *id is 0 then. */
enum snap_status snapshots_take_file(struct snapshots *snapshots, const char *path,
				     const struct store_labels *labels, int64_t *id, bool *already,
				     struct snap_error *err);

/** Has the file been read as it is now?  *id is its snapshot, or 0 if --pid or --program turned it
 * away. */
bool snapshots_has_taken(struct snapshots *snapshots, const char *path, int64_t *id);

/** Files to load, one after the other. */
struct snapshots_files {
	struct snapshots_file {
		char *path;
		bool listed;  /* of a directory, not named itself */
		size_t place; /* as named */
		struct input_time time;
	} * files;
	size_t count;
};

/** The files that `names` stand for, directories listed, in options.order. */
enum snap_status snapshots_files_of(struct snapshots *snapshots, const char *const *names,
				    size_t name_count, struct snapshots_files *files,
				    struct snap_error *err);
void snapshots_files_free(struct snapshots_files *files);

/** A file that is prepared as far as possible without symbols and store. */
struct snapshots_input {
	enum snap_status status;
	struct snap_error err; /* why, where status says so */
	struct model *model;
	bool lacks_census;               /* `status` refuses it, and the model is there */
	struct store_prepared *prepared; /* NULL: to be done once the model is symbolised */
};

/** Read `path`, or take what was read of it ahead.  Release the input in any case. */
void snapshots_read(struct snapshots *snapshots, const char *path, struct snapshots_input *input);
void snapshots_input_release(struct snapshots_input *input);

/** snapshots_expect() for a list of files. */
void snapshots_expect_files(struct snapshots *snapshots, const struct snapshots_files *files);

/** End reading ahead. */
void snapshots_ahead_end(struct snapshots *snapshots);

/** The series among the snapshots `ids`.  SNAP_ENOSERIES where there is none. */
enum snap_status series_split(struct snapshots_series_list *out, const struct snapshot_list *list,
			      const int64_t *ids, size_t count, struct snap_error *err);

#endif
