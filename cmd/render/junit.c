/*
 * junit.c - a gate's result as JUnit XML: a test case for each rule.
 *
 * The elements are those that Jenkins, GitLab and GitHub's test reporters read in common:
 * testsuites, testsuite, testcase, failure, system-out.
 */
#include <stdlib.h>
#include <string.h>

#include "render/gate_formats.h"
#include "base/utf8.h"

/* Of one rule; people read it. */
enum { ROWS_SHOWN = 100 };

/* XML 1.0 has no place for control characters, not even as references; U+FFFE and U+FFFF
 * neither. */
static bool is_allowed(const char *data, size_t length)
{
	if (length == 1)
		return (unsigned char)*data >= ' ' || *data == '\t' || *data == '\n';
	return !(length == 3 && memcmp(data, "\xef\xbf", 2) == 0 &&
		 ((unsigned char)data[2] == 0xbe || (unsigned char)data[2] == 0xbf));
}

static void write_escaped(FILE *out, const char *text)
{
	size_t size = strlen(text);

	for (size_t at = 0; at < size;) {
		size_t length =
			(unsigned char)text[at] < 0x80 ? 1 : utf8_length(text + at, size - at);

		if (length == 0 || !is_allowed(text + at, length))
			fputs("\xef\xbf\xbd", out);
		else if (strchr("<>&\"'\n\t", text[at]) ||
			 utf8_is_control(utf8_decode(text + at, length)))
			fprintf(out, "&#%u;", utf8_decode(text + at, length));
		else
			fwrite(text + at, 1, length, out);
		at += length ? length : 1;
	}
}

static void write_attribute(FILE *out, const char *name, const char *text)
{
	fprintf(out, " %s=\"", name);
	write_escaped(out, text);
	putc('"', out);
}

static const char *text_of(const struct value *object, const char *name)
{
	const struct value *value = value_get(object, name);

	return value && value->kind == VALUE_TEXT ? value->text.data : "";
}

static bool has_passed(const struct value *rule)
{
	const struct value *passed = value_get(rule, "passed");

	return passed && passed->kind == VALUE_BOOL && passed->boolean;
}

static bool is_judged(const struct value *rule)
{
	const struct value *measured = value_get(rule, "measured");

	return measured && measured->kind != VALUE_NULL;
}

/* Rows that leak together have the number of one finding, and stand next to each other. */
static size_t count_findings(const struct value *rows, size_t count)
{
	int64_t last = 0;
	size_t findings = 0;

	for (size_t i = 0; i < count; i++) {
		const struct value *number = value_get(&rows->list.items[i], "finding");
		int64_t own = number && number->kind == VALUE_INT ? number->integer : 0;

		findings += own == 0 || own != last;
		last = own;
	}
	return findings;
}

static void write_finding(FILE *out, const struct value *row)
{
	char *key = gate_short(text_of(row, "key"));

	write_escaped(out, key);
	fputs(": ", out);
	write_escaped(out, text_of(row, "message"));
	putc('\n', out);
	free(key);
}

static void write_failure(FILE *out, const struct value *rule)
{
	const struct value *rows = value_get(rule, "rows");
	size_t count = rows && rows->kind == VALUE_LIST ? rows->list.count : 0;
	size_t findings = count_findings(rows, count);
	const char *ending = findings == 1 ? "" : "s";
	char summary[64];

	if (findings == count)
		snprintf(summary, sizeof(summary), "%zu finding%s", findings, ending);
	else
		snprintf(summary, sizeof(summary), "%zu finding%s at %zu sites", findings, ending,
			 count);
	fputs("<failure type=\"memory\"", out);
	write_attribute(out, "message", summary);
	putc('>', out);
	for (size_t i = 0; i < count && i < ROWS_SHOWN; i++)
		write_finding(out, &rows->list.items[i]);
	if (count > ROWS_SHOWN)
		fprintf(out, "... and %zu more: -f json has them\n", count - ROWS_SHOWN);
	fputs("</failure>", out);
}

static void write_case(FILE *out, const struct value *rule)
{
	fputs("  <testcase classname=\"snapdiff.check\"", out);
	write_attribute(out, "name", text_of(rule, "name"));
	putc('>', out);
	if (!has_passed(rule))
		write_failure(out, rule);
	else if (!is_judged(rule))
		fputs("<skipped/>", out);
	fputs("</testcase>\n", out);
}

static enum snap_status render(const struct report *report, FILE *out,
			       const struct render_options *options)
{
	const struct value *rules = value_get(&report->head, "rules");
	size_t count = rules && rules->kind == VALUE_LIST ? rules->list.count : 0, failed = 0,
	       skipped = 0;

	(void)options;
	for (size_t i = 0; i < count; i++) {
		failed += !has_passed(&rules->list.items[i]);
		skipped += has_passed(&rules->list.items[i]) && !is_judged(&rules->list.items[i]);
	}
	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n", out);
	fprintf(out,
		" <testsuite name=\"snapdiff.check\" tests=\"%zu\" failures=\"%zu\" errors=\"0\" "
		"skipped=\"%zu\">\n",
		count, failed, skipped);
	for (size_t i = 0; i < count; i++)
		write_case(out, &rules->list.items[i]);
	fputs("  <system-out>", out);
	write_escaped(out, report->title ? report->title : "");
	/* What was suppressed and what could not be judged belongs to no test case. */
	for (size_t i = 0; i < report->fact_count; i++) {
		putc('\n', out);
		write_escaped(out, report->facts[i]);
	}
	fputs("</system-out>\n </testsuite>\n</testsuites>\n", out);
	return ferror(out) ? SNAP_ESYSTEM : SNAP_OK;
}

const struct renderer render_junit = {"junit", render};
