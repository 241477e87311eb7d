/*
 * csv.c - RFC 4180: CRLF, and quotes where a cell needs them.
 */
#include "render/separated.h"

#include <string.h>

static void write_cell(FILE *out, const char *data, size_t size)
{
	bool plain = true;

	for (size_t i = 0; plain && i < size; i++)
		plain = !strchr(",\"\r\n", data[i]) || data[i] == '\0';
	if (plain) {
		fwrite(data, 1, size, out);
		return;
	}
	putc('"', out);
	for (size_t i = 0; i < size; i++) {
		if (data[i] == '"')
			putc('"', out);
		putc(data[i], out);
	}
	putc('"', out);
}

static enum snap_status render(const struct report *report, FILE *out,
			       const struct render_options *options)
{
	static const struct separated csv = {',', "\r\n", write_cell};

	return separated_render(&csv, report, out, options);
}

const struct renderer render_csv = {"csv", render};
