/*
 * github.c - findings as workflow commands, which GitHub shows beside the lines of a pull request.
 *
 * GitHub shows at most ten errors a step and drops the rest without a word: the last of ours says
 * how many more there are.
 */
#include <string.h>

#include "render/gate_formats.h"

enum { SHOWN_MAX = 10 };

/* In a message `%` and line ends are escaped; in a property `:` and `,` too. */
static void write_escaped(FILE *out, const char *text, const char *special)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '%' || c < ' ' || c == 0x7f || strchr(special, c))
			fprintf(out, "%%%02X", c);
		else
			putc(c, out);
	}
}

static void write_finding(const struct report *report, size_t row, FILE *out)
{
	const char *file = gate_file(report, row);

	fputs("::error ", out);
	if (file) {
		fputs("file=", out);
		write_escaped(out, file, ":,");
		fprintf(out, ",line=%lld,", (long long)gate_line(report, row));
	}
	fputs("title=", out);
	write_escaped(out, gate_text(report, row, "rule", "memory"), ":,");
	fputs("::", out);
	write_escaped(out, gate_text(report, row, "key", ""), "");
	fputs(" ", out);
	write_escaped(out, gate_text(report, row, "message", ""), "");
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
	return ferror(out) ? SNAP_ESYSTEM : SNAP_OK;
}

const struct renderer render_github = {"github", render};
