/*
 * py_stats_batch.c - the grouping of --compat tracemalloc without a process for each snapshot, so
 * that parity.py can compare hundreds of thousands of answers.
 *
 * Standard input holds one request a line, tab-separated: key (lineno, filename, traceback),
 * cumulative (0 or 1), all_frames (0 or 1), the file, the old file or "-", then filters as "+GLOB"
 * or "-GLOB" with ":LINE" or ":" behind. The answer is the rows, or "error: ...", and then a line
 * with a single 0x01 byte.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tracemalloc/py_stats.h"
#include "input/input.h"

enum { FILTERS_MAX = 8 };

static struct py_filter parse_filter(char *text)
{
	struct py_filter filter = {.inclusive = text[0] == '+', .pattern = text + 1};
	char *colon = strrchr(text, ':');

	*colon = '\0';
	filter.has_line = colon[1] != '\0';
	filter.line = strtoull(colon + 1, NULL, 10);
	return filter;
}

static void parse(char *line, struct py_options *options, struct py_filter *filters, char *files[2])
{
	char *key = strsep(&line, "\t"), *text;

	options->key = strcmp(key, "lineno") == 0     ? PY_LINENO
		       : strcmp(key, "filename") == 0 ? PY_FILENAME
						      : PY_TRACEBACK;
	options->cumulative = strcmp(strsep(&line, "\t"), "1") == 0;
	options->all_frames = strcmp(strsep(&line, "\t"), "1") == 0;
	files[0] = strsep(&line, "\t");
	files[1] = strsep(&line, "\t");
	options->filters = filters;
	while ((text = strsep(&line, "\t")) && options->filter_count < FILTERS_MAX)
		filters[options->filter_count++] = parse_filter(text);
}

static enum snap_status add(struct py_stats *stats, const char *file, bool old,
			    struct snap_error *err)
{
	struct model *model;
	enum snap_status st = input_read(&model, file, &(struct input_options){0}, err);

	if (st == SNAP_OK)
		st = py_stats_add(stats, model, old, err);
	model_free(model);
	return st;
}

static enum snap_status answer(char *line, struct snap_error *err)
{
	struct py_filter filters[FILTERS_MAX];
	struct py_options options = {0};
	struct py_stats *stats;
	enum snap_status st = SNAP_OK;
	char *files[2];
	bool compared;

	parse(line, &options, filters, files);
	compared = strcmp(files[1], "-") != 0;
	stats = py_stats_new(&options, compared);
	if (!stats)
		return SNAP_ENOMEM;
	if (compared)
		st = add(stats, files[1], true, err);
	if (st == SNAP_OK)
		st = add(stats, files[0], false, err);
	if (st == SNAP_OK)
		st = py_stats_finish(stats, err);
	for (size_t i = 0; st == SNAP_OK && i < stats->row_count; i++)
		py_stats_print(stats, &stats->rows[i], stdout);
	py_stats_free(stats);
	return st;
}

int main(void)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t size;

	while ((size = getline(&line, &room, stdin)) > 0) {
		struct snap_error err = {0};

		if (line[size - 1] == '\n')
			line[size - 1] = '\0';
		if (answer(line, &err) != SNAP_OK)
			printf("error: %s\n", err.message);
		printf("\x01\n");
		fflush(stdout);
	}
	free(line);
	return 0;
}
