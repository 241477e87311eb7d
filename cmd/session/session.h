/*
 * session/session.h - what the user named -> snapshots in a store.
 *
 * Joins input, symbols and store: with --db an existing database is opened and names are ids, labels or @n;
 * without, the named files are loaded into a private database in memory.
 */
#ifndef SESSION_SESSION_H
#define SESSION_SESSION_H

#include "store/store.h"

struct session;

struct session_options {
	const char *db;      /* NULL: private in-memory database */
	uint64_t pid;        /* 0 any: --pid */
	const char *program; /* NULL any: --program */
	bool quiet;          /* no progress, no warnings */
	void (*warn)(void *user, const char *sentence); /* collects the warnings of a report; may be NULL */
	void *user;
};

enum snap_status session_open(struct session **out, const struct session_options *options,
			      struct snap_error *err);
void session_close(struct session *session);
struct store *session_store(struct session *session);

/** One snapshot: a file, "-", a directory (its newest), or with --db an id, a label, @1 ... @-1.  name NULL: @-1. */
enum snap_status session_one(struct session *session, const char *name, int64_t *id, struct snap_error *err);

/**
 * A series, oldest first: files and directories in the order of capture; with --db and no names, all.
 * Several processes that are not successive runs of one program: SNAP_EUSAGE with the list of them in `err`,
 * unless pid or program picks.  `*ids` is malloc'ed.
 */
enum snap_status session_series(struct session *session, const char *const *names, size_t name_count,
				int64_t **ids, size_t *count, struct snap_error *err);

#endif
