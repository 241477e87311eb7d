/*
 * github.c - findings as workflow commands, which GitHub shows beside the lines of a pull request.
 *
 * GitHub shows at most ten errors per step and drops the rest silently, so our last one says how
 * many more there are.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "render/gate_formats.h"
#include "base/utf8.h"

enum { SHOWN_MAX = 10 };

/* In a message `%` and line ends are escaped; in a property `:` and `,` too.  Characters that a
   terminal obeys are also escaped: a log may be read on one. */
static void write_escaped(FILE *out, const char *text, const char *special)
{
	for (size_t left = strlen(text), length; left; text += length, left -= length) {
		unsigned char c = (unsigned char)*text;
		bool plain;

		length = utf8_length(text, left);
		plain = length && c != '%' && !strchr(special, c) &&
			!utf8_is_control(utf8_decode(text, length));
		length = length ? length : 1;
		for (size_t i = 0; i < length; i++)
			fprintf(out, plain ? "%c" : "%%%02X", (unsigned char)text[i]);
	}
}

static void write_finding(const struct report *report, size_t row, FILE *out)
{
	char *file = gate_file(report, row), *key = gate_short(gate_text(report, row, "key", ""));

	fputs("::error ", out);
	if (file) {
		fputs("file=", out);
		write_escaped(out, file, ":,");
		fprintf(out, ",line=%lld,", (long long)gate_line(report, row));
	}
	fputs("title=", out);
	write_escaped(out, gate_text(report, row, "rule", "memory"), ":,");
	fputs("::", out);
	write_escaped(out, key, "");
	fputs(" ", out);
	write_escaped(out, gate_text(report, row, "message", ""), "");
	putc('\n', out);
	free(file);
	free(key);
}

/* The job is red with --strict and green without it.  In both cases the user wants to know why. */
static void write_not_judged(const struct report *report, FILE *out)
{
	const struct value *all = value_get(&report->head, "inconclusive");
	size_t count = all && all->kind == VALUE_LIST ? all->list.count : 0;

	for (size_t i = 0; i < count; i++) {
		fputs(i ? "%0A" : "::warning title=snapdiff::not judged: ", out);
		write_escaped(out, all->list.items[i].text.data, "");
	}
	if (count)
		putc('\n', out);
}

static enum snap_status render(const struct report *report, FILE *out,
			       const struct render_options *options)
{
	size_t shown = report->row_count <= SHOWN_MAX ? report->row_count : SHOWN_MAX - 1;

	(void)options;
	for (size_t row = 0; row < shown; row++)
		write_finding(report, row, out);
	if (shown < report->row_count)
		fprintf(out, "::error title=snapdiff::%zu more findings are not shown here\n",
			report->row_count - shown);
	write_not_judged(report, out);
	return ferror(out) ? SNAP_ESYSTEM : SNAP_OK;
}

const struct renderer render_github = {"github", render};
