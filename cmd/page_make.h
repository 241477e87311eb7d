/*
 * page_make.h - what a page or the terminal browser shows: of one snapshot, two, or a series.
 */
#ifndef PAGE_MAKE_H
#define PAGE_MAKE_H

#include "cli/cli.h"
#include "cli/report_options.h"
#include "report/page_stacks.h"
#include "report/report.h"
#include "report/subject.h"

/** What is shown, as the command line has it: the first member of `report`'s and `browse`'s
 * options. */
struct page_options {
	struct report_options shared;
	const char *source; /* directory of source files; NULL none */
};
extern const struct option page_option_table[]; /* fills struct page_options */
extern const struct page_options page_option_defaults;

struct page_made {
	const struct report_options *options;
	const char *const *names;
	size_t count;
	const char *mode;       /* "top", "compare" or "growth" */
	struct report *report;  /* of all rows */
	struct subject subject; /* of the snapshots whose stacks are there */
	struct dataset *dataset;
	struct page_stacks stacks;
};

/**
 * One snapshot gives top, two give compare, a directory or more than two give growth.  `options`
 * and `names` must outlive the result.  Release with page_made_release(), also after a failure.
 */
enum snap_status page_make(struct page_made *out, const struct report_options *options,
			   const char *const *names, size_t count, struct snap_error *err);
void page_made_release(struct page_made *made);

#endif
