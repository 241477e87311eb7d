/*
 * analysis/policy/suppress.h - known cases that a gate does not count.
 *
 * The file has LeakSanitizer's syntax, so that existing files work unchanged: a line is
 * `leak:PATTERN`; `#` begins a comment line.  A pattern is looked for anywhere in the function,
 * file and module names of a call stack; `*` stands for any text, `^` and `$` for the ends of the
 * name.  Source of the syntax:
 * https://github.com/google/sanitizers/wiki/AddressSanitizerLeakSanitizer
 *
 * Behind the pattern a line may say more: `max=64KiB` (suppress only up to this much),
 * `expires=2027-01-31` (last day on which the rule suppresses), `reason="..."`.
 */
#ifndef ANALYSIS_POLICY_SUPPRESS_H
#define ANALYSIS_POLICY_SUPPRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fail.h"

struct suppression {
	const char *file; /* whose `line` this is; the caller's */
	char *pattern;
	char *reason;       /* NULL: none given */
	uint64_t max_bytes; /* UINT64_MAX: no limit */
	int expires;        /* yyyymmdd, the last day; 0: never */
	unsigned line;      /* from 1 */
	size_t matches;     /* findings that it suppressed so far */
	uint64_t bytes;     /* what these held */
	uint64_t too_large; /* the largest that it matched and that is above max_bytes; 0: none */
};

struct suppressions {
	struct suppression *rules;
	size_t count, capacity;
};

/** Parse the text of a file called `name`, and add its rules to those that `out` has; `name` must
 * live as long.  On success release `out` with suppressions_release(); after a failure it is empty.
 * SNAP_EUSAGE names the line that is wrong; SNAP_ENOMEM. */
enum snap_status suppressions_parse(struct suppressions *out, const char *text, const char *name,
				    struct snap_error *err);
void suppressions_release(struct suppressions *suppressions);

/** Does `pattern` occur in `text`, as described above?  An empty or NULL text never matches. */
bool suppression_matches(const char *pattern, const char *text);

/** The names of one finding's call stack: functions, files and modules, in any order. */
struct suppression_names {
	const char *const *names; /* entries may be NULL */
	size_t count;
};

/**
 * The rule that suppresses a finding of `bytes` on the day `today` (yyyymmdd), or NULL.  Expired
 * rules and rules whose max= is exceeded do not.  The rule's counts are updated.
 */
struct suppression *suppressions_find(struct suppressions *suppressions,
				      const struct suppression_names *names, uint64_t bytes,
				      int today);

/** True when the last day of the rule is before `today`. */
bool suppression_is_expired(const struct suppression *rule, int today);

#endif
