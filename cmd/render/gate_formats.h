/*
 * render/gate_formats.h - what the formats for CI systems have in common.  Private to render/.
 *
 * They render reports whose head has `rules` and whose rows have the columns rule, status, key,
 * file, line, message and fingerprint; of any other report they show the rows that have these.
 */
#ifndef RENDER_GATE_FORMATS_H
#define RENDER_GATE_FORMATS_H

#include "render/formats.h"

/** The text in column `name` of a row, or `otherwise` when it has none. */
const char *gate_text(const struct report *report, size_t row, const char *name,
		      const char *otherwise);
/** The line number of a row; 1 when it has none, as formats want one. */
int64_t gate_line(const struct report *report, size_t row);
/** The file of a row relative to the working directory where it is below it; NULL: no file. */
const char *gate_file(const struct report *report, size_t row);
/** A JSON string with its quotes. */
void gate_json(FILE *out, const char *text);

#endif
