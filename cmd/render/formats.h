/*
 * render/formats.h - the renderers, and the functions that they share.  Private to render/.
 */
#ifndef RENDER_FORMATS_H
#define RENDER_FORMATS_H

#include "render/renderer.h"

/* render_<name>, in <name>.c */
#define DECLARATION(name) extern const struct renderer render_##name;
#define FORMAT            DECLARATION
#define SITE_FORMAT       DECLARATION
#define GATE_FORMAT       DECLARATION
#include "cli/formats.def"
#undef DECLARATION
#undef FORMAT
#undef SITE_FORMAT
#undef GATE_FORMAT

/* ---- values (json.c) ---- */

/** JSON, without spaces or newlines.  Bytes that are not UTF-8 become \udcXX, as Python's
 * surrogateescape has it. */
void json_value(FILE *out, const struct value *value);
/** The same as text: free() it.  NULL when memory is out. */
char *json_text(const struct value *value, size_t *size);
/** The shortest decimal that reads back as the same double; "null" when it is not finite. */
const char *json_real(double real, char buffer[32]);
/** One row as an object. */
void json_row(FILE *out, const struct report *report, size_t row);
/** `"schema":...,"tool":...` and the fields of the head. */
void json_head(FILE *out, const struct report *report, const char *separator);
/** The fields of the tail, and the warnings. */
void json_tail(FILE *out, const struct report *report, const char *separator);

/* ---- what the shown and the hidden rows hold together ---- */

/** True if anything was not shown: rows, or memory that filters left out. */
bool has_hidden(const struct report *report);
/** "(7 more rows)": what to call it in formats for people. */
const char *hidden_label(const struct report *report, char buffer[64]);
/** The figure of column `column` in tail.<part> ("shown", "hidden"), or NULL. */
const struct value *summary_figure(const struct report *report, const char *part, size_t column);
/** shown + hidden of a column; null where the report has not both. */
struct value summary_total(const struct report *report, size_t column);
/** True if a closing row of totals has something to say. */
bool wants_total(const struct report *report);
/** The column that labels rows: "key", else the first with names, else with text; of those without
 * a flag in `skip`.  (size_t)-1: none. */
size_t label_column(const struct report *report, unsigned skip);

/* ---- warnings (warnings.c) ---- */

enum warnings_wanted {
	WARNINGS_ALIKE_ONCE, /* similar warnings (see notice.h) become one, with a count */
	WARNINGS_ALL,
	WARNINGS_OF_DAMAGE, /* of files that are no part of the report; alike once */
};

/** Call `say` with the warnings of the report that are wanted. */
void warnings_each(const struct report *report, enum warnings_wanted wanted,
		   void (*say)(void *user, const char *text), void *user);

/* ---- text for people (cell.c, width.c) ---- */

struct text_buffer {
	char *data; /* NUL-terminated */
	size_t size, capacity;
};

void text_add(struct text_buffer *text, const char *data, size_t size);
void text_clear(struct text_buffer *text);
void text_free(struct text_buffer *text);

/** Format `value` of a column of `kind` for people; replaces the content of `text`. */
void cell_text(struct text_buffer *text, const struct value *value, enum column_kind kind,
	       const struct render_options *options);
/** One frame object: "function  file:line  module". */
void cell_frame(struct text_buffer *text, const struct value *frame);
bool cell_is_number(enum column_kind kind);

/** Append `data` so that it can do no harm on a terminal: control characters and bad UTF-8 become
 * '?'. */
void text_add_safe(struct text_buffer *text, const char *data, size_t size);
/** Columns that sane UTF-8 takes on a terminal. */
unsigned text_width(const char *text);
/** Cut the middle out so that the text takes at most about `bytes`: a name may have any length. */
void text_limit(struct text_buffer *text, size_t bytes);
/** Cut the middle out so that the text takes at most `width` columns. */
void text_shorten(struct text_buffer *text, unsigned width, bool unicode);

#endif
