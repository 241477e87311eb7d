/*
 * browse.c - the screen and its keys. 
 *
 * The left half lists rows, or the tree of call stacks; the right half shows the details of the
 * line under the cursor.  Names come from untrusted files: text_add_safe() makes them harmless.
 */
#include "browse/browse.h"

#include <curses.h>
#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/fail.h"
#include "browse/ending.h"
#include "browse/state.h"
#include "render/chart.h"
#include "render/render.h"

enum { LEAST_COLUMNS = 40, LEAST_LINES = 8, WATCH_MS = 500, WHEEL_LINES = 3 };

/* ---- rows ------------------------------------------------------------------------------------ */

const struct value *browse_cell(const struct browse *b, size_t row, const char *name)
{
	return report_cell(b->subject.report, row, name);
}

const char *browse_string(const struct value *value)
{
	return value && value->kind == VALUE_TEXT ? value->text.data : NULL;
}

const char *browse_verdict(const struct browse *b, size_t row)
{
	const char *verdict = browse_string(browse_cell(b, row, "verdict"));

	return verdict ? verdict : browse_string(browse_cell(b, row, "status"));
}

static bool integer(const struct value *value, int64_t *out)
{
	if (!value || value->kind != VALUE_INT)
		return false;
	*out = value->integer;
	return true;
}

/* The bytes of a row: its change, or what it holds. */
static int64_t row_bytes(const struct browse *b, size_t row, bool *signed_)
{
	int64_t first, last;

	*signed_ = true;
	if (integer(browse_cell(b, row, "delta_bytes"), &last))
		return last;
	if (integer(browse_cell(b, row, "last_bytes"), &last) &&
	    integer(browse_cell(b, row, "first_bytes"), &first))
		return last - first;
	*signed_ = false;
	return integer(browse_cell(b, row, "live_bytes"), &last) ? last : 0;
}

/* ---- text on the screen ---------------------------------------------------------------------- */

/* Print at most `room` columns of `text` at the cursor, with control characters replaced. */
void browse_put(struct browse *b, const char *text, int room)
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
	return change > 0   ? (int)COLOR_PAIR(PAIR_GREW)
	       : change < 0 ? (int)COLOR_PAIR(PAIR_SHRANK)
			    : 0;
}

int browse_left_width(void)
{
	return COLS < NARROW_COLUMNS ? COLS : COLS * 11 / 20;
}

static int list_height(void)
{
	return LINES - 3;
}

/* ---- the left half --------------------------------------------------------------------------- */

static void draw_row(struct browse *b, size_t row, int room)
{
	const char *verdict = browse_verdict(b, row),
		   *key = browse_string(browse_cell(b, row, "key"));
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
	browse_put(b, key ? key : "?", room);
}

static void draw_node(struct browse *b, size_t position, int room)
{
	const struct browse_node *node = &b->tree.nodes[b->tree.shown[position]];
	int64_t old = (int64_t)node->sides[0], new_ = (int64_t)node->sides[1];
	bool two = strcmp(b->subject.mode, "top") != 0, in_bytes = b->figure != 1;
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
	browse_put(b, browse_tree_name(&b->tree, b->tree.shown[position]), room - 14 - indent);
	attroff(COLOR_PAIR(PAIR_SOFT));
}

static struct list_place *place_of(struct browse *b)
{
	return b->view == VIEW_ROWS ? &b->rows : &b->stacks;
}

size_t browse_count(const struct browse *b)
{
	return b->view == VIEW_ROWS ? b->subject.report->row_count : b->tree.shown_count;
}

/* Keep the cursor in the list and on the screen. */
static void keep_in_view(struct browse *b)
{
	struct list_place *place = place_of(b);
	size_t count = browse_count(b), height = (size_t)list_height();

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
	size_t count = browse_count(b);

	for (int i = 0; i < list_height() && place->top + (size_t)i < count; i++) {
		size_t at = place->top + (size_t)i;

		move(i + 1, 0);
		if (at == place->at)
			attron(A_REVERSE);
		if (b->view == VIEW_ROWS)
			draw_row(b, at, browse_left_width() - 1);
		else
			draw_node(b, at, browse_left_width() - 1);
		attroff(A_REVERSE);
	}
	if (count == 0)
		mvaddstr(1, 0, "nothing to show");
}

/* ---- the screen ------------------------------------------------------------------------------ */

static void wait_for_key(const struct browse *b)
{
	refresh();
	timeout(-1);
	getch();
	if (b->source->is_newer)
		timeout(WATCH_MS);
}

/* The warnings about the figures.  Lines that are too long continue in the next one. */
static void draw_warnings(struct browse *b)
{
	const struct report *report = b->subject.report;

	erase();
	printw("%zu warning%s", report->warning_count, report->warning_count == 1 ? "" : "s");
	move(2, 0);
	for (size_t i = 0; i < report->warning_count && getcury(stdscr) < LINES - 1; i++) {
		const char *text = report->warnings[i].text;

		text_clear(&b->text);
		text_add_safe(&b->text, text, strlen(text));
		addstr(b->text.data ? b->text.data : "");
		move(getcury(stdscr) + 1, 0);
	}
	wait_for_key(b);
}

static void draw_help(struct browse *b)
{
	static const char *const lines[] = {
		"arrows, h j k l    move; right opens, left closes",
		"Enter              a row: its function in the tree; a node: open or close",
		"Tab                rows or call stacks",
		"g G, PgUp PgDn     first, last, a page",
		"/ n N              search for a regular expression, next, previous",
		"mouse              a click goes there, another one is Enter; the wheel moves",
		"m                  the next figure: bytes, blocks, allocated",
		"s                  order by change or by size",
		"o                  group by line, function, file or module",
		"[ ]                an earlier or a later snapshot of the series",
		"x                  mark that snapshot; on another one: compare the two",
		"u                  from a comparison back to the series",
		"w                  the warnings",
		"?                  this",
		"q                  leave",
		NULL,
	};

	erase();
	mvaddstr(0, 0, "Keys");
	for (int i = 0; lines[i] && i + 2 < LINES; i++) {
		move(i + 2, 2);
		browse_put(b, lines[i], COLS - 3);
	}
	wait_for_key(b);
}

/* The end of the last line: what was just done, else which keys there are. */
static void draw_hint(struct browse *b)
{
	size_t warnings = b->subject.report->warning_count;
	char hint[TEXT_SIZE] = "";

	if (*b->message)
		snprintf(hint, sizeof(hint), "%s", b->message);
	else if (warnings)
		snprintf(hint, sizeof(hint), "   w %zu warning%s  ? help  Tab other view  q leave",
			 warnings, warnings == 1 ? "" : "s");
	else
		snprintf(hint, sizeof(hint), "   ? help  Tab other view  q leave");
	browse_put(b, hint, COLS - getcurx(stdscr) - 1);
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
	browse_put(b,
		   b->subject.report->headline ? b->subject.report->headline
		   : b->subject.report->title  ? b->subject.report->title
					       : "snapdiff",
		   COLS - 1);
	attroff(A_BOLD);
	draw_list(b);
	browse_draw_detail(b);
	attron(A_REVERSE);
	mvhline(LINES - 1, 0, ' ', COLS);
	mvprintw(LINES - 1, 0, "%s  %s  %zu/%zu", b->view == VIEW_ROWS ? "rows" : "call stacks",
		 page_figure_names[b->figure], browse_count(b) ? place_of(b)->at + 1 : 0,
		 browse_count(b));
	draw_hint(b);
	attroff(A_REVERSE);
	refresh();
	*b->message = '\0';
}

/* ---- loading --------------------------------------------------------------------------------- */

static void tell(struct browse *b, const char *message)
{
	snprintf(b->message, sizeof(b->message), "   %.100s", message);
}

static enum snap_status rebuild(struct browse *b, struct snap_error *err)
{
	browse_tree_release(&b->tree);
	b->stacks = (struct list_place){0, 0};
	return browse_tree_make(&b->tree, b->subject.stacks, b->figure, b->order, err);
}

/* If loading fails, say so and keep the old screen; at the start there is none to keep. */
static enum snap_status load(struct browse *b, const struct browse_wish *wish,
			     struct snap_error *err)
{
	enum snap_status st = b->source->load(b->source->user, wish, &b->subject, err);

	if (stdscr)
		clearok(curscr, TRUE); /* progress and warnings may have been printed over it */
	if (st != SNAP_OK && b->subject.report) {
		tell(b, err->message);
		return SNAP_OK;
	}
	if (st != SNAP_OK)
		return st;
	b->wish = *wish;
	b->order = strcmp(b->subject.mode, "top") == 0 ? BROWSE_BY_SIZE : BROWSE_BY_CHANGE;
	if (!b->subject.stacks->known[b->figure])
		b->figure = 0;
	return rebuild(b, err);
}

/* A file was added to or removed from the series: keep the cursor where it is. */
static enum snap_status follow(struct browse *b, struct snap_error *err)
{
	b->snapshot = SIZE_MAX;
	return load(b, &b->wish, err);
}

static enum snap_status next_group(struct browse *b, struct snap_error *err)
{
	struct browse_wish wish = b->wish;

	wish.group = wish.group < GROUP_MODULE ? wish.group + 1 : GROUP_LINE;
	return load(b, &wish, err);
}

/* The number of the chosen snapshot among the inputs of the series. */
static size_t told_input(const struct browse *b)
{
	struct chart chart;
	size_t input = SIZE_MAX;

	if (b->view == VIEW_ROWS && browse_count(b) &&
	    chart_of_row(&chart, b->subject.report, b->rows.at)) {
		input = chart.input + b->snapshot;
		chart_release(&chart);
	}
	return input;
}

/* The first key marks a snapshot, the second compares it with another. */
static enum snap_status mark(struct browse *b, struct snap_error *err)
{
	struct browse_wish wish = b->wish;
	size_t input = told_input(b);

	if (input == SIZE_MAX || input == b->marked) {
		b->marked = SIZE_MAX;
		tell(b, input == SIZE_MAX ? "only rows of a series have snapshots to mark"
					  : "no snapshot is marked");
		return SNAP_OK;
	}
	if (b->marked == SIZE_MAX) {
		b->marked = input;
		tell(b, "marked; go to another with [ or ], x compares");
		return SNAP_OK;
	}
	wish.pair = true;
	wish.old = input < b->marked ? input : b->marked;
	wish.new_ = input < b->marked ? b->marked : input;
	b->marked = SIZE_MAX;
	return load(b, &wish, err);
}

static enum snap_status back_to_series(struct browse *b, struct snap_error *err)
{
	struct browse_wish wish = {.group = b->wish.group};

	return b->wish.pair ? load(b, &wish, err) : SNAP_OK;
}

/* ---- keys ------------------------------------------------------------------------------------ */

static void move_by(struct browse *b, long by)
{
	struct list_place *place = place_of(b);
	long at = (long)place->at + by, last = (long)browse_count(b) - 1;

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
	struct browse_pattern pattern = {.text = ""}; /* as it stands */
	const char *function;
	uint32_t node;

	if (b->view == VIEW_TREE) {
		if (b->tree.shown_count)
			browse_tree_set_open(&b->tree, b->stacks.at,
					     !b->tree.nodes[b->tree.shown[b->stacks.at]].open);
		return;
	}
	if (browse_count(b) == 0)
		return;
	function = browse_string(browse_cell(b, b->rows.at, "function"));
	snprintf(pattern.text, sizeof(pattern.text), "%s", function ? function : "");
	node = browse_tree_search(&b->tree, SNAP_NONE, &pattern, false);
	if (node == SNAP_NONE) {
		tell(b, "its function is in no call stack");
		return;
	}
	b->view = VIEW_TREE;
	b->stacks.at = browse_tree_show(&b->tree, node);
}

static void search_rows(struct browse *b, bool back)
{
	size_t count = browse_count(b);

	for (size_t step = 1; step <= count; step++) {
		size_t row = (b->rows.at + (back ? count - step : step)) % count;
		const char *key = browse_string(browse_cell(b, row, "key"));

		if (key && browse_pattern_matches(&b->pattern, key)) {
			b->rows.at = row;
			return;
		}
	}
	tell(b, "not found");
}

static void search_tree(struct browse *b, bool back)
{
	uint32_t from = b->tree.shown_count ? b->tree.shown[b->stacks.at] : SNAP_NONE;
	uint32_t node = browse_tree_search(&b->tree, from, &b->pattern, back);

	if (node == SNAP_NONE)
		node = browse_tree_search(&b->tree, SNAP_NONE, &b->pattern, back);
	if (node == SNAP_NONE)
		tell(b, "not found");
	else
		b->stacks.at = browse_tree_show(&b->tree, node);
}

static void search(struct browse *b, bool back)
{
	if (!*b->pattern.text)
		return;
	if (b->view == VIEW_ROWS)
		search_rows(b, back);
	else
		search_tree(b, back);
}

static void ask_search(struct browse *b)
{
	bool is_regex;

	move(LINES - 1, 0);
	clrtoeol();
	addch('/');
	echo();
	curs_set(1);
	timeout(-1);
	getnstr(b->pattern.text, sizeof(b->pattern.text) - 1);
	if (b->source->is_newer)
		timeout(WATCH_MS);
	curs_set(0);
	noecho();
	is_regex = browse_pattern_set(&b->pattern);
	search(b, false);
	if (!is_regex)
		tell(b, *b->message ? "no regular expression, and not found as it stands"
				    : "no regular expression: searched for as it stands");
}

static void next_figure(struct browse *b)
{
	do
		b->figure = (b->figure + 1) % PAGE_FIGURES;
	while (b->figure && !b->subject.stacks->known[b->figure]);
}

/* A click on the line under the cursor is Enter. */
static void on_mouse(struct browse *b)
{
	struct list_place *place = place_of(b);
	MEVENT event;
	size_t at;

	if (getmouse(&event) != OK)
		return;
	if (event.bstate & BUTTON4_PRESSED)
		move_by(b, -WHEEL_LINES);
	else if (event.bstate & BUTTON5_PRESSED)
		move_by(b, WHEEL_LINES);
	else if (event.bstate & BUTTON1_PRESSED && event.x < browse_left_width() && event.y >= 1 &&
		 event.y <= list_height()) {
		at = place->top + (size_t)event.y - 1;
		if (at == place->at)
			enter(b);
		else if (at < browse_count(b))
			place->at = at;
	}
}

/* Nothing was typed for a while; false if the terminal is gone. */
static bool on_silence(struct browse *b, enum snap_status *st, struct snap_error *err)
{
	struct termios ignored;

	if (!b->source->is_newer || tcgetattr(STDIN_FILENO, &ignored) != 0)
		return false;
	if (!b->wish.pair && b->source->is_newer(b->source->user))
		*st = follow(b, err);
	return *st == SNAP_OK;
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
		move_by(b, (long)browse_count(b));
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
	case 'o':
		*st = next_group(b, err);
		break;
	case 'x':
		*st = mark(b, err);
		break;
	case 'u':
		*st = back_to_series(b, err);
		break;
	case 'w':
		draw_warnings(b);
		break;
	case '?':
		draw_help(b);
		break;
	case KEY_MOUSE:
		on_mouse(b);
		break;
	case ERR:
		return on_silence(b, st, err);
	default:
		break;
	}
	return *st == SNAP_OK;
}

/* ---- beginning and end ----------------------------------------------------------------------- */

/* From the oldest to the youngest.  Where a colour's number is its red, green and blue, those of
 * the page. */
static void begin_ages(void)
{
	static const short few[AGES] = {COLOR_BLUE,  COLOR_MAGENTA, COLOR_RED,   COLOR_YELLOW,
					COLOR_GREEN, COLOR_CYAN,    COLOR_WHITE, COLOR_BLUE};
	static const short many[AGES] = {63, 99, 134, 169, 204, 209, 215, 221};
	static const int all[AGES] = {0x5b3fb0, 0x7c3fb0, 0xa03f9a, 0xbb4270,
				      0xe25d57, 0xf48849, 0xfbb55a, 0xfae08a};

	for (int i = 0; i < AGES; i++)
		if (COLORS > 256)
			init_extended_pair(PAIR_AGES + i, all[i], -1);
		else
			init_pair((short)(PAIR_AGES + i), (short)(COLORS == 256 ? many[i] : few[i]),
				  -1);
}

static void begin_screen(void)
{
	cbreak();
	noecho();
	keypad(stdscr, TRUE);
	set_escdelay(25);
	curs_set(0);
	mousemask(BUTTON1_PRESSED | BUTTON4_PRESSED | BUTTON5_PRESSED, NULL);
	mouseinterval(0); /* report a press at once */
	if (!has_colors())
		return;
	start_color();
	use_default_colors();
	init_pair(PAIR_GREW, COLOR_RED, -1);
	init_pair(PAIR_SHRANK, COLOR_GREEN, -1);
	init_pair(PAIR_SOFT, COLOR_CYAN, -1);
	begin_ages();
}

enum snap_status browse_run(const struct browse_source *source, int group, struct snap_error *err)
{
	struct browse b = {.source = source, .snapshot = SIZE_MAX, .marked = SIZE_MAX};
	const struct browse_wish wish = {.group = group};
	SCREEN *screen;
	enum snap_status st = load(&b, &wish, err);

	if (st != SNAP_OK)
		return st;
	setlocale(LC_CTYPE, "");
	b.unicode = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	browse_ending_remember();
	screen = newterm(NULL, stdout, stdin);
	if (!screen) {
		browse_tree_release(&b.tree);
		return fail(err, SNAP_ESYSTEM, "this terminal cannot be used (TERM=%s)",
			    getenv("TERM") ? getenv("TERM") : "");
	}
	begin_screen();
	browse_ending_begin();
	if (source->is_newer)
		timeout(WATCH_MS);
	do
		draw(&b);
	while (on_key(&b, getch(), &st, err));
	browse_ending_release();
	endwin();
	delscreen(screen);
	browse_tree_release(&b.tree);
	browse_pattern_release(&b.pattern);
	text_free(&b.text);
	return st;
}
