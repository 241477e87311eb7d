/*
 * report/subject.h - the subject of a report: the snapshots that the user named, and their
 * description.
 */
#ifndef REPORT_SUBJECT_H
#define REPORT_SUBJECT_H

#include "cli/report_options.h"
#include "report/report.h"
#include "snapshots/snapshots.h"

struct subject {
	struct snapshots *snapshots;
	int64_t *ids; /* of the chosen snapshots, in the order they were added */
	size_t count, capacity;
	struct notices notices; /* of resolving, loading and symbolising */
	bool again;             /* see subject_again() */
};

/** If no snapshot is named, but the pattern of a filter is the name of a file, the user meant that
 * file: SNAP_EUSAGE says so. */
enum snap_status subject_guess(const struct report_options *options, const char *name,
			       struct snap_error *err);
/** Open the store as `options` say (--db, --pid, --program, --quiet).  `with_ages`: the report asks
 * when blocks were allocated.  A subject that is zeroed, or that failed to open, may be closed. */
enum snap_status subject_open(struct subject *subject, const struct report_options *options,
			      bool with_ages, struct snap_error *err);
void subject_close(struct subject *subject);

/** Ask more than once: call it before the first question. */
void subject_remember(struct subject *subject);
/** Empty an open subject to ask again: files that were read are not read again. */
void subject_again(struct subject *subject);

/** Add one snapshot by name; NULL is the newest of the database. */
enum snap_status subject_add(struct subject *subject, const char *name, struct snap_error *err);

/** Add one by its id. */
enum snap_status subject_add_id(struct subject *subject, int64_t id, struct snap_error *err);

/** Put `inputs` into the report's head; warnings and losses of all snapshots into its warnings. */
enum snap_status subject_describe(const struct subject *subject, struct report *report,
				  struct snap_error *err);

#endif
