/*
 * tracemalloc/compat.h - `--compat tracemalloc`: top and compare as Python's tracemalloc itself
 * prints them.
 *
 * Shared by cmd_top.c and cmd_compare.c.  It reads its inputs without the store: grouping is
 * Python's, on whole dumps, and nothing of it needs SQL.
 */
#ifndef COMPAT_H
#define COMPAT_H

#include "cli/report_options.h"

enum compat_with { COMPAT_NONE, COMPAT_TRACEMALLOC };

/** Options of top and compare that only mean something with --compat. */
struct compat_options {
	int with; /* enum compat_with */
	struct text_list include, exclude, map;
	bool all_frames;
	const char *py_domain;
	const char *source; /* a directory: text shows the source line of each row */
};

extern const char *const compat_names[];

/** The rows of an option table, for a command whose options struct has a compat_options at `at`. */
#define COMPAT_OPTION_ROWS(at)                                                                     \
	{"compat",      0,                                                                         \
	 OPTION_CHOICE, (at) + offsetof(struct compat_options, with),                              \
	 "TOOL",        "print what this tool itself would print: none (default) or tracemalloc",  \
	 compat_names},                                                                            \
		{"include",     0,                                                                 \
		 OPTION_LIST,   (at) + offsetof(struct compat_options, include),                   \
		 "GLOB[:LINE]", "with --compat: only traces whose newest frame matches",           \
		 NULL},                                                                            \
		{"exclude",     0,                                                                 \
		 OPTION_LIST,   (at) + offsetof(struct compat_options, exclude),                   \
		 "GLOB[:LINE]", "with --compat: no traces whose newest frame matches",             \
		 NULL},                                                                            \
		{"all-frames", 0,                                                                  \
		 OPTION_FLAG,  (at) + offsetof(struct compat_options, all_frames),                 \
		 NULL,         "with --compat: --include and --exclude look at every frame",       \
		 NULL},                                                                            \
		{"py-domain", 0,                                                                   \
		 OPTION_TEXT, (at) + offsetof(struct compat_options, py_domain),                   \
		 "N",         "with --compat: only traces of tracemalloc's domain N",              \
		 NULL},                                                                            \
		{"source",    0,                                                                   \
		 OPTION_TEXT, (at) + offsetof(struct compat_options, source),                      \
		 "DIR",       "with --compat: show below each row its line of the source in DIR",  \
		 NULL},                                                                            \
	{                                                                                          \
		"map", 0, OPTION_LIST, (at) + offsetof(struct compat_options, map), "OLD=NEW",     \
			"files below OLD are below NEW in the new snapshot", NULL                  \
	}

/** SNAP_EUSAGE for compat options without --compat, and for options that Python has no meaning for
 * with it. */
enum snap_status compat_check(const struct compat_options *compat,
			      const struct report_options *options, struct snap_error *err);

/** statistics() of `name`, or its compare_to() `old` where that is not NULL, to the output that is
 * asked for. */
enum snap_status compat_run(const struct compat_options *compat,
			    const struct report_options *options, const char *name, const char *old,
			    struct snap_error *err);

#endif
