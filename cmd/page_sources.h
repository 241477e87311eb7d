/*
 * page_sources.h - source lines around the rows of a report, for a page.
 */
#ifndef PAGE_SOURCES_H
#define PAGE_SOURCES_H

#include "report/page.h"

struct page_sources {
	struct page_source *items;
	size_t count;
};

/** Read a few lines around the first rows of `report` that have a place, from files below
 * `directory` (NULL: none).  Release with page_sources_release(), also after a failure.
 * SNAP_EIO: no such directory; SNAP_ENOMEM. */
enum snap_status page_sources_read(struct page_sources *out, const struct report *report,
				   const char *directory, struct snap_error *err);
void page_sources_release(struct page_sources *sources);

#endif
