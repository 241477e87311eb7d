/*
 * page_holders.h - who holds the rows of a page, if its newest snapshot has holders.
 */
#ifndef PAGE_HOLDERS_H
#define PAGE_HOLDERS_H

#include "page_make.h"
#include "report/page.h"

struct page_holders {
	struct page_held *items;
	struct report **reports; /* of the items */
	size_t count;
};

/** Find them for the first rows of `made`; none if the snapshot has no holders.  Release with
 * page_holders_release(), also after a failure.  SNAP_ENOMEM, and what the store says. */
enum snap_status page_holders_make(struct page_holders *out, const struct page_made *made,
				   struct snap_error *err);
void page_holders_release(struct page_holders *holders);

#endif
