/*
 * leaks_command.h - the report on blocks that nothing reaches: for `leaks` and for `check`.
 */
#ifndef LEAKS_COMMAND_H
#define LEAKS_COMMAND_H

#include "cli/report_options.h"
#include "report/report.h"

struct leaks_command {
	struct report_options shared;
	const char *confirm;
	struct text_list suppressions;
	bool exit_code;
};

/** Make the report on the snapshot `name` (NULL: of the database).  On success *out is yours. */
enum snap_status leaks_make(struct report **out, const struct leaks_command *options,
			    const char *name, struct snap_error *err);

#endif
