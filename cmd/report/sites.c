/*
 * sites.c - the common ground of top, compare, peek and growth.
 */
#include "report/sites.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "model/fail.h"
#include "model/names.h"

enum snap_status sites_selection(struct select_options *out, const struct report_options *options,
				 struct snap_error *err)
{
	static const enum select_group groups[] = {
		[GROUP_LINE] = SELECT_LINE,   [GROUP_FUNCTION] = SELECT_FUNCTION,
		[GROUP_FILE] = SELECT_FILE,   [GROUP_MODULE] = SELECT_MODULE,
		[GROUP_STACK] = SELECT_STACK, [GROUP_DOMAIN] = SELECT_DOMAIN,
	};

	if (options->group == GROUP_TYPE)
		return fail(err, SNAP_EUSAGE,
			    "--group type needs a census of objects, which no snapshot holds yet; "
			    "use line, function, file, module, stack or domain");
	*out = (struct select_options){
		.group = groups[options->group],
		.cumulative = options->cumulative,
		.no_skip = options->no_skip,
		.focus = options->focus,
		.ignore = options->ignore,
		.show = options->show,
		.hide = options->hide,
		.domain = options->domain,
		.module = options->module,
	};
	return SNAP_OK;
}

enum figure sites_figure(const struct report_options *options)
{
	static const enum figure figures[] = {
		[METRIC_LIVE] = FIGURE_LIVE_BYTES,
		[METRIC_BLOCKS] = FIGURE_LIVE_BLOCKS,
		[METRIC_ALLOCATED] = FIGURE_ALLOCATED_BYTES,
		[METRIC_ALLOCATIONS] = FIGURE_ALLOCATED_BLOCKS,
	};

	return figures[options->metric];
}

enum figure sites_bytes_figure(const struct report_options *options)
{
	return sites_figure(options) < FIGURE_ALLOCATED_BYTES ? FIGURE_LIVE_BYTES
							      : FIGURE_ALLOCATED_BYTES;
}

void sites_describe(struct report *report, const struct report_options *options)
{
	value_field(report, &report->head, "group",
		    value_text(report, report_groups[options->group]));
	value_field(report, &report->head, "metric",
		    value_text(report, report_metrics[options->metric]));
}

const char *sites_figure_name(enum figure figure)
{
	static const char *const names[FIGURES] = {"live_bytes", "live_blocks", "allocated_bytes",
						   "allocated_blocks"};

	return names[figure];
}

void sites_add_figures(struct report *report, struct value *object, const struct figures *figures,
		       bool sampled)
{
	for (enum figure i = 0; i < FIGURES; i++)
		value_field(report, object, sites_figure_name(i), value_u64(figures->value[i]));
	for (enum figure i = 0; sampled && i < FIGURES; i++)
		value_field(report, object, report_text(report, "%s_stderr", sites_figure_name(i)),
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

struct value sites_stack(struct report *report, const struct dataset *dataset, uint32_t site)
{
	uint32_t depth = dataset->sites[site].depth;
	struct value stack = value_list(report, depth);

	for (uint32_t i = 0; i < depth; i++)
		stack.list.items[i] =
			frame_value(report, dataset, dataset_frame_at(dataset, site, i));
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

/* A function of the C++ library or one without a line: its name alone says little about who wanted
 * the memory. */
static bool needs_callers(const struct report_options *options, const struct select_row *words)
{
	if (!words->function)
		return false;
	return strncmp(words->function, "std::", strlen("std::")) == 0 ||
	       (options->group == GROUP_LINE && !words->file);
}

bool sites_want_callers(const struct report_options *options, const struct select_row *const *words,
			size_t count)
{
	bool needed = options->verbose;

	if (options->cumulative ||
	    (options->group != GROUP_LINE && options->group != GROUP_FUNCTION))
		return false;
	for (size_t i = 0; i < count; i++)
		needed |= needs_callers(options, words[i]);
	return needed;
}

struct value sites_name(struct report *report, const struct select_row *words)
{
	enum { LONG_KEY = 60, BARE_SIZE = 256 };
	const char *function = words->function,
		   *rest = function ? strstr(words->key, function) : NULL;
	char bare[BARE_SIZE];

	if (!rest || rest != words->key || strlen(words->key) <= LONG_KEY || !strchr(function, '<'))
		return value_text(report, words->key);
	name_bare(function, bare, sizeof(bare));
	return value_text(report, report_text(report, "%s%s", bare, words->key + strlen(function)));
}

struct value sites_callers(struct report *report, const struct dataset *dataset, uint32_t site,
			   bool no_skip)
{
	enum { MOST_CALLERS = 2 };
	const struct dataset_site *row = &dataset->sites[site];
	uint32_t named = no_skip ? 0 : row->identity.named, last = 0, shown = 0;
	char path[400] = "", bare[120];
	size_t used = 0;

	for (uint32_t i = named + 1; i < row->depth && shown < MOST_CALLERS; i++) {
		const struct dataset_frame *frame = dataset_frame_at(dataset, site, i);

		if (!frame->function || frame->function == last)
			continue; /* recursion says nothing more */
		name_bare(dataset_text(dataset, frame->function), bare, sizeof(bare));
		used += (size_t)snprintf(path + used, sizeof(path) - used, "%s%s",
					 shown++ ? " < " : "", bare);
		last = frame->function;
	}
	return value_text(report, shown ? path : NULL);
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

/* The digits of `number` in groups of three. */
static void group_digits(uint64_t number, char buffer[32])
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
	group_digits(blocks, count);
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

/* A name that a shell takes as one word without quotes. */
static bool is_word(const char *text)
{
	return *text && text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123"
					  "456789_./@%+=:,-")] == 0;
}

const char *sites_input_operand(struct report *report, size_t index,
				const struct report_options *options)
{
	const char *name = sites_input_name(report, index);

	if (options->db && is_word(options->db))
		return report_text(report, "--db %s", options->db);
	return is_word(name) ? name : "SNAP";
}

bool sites_is_plain(const char *function)
{
	return function && *function &&
	       function[strspn(
		       function,
		       "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_:~")] == 0;
}
