/*
 * growth_command.h - the options of `growth` and the way from them to a printed report; `watch`
 * takes the same way again and again.
 */
#ifndef GROWTH_COMMAND_H
#define GROWTH_COMMAND_H

#include "cli/report_options.h"
#include "report/report.h"

struct growth_command {
	struct report_options shared;
	const char *warmup, *per;
	struct text_list control;
	uint64_t limit_bytes;
	const char *explain;
	bool expand, chart, exit_code;
	struct subject
		*kept;     /* no option: the subject of the report before, or zeroed; NULL: none */
	bool by_design;    /* no option: judge what every process leaves, too */
	bool fold;         /* no option: see struct growth_request */
	bool with_cohorts; /* for pictures: see growth_cohorts.h */
};

/** The table of the options above, without the shared ones; ended by a NULL name. */
extern const struct option growth_option_table[];

/** Judge the series that `names` are.  On success `*out` is yours: report_free().  With --sql the
 * statements are printed instead, and *out is NULL. */
enum snap_status growth_make(struct report **out, const struct growth_command *options,
			     const char *const *names, size_t count, struct snap_error *err);

/** Options as they are printed: for people, findings are one row each. */
struct growth_command growth_as_printed(const struct growth_command *options);

/**
 * Judge the series that `names` are and print the report.  *finding: a row leaks with medium or
 * high confidence.
 */
enum snap_status growth_print(const struct growth_command *options, const char *const *names,
			      size_t count, bool *finding, struct snap_error *err);

#endif
