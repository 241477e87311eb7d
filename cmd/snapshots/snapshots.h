/*
 * snapshots/snapshots.h - turn the names that the user gave into snapshots in a store.
 *
 * Joins input, symbols and store: with --db an existing database is opened and names are ids,
 * labels or @n; without, the named files are loaded into a private database in memory.
 */
#ifndef SNAPSHOTS_SNAPSHOTS_H
#define SNAPSHOTS_SNAPSHOTS_H

#include "snapshots/series_list.h"
#include "snapshots/options.h"
#include "store/store.h"

/** The snapshots that the user named, and the store that holds them. */
struct snapshots;

enum snap_status snapshots_open(struct snapshots **out, const struct snapshots_options *options,
				struct snap_error *err);
void snapshots_close(struct snapshots *snapshots);

/** Remember the files that are read from now on, for snapshots_again(). */
void snapshots_remember(struct snapshots *snapshots);
/**
 * Ask the same question again, as `watch` does: damaged files are read again, unchanged files are
 * not.
 */
void snapshots_again(struct snapshots *snapshots);

/** The store; it belongs to `snapshots`.  NULL while a database that is to be written is not there:
 * the first successful load makes it. */
struct store *snapshots_store(struct snapshots *snapshots);

/**
 * Announce which names will be asked for next, one by one: a second thread then reads the files in
 * advance.  This only saves time.
 */
void snapshots_expect(struct snapshots *snapshots, const char *const *names, size_t count);

/** One snapshot: a file, "-", a directory (see choose.c), or with --db an id, a label, @1 ... @-1.
 *  name NULL: the newest of the database, or of the default directory. */
enum snap_status snapshots_one(struct snapshots *snapshots, const char *name, int64_t *id,
			       struct snap_error *err);

/**
 * The series among files and directories, by program and start; with --db and no names, among all
 * snapshots.  SNAP_ENOSERIES with the list of the processes where none has a second snapshot.
 * With options.census, snapshots without a census are left out; SNAP_EUSAGE where no other is there.  Release with snapshots_series_free().
 */
enum snap_status snapshots_series(struct snapshots *snapshots, const char *const *names,
				  size_t name_count, struct snapshots_series_list *list,
				  struct snap_error *err);
void snapshots_series_free(struct snapshots_series_list *list);

/** All snapshots that were named, in the order of capture.  `*ids` is malloc'ed. */
enum snap_status snapshots_list(struct snapshots *snapshots, const char *const *names,
				size_t name_count, int64_t **ids, size_t *count,
				struct snap_error *err);

/**
 * How many files were damaged: files of a directory that are left out, and, with facts_only, files
 * of which a part was read.  Each caused a warning.  A report on the others ends with exit status
 * 3.
 */
size_t snapshots_damaged(const struct snapshots *snapshots);
/** Of these, the paths that are left out; NULL for an index beyond the last. */
const char *snapshots_skipped(const struct snapshots *snapshots, size_t index);

/** What snapshots_load() has done. */
struct snapshots_loaded {
	size_t loaded, already; /* files that are new to the database, and that are not */
	size_t refused;         /* files that could not be read; each was given to `refuse` */
	size_t dropped;         /* snapshots that were deleted */
};

/** Which snapshots are deleted after the files are loaded. */
struct snapshots_leaving {
	uint64_t before_ns; /* snapshots that were taken before; 0 none */
	bool replaced;      /* snapshots that were loaded earlier from a path that is loaded now */
};

/**
 * Read, symbolise and load files and directories ("-": standard input) into the database, with
 * extra labels: one transaction per file.  `snapshots` was opened with options.write.  A file that
 * cannot be read does not keep the others out; a store that fails ends the loading.  `leaving` may
 * be NULL.  `*done` is right in either case.
 */
enum snap_status snapshots_load(struct snapshots *snapshots, const char *const *names,
				size_t name_count, const struct store_labels *labels,
				const struct snapshots_leaving *leaving,
				void (*refuse)(const char *sentence), struct snapshots_loaded *done,
				struct snap_error *err);

/** Is `name` a directory that exists?  "-" is standard input. */
bool snapshots_is_directory(const char *name);

#endif
