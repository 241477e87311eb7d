/*
 * tsv.c - tab-separated, with the escapes of the text form: \t, \n, \\ and \|.
 */
#include "render/separated.h"

static void write_cell(FILE *out, const char *data, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		switch (data[i]) {
		case '\t':
			fputs("\\t", out);
			break;
		case '\n':
			fputs("\\n", out);
			break;
		case '\\':
		case '|':
			putc('\\', out);
			putc(data[i], out);
			break;
		default:
			putc(data[i], out);
		}
	}
}

static enum snap_status render(const struct report *report, FILE *out,
			       const struct render_options *options)
{
	static const struct separated tsv = {'\t', "\n", write_cell};

	return separated_render(&tsv, report, out, options);
}

const struct renderer render_tsv = {"tsv", render};
