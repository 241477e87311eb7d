/*
 * session/session.h - what the user named -> snapshots in a store.
 *
 * Joins input, symbols and store: with --db an existing database is opened and names are ids,
 * labels or @n; without, the named files are loaded into a private database in memory.
 */
#ifndef SESSION_SESSION_H
#define SESSION_SESSION_H

#include "store/store.h"

struct session;

/** Where `snapdiff run` writes unless told otherwise, and where commands look when nothing is
 * named. */
#define SESSION_DEFAULT_DIRECTORY "snaps"

struct session_options {
	const char *db;      /* NULL: private in-memory database */
	uint64_t pid;        /* 0 any: --pid */
	const char *program; /* NULL any: --program */
	bool quiet;          /* no progress, no warnings */
	bool write;          /* with db: open for writing, and take session_load_file() */
	void (*warn)(void *user,
		     const char *sentence); /* collects the warnings of a report; may be NULL */
	void *user;
};

enum snap_status session_open(struct session **out, const struct session_options *options,
			      struct snap_error *err);
void session_close(struct session *session);

/** The store; the session's.  NULL before the first successful load of a session that writes a new
 * database. */
struct store *session_store(struct session *session);

/** One snapshot: a file, "-", a directory (its newest), or with --db an id, a label, @1 ... @-1.
 *  name NULL: the newest of the database, or of the default directory. */
enum snap_status session_one(struct session *session, const char *name, int64_t *id,
			     struct snap_error *err);

/**
 * A series, oldest first: files and directories in the order of capture; with --db and no names,
 * all. Several processes that are not successive runs of one program: SNAP_EUSAGE with the list of
 * them in `err`, unless pid or program picks.  `*ids` is malloc'ed.
 */
enum snap_status session_series(struct session *session, const char *const *names,
				size_t name_count, int64_t **ids, size_t *count,
				struct snap_error *err);

/** The same without the demand for one process: whatever was named, in the order of capture. */
enum snap_status session_list(struct session *session, const char *const *names, size_t name_count,
			      int64_t **ids, size_t *count, struct snap_error *err);

/** Read a file ("-": standard input) and give it its symbols, without loading it: for `info` and
 * `dump`. */
enum snap_status session_read_file(struct session *session, const char *path, bool salvage,
				   struct model **out, struct snap_error *err);

/** Read, symbolise and load one file, with extra labels.  See store_load(). */
enum snap_status session_load_file(struct session *session, const char *path,
				   const char *const *label_keys, const char *const *label_values,
				   size_t label_count, int64_t *id, bool *already,
				   struct snap_error *err);

#endif
