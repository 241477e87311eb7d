/*
 * snapshots/session.h - turn the names that the user gave into snapshots in a store.
 *
 * Joins input, symbols and store: with --db an existing database is opened and names are ids,
 * labels or @n; without, the named files are loaded into a private database in memory.
 */
#ifndef SNAPSHOTS_SESSION_H
#define SNAPSHOTS_SESSION_H

#include "snapshots/session_series.h"
#include "snapshots/session_options.h"
#include "store/store.h"

struct session;

enum snap_status session_open(struct session **out, const struct session_options *options,
			      struct snap_error *err);
void session_close(struct session *session);

/** Remember the files that are read from now on, for session_again(). */
void session_remember(struct session *session);
/**
 * Ask the same question again, as `watch` does: damaged files are read again, unchanged files are
 * not.
 */
void session_again(struct session *session);

/** The store; the session's.  NULL before the first successful load of a session that writes a new
 * database. */
struct store *session_store(struct session *session);

/**
 * Announce which names will be asked for next, one by one: a second thread then reads the files in
 * advance.  This only saves time.
 */
void session_expect(struct session *session, const char *const *names, size_t count);

/** One snapshot: a file, "-", a directory (see choose.c), or with --db an id, a label, @1 ... @-1.
 *  name NULL: the newest of the database, or of the default directory. */
enum snap_status session_one(struct session *session, const char *name, int64_t *id,
			     struct snap_error *err);

/**
 * The series among files and directories, by program and start; with --db and no names, among all
 * snapshots.  SNAP_EUSAGE with the list of the processes where none has a second snapshot.
 * Release with session_series_free().
 */
enum snap_status session_series(struct session *session, const char *const *names,
				size_t name_count, struct session_series_list *list,
				struct snap_error *err);
void session_series_free(struct session_series_list *list);

/** All snapshots that were named, in the order of capture.  `*ids` is malloc'ed. */
enum snap_status session_list(struct session *session, const char *const *names, size_t name_count,
			      int64_t **ids, size_t *count, struct snap_error *err);

/**
 * How many files were damaged: files of a directory that are left out, and, with facts_only, files
 * of which a part was read.  Each caused a warning.  A report on the others ends with exit status
 * 3.
 */
size_t session_damaged(const struct session *session);
/** Of these, the paths that are left out; NULL for an index beyond the last. */
const char *session_skipped(const struct session *session, size_t index);

/** What session_load() has done. */
struct session_loaded {
	size_t loaded, already; /* files that are new to the database, and that are not */
	size_t refused;         /* files that could not be read; each was given to `refuse` */
	size_t dropped;         /* snapshots that were deleted */
};

/** Which snapshots are deleted after the files are loaded. */
struct session_leaving {
	uint64_t before_ns; /* snapshots that were taken before; 0 none */
	bool replaced;      /* what was loaded earlier from a path that is loaded now */
};

/**
 * Read, symbolise and load files and directories ("-": standard input) into the database of a
 * session that writes, with extra labels: one transaction per file.  A file that cannot be read
 * does not keep the others out; a store that fails ends the loading.  `leaving` may be NULL.
 * `*done` is right in either case.
 */
enum snap_status session_load(struct session *session, const char *const *names, size_t name_count,
			      const struct store_labels *labels,
			      const struct session_leaving *leaving,
			      void (*refuse)(const char *sentence), struct session_loaded *done,
			      struct snap_error *err);

/** Is `name` a directory that exists?  "-" is standard input. */
bool session_is_directory(const char *name);

#endif
