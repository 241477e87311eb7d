/*
 * detail.c - the right half: details of the line under the cursor.
 */
#include <curses.h>
#include <string.h>

#include "browse/state.h"
#include "render/chart.h"
#include "render/render.h"

enum { CHART_LINES = 8 };

/* Where details are written, line by line. */
struct pane {
	int x, y, width, end;
};

static bool pane_line(struct pane *pane)
{
	if (pane->y >= pane->end || pane->width < 10)
		return false;
	move(pane->y++, pane->x);
	return true;
}

static void say(struct browse *b, struct pane *pane, const char *text)
{
	if (pane_line(pane))
		browse_put(b, text, pane->width);
}

/* Text over several lines, broken at blanks. */
static void say_long(struct browse *b, struct pane *pane, const char *text)
{
	while (*text && pane->y < pane->end) {
		size_t size = strlen(text), take = size;
		char line[TEXT_SIZE * 2];

		if (size > (size_t)pane->width) {
			take = (size_t)pane->width;
			while (take > 1 && text[take] != ' ')
				take--;
			if (take <= 1)
				take = (size_t)pane->width;
		}
		snprintf(line, sizeof(line), "%.*s", (int)take, text);
		say(b, pane, line);
		text += take;
		text += strspn(text, " ");
	}
}

static void draw_cell(const struct browse *b, struct chart_cell cell, unsigned bands, bool told)
{
	unsigned age = bands > 1 ? (cell.band - 1) * AGES / bands : 0;
	attr_t look = cell.band && bands > 1 ? (attr_t)COLOR_PAIR(PAIR_AGES + (int)age) : 0;

	attron(look);
	if (told && cell.eighths == 0)
		addch('.');
	else if (bands > 1 && cell.band && (!b->unicode || !has_colors()))
		addch('0' + cell.band);
	else
		addstr(chart_glyph(cell, b->unicode));
	attroff(look);
}

/* Bytes upwards, time to the right; dots mark the chosen snapshot. */
static void draw_chart(struct browse *b, struct pane *pane, struct chart *chart)
{
	char label[48];

	if (pane->width < CHART_LABEL + 2 || pane->end - pane->y < CHART_LINES + 2 ||
	    !chart_fit(chart, (unsigned)pane->width - CHART_LABEL - 2, CHART_LINES))
		return;
	for (unsigned line = chart->height; line-- > 0;) {
		pane_line(pane);
		printw("%*s |", CHART_LABEL, chart_label(chart, line, label));
		for (unsigned x = 0; x < chart->width; x++)
			draw_cell(b, chart_cell(chart, line, x), (unsigned)chart->bands,
				  chart_snapshot(chart, x) == b->snapshot);
	}
	if (pane_line(pane)) {
		printw("%*s +", CHART_LABEL, "0 B");
		hline('-', (int)chart->width);
	}
	if (pane_line(pane))
		printw("%*s  %s%*s", CHART_LABEL, "", chart->span_ns ? "0" : "1",
		       (int)chart->width - 1, chart_end(chart, label));
}

static size_t field(const struct value *object, const char *name)
{
	const struct value *value = value_get(object, name);

	return value && value->kind == VALUE_INT ? (size_t)value->integer : 0;
}

/* When the blocks that live at the snapshot were allocated, the oldest first. */
static void detail_cohorts(struct browse *b, struct pane *pane, const struct chart *chart,
			   const struct value *cohorts)
{
	char line[TEXT_SIZE], bytes[32];

	if (!cohorts || cohorts->kind != VALUE_LIST)
		return;
	for (size_t band = 0; band < chart->bands; band++) {
		const struct value *from = &cohorts->list.items[band];
		double value = chart->values[band * chart->count + b->snapshot];

		if (!(value > 0))
			continue;
		snprintf(line, sizeof(line), "  %zu %10s  allocated before snapshot %zu", band + 1,
			 render_bytes((int64_t)value, false, bytes), field(from, "first"));
		if (field(from, "last") != field(from, "first"))
			snprintf(line + strlen(line), sizeof(line) - strlen(line), " to %zu",
				 field(from, "last"));
		say(b, pane, line);
		attron(A_BOLD | COLOR_PAIR(PAIR_AGES + (int)(band * AGES / chart->bands)));
		mvprintw(pane->y - 1, pane->x, "  %zu", band + 1);
		attrset(A_NORMAL);
	}
}

static void detail_series(struct browse *b, struct pane *pane, size_t row)
{
	const struct value *series = browse_cell(b, row, "series");
	const struct value *bytes = value_get(series, "bytes");
	struct chart chart;
	char line[TEXT_SIZE], text[32];

	if (chart_of_row(&chart, b->subject.report, row)) {
		if (b->snapshot >= chart.count)
			b->snapshot = chart.count - 1;
		draw_chart(b, pane, &chart);
		snprintf(line, sizeof(line), "snapshot %zu of %zu: %s%s  ([ ] x)", b->snapshot + 1,
			 chart.count,
			 render_bytes(bytes->list.items[b->snapshot].integer, false, text),
			 b->marked == chart.input + b->snapshot ? ", marked" : "");
		say(b, pane, line);
		detail_cohorts(b, pane, &chart, value_get(series, "cohorts"));
	}
	chart_release(&chart);
}

/* ---- source lines ---------------------------------------------------------------------------- */

static const struct page_source *source_of(const struct browse *b, size_t row)
{
	const struct value *line = browse_cell(b, row, "line");
	const char *file = browse_string(browse_cell(b, row, "file"));

	for (size_t i = 0; file && line && i < b->subject.source_count; i++)
		if (strcmp(b->subject.sources[i].name, file) == 0 && line->kind == VALUE_INT &&
		    line->integer == b->subject.sources[i].line)
			return &b->subject.sources[i];
	return NULL;
}

static void detail_source(struct browse *b, struct pane *pane, size_t row)
{
	const struct page_source *source = source_of(b, row);
	uint32_t number = source ? source->first : 0;

	if (source)
		say(b, pane, "");
	for (const char *at = source ? source->text : ""; *at && pane->y < pane->end; number++) {
		size_t size = strcspn(at, "\n"), out = 0;
		char line[2 * TEXT_SIZE];

		out = (size_t)snprintf(line, sizeof(line), "%c%5u  ",
				       number == source->line ? '>' : ' ', number);
		for (size_t i = 0; i < size && out + 5 < sizeof(line); i++) {
			if (at[i] == '\t')
				out += (size_t)snprintf(line + out, 5, "    ");
			else
				line[out++] = at[i];
		}
		line[out] = '\0';
		say(b, pane, line);
		at += size + (at[size] == '\n');
	}
}

/* ---- holders ---- */

static void detail_holder(struct browse *b, struct pane *pane, const struct report *held,
			  size_t row)
{
	const char *role = browse_string(report_cell(held, row, "role"));
	const char *key = browse_string(report_cell(held, row, "key"));
	const struct value *amount = report_cell(held, row, "bytes");
	const struct value *retained = report_cell(held, row, "retained_bytes");
	char bytes[32], all[32], line[TEXT_SIZE];

	if (!amount || amount->kind != VALUE_INT)
		return;
	snprintf(line, sizeof(line), "%-14.14s %9s%s%s  ", role ? role : "",
		 render_bytes(amount->integer, false, bytes),
		 retained && retained->kind == VALUE_INT ? ", retains " : "",
		 retained && retained->kind == VALUE_INT
			 ? render_bytes(retained->integer, false, all)
			 : "");
	snprintf(line + strlen(line), sizeof(line) - strlen(line), "%s", key ? key : "");
	say(b, pane, line);
}

static void detail_holders(struct browse *b, struct pane *pane, size_t row)
{
	const struct report *held = NULL;

	for (size_t i = 0; i < b->subject.held_count; i++)
		if (b->subject.held[i].row == row)
			held = b->subject.held[i].report;
	if (!held)
		return;
	say(b, pane, "");
	for (size_t i = 0; i < held->row_count && pane->y < pane->end; i++)
		detail_holder(b, pane, held, i);
	for (size_t i = 0; i < held->note_count && pane->y < pane->end; i++)
		say_long(b, pane, held->notes[i]);
}

static void detail_stack(struct browse *b, struct pane *pane, size_t row)
{
	const struct value *stack = browse_cell(b, row, "stack");

	if (!stack || stack->kind != VALUE_LIST)
		return;
	say(b, pane, "");
	for (size_t i = 0; i < stack->list.count && pane->y < pane->end; i++) {
		struct text_buffer frame = {0};

		cell_frame(&frame, &stack->list.items[i]);
		say(b, pane, frame.data ? frame.data : "");
		text_free(&frame);
	}
}

static void detail_row(struct browse *b, struct pane *pane, size_t row)
{
	const struct value *reasons = browse_cell(b, row, "reasons");
	const char *key = browse_string(browse_cell(b, row, "key")),
		   *verdict = browse_verdict(b, row);
	const char *confidence = browse_string(browse_cell(b, row, "confidence"));
	const char *next = browse_string(browse_cell(b, row, "next"));
	char line[TEXT_SIZE];

	say(b, pane, key ? key : "?");
	if (verdict) {
		snprintf(line, sizeof(line), "%s %s", verdict, confidence ? confidence : "");
		say(b, pane, line);
	}
	detail_series(b, pane, row);
	for (size_t i = 0; reasons && reasons->kind == VALUE_LIST && i < reasons->list.count; i++)
		if (browse_string(&reasons->list.items[i]))
			say_long(b, pane, browse_string(&reasons->list.items[i]));
	detail_holders(b, pane, row);
	detail_source(b, pane, row);
	detail_stack(b, pane, row);
	if (next) {
		say(b, pane, "");
		say_long(b, pane, next);
	}
}

/* The first row of the function that a node is; (size_t)-1: there is none. */
static size_t row_of_node(const struct browse *b, uint32_t node)
{
	const char *name = browse_tree_name(&b->tree, node);

	for (size_t row = 0; row < b->subject.report->row_count; row++) {
		const char *function = browse_string(browse_cell(b, row, "function"));

		if (function && strcmp(function, name) == 0)
			return row;
	}
	return (size_t)-1;
}

static void detail_node(struct browse *b, struct pane *pane, uint32_t id)
{
	const struct browse_node *node = &b->tree.nodes[id];
	const struct page_frame *frame = &b->tree.stacks->frames[node->frame];
	const char *file = page_stacks_text(b->tree.stacks, frame->file);
	char line[TEXT_SIZE], old[32], new_[32];
	size_t row = row_of_node(b, id);

	say(b, pane, browse_tree_name(&b->tree, id));
	if (*file) {
		snprintf(line, sizeof(line), "%.100s:%u", file, frame->line);
		say(b, pane, line);
	}
	say(b, pane, page_stacks_text(b->tree.stacks, frame->module));
	if (b->figure == 1)
		snprintf(line, sizeof(line), "%llu -> %llu blocks",
			 (unsigned long long)node->sides[0], (unsigned long long)node->sides[1]);
	else
		snprintf(line, sizeof(line), "%s -> %s",
			 render_bytes((int64_t)node->sides[0], false, old),
			 render_bytes((int64_t)node->sides[1], false, new_));
	say(b, pane, line);
	if (row != (size_t)-1) {
		say(b, pane, "");
		detail_row(b, pane, row);
	}
}

void browse_draw_detail(struct browse *b)
{
	struct pane pane = {browse_left_width() + 1, 1, COLS - browse_left_width() - 2, LINES - 2};

	if (COLS < NARROW_COLUMNS || browse_count(b) == 0)
		return;
	mvvline(1, browse_left_width(), b->unicode ? ACS_VLINE : '|', LINES - 3);
	if (b->view == VIEW_ROWS)
		detail_row(b, &pane, b->rows.at);
	else
		detail_node(b, &pane, b->tree.shown[b->stacks.at]);
}
