/*
 * test_select.c - filters and groupings.
 */
/* links: cmd_analysis */
#include "base/fail.h"
#include "dataset_builder.h"

#include "analysis/select.h"

/* Rows that a site is credited to, as keys joined by '|', for one set of options. */
static char *rows_of(const struct dataset *dataset, uint32_t site, struct select_options options)
{
	static char text[1024];
	struct selection *selection;
	struct snap_error err = {0};
	const uint32_t *rows;
	size_t count;

	cr_assert_eq(selection_new(&selection, dataset, &options, &err), SNAP_OK, "%s",
		     err.message);
	count = selection_rows_of(selection, site, &rows);
	text[0] = 0;
	for (size_t i = 0; i < count; i++) {
		strcat(text, i ? "|" : "");
		strcat(text, selection_row(selection, rows[i])->key);
	}
	selection_free(selection);
	return text;
}

#define ROWS(...) rows_of(dataset, site, (struct select_options){__VA_ARGS__})

static struct dataset *dataset;
static uint32_t site;

static void make_site(void)
{
	dataset = dataset_new(1);
	site = builder_add(
		dataset, 0,
		"malloc@libc.so < parse:src/p.c:7@app < parse:src/p.c:9@app < main:m.c:1@app", 10,
		1);
}

static void free_site(void)
{
	dataset_free(dataset);
}

TestSuite(select, .init = make_site, .fini = free_site);

Test(select, a_site_is_named_by_its_first_frame_that_is_no_plumbing)
{
	cr_expect_str_eq(ROWS(.group = GROUP_LINE), "parse src/p.c:7");
	cr_expect_str_eq(ROWS(.group = GROUP_FUNCTION), "parse (app)");
	cr_expect_str_eq(ROWS(.group = GROUP_FILE), "src/p.c");
	cr_expect_str_eq(ROWS(.group = GROUP_MODULE), "app");
	cr_expect_str_eq(ROWS(.group = GROUP_DOMAIN), "malloc");
	cr_expect_str_eq(ROWS(.group = GROUP_STACK),
			 "malloc (libc.so) < parse src/p.c:7 < parse src/p.c:9 < main m.c:1");
}

Test(select, no_skip_names_by_the_newest_frame)
{
	cr_expect_str_eq(ROWS(.group = GROUP_LINE, .no_skip = true), "malloc (libc.so)");
}

/* Rows by line of two stacks: one that asked native code for memory, and one of Python's own. */
static void expect_rows_of_python(bool native, const char *mixed, const char *pure)
{
	const struct own_rules rules = {.native = native};
	struct dataset *python;
	uint32_t asked, own;

	own_set_rules(&rules);
	python = dataset_new(1);
	asked = builder_add(python, 0,
			    "malloc@/usr/lib/libc.so.6 < SSL_CTX_new@/usr/lib/libssl.so.3 < "
			    "connect:/usr/lib/python3.11/ssl.py:5 < serve:/srv/app.py:9",
			    10, 1);
	own = builder_add(python, 0,
			  "loads:/usr/lib/python3.11/json/__init__.py:3 < "
			  "serve:/srv/app.py:12",
			  10, 1);
	cr_expect_str_eq(rows_of(python, asked, (struct select_options){.group = GROUP_LINE}),
			 mixed);
	cr_expect_str_eq(rows_of(python, own, (struct select_options){.group = GROUP_LINE}), pure);
	dataset_free(python);
	own_set_rules(NULL);
}

Test(select, native_names_what_python_asked_native_code_for)
{
	expect_rows_of_python(false, "serve /srv/app.py:9", "serve /srv/app.py:12");
	expect_rows_of_python(true, "SSL_CTX_new (/usr/lib/libssl.so.3)", "serve /srv/app.py:12");
}

Test(select, cumulative_credits_every_frame_once_per_stack)
{
	cr_expect_str_eq(ROWS(.group = GROUP_FUNCTION, .cumulative = true),
			 "malloc (libc.so)|parse (app)|main (app)");
	cr_expect_str_eq(ROWS(.group = GROUP_LINE, .cumulative = true),
			 "malloc (libc.so)|parse src/p.c:7|parse src/p.c:9|main m.c:1");
	cr_expect_str_eq(ROWS(.group = GROUP_DOMAIN, .cumulative = true), "malloc");
}

Test(select, focus_keeps_stacks_with_a_match_in_function_or_file)
{
	cr_expect_str_eq(ROWS(.group = GROUP_LINE, .focus = "^main$"), "parse src/p.c:7");
	cr_expect_str_eq(ROWS(.group = GROUP_LINE, .focus = "src/"), "parse src/p.c:7");
	cr_expect_str_eq(ROWS(.group = GROUP_LINE, .focus = "render"), "");
}

Test(select, ignore_drops_stacks_with_a_match_even_when_focused)
{
	cr_expect_str_eq(ROWS(.group = GROUP_LINE, .focus = "parse", .ignore = "main"), "");
	cr_expect_str_eq(ROWS(.group = GROUP_LINE, .ignore = "render"), "parse src/p.c:7");
}

Test(select, hide_takes_frames_out_and_the_next_one_names_the_site)
{
	cr_expect_str_eq(ROWS(.group = GROUP_LINE, .hide = "parse"), "main m.c:1");
	cr_expect_str_eq(ROWS(.group = GROUP_STACK, .hide = "parse"),
			 "malloc (libc.so) < main m.c:1");
}

Test(select, show_keeps_only_matching_frames_and_drops_stacks_without)
{
	cr_expect_str_eq(ROWS(.group = GROUP_STACK, .show = "main"), "main m.c:1");
	cr_expect_str_eq(ROWS(.group = GROUP_STACK, .show = "render"), "");
}

Test(select, domain_and_module_keep_only_these)
{
	cr_expect_str_eq(ROWS(.group = GROUP_LINE, .domain = "malloc"), "parse src/p.c:7");
	cr_expect_str_eq(ROWS(.group = GROUP_LINE, .domain = "mmap"), "");
	cr_expect_str_eq(ROWS(.group = GROUP_LINE, .module = "a*"), "parse src/p.c:7");
	cr_expect_str_eq(ROWS(.group = GROUP_LINE, .module = "libc*"), "");
}

Test(select, a_wrong_expression_is_refused_by_name)
{
	struct select_options options = {.focus = "(("};
	struct selection *selection;
	struct snap_error err = {0};

	cr_expect_eq(selection_new(&selection, dataset, &options, &err), SNAP_EUSAGE);
	cr_expect_null(selection);
	cr_expect_not_null(strstr(err.message, "--focus"));
}

Test(select, a_wrong_module_is_refused_by_name)
{
	struct select_options options = {.module = "libc[.so"};
	struct selection *selection;
	struct snap_error err = {0};

	cr_expect_eq(selection_new(&selection, dataset, &options, &err), SNAP_EUSAGE);
	cr_expect_null(selection);
	cr_expect_not_null(strstr(err.message, "--module"));
}

Test(select, equal_stacks_share_a_row_and_lines_tell_apart)
{
	struct select_options by_line = {.group = GROUP_LINE}, by_stack = {.group = GROUP_STACK};
	uint32_t twin = builder_add(
		dataset, 0,
		"malloc@libc.so < parse:src/p.c:7@app < parse:src/p.c:9@app < main:m.c:1@app", 1,
		1);
	uint32_t other = builder_add(dataset, 0,
				     "malloc@libc.so < parse:src/p.c:8@app < main:m.c:1@app", 1, 1);
	struct selection *selection;

	cr_assert_eq(selection_new(&selection, dataset, &by_line, NULL), SNAP_OK);
	cr_expect_eq(selection_row_count(selection), 2);
	cr_expect_eq(selection_named_row(selection, site), selection_named_row(selection, twin));
	cr_expect_neq(selection_named_row(selection, site), selection_named_row(selection, other));
	selection_free(selection);
	cr_assert_eq(selection_new(&selection, dataset, &by_stack, NULL), SNAP_OK);
	cr_expect_eq(selection_row_count(selection), 2);
	cr_expect_eq(selection_named_row(selection, site), selection_named_row(selection, twin));
	selection_free(selection);
}

static int sign(int order)
{
	return (order > 0) - (order < 0);
}

/* Before and after the keys are made, which happens when the comparison first asks for one. */
Test(select, keys_of_stacks_are_ordered_as_their_texts)
{
	static const char *const stacks[] = {
		"a:f.c:1@app < b:f.c:2@app",  "a:f.c:1@app",
		"a:f.c:12@app < b:f.c:2@app", "a:f.c:1@app < b:f.c:2@app < c:f.c:3@app",
		"a:f.c:1@app < c:f.c:3@app",  "a:f.c:1@app < a:f.c:1@app < b:f.c:2@app",
		"a@lib < b:f.c:2@app",        "",
	};
	enum { COUNT = sizeof(stacks) / sizeof(*stacks) };
	const struct select_options options = {.group = GROUP_STACK, .no_skip = true};
	struct dataset *of_stacks = dataset_new(1);
	struct selection *selection;
	int before[COUNT][COUNT];

	for (size_t i = 0; i < COUNT; i++)
		builder_add(of_stacks, 0, stacks[i], 10, 1);
	cr_assert_eq(selection_new(&selection, of_stacks, &options, NULL), SNAP_OK);
	cr_assert_eq(selection_row_count(selection), COUNT);
	for (uint32_t i = 0; i < COUNT; i++)
		for (uint32_t k = 0; k < COUNT; k++)
			before[i][k] = sign(selection_compare_keys(selection, i, k));
	cr_expect_str_eq(selection_row(selection, 5)->key, "a f.c:1 [recursive] < b f.c:2");
	for (uint32_t i = 0; i < COUNT; i++)
		for (uint32_t k = 0; k < COUNT; k++) {
			int order = strcmp(selection_row(selection, i)->key,
					   selection_row(selection, k)->key);

			cr_expect_eq(before[i][k], sign(order), "%u and %u", i, k);
			cr_expect_eq(sign(selection_compare_keys(selection, i, k)), sign(order));
		}
	selection_free(selection);
	dataset_free(of_stacks);
}

Test(select, a_stack_without_frames_has_a_row_of_its_own)
{
	site = builder_add(dataset, 0, "", 1, 1);
	cr_expect_str_eq(ROWS(.group = GROUP_LINE), "(no stack)");
	cr_expect_str_eq(ROWS(.group = GROUP_STACK, .cumulative = true), "(no stack)");
	cr_expect_str_eq(ROWS(.group = GROUP_LINE, .focus = "x"), "");
}

Test(select, what_filters_leave_out_still_counts_as_a_row)
{
	struct select_options options = {.group = GROUP_LINE, .focus = "nothing"};
	struct selection *selection;

	cr_assert_eq(selection_new(&selection, dataset, &options, NULL), SNAP_OK);
	cr_expect_eq(selection_row_count(selection), 1);
	selection_free(selection);
}
