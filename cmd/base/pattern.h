/*
 * base/pattern.h - patterns of the user's: POSIX extended regular expressions, and globs.
 *
 * For regcomp() and regexec(), a lack of memory is one more reason not to match.  Here it is an
 * error, because otherwise a report would be empty.  fnmatch() accepts every glob, also one that
 * matches nothing by mistake: glob_problem() finds these.
 */
#ifndef BASE_PATTERN_H
#define BASE_PATTERN_H

#include <regex.h>
#include <stdbool.h>

#include "snap/status.h"

enum { PATTERN_WHY = 160 };

/** SNAP_EUSAGE when `text` is no expression: `why` gets the reason.  SNAP_ENOMEM: `why` says so.
 * After SNAP_OK, regfree(). */
enum snap_status pattern_compile(regex_t *regex, const char *text, char why[PATTERN_WHY]);

/** Ends the program when memory is out: see base/memory.h. */
bool pattern_matches(const regex_t *regex, const char *text);

/** Why `glob` cannot match what was meant, as a clause; NULL: it can. */
const char *glob_problem(const char *glob);

#endif
