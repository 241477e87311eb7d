/*
 * report/page.h - everything that one HTML page shows.
 */
#ifndef REPORT_PAGE_H
#define REPORT_PAGE_H

#include "report/page_stacks.h"
#include "report/report.h"

/** A piece of a source file around the line that names a row. */
struct page_source {
	const char *name; /* "src/cache.c" */
	uint32_t line;    /* the row's */
	uint32_t first;   /* number of the first line of `text` */
	const char *text; /* whole lines */
};

/** Who holds a row of the report. */
struct page_held {
	size_t row;
	const struct report *report; /* of `holders` */
};

struct page {
	const char *mode; /* "top", "compare" or "growth" */
	const struct report *report;
	const struct page_stacks *stacks;
	const struct page_source *sources;
	size_t source_count;
	const struct page_held *held;
	size_t held_count;
};

#endif
