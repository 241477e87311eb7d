/*
 * html.c - the page: plain HTML that can be read without scripts, then the data, then the scripts.
 */
#include "render/html.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/seed.h"
#include "cli/cli.h"
#include "render/formats.h"
#include "render/html_data.h"
#include "base/utf8.h"
#include "base/verdicts.h"
#include "page_embedded.h"
#include "render/render.h"

enum { PLAIN_ROWS = 100, CARDS = 12, FOLLOWERS = 30, NONCE_SIZE = 33 };

struct writer {
	const struct page *page;
	FILE *out;
	struct text_buffer text;
	char nonce[NONCE_SIZE];
};

/* ---- text ------------------------------------------------------------------------------------ */

/* Names come from untrusted files.  Control characters, and characters that change the direction of
   text, become U+FFFD. */
static bool is_harmless(const char *data, size_t length)
{
	return length > 0 && !utf8_is_control(utf8_decode(data, length));
}

static void write_text(FILE *out, const char *text)
{
	size_t size = strlen(text);

	for (size_t at = 0; at < size;) {
		size_t length =
			(unsigned char)text[at] < 0x80 ? 1 : utf8_length(text + at, size - at);

		if (text[at] == '\n' || text[at] == '\t')
			putc(text[at], out);
		else if (!is_harmless(text + at, length))
			fputs("\xef\xbf\xbd", out);
		else if (strchr("<>&\"'", text[at]))
			fprintf(out, "&#%d;", text[at]);
		else
			fwrite(text + at, 1, length, out);
		at += length ? length : 1;
	}
}

static void write_element(struct writer *w, const char *open, const char *text, const char *close)
{
	fputs(open, w->out);
	write_text(w->out, text);
	fputs(close, w->out);
}

/* ---- rows ------------------------------------------------------------------------------------ */

static const char *cell_string(const struct report *report, size_t row, const char *name)
{
	const struct value *value = report_cell(report, row, name);

	return value && value->kind == VALUE_TEXT ? value->text.data : NULL;
}

bool html_shows_column(const struct column *column)
{
	if (column->flags & (COLUMN_DETAIL | COLUMN_TABLE_ONLY))
		return false;
	return !(column->flags & COLUMN_HIDDEN) || strcmp(column->name, "key") == 0;
}

static void write_head_cells(struct writer *w, const struct report *report)
{
	for (size_t i = 0; i < report->column_count; i++) {
		const struct column *column = &report->columns[i];

		if (!html_shows_column(column))
			continue;
		fprintf(w->out, "<th scope=\"col\"%s>",
			cell_is_number(column->kind) ? " class=\"n\"" : "");
		write_element(w, "", column->title, "</th>");
	}
}

static void write_row(struct writer *w, const struct report *report, size_t row)
{
	static const struct render_options plain = {.unicode = true};

	fputs("<tr", w->out);
	if (report == w->page->report)
		fprintf(w->out, " data-row=\"%zu\"", row);
	putc('>', w->out);
	for (size_t i = 0; i < report->column_count; i++) {
		const struct column *column = &report->columns[i];

		if (!html_shows_column(column))
			continue;
		cell_text(&w->text, &report->rows[row * report->column_count + i], column->kind,
			  &plain);
		fprintf(w->out, "<td class=\"%s\">",
			cell_is_number(column->kind)       ? "n"
			: strcmp(column->name, "key") == 0 ? "site"
							   : "");
		write_element(w, "", w->text.data ? w->text.data : "", "</td>");
	}
	fputs("</tr>\n", w->out);
}

static void write_table(struct writer *w)
{
	size_t rows = w->page->report->row_count;

	fputs("<section id=\"table\"><h2>Table</h2>\n"
	      "<div class=\"tools needs-js\" hidden id=\"table-tools\"></div>\n"
	      "<div class=\"scroll\"><table><thead><tr id=\"head\">",
	      w->out);
	write_head_cells(w, w->page->report);
	fputs("</tr></thead><tbody id=\"rows\">\n", w->out);
	for (size_t row = 0; row < rows && row < PLAIN_ROWS; row++)
		write_row(w, w->page->report, row);
	fputs("</tbody></table></div>\n", w->out);
	if (rows > PLAIN_ROWS)
		fprintf(w->out,
			"<p class=\"soft plain-only\">%zu of %zu rows are shown; the others need "
			"scripts.</p>\n",
			(size_t)PLAIN_ROWS, rows);
	fputs("</section>\n", w->out);
}

/* ---- summary --------------------------------------------------------------------------------- */

static void write_reasons(struct writer *w, size_t row)
{
	const struct value *reasons = report_cell(w->page->report, row, "reasons");

	for (size_t i = 0; reasons && reasons->kind == VALUE_LIST && i < reasons->list.count; i++)
		if (reasons->list.items[i].kind == VALUE_TEXT)
			write_element(w, "<p>", reasons->list.items[i].text.data, "</p>\n");
}

static void write_figure_bytes(struct writer *w, const char *before, int64_t bytes)
{
	char text[32];

	fprintf(w->out, "%s%s", before, render_bytes(bytes, true, text));
}

static void write_figure(struct writer *w, size_t row, const char *name, const char *label)
{
	const struct value *value = report_cell(w->page->report, row, name);
	char bytes[32];

	if (value && value->kind == VALUE_INT)
		fprintf(w->out, "%s%s", label, render_bytes(value->integer, false, bytes));
}

static void write_change(struct writer *w, size_t row, const char *name)
{
	const struct value *value = report_cell(w->page->report, row, name);

	if (value && value->kind == VALUE_INT)
		write_figure_bytes(w, "", value->integer);
}

static const char *verdict_of(const struct page *page, size_t row)
{
	const char *verdict = cell_string(page->report, row, "verdict");

	return verdict ? verdict : cell_string(page->report, row, "status");
}

/* There is a card for each row that grew; for a single snapshot, for the rows that hold most. */
static bool is_finding(const struct page *page, size_t row)
{
	const char *name = verdict_of(page, row);
	const char *confidence = cell_string(page->report, row, "confidence");
	const struct verdict *verdict;

	if (!name)
		return true;
	if (confidence && strcmp(confidence, "low") == 0)
		return false;
	verdict = verdict_find(name);
	return verdict ? verdict->grows : strcmp(name, "new") == 0 || strcmp(name, "grew") == 0;
}

/* The finding that a row of a series is part of; 0: none.  Rows that grow in step are one finding. */
static int64_t finding_of(const struct page *page, size_t row)
{
	const struct value *finding = report_cell(page->report, row, "finding");

	return finding && finding->kind == VALUE_INT ? finding->integer : 0;
}

/* The first row of a finding stands for it. */
static bool leads(const struct page *page, size_t row)
{
	int64_t finding = finding_of(page, row);

	for (size_t i = 0; finding && i < row; i++)
		if (finding_of(page, i) == finding && is_finding(page, i))
			return false;
	return is_finding(page, row);
}

/* The other rows that grow in step with the one that leads. */
static void write_followers(struct writer *w, size_t row)
{
	const struct report *report = w->page->report;
	int64_t finding = finding_of(w->page, row), bytes = 0;
	size_t count = 0;

	for (size_t i = 0; finding && i < report->row_count; i++)
		if (i != row && finding_of(w->page, i) == finding) {
			const struct value *growth = report_cell(report, i, "growth_bytes");

			count++;
			bytes += growth && growth->kind == VALUE_INT ? growth->integer : 0;
		}
	if (count == 0)
		return;
	fprintf(w->out, "<details><summary>and %zu more site%s that grow%s in step", count,
		count == 1 ? "" : "s", count == 1 ? "s" : "");
	write_figure_bytes(w, ": ", bytes);
	fputs("</summary><ul>\n", w->out);
	for (size_t i = 0, shown = 0; i < report->row_count && shown < FOLLOWERS; i++)
		if (i != row && finding_of(w->page, i) == finding) {
			fprintf(w->out, "<li data-row=\"%zu\">", i);
			write_element(w, "", cell_string(report, i, "key"), "</li>\n");
			shown++;
		}
	fputs("</ul>\n", w->out);
	if (count > FOLLOWERS)
		fprintf(w->out, "<p class=\"soft\">%zu more are in the table.</p>\n",
			count - FOLLOWERS);
	fputs("</details>\n", w->out);
}

static void write_card(struct writer *w, size_t row)
{
	const char *verdict = verdict_of(w->page, row);
	const char *confidence = cell_string(w->page->report, row, "confidence");
	const char *next = cell_string(w->page->report, row, "next");

	fprintf(w->out, "<article class=\"card\" data-row=\"%zu\" id=\"site-%zu\">", row, row);
	write_element(w, "<h3>", cell_string(w->page->report, row, "key"), "</h3>\n<p>");
	if (verdict) {
		fprintf(w->out, "<span class=\"verdict %s\">", verdict);
		write_element(w, "", verdict, "</span>");
		write_element(w, " ", confidence ? confidence : "", " ");
	}
	write_figure(w, row, "live_bytes", "");
	write_change(w, row, "delta_bytes");
	write_figure(w, row, "first_bytes", "from ");
	write_figure(w, row, "last_bytes", " to ");
	fputs("</p>\n", w->out);
	write_reasons(w, row);
	if (strcmp(w->page->mode, "growth") == 0)
		fprintf(w->out, "<div class=\"spark needs-js\" hidden data-of=\"%zu\"></div>\n",
			row);
	write_followers(w, row);
	if (next)
		write_element(w, "<p class=\"soft\">Next: <code>", next, "</code></p>\n");
	fputs("</article>\n", w->out);
}

static void write_summary(struct writer *w)
{
	const struct report *report = w->page->report;
	size_t cards = 0;

	fputs("<section id=\"summary\"><h2>Summary</h2>\n", w->out);
	for (size_t i = 0; i < report->warning_count; i++)
		write_element(w, "<p class=\"warn\">", report->warnings[i].text, "</p>\n");
	fputs("<div class=\"cards\">\n", w->out);
	for (size_t row = 0; row < report->row_count && cards < CARDS; row++)
		if (leads(w->page, row)) {
			write_card(w, row);
			cards++;
		}
	fputs("</div>\n", w->out);
	if (cards == 0)
		fputs("<p>There is no finding.</p>\n", w->out);
	for (size_t i = 0; i < report->fact_count; i++)
		write_element(w, "<p>", report->facts[i], "</p>\n");
	for (size_t i = 0; i < report->note_count; i++)
		write_element(w, "<p class=\"soft\">", report->notes[i], "</p>\n");
	fputs("</section>\n", w->out);
}

/* ---- other sections -------------------------------------------------------------------------- */

static void write_flame(struct writer *w)
{
	static const struct {
		const char *colour, *meaning;
	} legend[] = {{"#d95f02", "grew"}, {"#2b6cb0", "shrank"}, {"#cfd4da", "as before"}};

	fputs("<section id=\"flame\" class=\"needs-js\" hidden><h2>Call stacks</h2>\n"
	      "<div class=\"tools\" id=\"tools\"></div>\n"
	      "<canvas class=\"flame\" id=\"canvas\" tabindex=\"0\" role=\"img\"></canvas>\n"
	      "<div id=\"detail\" role=\"status\" aria-live=\"polite\"></div>\n"
	      "<p class=\"legend\">",
	      w->out);
	if (strcmp(w->page->mode, "top") == 0)
		fputs("<span><i style=\"background:#f2b48a\"></i>the program's own code</span>"
		      "<span><i style=\"background:#cfd4da\"></i>libraries</span>",
		      w->out);
	else
		for (size_t i = 0; i < sizeof(legend) / sizeof(*legend); i++)
			fprintf(w->out, "<span><i style=\"background:%s\"></i>%s</span>",
				legend[i].colour, legend[i].meaning);
	if (strcmp(w->page->mode, "top") != 0)
		fputs("<span>+ and a solid border: new; − and a dashed border: gone; a box is as "
		      "wide as its larger side</span>",
		      w->out);
	if (strcmp(w->page->mode, "growth") == 0)
		fputs("</p>\n<p class=\"legend\" id=\"verdicts\" hidden></p>\n<p class=\"legend\">",
		      w->out);
	fputs("<span>keys: arrows, Enter to zoom, Esc to zoom out, / to search</span></p>\n"
	      "</section>\n",
	      w->out);
}

static void write_charts(struct writer *w)
{
	if (strcmp(w->page->mode, "growth") != 0)
		return;
	fputs("<section id=\"charts\" class=\"needs-js\" hidden><h2>Growth over time</h2>\n"
	      "<p class=\"soft\">Drag to zoom, drag with Shift to move, double-click for the whole."
	      "</p>\n<h3>The process</h3><div class=\"key\" id=\"process-legend\"></div>\n"
	      "<div class=\"chart\" id=\"process\"></div><ol class=\"marks\" "
	      "id=\"process-marks\"></ol>\n"
	      "<h3 id=\"site-name\">One site</h3><p class=\"soft\" id=\"site-words\"></p>\n"
	      "<div class=\"key\" id=\"site-legend\"></div><div class=\"chart\" "
	      "id=\"site-chart\"></div>\n"
	      "<ol class=\"marks\" id=\"site-marks\"></ol></section>\n",
	      w->out);
}

/* With scripts only the article of the selected row is there. */
static void write_held(struct writer *w, const struct page_held *held)
{
	const struct report *report = held->report;

	fprintf(w->out, "<article class=\"held\" data-of=\"%zu\" id=\"held-%zu\">", held->row,
		held->row);
	write_element(w, "<h3>", cell_string(w->page->report, held->row, "key"), "</h3>\n");
	for (size_t i = 0; i < report->note_count; i++)
		write_element(w, "<p>", report->notes[i], "</p>\n");
	fputs("<div class=\"scroll\"><table><thead><tr>", w->out);
	write_head_cells(w, report);
	fputs("</tr></thead><tbody>\n", w->out);
	for (size_t row = 0; row < report->row_count; row++)
		write_row(w, report, row);
	fputs("</tbody></table></div></article>\n", w->out);
}

static void write_holders(struct writer *w)
{
	if (w->page->held_count == 0)
		return;
	fputs("<section id=\"holders\"><h2>Who holds it</h2>\n"
	      "<p class=\"soft\" id=\"not-held\" hidden>The snapshot does not say who "
	      "holds "
	      "the selected row.</p>\n",
	      w->out);
	for (size_t i = 0; i < w->page->held_count; i++)
		write_held(w, &w->page->held[i]);
	fputs("</section>\n", w->out);
}

static void write_source(struct writer *w, const struct page_source *source)
{
	uint32_t number = source->first;

	write_element(w, "<h3>", source->name, "</h3>\n<pre>");
	for (const char *line = source->text; *line; number++) {
		size_t size = strcspn(line, "\n");
		char *copy = memory_need(strndup(line, size), "printing a report");

		fprintf(w->out, number == source->line ? "<span class=\"hit\">%6u  " : "%6u  ",
			number);
		write_text(w->out, copy);
		fputs(number == source->line ? "</span>\n" : "\n", w->out);
		free(copy);
		line += size + (line[size] == '\n');
	}
	fputs("</pre>\n", w->out);
}

static void write_sources(struct writer *w)
{
	if (w->page->source_count == 0)
		return;
	fputs("<section id=\"source\"><h2>Source</h2>\n", w->out);
	for (size_t i = 0; i < w->page->source_count; i++)
		write_source(w, &w->page->sources[i]);
	fputs("</section>\n", w->out);
}

static void write_inputs(struct writer *w)
{
	const struct value *inputs = value_get(&w->page->report->head, "inputs");
	size_t count = inputs && inputs->kind == VALUE_LIST ? inputs->list.count : 0;

	fputs("<section id=\"inputs\"><h2>Snapshots</h2><ol>\n", w->out);
	for (size_t i = 0; i < count && i < PLAIN_ROWS; i++) {
		const struct value *path = value_get(&inputs->list.items[i], "path");
		const struct value *time = value_get(&inputs->list.items[i], "time");

		write_element(w, "<li><code>",
			      path && path->kind == VALUE_TEXT ? path->text.data : "?", "</code>");
		write_element(w, " <span class=\"soft\">",
			      time && time->kind == VALUE_TEXT ? time->text.data : "",
			      "</span></li>\n");
	}
	fputs("</ol>\n", w->out);
	if (count > PLAIN_ROWS)
		fprintf(w->out, "<p class=\"soft\">... and %zu more.</p>\n", count - PLAIN_ROWS);
	fputs("</section>\n", w->out);
}

/* ---- the document ---------------------------------------------------------------------------- */

static void write_bytes(FILE *out, const unsigned char *data, size_t size)
{
	fwrite(data, 1, size, out);
}

static void make_nonce(char nonce[NONCE_SIZE])
{
	unsigned char random[(NONCE_SIZE - 1) / 2];

	random_bytes(random, sizeof(random));
	for (size_t i = 0; i < sizeof(random); i++)
		snprintf(nonce + 2 * i, 3, "%02x", random[i]);
}

/* Parts that need scripts are hidden by the file itself, and not by a style, because a viewer of CI
   artifacts may also forbid styles. */
static void write_plain_only(struct writer *w)
{
	fprintf(w->out,
		"<p class=\"warn plain-only\" id=\"plain\">No scripts run here, so this page has "
		"no "
		"flame graph and no charts.  A viewer of CI artifacts may forbid them: save the "
		"file "
		"and open it from a disk.</p>\n"
		"<script nonce=\"%s\">document.getElementById(\"plain\").hidden = true</script>\n",
		w->nonce);
}

static void write_opening(struct writer *w)
{
	const char *title = w->page->report->title ? w->page->report->title : "snapdiff";
	const char *finding = w->page->report->headline;

	/* A script from a hostile name would not know this number. */
	fprintf(w->out,
		"<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
		"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
		"style-src 'unsafe-inline'; script-src 'nonce-%s'; img-src data:; base-uri 'none'; "
		"form-action 'none'\">\n"
		"<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n",
		w->nonce);
	write_element(w, "<title>", finding ? finding : title, "</title>\n<style>\n");
	write_bytes(w->out, page_page_css, sizeof(page_page_css));
	write_bytes(w->out, page_dygraph_css, sizeof(page_dygraph_css));
	fputs("</style></head>\n<body>\n<header>\n", w->out);
	write_element(w, "<h1>", finding ? finding : title, "</h1>\n");
	if (finding)
		write_element(w, "<p class=\"soft\">", title, "</p>\n");
	write_plain_only(w);
	fputs("<p class=\"warn\" id=\"problem\" hidden></p>\n</header>\n<nav "
	      "aria-label=\"views\"><ul><li><a href=\"#summary\">Summary</a></li>"
	      "<li class=\"needs-js\" hidden><a href=\"#flame\">Call stacks</a></li>",
	      w->out);
	if (strcmp(w->page->mode, "growth") == 0)
		fputs("<li class=\"needs-js\" hidden><a href=\"#charts\">Growth</a></li>", w->out);
	if (w->page->held_count)
		fputs("<li><a href=\"#holders\">Who holds it</a></li>", w->out);
	fputs("<li><a href=\"#table\">Table</a></li>", w->out);
	if (w->page->source_count)
		fputs("<li><a href=\"#source\">Source</a></li>", w->out);
	fputs("<li><a href=\"#inputs\">Snapshots</a></li></ul></nav>\n<main>\n", w->out);
}

static void write_script(struct writer *w, const unsigned char *data, size_t size)
{
	fprintf(w->out, "<script nonce=\"%s\">\n", w->nonce);
	write_bytes(w->out, data, size);
	fputs("</script>\n", w->out);
}

static enum snap_status write_closing(struct writer *w)
{
	enum snap_status st;

	fprintf(w->out,
		"</main>\n<footer><p class=\"soft\">Made by snapdiff %s.  The charts are drawn by "
		"dygraphs, whose licence is in the source of this page.</p></footer>\n",
		cli_version());
	st = html_data_write(w->page, w->out);
	if (st != SNAP_OK)
		return st;
	fputs("<!--\n", w->out);
	write_bytes(w->out, page_dygraph_licence, sizeof(page_dygraph_licence));
	fputs("-->\n", w->out);
	write_script(w, page_dygraph_js, sizeof(page_dygraph_js));
	write_script(w, page_inflate_js, sizeof(page_inflate_js));
	write_script(w, page_flame_js, sizeof(page_flame_js));
	write_script(w, page_charts_js, sizeof(page_charts_js));
	write_script(w, page_page_js, sizeof(page_page_js));
	fputs("</body></html>\n", w->out);
	return SNAP_OK; /* whoever closes the stream notices write errors */
}

enum snap_status html_write(const struct page *page, FILE *out)
{
	struct writer w = {.page = page, .out = out};
	enum snap_status st;

	make_nonce(w.nonce);
	write_opening(&w);
	write_summary(&w);
	write_flame(&w);
	write_charts(&w);
	write_holders(&w);
	write_table(&w);
	write_sources(&w);
	write_inputs(&w);
	st = write_closing(&w);
	text_free(&w.text);
	return st;
}
