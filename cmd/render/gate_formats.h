/*
 * render/gate_formats.h - what the formats for CI systems have in common.  Private to render/.
 *
 * They render reports whose head has `rules` and whose rows have the columns rule, status, key,
 * file, line, message and fingerprint; of any other report they show the rows that have these.
 */
#ifndef RENDER_GATE_FORMATS_H
#define RENDER_GATE_FORMATS_H

#include "render/formats.h"

/** The part of a text that a service shows in a finding; malloc'ed, because names may have any
 * length. */
char *gate_short(const char *text);
/** The text in column `name` of a row, or `otherwise` when it has none. */
const char *gate_text(const struct report *report, size_t row, const char *name,
		      const char *otherwise);
/** The line number of a row; 1 when it has none, as formats want one. */
int64_t gate_line(const struct report *report, size_t row);
/** The file of a row by its path in the repository, where it is in there; malloc'ed, NULL: no
 * file, or a name too long to be one. */
char *gate_file(const struct report *report, size_t row);
/** The path that stands for findings without a file; malloc'ed, NULL when memory is out. */
char *gate_place(const struct report *report);
/** A JSON string with its quotes. */
void gate_json(FILE *out, const char *text);
/** The same of gate_short(). */
void gate_json_short(FILE *out, const char *text);
/** The JSON string "NAME: TEXT", the name by gate_short(); without a name, TEXT. */
void gate_json_pair(FILE *out, const char *name, const char *text);

#endif
