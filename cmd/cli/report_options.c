/*
 * report_options.c - the master copy of the options that reports share: names, types, defaults.
 */
#include "cli/report_options.h"

#include <string.h>

#include "base/choices.h"
#include "base/fail.h"

enum { ROWS_SHOWN = 20 };

/* Each list begins as report_formats does. */
#define NAME(name) #name,
#define NONE(name)
const char *const report_formats[] = {
#define FORMAT      NAME
#define SITE_FORMAT NONE
#define GATE_FORMAT NONE
#include "cli/formats.def"
#undef SITE_FORMAT
	NULL,
};
static const char *const site_formats[] = {
#define SITE_FORMAT NAME
#include "cli/formats.def"
#undef SITE_FORMAT
#undef GATE_FORMAT
	NULL,
};
const char *const gate_formats[] = {
#define SITE_FORMAT NONE
#define GATE_FORMAT NAME
#include "cli/formats.def"
#undef SITE_FORMAT
	NULL,
};
static const char *const csv_names[] = {"safe", "raw", NULL};
static const char *const color_names[] = {"auto", "always", "never", NULL};

#define FIELD(member) offsetof(struct report_options, member)

#define SITE_OPTIONS                                                                                 \
	{"group",        'g',                                                                        \
	 OPTION_CHOICE,  FIELD(group),                                                               \
	 "KEY",          "group by line (default), function, file, module, stack, domain or type",   \
	 group_key_names},                                                                           \
		{"metric",                                                                           \
		 0,                                                                                  \
		 OPTION_CHOICE,                                                                      \
		 FIELD(metric),                                                                      \
		 "M",                                                                                \
		 "judge by live bytes (default), blocks, allocated bytes or allocations",            \
		 figure_names},                                                                      \
		{"sort", 0, OPTION_TEXT, FIELD(sort), "S", "order rows by this column", NULL},       \
		{"rows", 'n', OPTION_COUNT, FIELD(limit), "N", "show at most N rows (default 20)",   \
		 NULL},                                                                              \
		{"all", 0, OPTION_FLAG, FIELD(all), NULL, "show every row", NULL},                   \
		{"min", 0, OPTION_SIZE, FIELD(min_bytes), "SIZE", "leave out rows below SIZE",       \
		 NULL},                                                                              \
		{"cumulative", 0,                                                                    \
		 OPTION_FLAG,  FIELD(cumulative),                                                    \
		 NULL,         "credit every frame of a stack, once per stack, not only the newest", \
		 NULL},                                                                              \
		{"focus",      0,    OPTION_REGEX,                                                   \
		 FIELD(focus), "RE", "only stacks with a frame whose function or file matches",      \
		 NULL},                                                                              \
		{"ignore", 0, OPTION_REGEX, FIELD(ignore), "RE", "no stacks with a matching frame",  \
		 NULL},                                                                              \
		{"show", 0, OPTION_REGEX, FIELD(show), "RE", "only matching frames of each stack",   \
		 NULL},                                                                              \
		{"hide", 0, OPTION_REGEX, FIELD(hide), "RE", "no matching frames of each stack",     \
		 NULL},                                                                              \
		{"domain",      0,      OPTION_TEXT,                                                 \
		 FIELD(domain), "NAME", "only this domain: malloc, mmap, python, ...",               \
		 NULL},                                                                              \
		{"module",      0,      OPTION_TEXT,                                                 \
		 FIELD(module), "GLOB", "only sites in modules whose name matches",                  \
		 NULL},                                                                              \
		{"no-skip",   0,                                                                     \
		 OPTION_FLAG, FIELD(no_skip),                                                        \
		 NULL,        "name sites by their newest frame, whatever it is",                    \
		 NULL},                                                                              \
		{"native",    0,                                                                     \
		 OPTION_FLAG, FIELD(native),                                                         \
		 NULL,        "name what a line of Python had native code allocate by that code",    \
		 NULL},                                                                              \
		{"own",      0,      OPTION_LIST,                                                    \
		 FIELD(own), "GLOB", "functions, files and modules that match are your own code",    \
		 NULL},                                                                              \
		{"library",   0,                                                                     \
		 OPTION_LIST, FIELD(library),                                                        \
		 "GLOB",      "those that match are a library's, which names no site",               \
		 NULL},                                                                              \
	{                                                                                            \
		"sql", 0, OPTION_FLAG, FIELD(sql), NULL,                                             \
			"print the SQL that the report runs, and stop", NULL                         \
	}

#define SOURCE_OPTIONS                                                                               \
	{"db",      0,      OPTION_TEXT,                                                             \
	 FIELD(db), "FILE", "snapshots are ids, labels or @n in this database",                      \
	 NULL},                                                                                      \
		{"pid", 0, OPTION_COUNT, FIELD(pid), "PID", "only snapshots of this process", NULL}, \
	{                                                                                            \
		"program", 0, OPTION_TEXT, FIELD(program), "NAME",                                   \
			"only snapshots of this program", NULL                                       \
	}

#define FORMAT_OF_SITES                                                                            \
	{                                                                                          \
		"format", 'f', OPTION_CHOICE, FIELD(format), "F", NULL, site_formats               \
	}

#define FORMAT_OF_REPORTS                                                                          \
	{                                                                                          \
		"format", 'f', OPTION_CHOICE, FIELD(format), "F", NULL, report_formats             \
	}

#define OUTPUT_OPTIONS                                                                             \
	{"output", 'o', OPTION_TEXT, FIELD(output), "FILE", "write to FILE, whole or not at all",  \
	 NULL},                                                                                    \
		{"csv",                                                                            \
		 0,                                                                                \
		 OPTION_CHOICE,                                                                    \
		 FIELD(raw_cells),                                                                 \
		 "HOW",                                                                            \
		 "csv and tsv: names that look like formulas are made safe (default) or left raw", \
		 csv_names},                                                                       \
		{"color",      0,      OPTION_CHOICE,                                              \
		 FIELD(color), "WHEN", "auto (default), always or never",                          \
		 color_names},                                                                     \
		{"no-pager",  0,                                                                   \
		 OPTION_FLAG, FIELD(no_pager),                                                     \
		 NULL,        "do not page output on a terminal",                                  \
		 NULL},                                                                            \
		{"quiet",      'q',  OPTION_FLAG,                                                  \
		 FIELD(quiet), NULL, "no progress, warnings or closing lines",                     \
		 NULL},                                                                            \
	{                                                                                          \
		"verbose", 'v', OPTION_FLAG, FIELD(verbose), NULL,                                 \
			"exact bytes in tables, and more detail", NULL                             \
	}

const struct option report_option_table[] = {
	SITE_OPTIONS, SOURCE_OPTIONS, FORMAT_OF_SITES, OUTPUT_OPTIONS, {0}};
const struct option source_option_table[] = {SOURCE_OPTIONS, {0}};
const struct option output_option_table[] = {FORMAT_OF_REPORTS, OUTPUT_OPTIONS, {0}};
const struct option match_option_table[] = {
	{"match", 0, OPTION_CHOICE, FIELD(match), "LEVEL", REPORT_MATCH_HELP, pair_level_names},
	{0},
};

const struct option moment_option_table[] = {
	{"at", 0, OPTION_CHOICE, FIELD(at), "MOMENT",
	 "which snapshot of a directory: auto (default), peak, exit or newest",
	 snapshots_moment_names},
	{0},
};

const struct report_options report_option_defaults = {.limit = REPORT_LIMIT_UNSET,
						      .match = PAIR_FUZZY};

uint64_t report_limit(const struct report_options *options)
{
	if (options->all)
		return UINT64_MAX;
	return options->limit == REPORT_LIMIT_UNSET ? ROWS_SHOWN : options->limit;
}

const char *report_format(const struct report_options *options)
{
	return (options->formats ? options->formats : site_formats)[options->format];
}

enum snap_status report_fold(struct report_options *options, struct snap_error *err)
{
	if (strcmp(report_format(options), "folded") != 0)
		return SNAP_OK;
	if (options->cumulative)
		return fail(err, SNAP_EUSAGE,
			    "--cumulative counts a stack once for each frame, and -f folded prints "
			    "it once: leave --cumulative out");
	options->group = GROUP_STACK;
	options->all = true;
	return SNAP_OK;
}
