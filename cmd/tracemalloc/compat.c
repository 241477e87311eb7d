/*
 * tracemalloc/compat.c - `--compat tracemalloc`: top and compare as Python's tracemalloc itself
 * prints them.
 */
#include "tracemalloc/compat.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tracemalloc/py_stats.h"
#include "tracemalloc/py_version.h"
#include "cli/cli.h"
#include "input/input.h"
#include "base/fail.h"
#include "render/output.h"
#include "tracemalloc/source_lines.h"

const char *const compat_names[] = {"none", "tracemalloc", NULL};

/* ---- which options go together ---- */

static const char *option_without_compat(const struct compat_options *compat)
{
	if (compat->include.count)
		return "--include";
	if (compat->exclude.count)
		return "--exclude";
	if (compat->map.count)
		return "--map";
	if (compat->all_frames)
		return "--all-frames";
	if (compat->source)
		return "--source";
	return compat->py_domain ? "--py-domain" : NULL;
}

static const char *option_unknown_to_python(const struct report_options *options)
{
	const struct report_options *defaults = &report_option_defaults;

	if (options->metric != defaults->metric)
		return "--metric";
	if (options->sort)
		return "--sort";
	if (options->min_bytes)
		return "--min";
	if (options->focus || options->ignore || options->show || options->hide)
		return "--focus, --ignore, --show and --hide (use --include and --exclude)";
	if (options->domain)
		return "--domain (use --py-domain)";
	if (options->module)
		return "--module";
	if (options->never_freed)
		return "--never-freed";
	if (options->no_skip)
		return "--no-skip";
	if (options->native)
		return "--native";
	if (options->match != defaults->match)
		return "--match";
	if (options->sql)
		return "--sql";
	if (options->db || options->pid || options->program)
		return "--db, --pid and --program (name the dumps)";
	if (options->at)
		return "--at (name the dump)";
	return NULL;
}

enum snap_status compat_check(const struct compat_options *compat,
			      const struct report_options *options, struct snap_error *err)
{
	const char *format = report_format(options), *option;

	if (compat->with == COMPAT_NONE) {
		option = option_without_compat(compat);
		return option ? fail(err, SNAP_EUSAGE, "%s goes with --compat tracemalloc", option)
			      : SNAP_OK;
	}
	option = option_unknown_to_python(options);
	if (option)
		return fail(err, SNAP_EUSAGE, "--compat tracemalloc does not go with %s", option);
	if (options->group != GROUP_LINE && options->group != GROUP_FILE &&
	    options->group != GROUP_STACK)
		return fail(err, SNAP_EUSAGE, "--compat tracemalloc groups by line, file or stack");
	if (options->cumulative && options->group == GROUP_STACK)
		return fail(err, SNAP_EUSAGE,
			    "cumulative mode cannot by used with key type 'traceback'");
	if (strcmp(format, "table") != 0 && strcmp(format, "json") != 0)
		return fail(err, SNAP_EUSAGE,
			    "--compat tracemalloc prints table (Python's text) or json");
	if (compat->source && strcmp(format, "table") != 0)
		return fail(err, SNAP_EUSAGE, "--source shows lines in text, not in %s", format);
	return SNAP_OK;
}

/* ---- options -> Python's ---- */

struct request {
	struct py_options options;
	struct py_filter *filters;
	struct py_map *maps;
	char **texts; /* copies that were cut in two */
	size_t text_count;
};

static void request_release(struct request *request)
{
	for (size_t i = 0; i < request->text_count; i++)
		free(request->texts[i]);
	free(request->texts);
	free(request->filters);
	free(request->maps);
}

static char *keep_copy(struct request *request, const char *text)
{
	char *copy = strdup(text);

	if (copy)
		request->texts[request->text_count++] = copy;
	return copy;
}

/* "GLOB:LINE": only digits after the last colon make a line. */
static bool add_filter(struct request *request, const char *text, bool inclusive)
{
	struct py_filter *filter = &request->filters[request->options.filter_count++];
	char *copy = keep_copy(request, text);
	char *colon = copy ? strrchr(copy, ':') : NULL;

	*filter = (struct py_filter){.pattern = copy, .inclusive = inclusive};
	if (colon && colon[1] && colon[1 + strspn(colon + 1, "0123456789")] == '\0') {
		*colon = '\0';
		filter->has_line = true;
		filter->line = strtoull(colon + 1, NULL, 10);
	}
	return copy != NULL;
}

static enum snap_status add_map(struct request *request, const char *text, struct snap_error *err)
{
	char *copy = keep_copy(request, text);
	char *equals = copy ? strchr(copy, '=') : NULL;

	if (!copy)
		return fail_memory(err, "reading options");
	if (!equals || equals == copy)
		return fail(err, SNAP_EUSAGE, "--map wants OLD=NEW, not '%s'", text);
	*equals = '\0';
	request->maps[request->options.map_count++] = (struct py_map){copy, equals + 1};
	return SNAP_OK;
}

static enum snap_status set_domain(struct request *request, const char *text,
				   struct snap_error *err)
{
	char *end;

	if (!text)
		return SNAP_OK;
	request->options.has_domain = true;
	request->options.domain = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end != '\0')
		return fail(err, SNAP_EUSAGE, "--py-domain wants a number, not '%s'", text);
	return SNAP_OK;
}

static enum snap_status request_make(struct request *request, const struct compat_options *compat,
				     const struct report_options *options, struct snap_error *err)
{
	size_t filters = compat->include.count + compat->exclude.count, maps = compat->map.count;
	enum snap_status st = SNAP_OK;
	bool fine = true;

	memset(request, 0, sizeof(*request));
	request->texts = calloc(filters + maps + 1, sizeof(*request->texts));
	request->filters = calloc(filters + 1, sizeof(*request->filters));
	request->maps = calloc(maps + 1, sizeof(*request->maps));
	if (!request->texts || !request->filters || !request->maps)
		return fail_memory(err, "reading options");
	for (size_t i = 0; i < compat->include.count && fine; i++)
		fine = add_filter(request, compat->include.items[i], true);
	for (size_t i = 0; i < compat->exclude.count && fine; i++)
		fine = add_filter(request, compat->exclude.items[i], false);
	if (!fine)
		return fail_memory(err, "reading options");
	for (size_t i = 0; i < maps && st == SNAP_OK; i++)
		st = add_map(request, compat->map.items[i], err);
	request->options.key = options->group == GROUP_LINE   ? PY_LINENO
			       : options->group == GROUP_FILE ? PY_FILENAME
							      : PY_TRACEBACK;
	request->options.cumulative = options->cumulative;
	request->options.filters = request->filters;
	request->options.maps = request->maps;
	request->options.all_frames = compat->all_frames;
	return st == SNAP_OK ? set_domain(request, compat->py_domain, err) : st;
}

/* ---- inputs and outputs ---- */

static void warn_of_skipped(void *user, const char *path, const char *sentence)
{
	(void)user;
	(void)path;
	cli_warn("left out: %s", sentence);
}

/* A file, "-", or a directory's newest. */
static enum snap_status read_model(struct model **model, const char *name,
				   const struct input_options *options, struct snap_error *err)
{
	enum snap_status st;
	struct stat file;
	char **paths;
	size_t count;

	*model = NULL;
	if (!name)
		return fail(err, SNAP_EUSAGE, "--compat tracemalloc wants the name of a dump");
	if (strcmp(name, "-") == 0 || stat(name, &file) != 0 || !S_ISDIR(file.st_mode))
		return input_read(model, name, options, err);
	st = input_list_directory(name, warn_of_skipped, NULL, &paths, &count, err);
	if (st != SNAP_OK)
		return st;
	st = input_read(model, paths[count - 1], options, err);
	input_free_list(paths, count);
	return st;
}

/* One input after the other, so that only one is in memory.  *python is the version that wrote it,
 * as far as it can be told; malloc'ed, or NULL. */
static enum snap_status add_input(struct py_stats *stats, const struct py_options *options,
				  const char *name, bool old, char **python, struct snap_error *err)
{
	const struct input_options input = {.newest_frame_only = !py_stats_needs_stacks(options)};
	struct model *model;
	enum snap_status st = read_model(&model, name, &input, err);

	if (st == SNAP_OK) {
		const char *version = model_meta(model, "python_version");

		*python = version ? strdup(version) : NULL;
		st = version && !*python ? fail_memory(err, "reading a dump")
					 : py_stats_add(stats, model, old, err);
	}
	model_free(model);
	return st;
}

static enum snap_status add_inputs(struct py_stats *stats, const struct py_options *options,
				   const char *name, const char *old, bool quiet,
				   struct snap_error *err)
{
	char *python = NULL, *old_python = NULL;
	struct notice notice;
	enum snap_status st = SNAP_OK;

	if (old)
		st = add_input(stats, options, old, true, &old_python, err);
	if (st == SNAP_OK)
		st = add_input(stats, options, name, false, &python, err);
	if (st == SNAP_OK && !quiet && py_version_warning(old, old_python, name, python, &notice))
		cli_print_warning(NULL, &notice);
	free(python);
	free(old_python);
	return st;
}

static size_t rows_to_show(const struct report_options *options, const struct py_stats *stats)
{
	if (options->all || options->limit == REPORT_LIMIT_UNSET ||
	    options->limit > stats->row_count)
		return stats->row_count;
	return (size_t)options->limit;
}

/* "    stripped source line", as Traceback.format() has it; nothing where there is none. */
static bool print_source(struct source_lines *sources, const struct py_stats *stats,
			 const struct py_row *row, FILE *out)
{
	const struct py_frame *place = py_stats_place(stats, row);
	struct snap_text line;
	char *name;

	if (!place || place->line == 0)
		return true;
	name = py_stats_file_name(stats, place->file);
	if (!name)
		return false;
	line = source_line(sources, place->file, name, place->line);
	if (line.size) {
		fputs("    ", out);
		fwrite(line.data, 1, line.size, out);
		putc('\n', out);
	}
	free(name);
	return true;
}

static enum snap_status print_rows(const struct py_stats *stats,
				   const struct report_options *options,
				   struct source_lines *sources, struct snap_error *err)
{
	size_t count = rows_to_show(options, stats);
	struct output output;
	enum snap_status st = output_open(&output, options, true, err);

	if (st != SNAP_OK)
		return st;
	for (size_t i = 0; i < count && st == SNAP_OK && !ferror(output.stream); i++) {
		py_stats_print(stats, &stats->rows[i], output.stream);
		if (sources && (!print_source(sources, stats, &stats->rows[i], output.stream) ||
				source_lines_failed(sources)))
			st = fail_memory(err, "looking for source lines");
	}
	return output_close(&output, st, err);
}

static enum snap_status print_text(const struct py_stats *stats,
				   const struct report_options *options, const char *directory,
				   struct snap_error *err)
{
	struct source_lines *sources = NULL;
	enum snap_status st = SNAP_OK;

	if (directory)
		st = source_lines_open(&sources, directory, stats->file_count, err);
	if (st == SNAP_OK)
		st = print_rows(stats, options, sources, err);
	source_lines_free(sources);
	return st;
}

static const struct column compat_columns[] = {
	{"frames", "frames", COLUMN_TREE, 0},
	{"size", "size", COLUMN_BYTES, 0},
	{"count", "count", COLUMN_COUNT, 0},
	{"size_diff", "size_diff", COLUMN_DELTA_BYTES, 0},
	{"count_diff", "count_diff", COLUMN_DELTA_COUNT, 0},
};

static struct value frames_value(struct report *report, const struct py_stats *stats,
				 const struct py_row *row)
{
	struct value frames = value_list(report, row->frame_count);

	for (uint32_t i = 0; i < row->frame_count; i++) {
		const struct py_frame *frame = &stats->frames[row->first_frame + i];
		const struct snap_text *file = &stats->files[frame->file];
		struct value pair = value_list(report, 2);

		pair.list.items[0] = value_bytes(report, file->data, file->size);
		pair.list.items[1] = value_int(frame->line);
		frames.list.items[i] = pair;
	}
	return frames;
}

static enum snap_status print_json(const struct py_stats *stats,
				   const struct report_options *options, struct snap_error *err)
{
	struct report *report =
		report_new("snapdiff.tracemalloc/1", compat_columns, stats->compared ? 5 : 3);
	size_t count = rows_to_show(options, stats);
	enum snap_status st;

	for (size_t i = 0; i < count; i++) {
		struct value *row = report_row(report);

		row[0] = frames_value(report, stats, &stats->rows[i]);
		row[1] = value_int(stats->rows[i].size);
		row[2] = value_int(stats->rows[i].count);
		if (!stats->compared)
			continue;
		row[3] = value_int(stats->rows[i].size_diff);
		row[4] = value_int(stats->rows[i].count_diff);
	}
	st = output_report(report, options, err);
	report_free(report);
	return st;
}

enum snap_status compat_run(const struct compat_options *compat,
			    const struct report_options *options, const char *name, const char *old,
			    struct snap_error *err)
{
	struct py_stats *stats = NULL;
	struct request request;
	enum snap_status st = request_make(&request, compat, options, err);

	if (st == SNAP_OK) {
		stats = py_stats_new(&request.options, old != NULL);
		st = stats ? SNAP_OK : fail_memory(err, "grouping traces");
	}
	if (st == SNAP_OK)
		st = add_inputs(stats, &request.options, name, old, options->quiet, err);
	if (st == SNAP_OK)
		st = py_stats_finish(stats, err);
	if (st == SNAP_OK && strcmp(report_format(options), "json") == 0)
		st = print_json(stats, options, err);
	else if (st == SNAP_OK)
		st = print_text(stats, options, compat->source, err);
	py_stats_free(stats);
	request_release(&request);
	return st;
}
