/*
 * browse/browse.h - look at a report and its call stacks on the terminal.
 */
#ifndef BROWSE_BROWSE_H
#define BROWSE_BROWSE_H

#include "report/page_stacks.h"
#include "report/report.h"
#include "snap/status.h"

struct browse_subject {
	const char *mode; /* "top", "compare" or "growth" */
	const struct report *report;
	const struct page_stacks *stacks;
};

/** Take the terminal until the user leaves.  SNAP_ESYSTEM: it cannot be used; SNAP_ENOMEM. */
enum snap_status browse_run(const struct browse_subject *subject, struct snap_error *err);

#endif
