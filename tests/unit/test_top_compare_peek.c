/*
 * test_top_compare_peek.c - reports show the figures of the datasets, and rows add up to the
 * totals.
 */
/* links: cmd_report */
#include "dataset_stored.h"

#include "report/compare.h"
#include "report/peek.h"
#include "report/top.h"

static struct dataset *dataset;
static struct report *report;
static struct report_options options;
static struct compare_request request;

/* The datasets of a test: they own the texts that its reports show. */
enum { MOST_STORED = 4 };
static struct stored all_stored[MOST_STORED];
static size_t stored_count;

static const struct dataset *stored(const struct dataset *by_hand)
{
	cr_assert_lt(stored_count, MOST_STORED);
	all_stored[stored_count] = stored_new(by_hand);
	return all_stored[stored_count++].dataset;
}

/* The first snapshot alone. */
static const struct dataset *stored_first(void)
{
	const struct dataset *first;
	size_t count = dataset->snapshot_count;

	dataset->snapshot_count = 1;
	first = stored(dataset);
	dataset->snapshot_count = count;
	return first;
}

/* 1600 + 300 + 100 = 2000 old bytes; 1800 + 300 + 50 = 2150 new bytes. */
static void make_dataset(void)
{
	uint32_t site;

	dataset = dataset_new(2);
	options = report_option_defaults;
	request = (struct compare_request){0};
	site = builder_add(dataset, 0,
			   "malloc@libc.so < put:cache.c:40@app < serve:s.c:3@app < main:m.c:1@app",
			   1600, 16);
	builder_cell(dataset, 1, site, 1800, 18);
	site = builder_add(dataset, 0,
			   "malloc@libc.so < parse:p.c:7@app < serve:s.c:4@app < main:m.c:1@app",
			   300, 3);
	builder_cell(dataset, 1, site, 300, 3);
	builder_add(dataset, 0, "malloc@libc.so < init:i.c:1@app < main:m.c:2@app", 100, 1);
	builder_add(dataset, 1, "malloc@libc.so < late:l.c:1@app < main:m.c:3@app", 50, 1);
}

static void free_dataset(void)
{
	report_free(report);
	dataset_free(dataset);
	for (size_t i = 0; i < stored_count; i++)
		stored_free(&all_stored[i]);
}

TestSuite(top, .init = make_dataset, .fini = free_dataset);
TestSuite(compare, .init = make_dataset, .fini = free_dataset);
TestSuite(peek, .init = make_dataset, .fini = free_dataset);

static const struct value *cell(size_t row, const char *column)
{
	for (size_t i = 0; i < report->column_count; i++)
		if (strcmp(report->columns[i].name, column) == 0)
			return &report->rows[row * report->column_count + i];
	cr_assert_fail("there is no column %s", column);
	return NULL;
}

static const char *text(size_t row, const char *column)
{
	const struct value *value = cell(row, column);

	return value->kind == VALUE_TEXT ? value->text.data : "(null)";
}

static int64_t number(size_t row, const char *column)
{
	return cell(row, column)->integer;
}

/* shown.name or hidden.name */
static int64_t part(const char *which, const char *name)
{
	const struct value *value = value_get(value_get(&report->tail, which), name);

	cr_assert_not_null(value, "there is no %s.%s", which, name);
	return value->integer;
}

static void run_top(void)
{
	struct snap_error err = {0};

	report = top_report_new(false);
	cr_assert_eq(top_fill(report, stored_first(), &options, &err), SNAP_OK, "%s", err.message);
	cr_expect_eq(part("shown", "live_bytes") + part("hidden", "live_bytes"), 2000);
	cr_expect_eq(part("shown", "live_blocks") + part("hidden", "live_blocks"), 20);
	cr_expect_eq(part("shown", "rows"), (int64_t)report->row_count);
}

Test(top, rows_are_ordered_by_live_bytes)
{
	run_top();
	cr_assert_eq(report->row_count, 3);
	cr_expect_str_eq(text(0, "key"), "put cache.c:40");
	cr_expect_eq(number(0, "live_bytes"), 1600);
	cr_expect_eq(number(0, "allocated_bytes"), 3200);
	cr_expect_str_eq(text(2, "function"), "init");
	cr_expect_eq(cell(0, "stack")->list.count, 4);
	cr_expect_eq(part("hidden", "rows"), 0);
}

Test(top, a_limit_hides_the_rest_and_says_how_much)
{
	options.limit = 1;
	run_top();
	cr_expect_eq(report->row_count, 1);
	cr_expect_eq(part("hidden", "rows"), 2);
	cr_expect_eq(part("hidden", "live_bytes"), 400);
}

Test(top, all_overrules_the_limit)
{
	options.limit = 1;
	options.all = true;
	run_top();
	cr_expect_eq(report->row_count, 3);
}

Test(top, min_hides_small_rows)
{
	options.min_bytes = 300;
	run_top();
	cr_expect_eq(report->row_count, 2);
	cr_expect_eq(part("hidden", "live_bytes"), 100);
}

Test(top, what_filters_leave_out_is_hidden)
{
	options.focus = "serve";
	run_top();
	cr_expect_eq(report->row_count, 2);
	cr_expect_eq(part("hidden", "rows"), 1);
	cr_expect_eq(part("hidden", "live_bytes"), 100);
}

Test(top, cumulative_rows_overlap_and_their_stacks_count_once)
{
	options.cumulative = true;
	options.group = GROUP_FUNCTION;
	options.limit = 3;
	run_top();
	cr_expect_eq(number(0, "live_bytes"), 2000);
	cr_expect_eq(number(1, "live_bytes"), 2000);
	cr_expect_str_eq(text(0, "function"), "main");
	cr_expect_str_eq(text(1, "function"), "malloc");
	cr_expect_str_eq(text(2, "function"), "serve");
	cr_expect_eq(number(2, "live_bytes"), 1900);
	cr_expect_eq(part("shown", "live_bytes"), 2000);
}

Test(top, sorting_by_key_is_ascending)
{
	options.sort = "key";
	run_top();
	cr_expect_str_eq(text(0, "function"), "init");
}

Test(top, an_unknown_sort_column_is_refused_with_the_known_ones)
{
	struct snap_error err = {0};

	options.sort = "weight";
	report = top_report_new(false);
	cr_expect_eq(top_fill(report, stored_first(), &options, &err), SNAP_EUSAGE);
	cr_expect_not_null(strstr(err.message, "live_blocks"));
}

Test(top, an_unknown_figure_is_null_and_not_nought)
{
	struct figures figures = {.value = {10, 1, SNAP_UNKNOWN, SNAP_UNKNOWN}};

	dataset_cell_add(dataset, 0, builder_site(dataset, "malloc", "odd:o.c:1@app"), &figures);
	report = top_report_new(false);
	cr_assert_eq(top_fill(report, stored_first(), &options, NULL), SNAP_OK);
	cr_expect_eq(cell(3, "allocated_bytes")->kind, VALUE_NULL);
	cr_expect_eq(value_get(value_get(&report->head, "totals"), "allocated_bytes")->kind,
		     VALUE_NULL);
	cr_expect_eq(value_get(value_get(&report->head, "totals"), "live_bytes")->integer, 2010);
}

Test(top, a_sampled_figure_has_its_standard_error)
{
	struct figures figures = {.value = {10, 1, 10, 1}, .variance = {9, 4, 16, 25}};

	dataset->snapshots[0].sampled = true;
	dataset_cell_add(dataset, 0, builder_site(dataset, "malloc", "odd:o.c:1@app"), &figures);
	dataset_cell_add(dataset, 0, builder_site(dataset, "malloc", "odd:o.c:1@app < main"),
			 &figures);
	report = top_report_new(true);
	cr_assert_eq(top_fill(report, stored_first(), &options, NULL), SNAP_OK);
	cr_expect_str_eq(text(3, "function"), "odd");
	cr_expect_float_eq(cell(3, "live_bytes_stderr")->real, 4.242640687, 1e-6);
	cr_expect_float_eq(cell(3, "allocated_blocks_stderr")->real, 7.071067812, 1e-6);
}

static void run_compare(void)
{
	struct snap_error err = {0};

	report = compare_report_new();
	cr_assert_eq(compare_fill(report, stored(dataset), &request, &options, &err), SNAP_OK, "%s",
		     err.message);
	cr_expect_eq(part("shown", "old_bytes") + part("hidden", "old_bytes"), 2000);
	cr_expect_eq(part("shown", "new_bytes") + part("hidden", "new_bytes"), 2150);
	cr_expect_eq(part("shown", "delta_bytes") + part("hidden", "delta_bytes"), 150);
	cr_expect_eq(part("shown", "rows"), (int64_t)report->row_count);
}

Test(compare, rows_are_ordered_by_the_size_of_the_change)
{
	run_compare();
	cr_assert_eq(report->row_count, 3);
	cr_expect_str_eq(text(0, "status"), "grew");
	cr_expect_eq(number(0, "delta_bytes"), 200);
	cr_expect_str_eq(text(0, "match"), "line");
	cr_expect_str_eq(text(1, "status"), "gone");
	cr_expect_eq(number(1, "delta_bytes"), -100);
	cr_expect_str_eq(text(1, "match"), "(null)");
	cr_expect_str_eq(text(2, "status"), "new");
	cr_expect_eq(part("hidden", "rows"), 1);
	cr_expect(report->finding);
}

Test(compare, same_rows_appear_with_all)
{
	options.all = true;
	run_compare();
	cr_assert_eq(report->row_count, 4);
	cr_expect_str_eq(text(3, "status"), "same");
	cr_expect_eq(part("hidden", "rows"), 0);
}

Test(compare, min_keeps_small_changes_from_being_findings)
{
	options.min_bytes = 201;
	run_compare();
	cr_expect_eq(report->row_count, 0);
	cr_expect_not(report->finding);
	options.min_bytes = 200;
	report_free(report);
	run_compare();
	cr_expect_eq(report->row_count, 1);
	cr_expect(report->finding);
}

Test(compare, what_filters_leave_out_is_hidden_and_no_finding)
{
	options.focus = "init";
	run_compare();
	cr_expect_eq(report->row_count, 1);
	cr_expect_not(report->finding);
	cr_expect_eq(part("hidden", "rows"), 3);
}

Test(compare, a_row_that_moved_counts_once)
{
	builder_add(dataset, 0, "slid:x.c:1@app", 0, 0);
	builder_add(dataset, 1, "slid:x.c:2@app", 0, 0);
	options.all = true;
	run_compare();
	cr_expect_eq(report->row_count, 5);
	cr_expect_eq(part("hidden", "rows"), 0);
}

Test(compare, cumulative_rows_share_stacks)
{
	options.cumulative = true;
	options.group = GROUP_FUNCTION;
	options.limit = 1;
	run_compare();
	cr_expect_str_eq(text(0, "function"), "put");
	cr_expect_eq(part("shown", "new_bytes"), 1800);
}

Test(compare, a_snapshot_with_itself_is_all_the_same)
{
	struct snap_error err = {0};

	dataset->snapshots[1].count = 0;
	dataset->snapshots[1].totals = (struct figures){0};
	for (size_t i = 0; i < dataset->snapshots[0].count; i++)
		dataset_cell_add(dataset, 1, dataset->snapshots[0].cells[i].site,
				 &dataset->snapshots[0].cells[i].figures);
	report = compare_report_new();
	cr_assert_eq(compare_fill(report, stored(dataset), &request, &options, &err), SNAP_OK);
	cr_expect_eq(report->row_count, 0);
	cr_expect_not(report->finding);
	cr_expect_eq(part("hidden", "old_bytes"), 2000);
}

Test(compare, noise_is_marked_when_sampled)
{
	struct figures old = {.value = {100, 1, 100, 1}, .variance = {900, 1, 900, 1}};
	struct figures new = {.value = {150, 1, 150, 1}, .variance = {1600, 1, 1600, 1}};
	uint32_t site = builder_site(dataset, "malloc", "odd:o.c:1@app");

	dataset_cell_add(dataset, 0, site, &old);
	dataset_cell_add(dataset, 1, site, &new);
	options.focus = "odd";
	dataset->snapshots[0].sampled = dataset->snapshots[1].sampled = true;
	report = compare_report_new();
	cr_assert_eq(compare_fill(report, stored(dataset), &request, &options, NULL), SNAP_OK);
	cr_expect_float_eq(cell(0, "delta_bytes_stderr")->real, 50.0, 1e-9);
	cr_expect(cell(0, "within_noise")->boolean);
}

/* The new run served twice the requests: put holds less for each (16 -> 9 bytes), parse half. */
static const struct per_unit twice_as_long = {
	.by = "requests", .unit = "request", .units = {.old = 100, .new = 200}};

Test(compare, runs_of_different_length_are_judged_per_unit)
{
	request.per = &twice_as_long;
	run_compare();
	cr_assert_eq(report->row_count, 4);
	cr_expect_str_eq(text(0, "function"), "put");
	cr_expect_str_eq(text(0, "status"), "shrank");
	cr_expect_eq(number(0, "delta_bytes"), 200);
	cr_expect_float_eq(cell(0, "old_per")->real, 16.0, 1e-12);
	cr_expect_float_eq(cell(0, "new_per")->real, 9.0, 1e-12);
	cr_expect_float_eq(cell(0, "delta_per")->real, -7.0, 1e-12);
	cr_expect_str_eq(text(0, "change_per"), "-7.0 B/request");
	cr_expect_str_eq(text(1, "function"), "parse");
	cr_expect_float_eq(cell(1, "delta_per")->real, -1.5, 1e-12);
	cr_expect_str_eq(text(2, "status"), "gone");
	cr_expect_str_eq(text(3, "status"), "new");
}

Test(compare, what_grows_with_the_run_is_the_same_per_unit)
{
	uint32_t site = builder_add(dataset, 0, "fair:f.c:1@app", 3, 1);

	builder_cell(dataset, 1, site, 6, 2);
	options.focus = "fair";
	options.all = true;
	request.per = &twice_as_long;
	report = compare_report_new();
	cr_assert_eq(compare_fill(report, stored(dataset), &request, &options, NULL), SNAP_OK);
	cr_expect_str_eq(text(0, "status"), "same");
	cr_expect_not(report->finding);
}

Test(compare, min_is_held_against_what_a_longer_run_has_too_much)
{
	uint32_t site = builder_add(dataset, 0, "fair:f.c:1@app", 100, 1);

	builder_cell(dataset, 1, site, 260, 2); /* 200 would be the old rate */
	options.focus = "fair";
	request.per = &twice_as_long;
	options.min_bytes = 60;
	report = compare_report_new();
	cr_assert_eq(compare_fill(report, stored(dataset), &request, &options, NULL), SNAP_OK);
	cr_expect_eq(report->row_count, 1);
	options.min_bytes = 61;
	report_free(report);
	report = compare_report_new();
	cr_assert_eq(compare_fill(report, stored(dataset), &request, &options, NULL), SNAP_OK);
	cr_expect_eq(report->row_count, 0);
}

static void compare_renamed(uint64_t old_bytes, uint64_t new_bytes)
{
	builder_add(dataset, 0,
		    "malloc@libc.so < cache_put:c.c:4@app < odd:o.c:3@app < main:m.c:1@app",
		    old_bytes, 4);
	builder_add(dataset, 1,
		    "malloc@libc.so < cache_insert:c.c:4@app < odd:o.c:3@app < main:m.c:1@app",
		    new_bytes, 4);
	options.focus = "odd";
	options.match = PAIR_FUZZY;
	request.is_gate = true;
	report = compare_report_new();
	cr_assert_eq(compare_fill(report, stored(dataset), &request, &options, NULL), SNAP_OK);
	cr_assert_eq(report->row_count, 1);
	cr_expect_str_eq(text(0, "status"), "moved");
}

Test(compare, growth_of_what_moved_is_said_and_is_a_finding)
{
	compare_renamed(4000, 5024);
	cr_expect(report->finding);
	cr_expect_str_eq(text(0, "change"), "renamed: cache_put -> cache_insert; grew 1.0 KiB");
}

/* 40 B of 100 seconds, and 25.12 B and 50 B of 200. */
Test(compare, growth_of_what_moved_is_judged_per_unit)
{
	static const struct per_unit seconds = {
		.by = "seconds", .unit = "second", .units = {.old = 100, .new = 200}};

	request.per = &seconds;
	compare_renamed(4000, 5024);
	cr_expect_not(report->finding);
	cr_expect_str_eq(text(0, "change"), "renamed: cache_put -> cache_insert; shrank 14.9 B/s");
	cr_expect_str_eq(text(0, "change_per"), "-14.9 B/s");
}

/* 40 B for each of 100 requests, and 45.67 B of 110. */
Test(compare, growth_per_unit_of_what_moved_is_a_finding)
{
	static const struct per_unit requests = {
		.by = "requests", .unit = "request", .units = {.old = 100, .new = 110}};

	request.per = &requests;
	compare_renamed(4000, 5024);
	cr_expect(report->finding);
	cr_expect_str_eq(text(0, "change"),
			 "renamed: cache_put -> cache_insert; grew 5.7 B/request");
}

Test(compare, what_only_moved_is_no_finding)
{
	compare_renamed(4000, 4000);
	cr_expect_str_eq(text(0, "change"), "renamed: cache_put -> cache_insert");
	cr_expect_not(report->finding);
}

/* Three old runs hold 100, 110, 90 and two new ones 105, 95 (f); g rises from 10, 12, 11 to 20, 30.
 */
static void make_runs(void)
{
	static const uint64_t f[] = {100, 110, 90, 105, 95}, g[] = {10, 12, 11, 20, 30};
	uint32_t site[2];

	dataset_free(dataset);
	dataset = dataset_new(5);
	site[0] = builder_site(dataset, "malloc", "f:a.c:1@app");
	site[1] = builder_site(dataset, "malloc", "g:a.c:2@app");
	for (size_t run = 0; run < 5; run++) {
		builder_cell(dataset, run, site[0], f[run], 1);
		builder_cell(dataset, run, site[1], g[run], 1);
	}
}

Test(compare, several_runs_on_a_side_compare_by_their_medians_and_their_spread)
{
	struct repeats repeats;
	struct snap_error err = {0};

	make_runs();
	options.all = true;
	cr_assert(repeats_collapse(&repeats, dataset, 3));
	request.repeats = &repeats;
	report = compare_report_new();
	cr_assert_eq(compare_fill(report, stored(dataset), &request, &options, &err), SNAP_OK, "%s",
		     err.message);
	cr_assert_eq(report->row_count, 2);
	cr_expect_str_eq(text(0, "function"), "g");
	cr_expect_str_eq(text(0, "status"), "grew");
	cr_expect_eq(number(0, "old_bytes"), 11);
	cr_expect_eq(number(0, "new_bytes"), 25);
	cr_expect_eq(number(0, "old_high"), 12);
	cr_expect_eq(number(0, "new_high"), 30);
	cr_expect_str_eq(text(1, "status"), "same");
	cr_expect(cell(1, "within_spread")->boolean);
	cr_expect_eq(number(1, "old_bytes"), 100);
	cr_expect_eq(part("shown", "old_bytes"), 111);
	cr_expect_eq(value_get(value_get(value_get(&report->head, "totals"), "old"), "live_bytes")
			     ->integer,
		     111);
	repeats_release(&repeats);
}

static bool has_note(const char *line)
{
	for (size_t i = 0; i < report->note_count; i++)
		if (strcmp(report->notes[i], line) == 0)
			return true;
	return false;
}

Test(compare, stacks_are_told_as_a_tree_of_what_changed)
{
	options.group = GROUP_STACK;
	builder_add(dataset, 1,
		    "malloc@libc.so < page:h.c:5@app < serve:s.c:3@app < main:m.c:1@app", 0, 0);
	run_compare();
	cr_expect(has_note("      +200 B  main m.c:1 > serve s.c:3 > put cache.c:40"));
	cr_expect(has_note("      -100 B  main m.c:2 > init i.c:1"));
	cr_expect(has_note("       +50 B  main m.c:3 > late l.c:1"));
}

Test(compare, paths_that_share_callers_branch_in_the_tree)
{
	options.group = GROUP_STACK;
	builder_add(dataset, 1,
		    "malloc@libc.so < page:h.c:5@app < serve:s.c:3@app < main:m.c:1@app", 70, 1);
	report = compare_report_new();
	cr_assert_eq(compare_fill(report, stored(dataset), &request, &options, NULL), SNAP_OK);
	cr_expect(has_note("      +270 B  main m.c:1 > serve s.c:3"));
	cr_expect(has_note("      +200 B    put cache.c:40"));
	cr_expect(has_note("       +70 B    page h.c:5"));
	cr_expect(has_note("      -100 B  main m.c:2 > init i.c:1"));
}

Test(compare, the_middle_of_a_long_chain_is_counted_unless_verbose)
{
	options.group = GROUP_STACK;
	builder_add(dataset, 1,
		    "malloc@libc.so < g:src/g.c:7@app < f:src/f.c:6@app < e:src/e.c:5@app < "
		    "d:src/d.c:4@app < c:src/c.c:3@app < b:src/b.c:2@app < _start@app",
		    70, 1);
	report = compare_report_new();
	cr_assert_eq(compare_fill(report, stored(dataset), &request, &options, NULL), SNAP_OK);
	cr_expect(has_note("       +70 B  b b.c:2 > c c.c:3 > (2 more) > f f.c:6 > g g.c:7"));
	report_free(report);
	options.verbose = true;
	report = compare_report_new();
	cr_assert_eq(compare_fill(report, stored(dataset), &request, &options, NULL), SNAP_OK);
	cr_expect(has_note("       +70 B  _start (app) > b src/b.c:2 > c src/c.c:3 > d src/d.c:4 > "
			   "e src/e.c:5 > f src/f.c:6 > g src/g.c:7"));
}

Test(compare, who_called_a_library_is_told_with_its_line)
{
	builder_add(dataset, 1,
		    "std::vector<int>::reserve(unsigned long):stl_vector.h:40@app < "
		    "std::vector<int>::push_back(int const&):stl_vector.h:9@app < "
		    "app+0x1234@app < Cache::put(int):src/c.cc:8@app < main:m.c:1@app < "
		    "__libc_start_call_main@libc.so",
		    7000, 1);
	report = compare_report_new();
	cr_assert_eq(compare_fill(report, stored(dataset), &request, &options, NULL), SNAP_OK);
	cr_expect_str_eq(text(0, "callers"), "Cache::put c.cc:8");
	cr_expect_str_eq(text(1, "callers"), "serve < main");
	cr_expect(has_note("Next: snapdiff peek '^Cache::put\\(int\\)$' snapshot snapshot  (who "
			   "calls it, and for how much)"));
}

Test(compare, where_a_side_is_unknown_nothing_is_said_of_the_change)
{
	uint32_t site = builder_add(dataset, 0, "dark:d.c:1@app < main:m.c:1@app", 5, 1);
	struct figures unknown = {
		.value = {SNAP_UNKNOWN, SNAP_UNKNOWN, SNAP_UNKNOWN, SNAP_UNKNOWN}};

	dataset_cell_add(dataset, 1, site, &unknown);
	report = compare_report_new();
	cr_assert_eq(compare_fill(report, stored(dataset), &request, &options, NULL), SNAP_OK);
	cr_assert_eq(report->row_count, 4);
	cr_expect_str_eq(text(3, "function"), "dark");
	cr_expect_eq(cell(3, "status")->kind, VALUE_NULL);
	cr_expect_eq(cell(3, "delta_bytes")->kind, VALUE_NULL);
	cr_expect_eq(number(3, "old_bytes"), 5);
	cr_expect(has_note("Shown: 4 of 4 rows, 100.0 % of the bytes that changed; of 1 it is not "
			   "known what changed (status -); --all shows the rest"));
}

static struct dataset *old_snapshot_alone(void)
{
	dataset->snapshot_count = 1;
	free(dataset->snapshots[1].cells);
	return dataset;
}

static void run_peek(const char *pattern)
{
	struct snap_error err = {0};

	report = peek_report_new();
	cr_assert_eq(peek_fill(report, stored(old_snapshot_alone()), pattern, &options, &err),
		     SNAP_OK, "%s", err.message);
	cr_expect_eq(part("shown", "live_bytes") + part("hidden", "live_bytes"), 2000);
}

static void expect_peek(size_t row, const char *role, const char *key, int64_t bytes)
{
	cr_expect_str_eq(text(row, "role"), role);
	cr_expect_str_eq(text(row, "key"), key);
	cr_expect_eq(number(row, "live_bytes"), bytes);
}

Test(peek, a_function_stands_between_its_callers_and_callees)
{
	options.group = GROUP_FUNCTION;
	run_peek("^serve$");
	cr_assert_eq(report->row_count, 4);
	expect_peek(0, "caller", "main (app)", 1900);
	expect_peek(1, "function", "serve (app)", 1900);
	expect_peek(2, "callee", "put (app)", 1600);
	expect_peek(3, "callee", "parse (app)", 300);
	cr_expect_eq(part("shown", "live_bytes"), 1900);
}

Test(peek, what_a_function_holds_itself_is_its_own_callee)
{
	options.group = GROUP_FUNCTION;
	run_peek("put");
	cr_assert_eq(report->row_count, 3);
	expect_peek(2, "callee", "(itself)", 1600);
}

Test(peek, recursion_counts_once)
{
	builder_add(dataset, 0, "malloc@libc.so < walk:w.c:2@app < walk:w.c:2@app < main:m.c:9@app",
		    0, 0);
	options.group = GROUP_FUNCTION;
	run_peek("walk");
	cr_assert_eq(report->row_count, 3);
	expect_peek(0, "caller", "main (app)", 0);
	expect_peek(2, "callee", "(itself)", 0);
}

Test(peek, groups_that_are_no_functions_are_refused)
{
	struct snap_error err = {0};

	options.group = GROUP_MODULE;
	report = peek_report_new();
	cr_expect_eq(peek_fill(report, stored(dataset), "x", &options, &err), SNAP_EUSAGE);
	options.group = GROUP_FUNCTION;
	options.cumulative = true;
	cr_expect_eq(peek_fill(report, stored(dataset), "x", &options, &err), SNAP_EUSAGE);
}

static void expect_peek_change(size_t row, const char *role, const char *key, int64_t old,
			       int64_t new)
{
	expect_peek(row, role, key, new);
	cr_expect_eq(number(row, "old_bytes"), old);
	cr_expect_eq(number(row, "new_bytes"), new);
	cr_expect_eq(number(row, "delta_bytes"), new - old);
}

Test(peek, of_two_snapshots_says_what_changed_around_a_function)
{
	struct snap_error err = {0};

	options.group = GROUP_FUNCTION;
	report = peek_report_new();
	cr_assert_eq(peek_fill(report, stored(dataset), "^main$", &options, &err), SNAP_OK, "%s",
		     err.message);
	cr_assert_eq(report->row_count, 5);
	expect_peek_change(0, "caller", "(no caller)", 2000, 2150);
	expect_peek_change(1, "function", "main (app)", 2000, 2150);
	expect_peek_change(2, "callee", "serve (app)", 1900, 2100);
	expect_peek_change(3, "callee", "init (app)", 100, 0);
	expect_peek_change(4, "callee", "late (app)", 0, 50);
	cr_expect_eq(part("shown", "old_bytes") + part("hidden", "old_bytes"), 2000);
	cr_expect_eq(part("shown", "new_bytes") + part("hidden", "new_bytes"), 2150);
	cr_expect_eq(part("shown", "delta_bytes"), 150);
}

Test(peek, the_order_by_change_needs_two_snapshots)
{
	struct snap_error err = {0};

	options.group = GROUP_FUNCTION;
	options.sort = "change";
	report = peek_report_new();
	cr_expect_eq(peek_fill(report, stored(old_snapshot_alone()), "main", &options, &err),
		     SNAP_EUSAGE);
}
