/*
 * tracemalloc/py_stats.h - what Python's tracemalloc computes: Snapshot.statistics() and
 * compare_to().
 *
 * The same groups, sums and order as CPython's Lib/tracemalloc.py, over models: a site stands for
 * all its traces.  Any input with files and lines may be used, not only dumps.
 */
#ifndef ANALYSIS_PY_STATS_H
#define ANALYSIS_PY_STATS_H

#include <stdio.h>

#include "model/model.h"

enum py_key { PY_LINENO, PY_FILENAME, PY_TRACEBACK };

/** One Filter(inclusive, pattern, lineno, all_frames) of Python's. */
struct py_filter {
	const char *pattern; /* a trailing .pyc is taken as .py */
	bool inclusive;
	bool has_line;
	uint64_t line;
};

/** A path prefix to rewrite before anything else. */
struct py_map {
	const char *from, *to;
};

struct py_options {
	enum py_key key;
	bool cumulative; /* not with PY_TRACEBACK */
	const struct py_filter *filters;
	size_t filter_count;
	bool all_frames; /* a filter looks at every frame, not only the newest */
	bool has_domain; /* only traces of this domain number */
	uint64_t domain;
	const struct py_map *maps;
	size_t map_count;
};

struct py_frame {
	uint32_t file; /* index into files, which are in code point order */
	uint32_t line;
};

/** One Statistic, or StatisticDiff when two snapshots were compared. */
struct py_row {
	size_t first_frame; /* newest first: frames[first_frame .. + frame_count) */
	uint32_t frame_count;
	int64_t size, count, size_diff, count_diff;
};

struct py_stats {
	struct py_row *rows; /* in Python's order */
	size_t row_count;
	struct py_frame *frames;
	struct snap_text *files; /* owned by the stats */
	uint32_t file_count;
	bool compared;

	struct py_groups *groups; /* private, until py_stats_finish() */
};

/** Empty statistics; `options` must live until py_stats_finish().  NULL when memory is out. */
struct py_stats *py_stats_new(const struct py_options *options, bool compared);
void py_stats_free(struct py_stats *stats);

/** False if only the newest frame of each stack matters to `options`. */
bool py_stats_needs_stacks(const struct py_options *options);

/**
 * Add the traces of a snapshot: the one that is asked about, or the `old` one that it is compared
 * with.  The model may be released afterwards, so that two large dumps need not be in memory
 * together. SNAP_ENOMEM, SNAP_ECORRUPT (a sum beyond 2^63 - 1, or a traceback without frames where
 * Python needs one).
 */
enum snap_status py_stats_add(struct py_stats *stats, const struct model *model, bool old,
			      struct snap_error *err);

/** Compute differences and put rows and files in order: only now may they be read. */
enum snap_status py_stats_finish(struct py_stats *stats, struct snap_error *err);

/**
 * print(row): file and line of the oldest frame, size, count, average.  Lone surrogates
 * U+DC80..U+DCFF come out as the byte that they stand for.
 */
void py_stats_print(const struct py_stats *stats, const struct py_row *row, FILE *out);

/** The frame whose place py_stats_print() prints, or NULL: the oldest of those that the row has. */
const struct py_frame *py_stats_place(const struct py_stats *stats, const struct py_row *row);

/**
 * A file's name as its bytes were, NUL-terminated and malloc'ed; NULL when memory is out.  Names
 * with a NUL in them, which no file has, come out empty.
 */
char *py_stats_file_name(const struct py_stats *stats, uint32_t file);

/** Python's _format_size(); 64 bytes of buffer are enough. */
void py_format_size(double size, bool sign, char buffer[64]);

#endif
