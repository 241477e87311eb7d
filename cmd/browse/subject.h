/*
 * browse/subject.h - what the browser shows, and where it comes from.
 */
#ifndef BROWSE_SUBJECT_H
#define BROWSE_SUBJECT_H

#include "cli/report_options.h"
#include "report/page.h"
#include "snap/status.h"

/** What is to be shown. */
struct browse_wish {
	int group; /* enum group_key */
	bool pair; /* two snapshots of the series, by their numbers among its inputs */
	size_t old, new_;
};

struct browse_source {
	/* Valid until the next call that succeeds. */
	enum snap_status (*load)(void *user, const struct browse_wish *wish, struct page *out,
				 struct snap_error *err);
	bool (*is_newer)(void *user); /* since the last load; NULL: nothing is watched */
	void *user;
};

#endif
