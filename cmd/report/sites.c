/*
 * sites.c - functions that top, compare, peek and growth share.
 */
#include "report/sites.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/shell.h"
#include "model/by_design.h"
#include "model/names.h"

bool sites_no_skip(const struct report_options *options)
{
	return options->no_skip || options->group == GROUP_TYPE;
}

struct select_options sites_selection(const struct report_options *options)
{
	/* The newest frame of an object is its type. */
	enum group_key group =
		options->group == GROUP_TYPE ? GROUP_FUNCTION : (enum group_key)options->group;

	return (struct select_options){
		.group = group,
		.cumulative = options->cumulative,
		.no_skip = sites_no_skip(options),
		.focus = options->focus,
		.ignore = options->ignore,
		.show = options->show,
		.hide = options->hide,
		.domain = options->domain,
		.module = options->module,
	};
}

enum figure sites_bytes_figure(const struct report_options *options)
{
	return options->metric < FIGURE_ALLOCATED_BYTES ? FIGURE_LIVE_BYTES
							: FIGURE_ALLOCATED_BYTES;
}

void sites_describe(struct report *report, const struct report_options *options)
{
	value_field(report, &report->head, "group",
		    value_text(report, group_key_names[options->group]));
	value_field(report, &report->head, "metric",
		    value_text(report, figure_names[options->metric]));
}

void sites_add_figures(struct report *report, struct value *object, const struct figures *figures,
		       bool sampled)
{
	for (enum figure i = 0; i < FIGURES; i++)
		value_field(report, object, figure_column_names[i], value_u64(figures->value[i]));
	for (enum figure i = 0; sampled && i < FIGURES; i++)
		value_field(report, object,
			    report_text(report, "%s_stderr", figure_column_names[i]),
			    value_real(figures_stderr(figures, i)));
}

/* Text or null. */
static struct value text_value(struct report *report, const char *text)
{
	return value_text(report, text && *text ? text : NULL);
}

struct value sites_line(uint32_t line)
{
	return line ? value_int(line) : value_null();
}

static struct value frame_value(struct report *report, const struct dataset *dataset,
				const struct dataset_frame *frame)
{
	struct value object = value_object();
	char address[32];

	snprintf(address, sizeof(address), "0x%" PRIx64, frame->address);
	value_field(report, &object, "function",
		    text_value(report, dataset_text(dataset, frame->function)));
	value_field(report, &object, "file",
		    text_value(report, dataset_text(dataset, frame->file)));
	value_field(report, &object, "line", sites_line(frame->line));
	value_field(report, &object, "module",
		    text_value(report, dataset_text(dataset, frame->module)));
	value_field(report, &object, "address",
		    value_text(report, frame->has_address ? address : NULL));
	value_field(report, &object, "inlined", value_bool(frame->inlined));
	return object;
}

/* Frames that --show and --hide leave out say so. */
static void mark_hidden(struct report *report, const struct selection *selection, uint32_t site,
			struct value *stack)
{
	size_t depth = stack->list.count;
	uint32_t *visible = report_alloc(report, (depth + 1) * sizeof(*visible));
	size_t count = selection_visible(selection, site, visible), next = 0;

	for (size_t i = 0; i < depth && count < depth; i++) {
		if (next < count && visible[next] == i)
			next++;
		else
			value_field(report, &stack->list.items[i], "hidden", value_bool(true));
	}
}

struct value sites_stack(struct report *report, const struct dataset *dataset,
			 const struct selection *selection, uint32_t site)
{
	uint32_t depth = dataset->sites[site].depth;
	struct value stack = value_list(report, depth);

	for (uint32_t i = 0; i < depth; i++)
		stack.list.items[i] =
			frame_value(report, dataset, dataset_frame_at(dataset, site, i));
	mark_hidden(report, selection, site, &stack);
	return stack;
}

struct column *sites_own_columns(struct report *report)
{
	struct column *columns = report_alloc(report, report->column_count * sizeof(*columns));

	memcpy(columns, report->columns, report->column_count * sizeof(*columns));
	report->columns = columns;
	return columns;
}

void sites_drop_column(struct column *column)
{
	column->flags = COLUMN_HIDDEN | COLUMN_TABLE_ONLY;
}

static bool begins_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool begins_with_any(const char *text, const char *const *prefixes)
{
	while (*prefixes && !begins_with(text, *prefixes))
		prefixes++;
	return *prefixes != NULL;
}

/* "libfoo.so+0x1234", and "libfoo.so+?" for what is at no address that two builds share. */
static bool is_nameless(const char *function)
{
	return name_is_address(function) || name_is_of_another_build(function);
}

/* If a frame is not own code or has no name, the code that wanted the memory is further out. */
static bool says_little(const struct select_row *words)
{
	const char *function = words->function ? words->function : "";

	return is_nameless(function) ||
	       own_classify(own_rules(), function, words->file ? words->file : "",
			    words->module ? words->module : "", NULL) != OWN_CODE;
}

/* Without a line, too, a name alone says little. */
static bool needs_callers(const struct report_options *options, const struct select_row *words)
{
	if (!words->function && !words->file)
		return false;
	return says_little(words) || (options->group == GROUP_LINE && !words->file);
}

bool sites_want_callers(const struct report_options *options, const struct select_row *const *words,
			size_t count)
{
	bool needed = options->verbose;

	if (options->cumulative ||
	    (options->group != GROUP_LINE && options->group != GROUP_FUNCTION &&
	     options->group != GROUP_TYPE))
		return false;
	if (options->group == GROUP_TYPE)
		return true; /* which line makes them */
	for (size_t i = 0; i < count; i++)
		needed |= needs_callers(options, words[i]);
	return needed;
}

/* The directories of a library's files say nothing that its names do not. */
static const char *short_file(const char *file)
{
	static const char *const libraries[] = {"/rustc/", "/rust/deps/", "/usr/include/c++/",
						NULL};

	return begins_with_any(file, libraries) ? name_base(file) : file;
}

/* Without template arguments and parameters, however long it is. */
static const char *bare_name(struct report *report, const char *function)
{
	size_t size = strlen(function) + 1;
	char *bare = report_alloc(report, size);

	name_bare(function, bare, size);
	return bare;
}

const char *sites_bare_words(struct report *report, const struct select_row *words)
{
	const char *function = words->function,
		   *rest = function ? strstr(words->key, function) : NULL;
	const char *bare;

	if (!rest || rest != words->key || !strpbrk(function, "<("))
		return words->key;
	bare = bare_name(report, function);
	rest += strlen(function);
	if (*rest == ' ')
		return report_text(report, "%s %s", bare, short_file(rest + 1));
	return report_text(report, "%s%s", bare, rest);
}

const char *sites_words(struct report *report, const struct select_row *words)
{
	enum { LONG_KEY = 60 };

	return strlen(words->key) <= LONG_KEY ? words->key : sites_bare_words(report, words);
}

struct value sites_name(struct report *report, const struct select_row *words)
{
	return value_text(report, sites_words(report, words));
}

static const char *frame_words(struct report *report, const struct dataset *dataset,
			       const struct dataset_frame *frame,
			       const char *(*file_words)(const char *))
{
	enum { TEXT_SIZE = 1024 };
	const char *file = file_words(dataset_text(dataset, frame->file));
	const char *bare = bare_name(report, dataset_text(dataset, frame->function));
	char text[TEXT_SIZE];

	if (!*bare)
		return report_text(report, "%s",
				   select_frame_text(dataset, frame, text, sizeof(text)));
	if (*file && frame->line)
		return report_text(report, "%s %s:%u", bare, file, frame->line);
	if (*file)
		return report_text(report, "%s %s", bare, file);
	if (frame->module)
		return report_text(report, "%s (%s)", bare, dataset_text(dataset, frame->module));
	return report_text(report, "%s", bare);
}

const char *sites_frame_words(struct report *report, const struct dataset *dataset,
			      const struct dataset_frame *frame)
{
	return frame_words(report, dataset, frame, short_file);
}

const char *sites_short_frame(struct report *report, const struct dataset *dataset,
			      const struct dataset_frame *frame)
{
	return frame_words(report, dataset, frame, name_base);
}

/* Where a site's name is on its stack; the depth where it has none. */
static uint32_t naming_position(const struct dataset *dataset, uint32_t site, bool no_skip)
{
	return no_skip ? 0 : dataset->sites[site].identity.named;
}

struct value sites_frame_name(struct report *report, const struct dataset *dataset, uint32_t site,
			      bool no_skip)
{
	const struct dataset_site *row = &dataset->sites[site];
	uint32_t named = naming_position(dataset, site, no_skip);

	if (named >= row->depth)
		return value_null();
	return value_text(
		report, sites_short_frame(report, dataset, dataset_frame_at(dataset, site, named)));
}

static bool frame_says_little(const struct dataset *dataset, const struct dataset_frame *frame)
{
	return frame->kind != OWN_CODE || is_nameless(dataset_text(dataset, frame->function));
}

/* Skip recursion: the same function, or in Python's dumps the same line. */
static bool is_same_place(const struct dataset_frame *a, const struct dataset_frame *b)
{
	if (a->function || b->function)
		return a->function == b->function;
	return a->file == b->file && a->line == b->line;
}

/* The next frame further out than `*at` that tells something new; NULL at the end. */
static const struct dataset_frame *next_caller(const struct dataset *dataset, uint32_t site,
					       bool all, const struct dataset_frame *last,
					       uint32_t *at)
{
	while (++*at < dataset->sites[site].depth) {
		const struct dataset_frame *frame = dataset_frame_at(dataset, site, *at);

		/* Skip the start code of programs. */
		if ((frame->function || frame->file) && !is_same_place(frame, last) &&
		    !sites_is_start_up(dataset_text(dataset, frame->function)) &&
		    (all || !frame_says_little(dataset, frame)))
			return frame;
	}
	return NULL;
}

/* " parse.c:31", or "" where no line is known. */
static const char *place_of(struct report *report, const struct dataset *dataset,
			    const struct dataset_frame *frame)
{
	const char *file = name_base(dataset_text(dataset, frame->file));

	if (!*file || !frame->line)
		return "";
	return report_text(report, "%s%s:%u", frame->function ? " " : "", file, frame->line);
}

/* "parse < main"; of a function whose name says little, its place, "parse parse.c:31", which tells
 * more than the next caller would.  NULL when there is none. */
static const char *list_callers(struct report *report, const struct dataset *dataset, uint32_t site,
				uint32_t at, bool all)
{
	enum { MOST_CALLERS = 2, BARE_SIZE = 120 };
	const struct dataset_frame *last = dataset_frame_at(dataset, site, at), *frame;
	bool placed = frame_says_little(dataset, last) || (!last->file && !last->module);
	const char *path = NULL;
	char bare[BARE_SIZE];

	for (size_t shown = 0; shown < MOST_CALLERS; shown++) {
		frame = next_caller(dataset, site, all, last, &at);
		if (!frame)
			break;
		name_bare(dataset_text(dataset, frame->function), bare, sizeof(bare));
		path = report_text(report, "%s%s%s%s", path ? path : "", path ? " < " : "", bare,
				   (placed && shown == 0) || !frame->function
					   ? place_of(report, dataset, frame)
					   : "");
		if (placed && frame->line)
			break;
		last = frame;
	}
	return path;
}

struct value sites_callers_at(struct report *report, const struct dataset *dataset, uint32_t site,
			      uint32_t position)
{
	const char *path;

	if (position >= dataset->sites[site].depth)
		return value_null();
	path = list_callers(report, dataset, site, position, false);
	/* Library frames that call own code are not interesting: a thread begins there. */
	if (!path && frame_says_little(dataset, dataset_frame_at(dataset, site, position)))
		path = list_callers(report, dataset, site, position, true);
	return value_text(report, path);
}

struct value sites_callers(struct report *report, const struct dataset *dataset, uint32_t site,
			   bool no_skip)
{
	return sites_callers_at(report, dataset, site, naming_position(dataset, site, no_skip));
}

static bool names_frames(const struct report_options *options)
{
	return !options->cumulative &&
	       (options->group == GROUP_LINE || options->group == GROUP_FUNCTION ||
		options->group == GROUP_STACK);
}

struct value sites_via(struct report *report, const struct dataset *dataset, uint32_t site,
		       const struct report_options *options)
{
	enum { BARE_SIZE = 256 };
	uint32_t at = naming_position(dataset, site, sites_no_skip(options));
	char bare[BARE_SIZE];

	if (!names_frames(options) || at >= dataset->sites[site].depth ||
	    dataset_frame_at(dataset, site, at)->kind != OWN_CODE)
		return value_null();
	while (at-- > 0) {
		const struct dataset_frame *frame = dataset_frame_at(dataset, site, at);

		if (frame->kind != OWN_LIBRARY)
			continue;
		if (!frame->function)
			return value_text(report, sites_short_frame(report, dataset, frame));
		name_bare(dataset_text(dataset, frame->function), bare, sizeof(bare));
		return value_text(report, bare);
	}
	return value_null();
}

void sites_hide_empty(struct report *report, size_t column)
{
	for (size_t r = 0; r < report->row_count; r++)
		if (report->rows[r * report->column_count + column].kind != VALUE_NULL)
			return;
	sites_own_columns(report)[column].flags |= COLUMN_HIDDEN;
}

struct named_row {
	const char *name;
	size_t row;
};

static int compare_names(const void *left, const void *right)
{
	const struct named_row *a = left, *b = right;

	return strcmp(a->name, b->name);
}

/* Rows first .. last have one name: do they have one key? */
static bool differ(const struct report *report, size_t key, const struct named_row *rows,
		   size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (strcmp(report->rows[rows[i].row * report->column_count + key].text.data,
			   report->rows[rows[0].row * report->column_count + key].text.data) != 0)
			return true;
	return false;
}

void sites_tell_apart(struct report *report, size_t key, size_t name)
{
	struct named_row *rows = report_alloc(report, (report->row_count + 1) * sizeof(*rows));
	size_t count = report->row_count, next;

	for (size_t r = 0; r < count; r++) {
		const struct value *value = &report->rows[r * report->column_count + name];

		rows[r] = (struct named_row){value->kind == VALUE_TEXT ? value->text.data : "", r};
	}
	qsort(rows, count, sizeof(*rows), compare_names);
	for (size_t i = 0; i < count; i = next) {
		for (next = i + 1; next < count && compare_names(&rows[i], &rows[next]) == 0;)
			next++;
		for (size_t k = i; differ(report, key, rows + i, next - i) && k < next; k++) {
			struct value *values = report->rows + rows[k].row * report->column_count;

			values[name] = values[key];
		}
	}
}

bool sites_is_by_design(const struct dataset *dataset, uint32_t site)
{
	bool interprets = false;

	for (uint32_t i = 0; i < dataset->sites[site].depth; i++) {
		const struct dataset_frame *frame = dataset_frame_at(dataset, site, i);
		const char *module = dataset_text(dataset, frame->module);

		if (by_design_interpreter(module))
			interprets = true;
		else if (!by_design_module(module))
			return false;
		else if (!interprets && by_design_function(dataset_text(dataset, frame->function)))
			return true;
	}
	return interprets;
}

bool sites_is_start_up(const char *function)
{
	static const char *const names[] = {
		"_start", "__libc_start_main",      "__libc_start_main_impl",
		"clone3", "__libc_start_call_main", "__clone3",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(function, names[i]) == 0)
			return true;
	return false;
}

/* "a, b and c" */
static void list_names(char *text, size_t size, const char *const *names)
{
	size_t used = 0;

	text[0] = 0;
	for (size_t i = 0; names[i] && used < size; i++) {
		const char *before = i == 0 ? "" : names[i + 1] ? ", " : " or ";

		used += (size_t)snprintf(text + used, size - used, "%s%s", before, names[i]);
	}
}

enum snap_status sites_sort_column(int *column, const char *sort, const char *const *names,
				   int otherwise, struct snap_error *err)
{
	char all[320];

	*column = otherwise;
	if (!sort)
		return SNAP_OK;
	for (int i = 0; names[i]; i++)
		if (strcmp(names[i], sort) == 0) {
			*column = i;
			return SNAP_OK;
		}
	list_names(all, sizeof(all), names);
	return fail(err, SNAP_EUSAGE, "cannot sort by '%s'; choose %s", sort, all);
}

size_t sites_limit(const struct report_options *options, size_t count)
{
	uint64_t limit = report_limit(options);

	return limit >= count ? count : (size_t)limit;
}

const char *sites_bytes(uint64_t bytes, char buffer[32])
{
	static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	double amount = (double)bytes;
	size_t unit = 0;

	if (bytes == SNAP_UNKNOWN) {
		snprintf(buffer, 32, "an unknown number of bytes");
	} else if (bytes < 1024) {
		snprintf(buffer, 32, "%" PRIu64 " B", bytes);
	} else {
		for (amount /= 1024; amount >= 1023.95 && unit < 5; unit++)
			amount /= 1024;
		snprintf(buffer, 32, "%.1f %s", amount, units[unit]);
	}
	return buffer;
}

const char *sites_delta(int64_t bytes, char buffer[32])
{
	uint64_t amount = bytes < 0 ? 0 - (uint64_t)bytes : (uint64_t)bytes;

	buffer[0] = bytes < 0 ? '-' : '+';
	sites_bytes(amount, buffer + (bytes != 0));
	return buffer;
}

const char *sites_change(const struct figures *old, const struct figures *new, enum figure figure,
			 char buffer[32])
{
	if (old->value[figure] == SNAP_UNKNOWN || new->value[figure] == SNAP_UNKNOWN)
		return "change unknown";
	return sites_delta(figures_delta(old, new, figure), buffer);
}

void sites_number(uint64_t number, char buffer[32])
{
	char digits[24];
	int count = snprintf(digits, sizeof(digits), "%" PRIu64, number);

	for (int i = 0; i < count; i++) {
		*buffer++ = digits[i];
		if (i + 1 < count && (count - i - 1) % 3 == 0)
			*buffer++ = ',';
	}
	*buffer = 0;
}

const char *sites_blocks(uint64_t blocks, char buffer[64])
{
	char count[32];

	if (blocks == SNAP_UNKNOWN)
		return "an unknown number of blocks";
	sites_number(blocks, count);
	snprintf(buffer, 64, "%s block%s", count, blocks == 1 ? "" : "s");
	return buffer;
}

struct value sites_share(uint64_t part, uint64_t whole)
{
	if (whole == SNAP_UNKNOWN || part == SNAP_UNKNOWN)
		return value_null();
	return value_real(whole ? (double)part / (double)whole : 0);
}

const char *sites_input_name(const struct report *report, size_t index)
{
	const struct value *inputs = value_get(&report->head, "inputs");
	const struct value *path = NULL;

	if (inputs && index < inputs->list.count)
		path = value_get(&inputs->list.items[index], "path");
	return path && path->kind == VALUE_TEXT ? path->text.data : "snapshot";
}

/* Quoted, where a shell needs it. */
static const char *word_of(struct report *report, const char *text)
{
	char *word = shell_word(text);
	const char *kept = report_text(report, "%s", word ? word : text);

	free(word);
	return kept;
}

const char *sites_input_operand(struct report *report, size_t index,
				const struct report_options *options)
{
	if (options->db)
		return report_text(report, "--db %s", word_of(report, options->db));
	return word_of(report, sites_input_name(report, index));
}

/* A function as a pattern of peek, quotes included; NULL where that would not be readable. */
static const char *pattern_of(struct report *report, const char *function)
{
	enum { LONGEST = 120 };
	char text[2 * LONGEST + 1];
	size_t used = 0;

	if (!function || !*function || strlen(function) > LONGEST)
		return NULL;
	for (const char *p = function; *p; p++) {
		if (*p == '\'' || (unsigned char)*p < ' ')
			return NULL;
		/* Text that a terminal or a pull request may alter cannot be pasted. */
		if (*p & 0x80) {
			if (used < 2 || strncmp(text + used - 2, ".*", 2) != 0) {
				text[used++] = '.';
				text[used++] = '*';
			}
			continue;
		}
		if (strchr("\\.[]*^$()+?{}|", *p))
			text[used++] = '\\';
		text[used++] = *p;
	}
	text[used] = 0;
	return report_text(report, "'^%s$'", text);
}

const char *sites_peek_pattern(struct report *report, const struct select_row *words,
			       const struct dataset *dataset, uint32_t site, bool no_skip)
{
	uint32_t at = naming_position(dataset, site, no_skip);
	const struct dataset_frame *caller;

	if (!words->function)
		return NULL;
	if (!says_little(words) || at >= dataset->sites[site].depth)
		return pattern_of(report, words->function);
	caller = next_caller(dataset, site, false, dataset_frame_at(dataset, site, at), &at);
	return caller && caller->function
		       ? pattern_of(report, dataset_text(dataset, caller->function))
		       : NULL;
}

/* A type has no callers and callees.  Ask by the line that made its objects what keeps them
   alive. */
static const char *holders_pattern(struct report *report, const struct select_row *words,
				   const struct dataset *dataset, uint32_t site)
{
	const struct dataset_frame *maker = NULL;
	uint32_t at = 0;

	if (dataset->sites[site].depth > 1)
		maker = next_caller(dataset, site, false, dataset_frame_at(dataset, site, 0), &at);
	if (maker && maker->function)
		return pattern_of(report, dataset_text(dataset, maker->function));
	return words->function ? pattern_of(report, words->function) : NULL;
}

struct sites_question sites_question(struct report *report, const struct select_row *words,
				     const struct dataset *dataset, uint32_t site,
				     const struct report_options *options)
{
	if (options->group == GROUP_TYPE)
		return (struct sites_question){"holders",
					       holders_pattern(report, words, dataset, site),
					       "what keeps them alive"};
	return (struct sites_question){
		"peek", sites_peek_pattern(report, words, dataset, site, sites_no_skip(options)),
		"who calls it, and for how much"};
}
