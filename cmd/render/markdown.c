/*
 * markdown.c - a report that reads well in a pull request: a title, warnings, a GitHub table,
 * closing lines.
 */
#include "render/formats.h"

#include <string.h>

enum { NOT_SHOWN = COLUMN_HIDDEN | COLUMN_DETAIL };
/* A page, which a pull request takes even when all names are hostile: 65,536 bytes. */
enum {
	FOLDED_ROWS = 10,
	PAGE_ROWS = 25,
	FOLDED_FRAMES = 12,
	PAGE_LINES = 30,
	PAGE_NAME_BYTES = 160,
	PAGE_LINE_BYTES = 200
};

struct document {
	const struct report *report;
	const struct render_options *options;
	FILE *out;
	struct text_buffer text;
	bool page; /* a report with folded call stacks goes into a pull request */
};

/* Running text: characters that Markdown or HTML would treat as markup are escaped. */
static void write_escaped(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '<')
			fputs("&lt;", out);
		else if (*text == '&')
			fputs("&amp;", out);
		else if (*text == '@' || *text == '#') /* would notify somebody, or name an issue */
			fprintf(out, "&#%d;", *text);
		else if (strncmp(text, "://", 3) == 0) /* would become a link */
			fputs("&#58;", out);
		else {
			if (strchr("\\`*_|[]~", *text))
				putc('\\', out);
			putc(*text, out);
		}
	}
}

static size_t longest_ticks(const char *text)
{
	size_t longest = 0;

	for (; *text; text++) {
		size_t ticks = strspn(text, "`");

		if (ticks > longest)
			longest = ticks;
		text += ticks ? ticks - 1 : 0;
	}
	return longest;
}

static void write_fence(FILE *out, int ticks)
{
	while (ticks-- > 0)
		putc('`', out);
}

/* A name as code, so that `operator*` and `__init__` keep their signs; a pipe is escaped even
 * there.  The fence is longer than any row of backticks in the name, which thus cannot end it. */
static void write_code(FILE *out, const char *text)
{
	int fence = (int)longest_ticks(text) + 1;
	const char *space = text[0] == '`' || (text[0] && text[strlen(text) - 1] == '`') ? " " : "";

	write_fence(out, fence);
	fputs(space, out);
	for (; *text; text++)
		if (*text == '|')
			fputs("\\|", out);
		else
			putc(*text, out);
	fputs(space, out);
	write_fence(out, fence);
}

static void limit(struct document *document, size_t bytes)
{
	if (document->page)
		text_limit(&document->text, bytes);
}

static void write_cell(struct document *document, const struct value *value, enum column_kind kind)
{
	bool code = (kind == COLUMN_NAME || kind == COLUMN_STACK) && value->kind != VALUE_NULL;

	cell_text(&document->text, value, kind, document->options);
	limit(document, PAGE_NAME_BYTES);
	if (code && document->text.size)
		write_code(document->out, document->text.data);
	else
		write_escaped(document->out, document->text.data);
}

static bool is_shown(const struct document *document, size_t column)
{
	const struct column *shown = &document->report->columns[column];

	return !(shown->flags & NOT_SHOWN) &&
	       (shown->kind != COLUMN_SERIES || document->options->series);
}

static void write_header(struct document *document)
{
	const struct report *report = document->report;

	for (size_t i = 0; i < report->column_count; i++)
		if (is_shown(document, i)) {
			fputs("| ", document->out);
			write_escaped(document->out, report->columns[i].title);
			putc(' ', document->out);
		}
	fputs("|\n", document->out);
	for (size_t i = 0; i < report->column_count; i++)
		if (is_shown(document, i))
			fputs(cell_is_number(report->columns[i].kind) ? "| ---: " : "| --- ",
			      document->out);
	fputs("|\n", document->out);
}

static void write_row(struct document *document, const struct value *values)
{
	const struct report *report = document->report;

	for (size_t i = 0; i < report->column_count; i++)
		if (is_shown(document, i)) {
			fputs("| ", document->out);
			write_cell(document, &values[i], report->columns[i].kind);
			putc(' ', document->out);
		}
	fputs("|\n", document->out);
}

/* A row that sums others: its label, and the figures that exist. */
static void write_closing(struct document *document, const char *label,
			  struct value (*figure)(const struct report *, size_t), const char *mark)
{
	const struct report *report = document->report;
	size_t label_at = label_column(report, NOT_SHOWN);

	for (size_t i = 0; i < report->column_count; i++) {
		struct value value = figure(report, i);

		if (!is_shown(document, i))
			continue;
		fputs("| ", document->out);
		if (i == label_at || value.kind != VALUE_NULL)
			fputs(mark, document->out);
		if (i == label_at)
			fputs(label, document->out);
		else if (value.kind != VALUE_NULL)
			write_cell(document, &value, report->columns[i].kind);
		if (i == label_at || value.kind != VALUE_NULL)
			fputs(mark, document->out);
		putc(' ', document->out);
	}
	fputs("|\n", document->out);
}

static struct value hidden_figure(const struct report *report, size_t column)
{
	const struct value *figure = summary_figure(report, "hidden", column);

	return figure ? *figure : value_null();
}

static void write_closings(struct document *document)
{
	char label[64];

	if (has_hidden(document->report))
		write_closing(document, hidden_label(document->report, label), hidden_figure, "*");
	if (wants_total(document->report))
		write_closing(document, "total", summary_total, "**");
}

static void write_line(struct document *document, const char *before, const char *line,
		       const char *after)
{
	text_clear(&document->text);
	text_add_safe(&document->text, line, strlen(line));
	limit(document, PAGE_LINE_BYTES);
	fputs(before, document->out);
	write_escaped(document->out, document->text.data);
	fputs(after, document->out);
}

/* Text inside an HTML element, where Markdown means nothing. */
static void write_html(FILE *out, const char *text)
{
	for (; *text; text++)
		if (strchr("<>&\"'", *text))
			fprintf(out, "&#%d;", *text);
		else
			putc(*text, out);
}

/* The call stack of a row, which opens on a click. */
static void write_folded_stack(struct document *document, const struct value *row,
			       const struct value *stack)
{
	size_t frames = stack->list.count < FOLDED_FRAMES ? stack->list.count : FOLDED_FRAMES;
	size_t label_at = label_column(document->report, COLUMN_DETAIL);

	fputs("\n<details><summary>Call stack: ", document->out);
	cell_text(&document->text, &row[label_at], COLUMN_TEXT, document->options);
	limit(document, PAGE_NAME_BYTES);
	write_html(document->out, document->text.data);
	fputs("</summary>\n\n", document->out);
	for (size_t i = 0; i < frames; i++) {
		text_clear(&document->text);
		cell_frame(&document->text, &stack->list.items[i]);
		limit(document, PAGE_NAME_BYTES);
		fputs("- ", document->out);
		write_code(document->out, document->text.data);
		putc('\n', document->out);
	}
	if (frames < stack->list.count)
		fprintf(document->out, "- ... and %zu more\n", stack->list.count - frames);
	fputs("\n</details>\n", document->out);
}

static bool is_page(const struct report *report)
{
	for (size_t i = 0; i < report->column_count; i++)
		if (report->columns[i].flags & COLUMN_FOLDED)
			return true;
	return false;
}

static void write_folded(struct document *document)
{
	const struct report *report = document->report;

	for (size_t i = 0; i < report->column_count; i++) {
		if (!(report->columns[i].flags & COLUMN_FOLDED))
			continue;
		for (size_t row = 0; row < report->row_count && row < FOLDED_ROWS; row++) {
			const struct value *values = report->rows + row * report->column_count;

			if (values[i].kind == VALUE_LIST && values[i].list.count)
				write_folded_stack(document, values, &values[i]);
		}
	}
}

static void write_lines(struct document *document, const char *const *lines, size_t count,
			bool first)
{
	size_t shown = document->page && count > PAGE_LINES ? PAGE_LINES : count;

	for (size_t i = 0; i < shown; i++)
		write_line(document, i == 0 && first && document->report->row_count ? "\n" : "",
			   lines[i], "  \n");
	if (shown < count)
		fprintf(document->out, "... and %zu more such lines  \n", count - shown);
}

static void write_warning(void *user, const char *text)
{
	write_line(user, "> warning: ", text, "\n\n");
}

static enum snap_status render(const struct report *report, FILE *out,
			       const struct render_options *options)
{
	struct document document = {
		.report = report, .options = options, .out = out, .page = is_page(report)};

	if (report->headline)
		write_line(&document, "**", report->headline, "**\n\n");
	if (report->title)
		write_line(&document, report->headline ? "" : "**", report->title,
			   report->headline ? "\n\n" : "**\n\n");
	warnings_each(report, options->exact ? WARNINGS_ALL : WARNINGS_ALIKE_ONCE, write_warning,
		      &document);
	if (report->row_count) {
		size_t rows = document.page && report->row_count > PAGE_ROWS ? PAGE_ROWS
									     : report->row_count;

		write_header(&document);
		for (size_t row = 0; row < rows; row++)
			write_row(&document, report->rows + row * report->column_count);
		write_closings(&document);
		if (rows < report->row_count)
			fprintf(out, "\n%zu more rows are not shown here; -f json has them all.\n",
				report->row_count - rows);
		write_folded(&document);
	}
	write_lines(&document, report->facts, report->fact_count, true);
	if (!options->quiet)
		write_lines(&document, report->notes, report->note_count, !report->fact_count);
	text_free(&document.text);
	return ferror(out) ? SNAP_ESYSTEM : SNAP_OK;
}

const struct renderer render_markdown = {"markdown", render};
