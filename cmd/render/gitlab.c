/*
 * gitlab.c - findings as a code quality report, which GitLab shows in merge requests
 * (https://docs.gitlab.com/ee/ci/testing/code_quality.html).
 */
#include <stdlib.h>

#include "render/gate_formats.h"

static void write_finding(const struct report *report, size_t row, FILE *out)
{
	char *file = gate_file(report, row);
	char *place = gate_place(report);
	bool inside = file && *file != '/'; /* GitLab knows the files of the repository alone */

	fputs(row ? ",\n {\"description\":" : "\n {\"description\":", out);
	gate_json_pair(out, gate_text(report, row, "key", ""),
		       gate_text(report, row, "message", ""));
	fputs(",\"check_name\":", out);
	gate_json(out, gate_text(report, row, "rule", "memory"));
	fputs(",\"fingerprint\":", out);
	gate_json(out, gate_text(report, row, "fingerprint", ""));
	fputs(",\"severity\":\"major\",\"location\":{\"path\":", out);
	gate_json(out, inside ? file : place ? place : "");
	fprintf(out, ",\"lines\":{\"begin\":%lld}}}",
		inside ? (long long)gate_line(report, row) : 1LL);
	free(file);
	free(place);
}

static enum snap_status render(const struct report *report, FILE *out,
			       const struct render_options *options)
{
	(void)options;
	putc('[', out);
	for (size_t row = 0; row < report->row_count; row++)
		write_finding(report, row, out);
	fputs("]\n", out);
	return ferror(out) ? SNAP_ESYSTEM : SNAP_OK;
}

const struct renderer render_gitlab = {"gitlab", render};
