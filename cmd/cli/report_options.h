/*
 * cli/report_options.h - the options that every report shares, as one struct that a report
 * command embeds as the first member of its own options.
 */
#ifndef CLI_REPORT_OPTIONS_H
#define CLI_REPORT_OPTIONS_H

#include "base/choices.h"
#include "cli/cli.h"

enum color_when { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

struct report_options {
	int group;  /* enum group_key */
	int metric; /* enum figure */
	const char *sort;
	uint64_t limit; /* -n; ask report_limit() */
	bool all;
	uint64_t min_bytes;
	bool cumulative;
	const char *focus, *ignore, *show, *hide; /* regular expressions or NULL */
	const char *domain;
	const char *module; /* glob */
	bool no_skip, native;
	bool never_freed; /* top: the blocks that are live at the exit, without caches that are left
			     by design */
	struct text_list own, library; /* globs, see model/own.h */
	int match;                     /* enum pair_level */
	int format;                    /* ask report_format() */
	const char *const
		*formats;   /* the names that `format` is an index of; NULL: those of reports on
			       sites */
	const char *output; /* -o FILE */
	bool sql;
	int color; /* enum color_when */
	bool no_pager;
	bool quiet, verbose;
	bool warned;        /* not an option: warnings are already printed */
	bool keep_progress; /* show it although quiet: the caller prints the prose */
	unsigned height;    /* not an option: lines that the report may take; 0 any number */
	int raw_cells;      /* --csv: 0 safe, 1 raw */
	const char *db;
	uint64_t pid;
	const char *program;
	int order; /* enum snapshots_order: --order, for commands that take a series */
	int at;    /* enum snapshots_moment: --at, for commands that show one snapshot */
};

/**
 * The shared tables, each ended by a NULL name; all fill struct report_options.  A command lists
 * those that it honours, so that no option is accepted and then ignored:
 *
 *	report_option_table  all that reports on sites share; holds the next two, but not --match
 *	source_option_table  --db, --pid, --program
 *	output_option_table  --format, --output, --csv, --color, --no-pager, --quiet, --verbose
 *	match_option_table   --match: for reports that pair stacks (compare, growth)
 *	moment_option_table  --at: for reports that take one snapshot where a directory is named
 */
/** What --match does, for tables that have it among other options. */
#define REPORT_MATCH_HELP                                                                          \
	"pair stacks up to exact, line, function or fuzzy likeness (default fuzzy)"

extern const struct option report_option_table[];
extern const struct option source_option_table[];
extern const struct option output_option_table[];
extern const struct option match_option_table[];
extern const struct option moment_option_table[];
/** Limit 20, match fuzzy, format table, colour auto. */
extern const struct report_options report_option_defaults;

/** The values of --format, the order of render_names(). */
extern const char *const report_formats[];
/** The values of --format of a gate: those above, then the formats of CI systems. */
extern const char *const gate_formats[];
/** The name of the format. */
const char *report_format(const struct report_options *options);
/** -f folded is about whole stacks, all of them: set the options so.  SNAP_EUSAGE. */
enum snap_status report_fold(struct report_options *options, struct snap_error *err);

/** `limit` of a command line that has no -n: some reports then show all. */
#define REPORT_LIMIT_UNSET UINT64_MAX

/** How many rows to show: -n, or 20; UINT64_MAX with --all. */
uint64_t report_limit(const struct report_options *options);

#endif
