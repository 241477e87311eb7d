/*
 * browse/browse.h - look at a report and its call stacks on the terminal.
 */
#ifndef BROWSE_BROWSE_H
#define BROWSE_BROWSE_H

#include "report/options.h"
#include "report/page.h"
#include "snap/status.h"

struct browse_subject {
	const char *mode; /* "top", "compare" or "growth" */
	const struct report *report;
	const struct page_stacks *stacks;
	const struct page_source *sources;
	size_t source_count;
	const struct page_held *held;
	size_t held_count;
};

/** What is to be shown. */
struct browse_wish {
	int group; /* enum group_key */
	bool pair; /* two snapshots of the series, by their numbers among its inputs */
	size_t old, new_;
};

struct browse_source {
	/* Valid until the next call that succeeds. */
	enum snap_status (*load)(void *user, const struct browse_wish *wish,
				 struct browse_subject *out, struct snap_error *err);
	bool (*is_newer)(void *user); /* since the last load; NULL: nothing is watched */
	void *user;
};

/** Take the terminal until the user leaves.  SNAP_ESYSTEM: it cannot be used; SNAP_ENOMEM; what the
 * first load() says. */
enum snap_status browse_run(const struct browse_source *source, int group, struct snap_error *err);

#endif
