/*
 * chart.c - a grid of cells from a series, and its axes.
 */
#include "render/chart.h"
#include "render/render.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LINES = 16, WIDTH_LEAST = 10, WIDTH_MOST = 100, WIDTH_FILE = 80 };

/* ---- times ----------------------------------------------------------------------------------- */

/* Of "2026-01-02T03:04:05.123456789Z"; 0: it is no time. */
static uint64_t parse_time(const struct value *time)
{
	struct tm tm = {0};
	const char *rest;
	unsigned long ns = 0;

	if (!time || time->kind != VALUE_TEXT)
		return 0;
	rest = strptime(time->text.data, "%Y-%m-%dT%H:%M:%S", &tm);
	if (!rest)
		return 0;
	if (*rest == '.' && strlen(rest) > 9)
		ns = strtoul(rest + 1, NULL, 10);
	return (uint64_t)timegm(&tm) * 1000000000u + ns;
}

/* Snapshots are placed by their times if these are known and rise; otherwise evenly. */
static void place_snapshots(struct chart *chart, const struct report *report)
{
	const struct value *inputs = value_get(&report->head, "inputs");
	size_t count = chart->count;
	uint64_t first = 0, last = 0;
	bool rise =
		inputs && inputs->kind == VALUE_LIST && chart->input + count <= inputs->list.count;

	for (size_t i = 0; rise && i < count; i++) {
		uint64_t time =
			parse_time(value_get(&inputs->list.items[chart->input + i], "time"));

		rise = time > last;
		last = time;
		first = i ? first : time;
		chart->at[i] = (double)(time - first);
	}
	chart->span_ns = rise && count > 1 ? last - first : 0;
	for (size_t i = 0; i < count; i++)
		chart->at[i] = chart->span_ns ? chart->at[i] / (double)chart->span_ns
			       : count > 1    ? (double)i / (double)(count - 1)
					      : 0;
}

/* ---- series ---------------------------------------------------------------------------------- */

static bool same_value(const struct value *a, const struct value *b)
{
	if (!a || !b || a->kind != b->kind)
		return false;
	return a->kind == VALUE_TEXT  ? strcmp(a->text.data, b->text.data) == 0
	       : a->kind == VALUE_INT ? a->integer == b->integer
				      : a->kind == VALUE_NULL;
}

static size_t number(const struct value *object, const char *name)
{
	const struct value *value = value_get(object, name);

	return value && value->kind == VALUE_INT && value->integer > 0 ? (size_t)value->integer : 0;
}

/* Processes follow each other in the inputs.  SIZE_MAX: the row belongs to several. */
static size_t input_of_row(const struct report *report, size_t row, size_t count)
{
	const struct value *processes = value_get(&report->head, "processes");
	size_t first = 0;

	for (size_t i = 0; processes && i < processes->list.count; i++) {
		const struct value *process = &processes->list.items[i];

		if (number(process, "snapshots") == count &&
		    same_value(value_get(process, "pid"), report_cell(report, row, "pid")) &&
		    same_value(value_get(process, "program"), report_cell(report, row, "program")))
			return first;
		first += number(process, "snapshots");
	}
	return SIZE_MAX;
}

/* The report is about the process that holds most at the end. */
static size_t input_of_process(const struct report *report)
{
	const struct value *processes = value_get(&report->head, "processes");
	size_t first = 0, best = 0, most = 0;

	for (size_t i = 0; processes && i < processes->list.count; i++) {
		size_t last = number(&processes->list.items[i], "last_bytes");

		if (i == 0 || last > most) {
			most = last;
			best = first;
		}
		first += number(&processes->list.items[i], "snapshots");
	}
	return best;
}

static bool reserve(struct chart *chart, size_t bands, size_t count)
{
	chart->bands = bands;
	chart->count = count;
	chart->values = calloc(bands * count + 1, sizeof(*chart->values));
	chart->at = calloc(count + 1, sizeof(*chart->at));
	return chart->values && chart->at && count > 0;
}

static void take_band(struct chart *chart, size_t band, const struct value *list)
{
	for (size_t i = 0; i < chart->count; i++) {
		const struct value *value = list && list->kind == VALUE_LIST && i < list->list.count
						    ? &list->list.items[i]
						    : NULL;

		chart->values[band * chart->count + i] =
			value && value->kind == VALUE_INT    ? (double)value->integer
			: value && value->kind == VALUE_REAL ? value->real
							     : (double)NAN;
	}
}

bool chart_of_row(struct chart *chart, const struct report *report, size_t row)
{
	const struct value *series = report_cell(report, row, "series");
	const struct value *bytes = value_get(series, "bytes");
	const struct value *cohorts = value_get(series, "cohorts");
	bool stacked = cohorts && cohorts->kind == VALUE_LIST && cohorts->list.count;

	*chart = (struct chart){0};
	if (!bytes || bytes->kind != VALUE_LIST ||
	    !reserve(chart, stacked ? cohorts->list.count : 1, bytes->list.count))
		return false;
	take_band(chart, 0, bytes);
	for (size_t i = 0; stacked && i < cohorts->list.count; i++)
		take_band(chart, i, value_get(&cohorts->list.items[i], "bytes"));
	chart->input = input_of_row(report, row, chart->count);
	if (chart->input == SIZE_MAX)
		chart->input = 0;
	place_snapshots(chart, report);
	return true;
}

bool chart_of_process(struct chart *chart, const struct report *report, const char *name)
{
	const struct value *list = value_get(value_get(&report->head, "process"), name);

	*chart = (struct chart){0};
	if (!list || list->kind != VALUE_LIST || !reserve(chart, 1, list->list.count))
		return false;
	take_band(chart, 0, list);
	chart->input = input_of_process(report);
	place_snapshots(chart, report);
	return true;
}

void chart_release(struct chart *chart)
{
	free(chart->values);
	free(chart->at);
	*chart = (struct chart){0};
}

/* ---- cells ----------------------------------------------------------------------------------- */

static double sum_at(const struct chart *chart, size_t snapshot, size_t bands)
{
	double sum = 0;

	for (size_t band = 0; band < bands; band++) {
		double value = chart->values[band * chart->count + snapshot];

		sum += isnan(value) ? 0 : value;
	}
	return sum;
}

/* A line stands for a power of two bytes, so that labels are round. */
bool chart_fit(struct chart *chart, unsigned width, unsigned most_lines)
{
	double most = 0;

	for (size_t i = 0; i < chart->count; i++)
		most = fmax(most, sum_at(chart, i, chart->bands));
	if (most <= 0 || chart->count < 2 || width < WIDTH_LEAST || most_lines < 2)
		return false;
	for (chart->step = 1; chart->step * most_lines < most;)
		chart->step *= 2;
	chart->height = (unsigned)ceil(most / chart->step);
	chart->width = width;
	return true;
}

/* The last snapshot at or before the column's time; the next one if its values are unknown. */
size_t chart_snapshot(const struct chart *chart, unsigned column)
{
	double at = chart->width > 1 ? (double)column / (double)(chart->width - 1) : 0;
	size_t found = 0;

	for (size_t i = 1; i < chart->count && chart->at[i] <= at + 1e-9; i++)
		found = i;
	while (found > 0 && isnan(chart->values[found]))
		found--;
	return found;
}

struct chart_cell chart_cell(const struct chart *chart, unsigned line, unsigned column)
{
	size_t snapshot = chart_snapshot(chart, column);
	double filled = sum_at(chart, snapshot, chart->bands) / chart->step - line;
	double middle = (line + fmin(fmax(filled, 0), 1) / 2) * chart->step;
	struct chart_cell cell = {0};

	if (filled <= 0)
		return cell;
	cell.eighths = filled >= 1 ? 8 : (unsigned)ceil(filled * 8);
	while (cell.band < chart->bands && sum_at(chart, snapshot, cell.band) <= middle)
		cell.band++;
	return cell;
}

const char *chart_glyph(struct chart_cell cell, bool unicode)
{
	static const char *const blocks[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};

	if (unicode)
		return blocks[cell.eighths];
	return cell.eighths == 0 ? " " : cell.eighths < 4 ? "." : cell.eighths < 8 ? ":" : "#";
}

/* ---- axes ------------------------------------------------------------------------------------ */

const char *chart_label(const struct chart *chart, unsigned line, char buffer[32])
{
	char *zero;

	buffer[0] = '\0';
	if ((chart->height - 1 - line) % 2 && chart->height > 4)
		return buffer;
	render_bytes((int64_t)((line + 1) * chart->step), false, buffer);
	zero = strstr(buffer, ".0 ");
	if (zero)
		memmove(zero, zero + 2, strlen(zero + 2) + 1);
	return buffer;
}

const char *chart_end(const struct chart *chart, char buffer[48])
{
	char time[32];

	if (chart->span_ns)
		snprintf(buffer, 48, "%s", render_duration(chart->span_ns, time));
	else
		snprintf(buffer, 48, "snapshot %zu", chart->count);
	return buffer;
}

/* ---- growth --chart -------------------------------------------------------------------------- */

static void print_chart(const struct chart *chart, bool unicode, FILE *out)
{
	char label[32], end[48];

	for (unsigned line = chart->height; line-- > 0;) {
		fprintf(out, "%*s %s", CHART_LABEL, chart_label(chart, line, label),
			unicode ? "┤" : "|");
		for (unsigned x = 0; x < chart->width; x++)
			fputs(chart_glyph(chart_cell(chart, line, x), unicode), out);
		putc('\n', out);
	}
	fprintf(out, "%*s %s", CHART_LABEL, "0 B", unicode ? "└" : "+");
	for (unsigned x = 0; x < chart->width; x++)
		fputs(unicode ? "─" : "-", out);
	fprintf(out, "\n%*s  %s%*s\n\n", CHART_LABEL, "", chart->span_ns ? "0" : "1",
		(int)chart->width - 1, chart_end(chart, end));
}

static void print_titled(struct chart *chart, const char *title,
			 const struct render_options *options, FILE *out)
{
	unsigned width = options->width ? options->width : WIDTH_FILE;
	struct text_buffer text = {0};

	width = width > WIDTH_MOST ? WIDTH_MOST : width;
	if (width < CHART_LABEL + 2 || !chart_fit(chart, width - CHART_LABEL - 2, LINES))
		return;
	text_add_safe(&text, title, strlen(title));
	text_shorten(&text, width, options->unicode);
	fprintf(out, "%s\n", text.data);
	text_free(&text);
	print_chart(chart, options->unicode, out);
}

void chart_print(const struct report *report, const struct render_options *options, FILE *out)
{
	const struct value *key = report->row_count ? report_cell(report, 0, "key") : NULL;
	struct chart chart;

	if (chart_of_process(&chart, report, "recorded"))
		print_titled(&chart, "Recorded memory of the process", options, out);
	chart_release(&chart);
	if (!key || key->kind != VALUE_TEXT)
		return;
	if (chart_of_row(&chart, report, 0))
		print_titled(&chart, key->text.data, options, out);
	chart_release(&chart);
}
