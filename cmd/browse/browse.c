/*
 * browse.c - the screen and its keys.  The only file that sees curses.h.
 *
 * The left half lists rows, or the tree of call stacks; the right half says what is known of the
 * line under the cursor.  Names come from untrusted files: text_add_safe() makes them harmless.
 */
#include "browse/browse.h"

#include <curses.h>
#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fail.h"
#include "browse/tree.h"
#include "render/formats.h"

enum { LEAST_COLUMNS = 40, LEAST_LINES = 8, CHART_LINES = 8, TEXT_SIZE = 128 };
enum { PAIR_GREW = 1, PAIR_SHRANK, PAIR_SOFT };
enum view { VIEW_ROWS, VIEW_TREE };

struct list_place {
	size_t at, top; /* the line under the cursor, and the first that is shown */
};

struct browse {
	const struct browse_subject *subject;
	struct browse_tree tree;
	enum view view;
	struct list_place rows, stacks;
	size_t figure;
	enum browse_order order;
	size_t snapshot; /* of a series: the one whose figure is told */
	char search[TEXT_SIZE];
	const char *message;
	struct text_buffer text;
	bool unicode;
};

/* ---- rows ---- */

static const struct value *cell(const struct browse *b, size_t row, const char *name)
{
	return report_cell(b->subject->report, row, name);
}

static const char *string(const struct value *value)
{
	return value && value->kind == VALUE_TEXT ? value->text.data : NULL;
}

static const char *row_verdict(const struct browse *b, size_t row)
{
	const char *verdict = string(cell(b, row, "verdict"));

	return verdict ? verdict : string(cell(b, row, "status"));
}

static bool integer(const struct value *value, int64_t *out)
{
	if (!value || value->kind != VALUE_INT)
		return false;
	*out = value->integer;
	return true;
}

/* What a row is about in bytes: its change, or what it holds. */
static int64_t row_bytes(const struct browse *b, size_t row, bool *signed_)
{
	int64_t first, last;

	*signed_ = true;
	if (integer(cell(b, row, "delta_bytes"), &last))
		return last;
	if (integer(cell(b, row, "last_bytes"), &last) &&
	    integer(cell(b, row, "first_bytes"), &first))
		return last - first;
	*signed_ = false;
	return integer(cell(b, row, "live_bytes"), &last) ? last : 0;
}

/* ---- text on the screen ---- */

/* At most `room` columns of `text`, harmless, from where the cursor is. */
static void put_text(struct browse *b, const char *text, int room)
{
	if (room <= 0)
		return;
	text_clear(&b->text);
	text_add_safe(&b->text, text, strlen(text));
	text_shorten(&b->text, (unsigned)room, b->unicode);
	addstr(b->text.data ? b->text.data : "");
}

static int colour_of(int64_t change)
{
	return change > 0 ? COLOR_PAIR(PAIR_GREW) : change < 0 ? COLOR_PAIR(PAIR_SHRANK) : 0;
}

static int left_width(void)
{
	return COLS < 72 ? COLS : COLS * 11 / 20;
}

static int list_height(void)
{
	return LINES - 3;
}

/* ---- the left half ---- */

static void draw_row(struct browse *b, size_t row, int room)
{
	const char *verdict = row_verdict(b, row), *key = string(cell(b, row, "key"));
	char bytes[32];
	bool sign;
	int64_t amount = row_bytes(b, row, &sign);

	attron(sign ? colour_of(amount) : 0);
	printw("%11s ", render_bytes(amount, sign, bytes));
	attroff(sign ? colour_of(amount) : 0);
	room -= 12;
	if (verdict) {
		printw("%-10.10s ", verdict);
		room -= 11;
	}
	put_text(b, key ? key : "?", room);
}

static void draw_node(struct browse *b, size_t position, int room)
{
	const struct browse_node *node = &b->tree.nodes[b->tree.shown[position]];
	int64_t old = (int64_t)node->sides[0], new_ = (int64_t)node->sides[1];
	bool two = strcmp(b->subject->mode, "top") != 0, in_bytes = b->figure != 1;
	int64_t amount = two ? new_ - old : new_;
	int indent = (int)(node->level < 24 ? node->level : 24);
	char bytes[32];

	attron(two ? colour_of(amount) : 0);
	if (in_bytes)
		printw("%11s ", render_bytes(amount, two, bytes));
	else
		printw(two ? "%+11lld " : "%11lld ", (long long)amount);
	attroff(two ? colour_of(amount) : 0);
	printw("%*s%c ", indent, "", node->first == SNAP_NONE ? ' ' : node->open ? '-' : '+');
	if (!b->tree.stacks->frames[node->frame].own)
		attron(COLOR_PAIR(PAIR_SOFT));
	put_text(b, browse_tree_name(&b->tree, b->tree.shown[position]), room - 14 - indent);
	attroff(COLOR_PAIR(PAIR_SOFT));
}

static struct list_place *place_of(struct browse *b)
{
	return b->view == VIEW_ROWS ? &b->rows : &b->stacks;
}

static size_t list_count(const struct browse *b)
{
	return b->view == VIEW_ROWS ? b->subject->report->row_count : b->tree.shown_count;
}

/* Keep the cursor in the list and on the screen. */
static void keep_in_view(struct browse *b)
{
	struct list_place *place = place_of(b);
	size_t count = list_count(b), height = (size_t)list_height();

	if (count && place->at >= count)
		place->at = count - 1;
	if (place->at < place->top)
		place->top = place->at;
	if (place->at >= place->top + height)
		place->top = place->at - height + 1;
}

static void draw_list(struct browse *b)
{
	const struct list_place *place = place_of(b);
	size_t count = list_count(b);

	for (int i = 0; i < list_height() && place->top + (size_t)i < count; i++) {
		size_t at = place->top + (size_t)i;

		move(i + 1, 0);
		if (at == place->at)
			attron(A_REVERSE);
		if (b->view == VIEW_ROWS)
			draw_row(b, at, left_width() - 1);
		else
			draw_node(b, at, left_width() - 1);
		attroff(A_REVERSE);
	}
	if (count == 0)
		mvaddstr(1, 0, "nothing to show");
}

/* ---- the right half ---- */

/* Where details are written, line by line. */
struct pane {
	int x, y, width, end;
};

static bool pane_line(const struct browse *b, struct pane *pane)
{
	(void)b;
	if (pane->y >= pane->end || pane->width < 10)
		return false;
	move(pane->y++, pane->x);
	return true;
}

static void say(struct browse *b, struct pane *pane, const char *text)
{
	if (pane_line(b, pane))
		put_text(b, text, pane->width);
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

static double most_of(const struct value *series)
{
	double most = 0;

	for (size_t i = 0; i < series->list.count; i++)
		if (series->list.items[i].kind == VALUE_INT &&
		    (double)series->list.items[i].integer > most)
			most = (double)series->list.items[i].integer;
	return most;
}

/* A chart with its axes: bytes upwards, snapshots to the right. */
static void draw_chart(struct browse *b, struct pane *pane, const struct value *series)
{
	double most = most_of(series);
	size_t count = series->list.count;
	int room = pane->width - 12;
	char bytes[32];

	if (count < 2 || most <= 0 || room < 4 || pane->end - pane->y < CHART_LINES + 2)
		return;
	for (int line = CHART_LINES; line > 0; line--) {
		if (!pane_line(b, pane))
			return;
		printw("%10s |", line == CHART_LINES ? render_bytes((int64_t)most, false, bytes)
				 : line == 1         ? "0 B"
						     : "");
		for (int x = 0; x < room; x++) {
			size_t i = (size_t)x * count / (size_t)room;
			double value = (double)series->list.items[i].integer / most * CHART_LINES;

			addch(value > line - 1 ? (i == b->snapshot ? '@' : '#') : ' ');
		}
	}
	if (pane_line(b, pane))
		printw("%10s  1%*zu snapshots", "", room - 12 > 1 ? room - 12 : 1, count);
}

static void detail_series(struct browse *b, struct pane *pane, size_t row)
{
	const struct value *series = value_get(cell(b, row, "series"), "bytes");
	char line[TEXT_SIZE], bytes[32];

	if (!series || series->kind != VALUE_LIST || series->list.count == 0)
		return;
	if (b->snapshot >= series->list.count)
		b->snapshot = series->list.count - 1;
	draw_chart(b, pane, series);
	snprintf(line, sizeof(line), "snapshot %zu of %zu: %s  ([ and ])", b->snapshot + 1,
		 series->list.count,
		 render_bytes(series->list.items[b->snapshot].integer, false, bytes));
	say(b, pane, line);
}

static void detail_stack(struct browse *b, struct pane *pane, size_t row)
{
	const struct value *stack = cell(b, row, "stack");

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
	const struct value *reasons = cell(b, row, "reasons");
	const char *key = string(cell(b, row, "key")), *verdict = row_verdict(b, row);
	const char *confidence = string(cell(b, row, "confidence"));
	const char *next = string(cell(b, row, "next"));
	char line[TEXT_SIZE];

	say(b, pane, key ? key : "?");
	if (verdict) {
		snprintf(line, sizeof(line), "%s %s", verdict, confidence ? confidence : "");
		say(b, pane, line);
	}
	detail_series(b, pane, row);
	for (size_t i = 0; reasons && reasons->kind == VALUE_LIST && i < reasons->list.count; i++)
		if (string(&reasons->list.items[i]))
			say_long(b, pane, string(&reasons->list.items[i]));
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

	for (size_t row = 0; row < b->subject->report->row_count; row++) {
		const char *function = string(cell(b, row, "function"));

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

static void draw_detail(struct browse *b)
{
	struct pane pane = {left_width() + 1, 1, COLS - left_width() - 2, LINES - 2};

	if (COLS < 72 || list_count(b) == 0)
		return;
	mvvline(1, left_width(), b->unicode ? ACS_VLINE : '|', LINES - 3);
	if (b->view == VIEW_ROWS)
		detail_row(b, &pane, b->rows.at);
	else
		detail_node(b, &pane, b->tree.shown[b->stacks.at]);
}

/* ---- the screen ---- */

static void draw_help(struct browse *b)
{
	static const char *const lines[] = {
		"arrows, h j k l    move; right opens, left closes",
		"Enter              a row: its function in the tree; a node: open or close",
		"Tab                rows or call stacks",
		"g G, PgUp PgDn     first, last, a page",
		"/ n N              search, next, previous",
		"m                  the next figure: bytes, blocks, allocated",
		"s                  order by change or by size",
		"[ ]                an earlier or a later snapshot of the series",
		"?                  this",
		"q                  leave",
		NULL,
	};

	erase();
	mvaddstr(0, 0, "Keys");
	for (int i = 0; lines[i] && i + 2 < LINES; i++) {
		move(i + 2, 2);
		put_text(b, lines[i], COLS - 3);
	}
	refresh();
	getch();
}

static void draw(struct browse *b)
{
	erase();
	if (COLS < LEAST_COLUMNS || LINES < LEAST_LINES) {
		mvaddstr(0, 0, "too small");
		refresh();
		return;
	}
	keep_in_view(b);
	attron(A_BOLD);
	move(0, 0);
	put_text(b, b->subject->report->title ? b->subject->report->title : "snapdiff", COLS - 1);
	attroff(A_BOLD);
	draw_list(b);
	draw_detail(b);
	attron(A_REVERSE);
	mvhline(LINES - 1, 0, ' ', COLS);
	mvprintw(LINES - 1, 0, "%s  %s  %zu/%zu", b->view == VIEW_ROWS ? "rows" : "call stacks",
		 page_figure_names[b->figure], list_count(b) ? place_of(b)->at + 1 : 0,
		 list_count(b));
	put_text(b, b->message ? b->message : "   ? help  Tab other view  q leave", COLS - 40);
	attroff(A_REVERSE);
	refresh();
	b->message = NULL;
}

/* ---- keys ---- */

static enum snap_status rebuild(struct browse *b, struct snap_error *err)
{
	browse_tree_release(&b->tree);
	b->stacks = (struct list_place){0, 0};
	return browse_tree_make(&b->tree, b->subject->stacks, b->figure, b->order, err);
}

static void move_by(struct browse *b, long by)
{
	struct list_place *place = place_of(b);
	long at = (long)place->at + by, last = (long)list_count(b) - 1;

	place->at = (size_t)(at < 0 ? 0 : at > last ? (last < 0 ? 0 : last) : at);
}

static void close_or_leave(struct browse *b)
{
	const struct browse_node *node;

	if (b->view != VIEW_TREE || b->tree.shown_count == 0)
		return;
	node = &b->tree.nodes[b->tree.shown[b->stacks.at]];
	if (node->open && node->first != SNAP_NONE)
		browse_tree_set_open(&b->tree, b->stacks.at, false);
	else if (node->parent != SNAP_NONE)
		b->stacks.at = browse_tree_show(&b->tree, node->parent);
}

static void open_node(struct browse *b)
{
	if (b->view == VIEW_TREE && b->tree.shown_count)
		browse_tree_set_open(&b->tree, b->stacks.at, true);
}

static void enter(struct browse *b)
{
	const char *function;
	uint32_t node;

	if (b->view == VIEW_TREE) {
		if (b->tree.shown_count)
			browse_tree_set_open(&b->tree, b->stacks.at,
					     !b->tree.nodes[b->tree.shown[b->stacks.at]].open);
		return;
	}
	if (list_count(b) == 0)
		return;
	function = string(cell(b, b->rows.at, "function"));
	node = function ? browse_tree_search(&b->tree, SNAP_NONE, function, false) : SNAP_NONE;
	if (node == SNAP_NONE) {
		b->message = "   its function is in no call stack";
		return;
	}
	b->view = VIEW_TREE;
	b->stacks.at = browse_tree_show(&b->tree, node);
}

static void search_rows(struct browse *b, bool back)
{
	size_t count = list_count(b);

	for (size_t step = 1; step <= count; step++) {
		size_t row = (b->rows.at + (back ? count - step : step)) % count;
		const char *key = string(cell(b, row, "key"));

		if (key && strstr(key, b->search)) {
			b->rows.at = row;
			return;
		}
	}
	b->message = "   not found";
}

static void search_tree(struct browse *b, bool back)
{
	uint32_t from = b->tree.shown_count ? b->tree.shown[b->stacks.at] : SNAP_NONE;
	uint32_t node = browse_tree_search(&b->tree, from, b->search, back);

	if (node == SNAP_NONE)
		node = browse_tree_search(&b->tree, SNAP_NONE, b->search, back);
	if (node == SNAP_NONE)
		b->message = "   not found";
	else
		b->stacks.at = browse_tree_show(&b->tree, node);
}

static void search(struct browse *b, bool back)
{
	if (!b->search[0])
		return;
	if (b->view == VIEW_ROWS)
		search_rows(b, back);
	else
		search_tree(b, back);
}

static void ask_search(struct browse *b)
{
	move(LINES - 1, 0);
	clrtoeol();
	addch('/');
	echo();
	curs_set(1);
	getnstr(b->search, sizeof(b->search) - 1);
	curs_set(0);
	noecho();
	search(b, false);
}

static void next_figure(struct browse *b)
{
	do
		b->figure = (b->figure + 1) % PAGE_FIGURES;
	while (b->figure && !b->subject->stacks->known[b->figure]);
}

/* False to leave. */
static bool on_key(struct browse *b, int key, enum snap_status *st, struct snap_error *err)
{
	switch (key) {
	case 'q':
	case 'Q':
		return false;
	case KEY_UP:
	case 'k':
		move_by(b, -1);
		break;
	case KEY_DOWN:
	case 'j':
		move_by(b, 1);
		break;
	case KEY_PPAGE:
		move_by(b, -list_height());
		break;
	case KEY_NPAGE:
	case ' ':
		move_by(b, list_height());
		break;
	case 'g':
	case KEY_HOME:
		place_of(b)->at = 0;
		break;
	case 'G':
	case KEY_END:
		move_by(b, (long)list_count(b));
		break;
	case KEY_LEFT:
	case 'h':
		close_or_leave(b);
		break;
	case KEY_RIGHT:
	case 'l':
		open_node(b);
		break;
	case '\n':
	case KEY_ENTER:
		enter(b);
		break;
	case '\t':
		b->view = b->view == VIEW_ROWS ? VIEW_TREE : VIEW_ROWS;
		break;
	case '/':
		ask_search(b);
		break;
	case 'n':
	case 'N':
		search(b, key == 'N');
		break;
	case '[':
		b->snapshot -= b->snapshot > 0;
		break;
	case ']':
		b->snapshot++;
		break;
	case 'm':
		next_figure(b);
		*st = rebuild(b, err);
		break;
	case 's':
		b->order = b->order == BROWSE_BY_SIZE ? BROWSE_BY_CHANGE : BROWSE_BY_SIZE;
		*st = rebuild(b, err);
		break;
	case '?':
		draw_help(b);
		break;
	case ERR: /* the terminal is gone */
		return false;
	default:
		break;
	}
	return *st == SNAP_OK;
}

/* ---- beginning and end ---- */

static void begin_screen(void)
{
	cbreak();
	noecho();
	keypad(stdscr, TRUE);
	set_escdelay(25);
	curs_set(0);
	if (!has_colors())
		return;
	start_color();
	use_default_colors();
	init_pair(PAIR_GREW, COLOR_RED, -1);
	init_pair(PAIR_SHRANK, COLOR_GREEN, -1);
	init_pair(PAIR_SOFT, COLOR_CYAN, -1);
}

enum snap_status browse_run(const struct browse_subject *subject, struct snap_error *err)
{
	struct browse b = {.subject = subject, .snapshot = SIZE_MAX};
	SCREEN *screen;
	enum snap_status st;

	b.order = strcmp(subject->mode, "top") == 0 ? BROWSE_BY_SIZE : BROWSE_BY_CHANGE;
	st = rebuild(&b, err);
	if (st != SNAP_OK)
		return st;
	setlocale(LC_CTYPE, "");
	b.unicode = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	screen = newterm(NULL, stdout, stdin);
	if (!screen) {
		browse_tree_release(&b.tree);
		return fail(err, SNAP_ESYSTEM, "this terminal cannot be used (TERM=%s)",
			    getenv("TERM") ? getenv("TERM") : "");
	}
	begin_screen();
	do
		draw(&b);
	while (on_key(&b, getch(), &st, err));
	endwin();
	delscreen(screen);
	browse_tree_release(&b.tree);
	text_free(&b.text);
	return st;
}
