/*
 * render.c - the list of formats, and what several of them need.
 */
#include "render/formats.h"

#include <string.h>

#include "render/render.h"
#include "cli/report_options.h"

#define RENDERER(name) &render_##name,
static const struct renderer *const renderers[] = {
#define FORMAT      RENDERER
#define SITE_FORMAT RENDERER
#define GATE_FORMAT RENDERER
#include "cli/formats.def"
	NULL,
};

const struct renderer *render_find(const char *name)
{
	for (size_t i = 0; renderers[i]; i++)
		if (strcmp(renderers[i]->name, name) == 0)
			return renderers[i];
	return NULL;
}

const char *const *render_names(void)
{
	return report_formats;
}

const char *render_bytes(int64_t bytes, bool sign, char buffer[32])
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	uint64_t magnitude = bytes < 0 ? -(uint64_t)bytes : (uint64_t)bytes;
	const char *mark = bytes < 0 ? "-" : sign && bytes > 0 ? "+" : "";
	double shown = (double)magnitude;
	size_t unit = 0;

	if (magnitude < 1024) {
		snprintf(buffer, 32, "%s%d B", mark, (int)magnitude);
		return buffer;
	}
	while (shown >= 1023.95 && unit < sizeof(units) / sizeof(*units) - 1) {
		shown /= 1024;
		unit++;
	}
	snprintf(buffer, 32, "%s%.1f %s", mark, shown, units[unit]);
	return buffer;
}

/* The number of rows in tail.hidden; 0 when there is no such thing. */
static int64_t hidden_rows(const struct report *report)
{
	const struct value *rows = value_get(value_get(&report->tail, "hidden"), "rows");

	return rows && rows->kind == VALUE_INT ? rows->integer : 0;
}

const struct value *summary_figure(const struct report *report, const char *part, size_t column)
{
	return value_get(value_get(&report->tail, part), report->columns[column].name);
}

bool has_hidden(const struct report *report)
{
	if (hidden_rows(report) > 0)
		return true;
	for (size_t i = 0; i < report->column_count; i++) {
		const struct value *figure = summary_figure(report, "hidden", i);

		if (figure && figure->kind == VALUE_INT && figure->integer != 0)
			return true;
	}
	return false;
}

const char *hidden_label(const struct report *report, char buffer[64])
{
	long long rows = (long long)hidden_rows(report);

	if (rows <= 0)
		return "(left out)";
	snprintf(buffer, 64, "(%lld more %s)", rows, rows == 1 ? "row" : "rows");
	return buffer;
}

struct value summary_total(const struct report *report, size_t column)
{
	const struct value *shown = summary_figure(report, "shown", column);
	const struct value *hidden = summary_figure(report, "hidden", column);

	if (!shown || !hidden || shown->kind != VALUE_INT || hidden->kind != VALUE_INT)
		return value_null();
	return value_int(shown->integer + hidden->integer);
}

bool wants_total(const struct report *report)
{
	if (report->row_count < 2 && !has_hidden(report))
		return false;
	for (size_t i = 0; i < report->column_count; i++)
		if (summary_total(report, i).kind != VALUE_NULL)
			return true;
	return false;
}

static size_t first_of_kind(const struct report *report, unsigned skip, enum column_kind kind)
{
	for (size_t i = 0; i < report->column_count; i++)
		if (report->columns[i].kind == kind && !(report->columns[i].flags & skip))
			return i;
	return (size_t)-1;
}

size_t label_column(const struct report *report, unsigned skip)
{
	size_t name = first_of_kind(report, skip, COLUMN_NAME);

	for (size_t i = 0; i < report->column_count; i++)
		if (strcmp(report->columns[i].name, "key") == 0 &&
		    !(report->columns[i].flags & skip))
			return i;
	return name != (size_t)-1 ? name : first_of_kind(report, skip, COLUMN_TEXT);
}
