/*
 * test_render.c - one small report in every format; the corners of each format.
 */
/* links: cmd_render */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "render/render.h"
#include "snap/records.h"

static const struct column columns[] = {
	{"live_bytes", "live", COLUMN_BYTES, 0},
	{"percent", "% of total", COLUMN_RATIO, COLUMN_TABLE_ONLY},
	{"live_blocks", "blocks", COLUMN_COUNT, 0},
	{"key", "site", COLUMN_NAME, 0},
	{"file", "file", COLUMN_TEXT, COLUMN_HIDDEN},
	{"stack", "stack", COLUMN_STACK, COLUMN_HIDDEN | COLUMN_DETAIL},
};

static void add_row(struct report *report, int64_t bytes, double percent, int64_t blocks,
		    const char *key, const char *file)
{
	struct value *row = report_row(report);

	row[0] = value_int(bytes);
	row[1] = value_real(percent);
	row[2] = value_int(blocks);
	row[3] = value_text(report, key);
	row[4] = value_text(report, file);
	row[5] = value_list(report, 1);
	row[5].list.items[0] = value_object();
	value_field(report, &row[5].list.items[0], "function", value_text(report, key));
}

static struct value summary(struct report *report, int64_t rows, int64_t bytes)
{
	struct value object = value_object();

	value_field(report, &object, "rows", value_int(rows));
	value_field(report, &object, "live_bytes", value_int(bytes));
	return object;
}

/* 3000 + 500 shown, 1500 hidden: 5000 bytes. */
static struct report *sample(void)
{
	struct report *report =
		report_new("snapdiff.top/1", columns, sizeof(columns) / sizeof(*columns));

	report->title = "a.snap: 4.9 KiB live";
	value_field(report, &report->head, "group", value_text(report, "line"));
	add_row(report, 3000, 0.6, 1234, "cache_put src/cache.c:88", "src/cache.c");
	add_row(report, 500, 0.1, 5, "say \"a|b\", twice", NULL);
	value_field(report, &report->tail, "shown", summary(report, 2, 3500));
	value_field(report, &report->tail, "hidden", summary(report, 2, 1500));
	report_note(report, "next: snapdiff top --all a.snap");
	return report;
}

static char *render(const struct report *report, const char *format,
		    const struct render_options *options)
{
	static const struct render_options plain = {0};
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	cr_assert_eq(render_find(format)->render(report, out, options ? options : &plain), SNAP_OK);
	fclose(out);
	return text;
}

static void renders(const struct report *report, const char *format,
		    const struct render_options *options, const char *expected)
{
	char *text = render(report, format, options);

	cr_expect_str_eq(text, expected);
	free(text);
}

Test(render, every_format_of_the_option_has_a_renderer_of_its_name)
{
	const char *const *names = render_names();

	cr_expect_not_null(names[0]);
	for (size_t i = 0; names[i]; i++) {
		const struct renderer *renderer = render_find(names[i]);

		cr_assert_not_null(renderer, "%s", names[i]);
		cr_expect_str_eq(renderer->name, names[i]);
	}
	cr_expect_null(render_find("xml"));
}

Test(render, json_has_the_fields_in_order_and_no_table_only_column)
{
	struct report *report = sample();

	report_notice(report, &(struct notice){.kind = NOTICE_FILE_DAMAGED,
					       .texts = {"12 events were dropped"}});
	renders(report, "json", NULL,
		"{\"schema\":\"snapdiff.top/"
		"1\",\"tool\":{\"name\":\"snapdiff\",\"version\":\"0.1.0\"},\n"
		" \"group\":\"line\",\n"
		" \"rows\":[\n"
		"  {\"live_bytes\":3000,\"live_blocks\":1234,\"key\":\"cache_put src/cache.c:88\","
		"\"file\":\"src/cache.c\",\"stack\":[{\"function\":\"cache_put "
		"src/cache.c:88\"}]},\n"
		"  {\"live_bytes\":500,\"live_blocks\":5,\"key\":\"say \\\"a|b\\\", twice\","
		"\"file\":null,\"stack\":[{\"function\":\"say \\\"a|b\\\", twice\"}]}\n"
		" ],\n"
		" \"shown\":{\"rows\":2,\"live_bytes\":3500},\n"
		" \"hidden\":{\"rows\":2,\"live_bytes\":1500},\n"
		" \"warnings\":[\"12 events were dropped\"]}\n");
	report_free(report);
}

Test(render, jsonl_is_a_head_the_rows_and_a_summary)
{
	struct report *report = sample();

	renders(report, "jsonl", NULL,
		"{\"record\":\"report\",\"schema\":\"snapdiff.top/"
		"1\",\"tool\":{\"name\":\"snapdiff\","
		"\"version\":\"0.1.0\"},\"group\":\"line\"}\n"
		"{\"live_bytes\":3000,\"live_blocks\":1234,\"key\":\"cache_put src/cache.c:88\","
		"\"file\":\"src/cache.c\",\"stack\":[{\"function\":\"cache_put "
		"src/cache.c:88\"}]}\n"
		"{\"live_bytes\":500,\"live_blocks\":5,\"key\":\"say \\\"a|b\\\", "
		"twice\",\"file\":null,"
		"\"stack\":[{\"function\":\"say \\\"a|b\\\", twice\"}]}\n"
		"{\"record\":\"summary\",\"shown\":{\"rows\":2,\"live_bytes\":3500},"
		"\"hidden\":{\"rows\":2,\"live_bytes\":1500},\"warnings\":[]}\n");
	report_free(report);
}

Test(render, csv_quotes_what_needs_it_and_adds_up_with_the_hidden)
{
	struct report *report = sample();

	renders(report, "csv", NULL,
		"live_bytes,live_blocks,key,file\r\n"
		"3000,1234,cache_put src/cache.c:88,src/cache.c\r\n"
		"500,5,\"say \"\"a|b\"\", twice\",\r\n"
		"1500,,(hidden),\r\n");
	report_free(report);
}

Test(render, tsv_escapes_as_the_text_form_does)
{
	struct report *report = sample();

	add_row(report, 1, 0, 1, "a\tb\nc\\d", NULL);
	renders(report, "tsv", NULL,
		"live_bytes\tlive_blocks\tkey\tfile\n"
		"3000\t1234\tcache_put src/cache.c:88\tsrc/cache.c\n"
		"500\t5\tsay \"a\\|b\", twice\t\n"
		"1\t1\ta\\tb\\nc\\\\d\t\n"
		"1500\t\t(hidden)\t\n");
	report_free(report);
}

Test(render, markdown_is_a_table_that_github_reads)
{
	struct report *report = sample();

	renders(report, "markdown", NULL,
		"**a.snap: 4.9 KiB live**\n"
		"\n"
		"| live | % of total | blocks | site |\n"
		"| ---: | ---: | ---: | --- |\n"
		"| 2.9 KiB | 60.0% | 1,234 | `cache_put src/cache.c:88` |\n"
		"| 500 B | 10.0% | 5 | `say \"a\\|b\", twice` |\n"
		"| *1.5 KiB* |  |  | *(2 more rows)* |\n"
		"| **4.9 KiB** |  |  | **total** |\n"
		"\n"
		"next: snapdiff top --all a.snap  \n");
	report_free(report);
}

Test(render, table_aligns_numbers_to_the_right_and_sums_up)
{
	struct report *report = sample();

	renders(report, "table", NULL,
		"a.snap: 4.9 KiB live\n"
		"\n"
		"   live  % of total  blocks  site\n"
		"2.9 KiB       60.0%   1,234  cache_put src/cache.c:88\n"
		"  500 B       10.0%       5  say \"a|b\", twice\n"
		"1.5 KiB                      (2 more rows)\n"
		"4.9 KiB                      total\n"
		"\n"
		"next: snapdiff top --all a.snap\n");
	report_free(report);
}

Test(render, exact_bytes_and_no_closing_lines_on_request)
{
	struct report *report = sample();

	renders(report, "table", &(struct render_options){.exact = true, .quiet = true},
		"a.snap: 4.9 KiB live\n"
		"\n"
		" live  % of total  blocks  site\n"
		"3,000       60.0%   1,234  cache_put src/cache.c:88\n"
		"  500       10.0%       5  say \"a|b\", twice\n"
		"1,500                      (2 more rows)\n"
		"5,000                      total\n");
	report_free(report);
}

Test(render, a_narrow_table_goes_without_what_can_be_spared_and_keeps_the_site)
{
	struct report *report = sample();
	char *text = render(report, "table", &(struct render_options){.width = 44, .quiet = true});

	cr_expect_not_null(strstr(text, "\n2.9 KiB   1,234  cache_put src/cache.c:88\n"), "%s",
			   text);
	free(text);
	report_free(report);
}

/* 60 characters that differ only at the 40th. */
Test(render, names_are_cut_in_the_middle_but_stay_apart)
{
	struct report *report =
		report_new("snapdiff.top/1", columns, sizeof(columns) / sizeof(*columns));
	char *text;

	add_row(report, 3000, 0.6, 1234,
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaXbbbbbbbbbbbbbbbbbbbb", NULL);
	add_row(report, 500, 0.1, 5, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaYbbbbbbbbbbbbbbbbbbbb",
		NULL);
	text = render(report, "table", &(struct render_options){.width = 60, .unicode = true});
	cr_expect_not_null(strstr(text, "  1,234  aaaa"), "%s", text);
	cr_expect_not_null(strstr(text, "\xe2\x80\xa6"), "%s", text);
	cr_expect_not_null(strstr(text, "Xbbbbbbbbbbbbbbbbbbbb\n"), "%s", text);
	cr_expect_not_null(strstr(text, "Ybbbbbbbbbbbbbbbbbbbb\n"), "%s", text);
	free(text);
	report_free(report);
}

Test(render, a_name_cannot_take_over_the_terminal)
{
	struct report *report = sample();
	char *text;

	report_row(report)[3] = value_bytes(report, "\033[31mred\xff\xc2\x9b\0x", 13);
	text = render(report, "table", NULL);
	cr_expect_not_null(strstr(text, "?[31mred???x\n"), "%s", text);
	cr_expect_null(strchr(text, '\033'));
	free(text);
	report_free(report);
}

Test(render, bytes_that_are_no_utf8_survive_json_as_surrogate_escapes)
{
	struct report *report = report_new("x/1", columns + 3, 1);
	char *text;

	*report_row(report) = value_bytes(report, "\xc3\xa9\xff\xed\xa0\x80\xc0\x80\x01\n", 10);
	text = render(report, "json", NULL);
	cr_expect_not_null(
		strstr(text, "\"\xc3\xa9\\udcff\\udced\\udca0\\udc80\\udcc0\\udc80\\u0001\\n\""),
		"%s", text);
	free(text);
	report_free(report);
}

Test(render, a_lone_surrogate_of_python_is_itself_in_json)
{
	struct report *report = report_new("x/1", columns + 3, 1);
	char *text;

	*report_row(report) = value_bytes(report, "\xed\xa0\x80z\xed\xb3\xbf", 7);
	text = render(report, "json", NULL);
	cr_expect_not_null(strstr(text, "\"\\ud800z\\udcff\""), "%s", text);
	free(text);
	report_free(report);
}

Test(render, integers_and_doubles_come_out_exactly)
{
	static const struct column wild[] = {{"a", "a", COLUMN_TREE, 0}};
	struct report *report = report_new("x/1", wild, 1);
	char *text;
	struct value *row = report_row(report);

	*row = value_list(report, 7);
	row->list.items[0] = value_int(INT64_MAX);
	row->list.items[1] = value_int(INT64_MIN);
	row->list.items[2] = value_real(0.1);
	row->list.items[3] = value_real(1.0 / 3);
	row->list.items[4] = value_real(1.0 / 0.0);
	row->list.items[5] = value_u64(SNAP_UNKNOWN);
	row->list.items[6] = value_bool(true);
	text = render(report, "json", NULL);
	cr_expect_not_null(strstr(text, "[9223372036854775807,-9223372036854775808,0.1,"
					"0.3333333333333333,null,null,true]"),
			   "%s", text);
	free(text);
	report_free(report);
}

Test(render, a_report_without_rows_is_still_whole)
{
	struct report *report = report_new("x/1", columns, 6);

	report->title = "nothing";
	report_note(report, "No rows.");
	renders(report, "json", NULL,
		"{\"schema\":\"x/1\",\"tool\":{\"name\":\"snapdiff\",\"version\":\"0.1.0\"},\n"
		" \"rows\":[],\n"
		" \"warnings\":[]}\n");
	renders(report, "csv", NULL, "live_bytes,live_blocks,key,file\r\n");
	renders(report, "table", NULL, "nothing\n\nNo rows.\n");
	report_free(report);
}

Test(render, a_shown_stack_goes_under_its_row)
{
	static const struct column deep[] = {{"key", "site", COLUMN_NAME, 0},
					     {"stack", "stack", COLUMN_STACK, 0}};
	struct report *report = report_new("x/1", deep, 2);
	struct value *row = report_row(report), *frames;

	row[0] = value_text(report, "f");
	row[1] = value_list(report, 2);
	frames = row[1].list.items;
	frames[0] = value_object();
	value_field(report, &frames[0], "function", value_text(report, "f"));
	value_field(report, &frames[0], "file", value_text(report, "a.c"));
	value_field(report, &frames[0], "line", value_int(7));
	frames[1] = value_object();
	value_field(report, &frames[1], "function", value_text(report, "main"));
	value_field(report, &frames[1], "module", value_text(report, "server"));
	renders(report, "table", NULL, "site\nf\n      f  a.c:7\n      main  server\n");
	report_free(report);
}

Test(render, series_become_sparklines_of_bounded_width)
{
	static const struct column series[] = {{"series", "series", COLUMN_SERIES, 0}};
	struct report *report = report_new("x/1", series, 1);
	struct value *row = report_row(report);

	*row = value_list(report, 8);
	for (int i = 0; i < 8; i++)
		row->list.items[i] = value_int(i);
	row = report_row(report);
	*row = value_list(report, 1000);
	for (int i = 0; i < 1000; i++)
		row->list.items[i] = value_int(7);
	renders(report, "table", &(struct render_options){.series = true},
		"series\n▁▂▃▄▅▆▇█\n▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁\n");
	report_free(report);
}

Test(render, series_do_not_appear_where_no_terminal_shows_them)
{
	static const struct column two[] = {{"key", "key", COLUMN_NAME, 0},
					    {"series", "series", COLUMN_SERIES, 0}};
	struct report *report = report_new("x/1", two, 2);
	struct value *row = report_row(report);

	row[0] = value_text(report, "f");
	row[1] = value_list(report, 1);
	row[1].list.items[0] = value_int(1);
	report->title = "All of it";
	report_curve(report, "recorded", row[1]);
	renders(report, "table", NULL, "All of it\n\nkey\nf\n");
	renders(report, "table", &(struct render_options){.series = true},
		"All of it\n  recorded  ▁\n\nkey  series\nf    ▁\n");
	renders(report, "markdown", NULL, "**All of it**\n\n| key |\n| --- |\n| `f` |\n");
	report_free(report);
}

Test(render, verdicts_and_deltas_are_coloured_by_meaning)
{
	static const struct column coloured[] = {{"status", "status", COLUMN_VERDICT, 0},
						 {"delta", "delta", COLUMN_DELTA_BYTES, 0}};
	struct report *report = report_new("x/1", coloured, 2);
	struct value *row = report_row(report);

	row[0] = value_text(report, "grew");
	row[1] = value_int(2048);
	row = report_row(report);
	row[0] = value_text(report, "gone");
	row[1] = value_int(-5);
	renders(report, "table", &(struct render_options){.color = true},
		"\033[1mstatus\033[0m     \033[1mdelta\033[0m\n"
		"\033[31mgrew\033[0m    \033[31m+2.0 KiB\033[0m\n"
		"\033[32mgone\033[0m        \033[32m-5 B\033[0m\n");
	report_free(report);
}

static void bytes_read(int64_t bytes, bool sign, const char *expected)
{
	char buffer[32];

	cr_expect_str_eq(render_bytes(bytes, sign, buffer), expected);
}

Test(render, bytes_are_humanised_by_powers_of_1024)
{
	bytes_read(0, true, "0 B");
	bytes_read(1023, false, "1023 B");
	bytes_read(1024, false, "1.0 KiB");
	bytes_read(1536, true, "+1.5 KiB");
	bytes_read(-1536, true, "-1.5 KiB");
	bytes_read(1048575, false, "1.0 MiB");
	bytes_read(INT64_MAX, false, "8.0 EiB");
	bytes_read(INT64_MIN, true, "-8.0 EiB");
}
