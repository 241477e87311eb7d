/*
 * jsonl.c - a report as lines of JSON, for tools that read a row at a time.
 *
 * The first line is what precedes the rows ("record":"report"), the last what follows them
 * ("record":"summary": shown, hidden, warnings); those between are the rows, exactly as in json.
 */
#include "render/formats.h"

static enum snap_status render(const struct report *report, FILE *out,
			       const struct render_options *options)
{
	(void)options;
	fputs("{\"record\":\"report\",", out);
	json_head(out, report, ",");
	fputs("}\n", out);
	for (size_t row = 0; row < report->row_count; row++) {
		json_row(out, report, row);
		putc('\n', out);
	}
	fputs("{\"record\":\"summary\",", out);
	json_tail(out, report, ",");
	fputs("}\n", out);
	return ferror(out) ? SNAP_ESYSTEM : SNAP_OK;
}

const struct renderer render_jsonl = {"jsonl", render};
