/*
 * compare_command.h - the options of `compare` and the way from them to its report; `check` takes
 * the same way.
 */
#ifndef COMPARE_COMMAND_H
#define COMPARE_COMMAND_H

#include "cli/report_options.h"
#include "report/report.h"

struct compare_command {
	struct report_options shared;
	const char *normalize; /* "allocations", "seconds", a label's name; NULL: as recorded */
	bool exit_code;
	struct text_list map; /* "OLD=NEW": path prefixes */
};

/**
 * Compare the snapshots `names`: OLD NEW, or OLD... "--" NEW...  On success `*out` is yours:
 * report_free().  With --sql the statements are printed instead, and *out is NULL.
 */
enum snap_status compare_make(struct report **out, const struct compare_command *options,
			      const char *const *names, size_t count, struct snap_error *err);

#endif
