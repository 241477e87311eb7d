/*
 * analysis/policy/policy.h - the limits that a gate holds figures against.
 *
 * A policy comes as texts, from options or from a file; policy_parse() makes numbers of them.
 */
#ifndef ANALYSIS_POLICY_H
#define ANALYSIS_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analysis/growth/growth.h"
#include "base/fail.h"

/** A limit as people write it: "+5%" or "+64KiB" is an increase, "64MiB" a level. */
struct policy_limit {
	const char *text; /* as written, NULL: no limit */
	bool is_increase;
	double percent; /* of the old side; used when bytes is not */
	uint64_t bytes; /* UINT64_MAX: the limit is a percentage */
};

/** The texts of a policy: one member for each option of the same name.  NULL: not given. */
struct policy_texts {
	const char *max_total, *max_site, *max_new_sites, *max_growth, *fail_on, *max_never_freed,
		*max_unreachable, *max_peak, *max_rss, *min_delta, *require_confirm;
};

/** A rule for part of the program: rows of these modules, functions or files. */
struct policy_scope {
	char *name;
	char *module, *function, *file; /* globs, NULL: any */
	char *max_site_text, *max_total_text, *max_new_sites_text;
	struct policy_limit max_site, max_total;
	bool has_max_new_sites;
	uint64_t max_new_sites;
};

struct policy {
	struct policy_limit max_total, max_site, max_never_freed, max_unreachable, max_peak,
		max_rss;
	bool has_max_new_sites, has_max_growth;
	uint64_t max_new_sites;
	const char *max_growth_text, *max_new_sites_text;
	double max_growth;  /* bytes per hour */
	uint64_t min_delta; /* increases below it are shown, not counted */
	uint64_t require_confirm;
	const char *fail_on_text;
	int fail_on[GROWTH_VERDICTS]; /* least confidence that fails; -1: never */
	const struct policy_scope *scopes;
	size_t scope_count;
};

/** The default of --fail-on. */
#define POLICY_FAIL_ON "leak:medium,container-growth:medium"

/** `texts` must outlive the policy.  SNAP_EUSAGE names the limit that cannot be read. */
enum snap_status policy_parse(struct policy *out, const struct policy_texts *texts,
			      struct snap_error *err);

/** True when the increase from `old` to `new_` bytes is above the limit; *allowed is what it
 * allows, as an increase (is_increase) or as a level.  With an unset limit false. */
bool policy_exceeds(const struct policy_limit *limit, double old, double new_, double *allowed);

/* ---- a policy in a file ---------------------------------------------------------------------- */

/** The values of a key that may stand in several lines. */
struct policy_values {
	const char **items;
	size_t count, capacity;
};

/** A policy file: its texts live in it. */
struct policy_file {
	struct policy_texts texts;
	const char *match, *group; /* words that --match and --group take; NULL: not given */
	struct policy_values baseline, own, library;
	char *suppressions; /* path, relative to the working directory; NULL: not given */
	bool strict;
	struct policy_scope *scopes;
	size_t scope_count, scope_capacity;
	char **owned; /* the texts */
	size_t owned_count, owned_capacity;
};

/**
 * Parse the text of the policy file `name`: `key = value` lines, one key per option (those of
 * options that may be repeated, too), and sections `[rule NAME]` with module, function, file, max-site, max-total and max-new-sites.  Release with
 * policy_file_release(), also after a failure.  SNAP_EUSAGE names the line.
 */
enum snap_status policy_file_parse(struct policy_file *out, const char *text, const char *name,
				   struct snap_error *err);
void policy_file_release(struct policy_file *file);

/** Make numbers of the texts of `scope`. */
enum snap_status policy_scope_parse(struct policy_scope *scope, struct snap_error *err);

#endif
