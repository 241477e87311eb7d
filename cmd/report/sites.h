/*
 * report/sites.h - what the reports on call stacks have in common: figures, columns, order, stacks
 * in words.
 */
#ifndef REPORT_SITES_H
#define REPORT_SITES_H

#include "analysis/pairing/pair.h"
#include "analysis/select.h"
#include "cli/report_options.h"
#include "report/report.h"

/** Is a stack named by its newest frame, whatever that is?  True with --no-skip, and for objects,
 * whose newest frame is their type. */
bool sites_no_skip(const struct report_options *options);

/** The filters and grouping that `options` ask for. */
struct select_options sites_selection(const struct report_options *options);

/** The companion in bytes of the figure that --metric names: what --min is held against. */
enum figure sites_bytes_figure(const struct report_options *options);

/** `group` and `metric` into the report's head. */
void sites_describe(struct report *report, const struct report_options *options);

/** The fields of `figures` (all, and their standard errors if `sampled`) into an object. */
void sites_add_figures(struct report *report, struct value *object, const struct figures *figures,
		       bool sampled);

/**
 * Give the report columns of its own, whose flags may be changed until the first row.  A column
 * that has nothing to say in this report is taken out of every format with sites_drop_column().
 */
struct column *sites_own_columns(struct report *report);
void sites_drop_column(struct column *column);

/** The key of a row as tables show it: a long C++ name loses its parameters and template arguments.
 */
struct value sites_name(struct report *report, const struct select_row *words);
const char *sites_words(struct report *report, const struct select_row *words);
/** The same, without parameters however short it is. */
const char *sites_bare_words(struct report *report, const struct select_row *words);

/** Who called the frame that names a site, as a short path: "serve < main"; null when nobody is
 * known. */
struct value sites_callers(struct report *report, const struct dataset *dataset, uint32_t site,
			   bool no_skip);
/** The same of the frame at `position`. */
struct value sites_callers_at(struct report *report, const struct dataset *dataset, uint32_t site,
			      uint32_t position);
/** The library's function that own code called for the memory: "std::vector::reserve"; null where
 * it called the allocator itself, and in groupings that are not by frame. */
struct value sites_via(struct report *report, const struct dataset *dataset, uint32_t site,
		       const struct report_options *options);
/** Tables go without a column in which every row is null; call it when the rows are there. */
void sites_hide_empty(struct report *report, size_t column);
/** Rows whose short names are equal get their keys as names. */
void sites_tell_apart(struct report *report, size_t key, size_t name);
/** Do rows with these words need their callers to be understood?  Where one is named by a library
 * or has no line, or for
 *  --verbose; never in groupings that are not by frame. */
bool sites_want_callers(const struct report_options *options, const struct select_row *const *words,
			size_t count);

/** A line number, or null where it is 0. */
struct value sites_line(uint32_t line);

/** The call stack of a site, newest frame first: a list of frame objects.  Those that the selection
 * does not show have "hidden". */
struct value sites_stack(struct report *report, const struct dataset *dataset,
			 const struct selection *selection, uint32_t site);

/** The index of --sort's column among `names` (NULL-terminated); `otherwise` when it is not given.
 *  SNAP_EUSAGE names them all. */
enum snap_status sites_sort_column(int *column, const char *sort, const char *const *names,
				   int otherwise, struct snap_error *err);

/** How many of `count` rows are to be shown. */
size_t sites_limit(const struct report_options *options, size_t count);

/** "1.5 MiB" for titles and notes; buffers of 32 bytes. */
const char *sites_bytes(uint64_t bytes, char buffer[32]);
const char *sites_delta(int64_t bytes, char buffer[32]);
/** "+1.5 MiB", or "change unknown" where a side is. */
const char *sites_change(const struct figures *old, const struct figures *new, enum figure figure,
			 char buffer[32]);
/** "8,003" */
void sites_number(uint64_t number, char buffer[32]);
/** "8,003 blocks", "1 block", "an unknown number of blocks"; buffers of 64 bytes. */
const char *sites_blocks(uint64_t blocks, char buffer[64]);

/** The name of input `index` of a described report in a sentence; and as an operand of a command to
 * copy. */
const char *sites_input_name(const struct report *report, size_t index);
const char *sites_input_operand(struct report *report, size_t index,
				const struct report_options *options);

/**
 * The code that wanted a row's memory, as a pattern of peek for a command to copy, quotes included:
 * "'^cache_put$'"; of a function of a library or without a name, who called it on the row's stack
 * `site`.  NULL where there is none, or none that is readable.
 */
const char *sites_peek_pattern(struct report *report, const struct select_row *words,
			       const struct dataset *dataset, uint32_t site, bool no_skip);

/** "Cache::put src/cache.cc:40": the file as in a row's key, and no parameters. */
const char *sites_frame_words(struct report *report, const struct dataset *dataset,
			      const struct dataset_frame *frame);

/** "Cache::put cache.cc:40": neither parameters nor directories. */
const char *sites_short_frame(struct report *report, const struct dataset *dataset,
			      const struct dataset_frame *frame);
/** The same for the frame that names a stack's site. */
struct value sites_frame_name(struct report *report, const struct dataset *dataset, uint32_t site,
			      bool no_skip);

/** Did a library allocate this for a cache of its own, which no process frees?  See
 * model/by_design.h. */
bool sites_is_by_design(const struct dataset *dataset, uint32_t site);

/** True for the callers of main: "_start", "__libc_start_call_main". */
bool sites_is_start_up(const char *function);

/** part / whole; null when either is unknown, 0 when whole is 0. */
struct value sites_share(uint64_t part, uint64_t whole);

/** The next question about a row: "peek" or "holders", the pattern, and the purpose. */
struct sites_question {
	const char *command, *pattern, *why; /* pattern NULL: the row has no name to ask by */
};
struct sites_question sites_question(struct report *report, const struct select_row *words,
				     const struct dataset *dataset, uint32_t site,
				     const struct report_options *options);

#endif
