/*
 * test_render_report.c - building reports: rows, objects, texts and the memory behind them.
 */
/* links: cmd_report */
#include <criterion/criterion.h>
#include <string.h>

#include "report/report.h"
#include "snap/records.h"

static const struct column columns[] = {{"a", "a", COLUMN_COUNT, 0}, {"b", "b", COLUMN_TEXT, 0}};

Test(report, rows_keep_their_values_while_the_report_grows)
{
	struct report *report = report_new("x/1", columns, 2);

	for (int64_t i = 0; i < 10000; i++) {
		struct value *row = report_row(report);

		cr_assert_eq(row[1].kind, VALUE_NULL, "a new row is nulls");
		row[0] = value_int(i);
		row[1] = value_text(report, i % 2 ? "odd" : "even");
	}
	cr_assert_eq(report->row_count, 10000);
	for (int64_t i = 0; i < 10000; i++) {
		cr_assert_eq(report->rows[i * 2].integer, i);
		cr_assert_str_eq(report->rows[i * 2 + 1].text.data, i % 2 ? "odd" : "even");
	}
	report_free(report);
}

Test(report, fields_keep_their_order_however_many_there_are)
{
	struct report *report = report_new("x/1", columns, 2);
	struct value object = value_object();

	for (int64_t i = 0; i < 100; i++)
		value_field(report, &object, report_text(report, "field%d", (int)i), value_int(i));
	cr_assert_eq(object.object.count, 100);
	for (int64_t i = 0; i < 100; i++)
		cr_assert_eq(object.object.fields[i].value.integer, i);
	cr_expect_eq(value_get(&object, "field42")->integer, 42);
	cr_expect_null(value_get(&object, "field100"));
	cr_expect_null(value_get(NULL, "field1"));
	cr_expect_null(value_get(&object.object.fields[1].value, "field1"), "no object");
	report_free(report);
}

Test(report, texts_are_copies_and_may_hold_any_byte)
{
	struct report *report = report_new("x/1", columns, 2);
	char text[] = "before";
	struct value copied = value_text(report, text), bytes = value_bytes(report, "a\0b", 3);

	strcpy(text, "after");
	cr_expect_str_eq(copied.text.data, "before");
	cr_expect_eq(bytes.text.size, 3);
	cr_expect_eq(memcmp(bytes.text.data, "a\0b", 4), 0, "and end in NUL");
	cr_expect_eq(value_text(report, NULL).kind, VALUE_NULL);
	report_free(report);
}

Test(report, what_is_unknown_is_null)
{
	cr_expect_eq(value_u64(SNAP_UNKNOWN).kind, VALUE_NULL);
	cr_expect_eq(value_u64(0).kind, VALUE_INT);
	cr_expect_eq(value_u64(INT64_MAX).integer, INT64_MAX);
	cr_expect_eq(value_u64(UINT64_MAX - 1).kind, VALUE_REAL,
		     "too large for an integer of JSON's users");
}

Test(report, large_and_small_memory_is_aligned_and_zero)
{
	struct report *report = report_new("x/1", columns, 2);

	for (size_t size = 1; size < 1000000; size = size * 3 + 1) {
		unsigned char *memory = report_alloc(report, size);

		cr_expect_eq((uintptr_t)memory % _Alignof(max_align_t), 0);
		cr_expect_eq(memory[0] | memory[size - 1], 0);
		memset(memory, 0xff, size);
	}
	report_free(report);
}

Test(report, notes_and_warnings_are_formatted_and_kept)
{
	struct report *report = report_new("x/1", columns, 2);

	for (int i = 0; i < 50; i++) {
		report_note(report, "note %d", i);
		report_notice(report, &(struct notice){.kind = NOTICE_SERIES_GAPS,
						       .figures = {(uint64_t)i}});
	}
	cr_expect_str_eq(report->notes[49], "note 49");
	cr_expect_eq(report->warnings[17].notice.figures[0], 17);
	cr_expect_str_eq(report->warnings[17].text,
			 "the series has gaps: 17 snapshots between its first and last seq are "
			 "missing; growth is judged per seq");
	cr_expect_eq(report->warning_count, 50);
	report_free(report);
	report_free(NULL);
}
