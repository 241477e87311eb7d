/*
 * render/separated.h - what csv and tsv have in common: a header line, a line per row, flat cells.
 */
#ifndef RENDER_SEPARATED_H
#define RENDER_SEPARATED_H

#include "render/formats.h"

struct separated {
	char separator;
	const char *line_end;
	/** Write one cell, quoted or escaped as the format wants it.  Text that a spreadsheet would
	 * take for a formula gets an apostrophe in front, unless the options want it raw. */
	void (*cell)(FILE *out, const char *data, size_t size);
};

/**
 * Nested values are written as JSON text.  Rows that were not shown are summed up in a last line
 * whose key is
 * "(hidden)", so that a column adds up to its total.
 */
enum snap_status separated_render(const struct separated *format, const struct report *report,
				  FILE *out, const struct render_options *options);

#endif
