/*
 * page_sources.c - a few lines of source for each of the first rows.
 */
#include "page_sources.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "tracemalloc/source_lines.h"

enum { SOURCES_MAX = 20, AROUND = 4 };

/* The lines around `line`, one text; "" when there are none. */
static char *read_lines(struct source_lines *sources, size_t number, const char *name,
			uint32_t line, uint32_t *first)
{
	char *text = NULL;
	size_t size, used = 0;
	FILE *out = open_memstream(&text, &size);

	*first = line > AROUND ? line - AROUND : 1;
	if (!out)
		return NULL;
	for (uint32_t i = *first; i <= line + AROUND; i++) {
		struct snap_text found = source_line_whole(sources, number, name, i);

		fwrite(found.data, 1, found.size, out);
		putc('\n', out);
		used += found.size;
	}
	fclose(out);
	if (used == 0 && text)
		*text = '\0';
	return text;
}

static bool add(struct page_sources *out, struct source_lines *sources, const struct report *report,
		size_t row)
{
	const struct value *file = report_cell(report, row, "file"),
			   *line = report_cell(report, row, "line");
	struct page_source *source = &out->items[out->count];
	char *text;

	if (!file || file->kind != VALUE_TEXT || !line || line->kind != VALUE_INT ||
	    line->integer < 1 || line->integer > UINT32_MAX - AROUND)
		return true;
	source->name = file->text.data;
	source->line = (uint32_t)line->integer;
	text = read_lines(sources, out->count, source->name, source->line, &source->first);
	source->text = text;
	if (!text)
		return false;
	if (*text)
		out->count++;
	else
		free(text);
	return true;
}

enum snap_status page_sources_read(struct page_sources *out, const struct report *report,
				   const char *directory, struct snap_error *err)
{
	struct source_lines *sources = NULL;
	enum snap_status st;
	bool fine = true;

	*out = (struct page_sources){0};
	if (!directory)
		return SNAP_OK;
	st = source_lines_open(&sources, directory, SOURCES_MAX, err);
	if (st != SNAP_OK)
		return st;
	out->items = calloc(SOURCES_MAX, sizeof(*out->items));
	for (size_t row = 0;
	     out->items && fine && row < report->row_count && out->count < SOURCES_MAX; row++)
		fine = add(out, sources, report, row);
	source_lines_free(sources);
	return out->items && fine ? SNAP_OK : fail_memory(err, "reading sources");
}

void page_sources_release(struct page_sources *sources)
{
	for (size_t i = 0; i < sources->count; i++)
		free((char *)(uintptr_t)sources->items[i].text);
	free(sources->items);
	*sources = (struct page_sources){0};
}
