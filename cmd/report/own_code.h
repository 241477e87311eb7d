/*
 * report/own_code.h - what counts as own code: the options and the configuration files.
 */
#ifndef REPORT_OWN_CODE_H
#define REPORT_OWN_CODE_H

#include "cli/cli.h"

/**
 * Set the rules of this process (model/own.h) to the globs of `own` and `library` (NULL: none) and
 * those of the configuration: the file that SNAPDIFF_CONFIG names (empty: none), otherwise
 * .snapdiff in the current directory and snapdiff/config in the user's configuration directory.
 * The lists must stay.  `native`: see there.  SNAP_EUSAGE: a configuration file cannot be understood.
 */
enum snap_status own_code_apply(const struct text_list *own, const struct text_list *library,
				bool native, struct snap_error *err);

#endif
