/* test_py_stats.c - statistics as Python's tracemalloc computes and prints them. */
/* links: cmd_tracemalloc */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tracemalloc/py_stats.h"
#include "tracemalloc/py_version.h"

Test(py_format_size, sizes_look_as_python_prints_them)
{
	/* Computed by tracemalloc._format_size() of CPython 3.11. */
	static const struct {
		double size;
		const char *plain, *with_sign;
	} vectors[] = {
		{0.0, "0 B", "+0 B"},
		{1.0, "1 B", "+1 B"},
		{-1.0, "-1 B", "-1 B"},
		{99.0, "99 B", "+99 B"},
		{10239.0, "10239 B", "+10239 B"},
		{10240.0, "10.0 KiB", "+10.0 KiB"},
		{-10240.0, "-10.0 KiB", "-10.0 KiB"},
		{102399.0, "100.0 KiB", "+100.0 KiB"},
		{102400.0, "100 KiB", "+100 KiB"},
		{1048575.0, "1024 KiB", "+1024 KiB"},
		{10485759.0, "10240 KiB", "+10240 KiB"},
		{10485760.0, "10.0 MiB", "+10.0 MiB"},
		{4503599627370496.0, "4096 TiB", "+4096 TiB"},
		{1e+17, "90949 TiB", "+90949 TiB"},
		{9.223372036854776e+18, "8388608 TiB", "+8388608 TiB"},
		{512.5, "512 B", "+512 B"},
		{513.5, "514 B", "+514 B"},
		{10239.5, "10240 B", "+10240 B"},
		{348.9, "349 B", "+349 B"},
		{103884.8, "101 KiB", "+101 KiB"},
	};

	for (size_t i = 0; i < sizeof(vectors) / sizeof(*vectors); i++) {
		char text[64];

		py_format_size(vectors[i].size, false, text);
		cr_expect_str_eq(text, vectors[i].plain);
		py_format_size(vectors[i].size, true, text);
		cr_expect_str_eq(text, vectors[i].with_sign);
	}
}

/* ---- grouping ---- */

static struct model *model;

static uint32_t location(const char *file, uint32_t line)
{
	struct snap_frame frame = {.file = model_cstring(model, file), .line = line};

	return model_symbolic_location(model, SNAP_NONE, &frame);
}

/* A stack of one or two frames; `caller` may be NULL. */
static uint32_t stack(const char *file, uint32_t line, const char *caller, uint32_t caller_line)
{
	uint32_t node = SNAP_NONE;

	if (caller)
		node = model_node_intern(model, node, location(caller, caller_line));
	return model_node_intern(model, node, location(file, line));
}

static void hold(uint32_t node, const char *domain, uint64_t bytes, uint64_t blocks)
{
	struct snap_site site = {.node = node,
				 .domain = model_cstring(model, domain),
				 .live_bytes = bytes,
				 .live_blocks = blocks,
				 .allocated_bytes = SNAP_UNKNOWN,
				 .allocated_blocks = SNAP_UNKNOWN};

	cr_assert_neq(model_site_add(model, &site, NULL, NULL), SNAP_NONE);
}

static void begin(void)
{
	model = model_new();
}

static void end(void)
{
	model_free(model);
}

static void prints(const struct py_options *options, const char *expected)
{
	struct py_stats *stats = py_stats_new(options, false);
	struct snap_error err = {0};
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	cr_assert_eq(py_stats_add(stats, model, false, &err), SNAP_OK, "%s", err.message);
	cr_assert_eq(py_stats_finish(stats, &err), SNAP_OK);
	for (size_t i = 0; i < stats->row_count; i++)
		py_stats_print(stats, &stats->rows[i], out);
	fclose(out);
	cr_expect_str_eq(text, expected);
	free(text);
	py_stats_free(stats);
}

TestSuite(py_stats, .init = begin, .fini = end);

Test(py_stats, a_file_is_printed_with_line_0)
{
	hold(stack("x.py", 5, NULL, 0), "python", 10, 1);
	hold(stack("x.py", 7, NULL, 0), "python", 20, 2);
	prints(&(struct py_options){.key = PY_FILENAME},
	       "x.py:0: size=30 B, count=3, average=10 B\n");
}

Test(py_stats, a_recursive_frame_counts_each_time_when_cumulative)
{
	hold(stack("x.py", 5, "x.py", 5), "python", 10, 1);
	prints(&(struct py_options){.key = PY_LINENO, .cumulative = true},
	       "x.py:5: size=20 B, count=2, average=10 B\n");
}

Test(py_stats, a_traceback_is_named_by_its_oldest_frame)
{
	hold(stack("x.py", 5, "main.py", 1), "python", 10, 1);
	prints(&(struct py_options){.key = PY_TRACEBACK},
	       "main.py:1: size=10 B, count=1, average=10 B\n");
}

Test(py_stats, equal_rows_come_in_reverse_order_of_name_and_line)
{
	hold(stack("a.py", 9, NULL, 0), "python", 10, 1);
	hold(stack("a.py", 10, NULL, 0), "python", 10, 1);
	hold(stack("b.py", 1, NULL, 0), "python", 10, 1);
	prints(&(struct py_options){.key = PY_LINENO},
	       "b.py:1: size=10 B, count=1, average=10 B\n"
	       "a.py:10: size=10 B, count=1, average=10 B\n"
	       "a.py:9: size=10 B, count=1, average=10 B\n");
}

Test(py_stats, domains_of_one_stack_are_one_row_unless_one_is_asked_for)
{
	uint32_t node = stack("x.py", 5, NULL, 0);

	hold(node, "python", 10, 1);
	hold(node, "python:389047", 30, 1);
	prints(&(struct py_options){.key = PY_LINENO},
	       "x.py:5: size=40 B, count=2, average=20 B\n");
	prints(&(struct py_options){.key = PY_LINENO, .has_domain = true, .domain = 389047},
	       "x.py:5: size=30 B, count=1, average=30 B\n");
}

Test(py_stats, a_filter_sees_pyc_as_py_and_looks_at_the_newest_frame_only)
{
	const struct py_filter filter = {.pattern = "lib/*.pyc", .inclusive = true};
	struct py_options options = {.key = PY_LINENO, .filters = &filter, .filter_count = 1};

	hold(stack("lib/x.py", 5, "main.py", 1), "python", 10, 1);
	hold(stack("main.py", 2, "lib/x.py", 6), "python", 20, 1);
	prints(&options, "lib/x.py:5: size=10 B, count=1, average=10 B\n");
	options.all_frames = true;
	prints(&options, "main.py:2: size=20 B, count=1, average=20 B\n"
			 "lib/x.py:5: size=10 B, count=1, average=10 B\n");
}

Test(py_stats, a_prefix_is_rewritten_before_anything_else)
{
	const struct py_map map = {"/old/", "/new/"};

	hold(stack("/old/x.py", 5, NULL, 0), "python", 10, 1);
	hold(stack("/new/x.py", 5, NULL, 0), "python", 20, 1);
	prints(&(struct py_options){.key = PY_LINENO, .maps = &map, .map_count = 1},
	       "/new/x.py:5: size=30 B, count=2, average=15 B\n");
}

Test(py_stats, a_lone_surrogate_is_the_byte_that_it_stands_for)
{
	hold(stack("caf\xed\xb3\xa9.py", 5, NULL, 0), "python", 10, 1);
	prints(&(struct py_options){.key = PY_LINENO},
	       "caf\xe9.py:5: size=10 B, count=1, average=10 B\n");
}

Test(py_stats, sums_beyond_63_bits_are_an_error)
{
	const struct py_options options = {.key = PY_FILENAME};
	struct py_stats *stats = py_stats_new(&options, false);
	struct snap_error err = {0};

	hold(stack("x.py", 5, NULL, 0), "python", INT64_MAX, 1);
	hold(stack("x.py", 6, NULL, 0), "python", 1, 1);
	cr_expect_eq(py_stats_add(stats, model, false, &err), SNAP_ECORRUPT);
	cr_expect(strstr(err.message, "2^63"));
	py_stats_free(stats);
}

/* ---- versions ---- */

Test(py_version, only_versions_that_surely_differ_are_warned_of)
{
	struct notice notice;
	char *text;

	cr_expect_not(py_version_warning("a", "3.9 or later", "b", "3.12", &notice));
	cr_expect_not(py_version_warning("a", NULL, "b", "3.12", &notice));
	cr_expect_not(py_version_warning("a", "3.6 to 3.7", "b", "3.6 to 3.7", &notice));
	cr_expect(py_version_warning("a", "3.9", "b", "3.11", &notice));
	text = notice_text(&notice);
	cr_expect_str_eq(text, "a is of Python 3.9, b of Python 3.11: rows may not pair");
	free(text);
	cr_expect(py_version_warning("a", "3.12", "b", "3.6 to 3.7", &notice));
	text = notice_text(&notice);
	cr_expect_str_eq(
		text, "a is of Python 3.12, b of Python 3.6 to 3.7: rows may not pair; from 3.9 "
		      "on the file name of __main__ is absolute (--map OLD=NEW rewrites it), from "
		      "3.12 on comprehensions have no frame of their own");
	free(text);
}
