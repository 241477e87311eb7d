/*
 * test_render_cjson.c - what the JSON renderers write, read back by a parser that is not ours.
 */
/* links: cmd_render cmd_report PkgConfig::CJSON */
#include <criterion/criterion.h>
#include <cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "render/render.h"
#include "snap/records.h"

static const struct column columns[] = {
	{"name", "name", COLUMN_NAME, 0},       {"bytes", "bytes", COLUMN_BYTES, 0},
	{"ratio", "ratio", COLUMN_RATIO, 0},    {"series", "series", COLUMN_SERIES, 0},
	{"nothing", "nothing", COLUMN_TEXT, 0},
};

/* Every byte that JSON treats specially, and some that it does not. */
static const char awkward[] =
	"quote\" back\\slash\b\f\n\r\t\x01\x1f\x7f slash/ \xc3\xa9 \xf0\x9f\x90\x8d";

static struct report *sample(size_t rows)
{
	struct report *report = report_new("snapdiff.sample/1", columns, 5);

	value_field(report, &report->head, "group", value_text(report, awkward));
	for (size_t i = 0; i < rows; i++) {
		struct value *row = report_row(report);

		row[0] = value_text(report, report_text(report, "%s %zu", awkward, i));
		row[1] = value_int((int64_t)i * 4503599627370497);
		row[2] = value_real((double)i / 3);
		row[3] = value_list(report, i % 5);
		for (size_t k = 0; k < i % 5; k++)
			row[3].list.items[k] = value_int((int64_t)k);
		row[4] = value_u64(SNAP_UNKNOWN);
	}
	report_notice(report, &(struct notice){.kind = NOTICE_FILE_DAMAGED,
					       .texts = {"a warning with \"quotes\""}});
	return report;
}

static char *rendered(const struct report *report, const char *format)
{
	const struct render_options options = {0};
	size_t size = 0;
	char *text = NULL;
	FILE *out = open_memstream(&text, &size);

	cr_assert_not_null(out);
	cr_assert_eq(render_find(format)->render(report, out, &options), SNAP_OK);
	fclose(out);
	return text;
}

static void check_row(const cJSON *row, size_t i)
{
	char name[128];

	snprintf(name, sizeof(name), "%s %zu", awkward, i);
	cr_assert_str_eq(cJSON_GetStringValue(cJSON_GetObjectItem(row, "name")), name);
	/* cJSON keeps numbers as doubles: exact up to 2^53 only, which is why we do not print
	 * through it. */
	cr_assert_eq(cJSON_GetObjectItem(row, "bytes")->valuedouble,
		     (double)((int64_t)i * 4503599627370497));
	cr_assert_eq(cJSON_GetObjectItem(row, "ratio")->valuedouble, (double)i / 3);
	cr_assert_eq(cJSON_GetArraySize(cJSON_GetObjectItem(row, "series")), (int)(i % 5));
	cr_assert(cJSON_IsNull(cJSON_GetObjectItem(row, "nothing")));
}

Test(render_cjson, a_report_reads_back_as_it_was)
{
	struct report *report = sample(200);
	char *text = rendered(report, "json");
	cJSON *json = cJSON_Parse(text), *rows;

	cr_assert_not_null(json, "%s", text);
	cr_expect_str_eq(cJSON_GetStringValue(cJSON_GetObjectItem(json, "schema")),
			 "snapdiff.sample/1");
	cr_expect_str_eq(cJSON_GetStringValue(cJSON_GetObjectItem(json, "group")), awkward);
	rows = cJSON_GetObjectItem(json, "rows");
	cr_assert_eq(cJSON_GetArraySize(rows), 200);
	for (int i = 0; i < 200; i++)
		check_row(cJSON_GetArrayItem(rows, i), (size_t)i);
	cr_expect_eq(cJSON_GetArraySize(cJSON_GetObjectItem(json, "warnings")), 1);
	cJSON_Delete(json);
	free(text);
	report_free(report);
}

Test(render_cjson, every_line_of_jsonl_is_an_object)
{
	struct report *report = sample(20);
	char *text = rendered(report, "jsonl"), *rest = text, *line;
	int lines = 0;

	while ((line = strsep(&rest, "\n")) && *line) {
		cJSON *json = cJSON_Parse(line);

		cr_assert(cJSON_IsObject(json), "%s", line);
		cJSON_Delete(json);
		lines++;
	}
	cr_expect_eq(lines, 22, "a head, the rows, a summary");
	free(text);
	report_free(report);
}
