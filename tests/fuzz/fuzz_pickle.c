/*
 * fuzz_pickle.c - hostile tracemalloc dumps, all the way from the pickle to Python's text.
 *
 * What is accepted must add up: grouping by line says the same whether the reader kept whole stacks
 * or their newest frames only, and a dump compared with itself has not changed.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tracemalloc/py_stats.h"
#include "input/input.h"
#include "input/pickle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The grouping as text; NULL where Python raises, or sums are too large. */
static char *grouped(const struct model *model, const struct py_options *options, bool compared,
		     size_t *size)
{
	struct py_stats *stats = py_stats_new(options, compared);
	struct snap_error err = {0};
	char *text = NULL;
	FILE *out;

	if (!stats)
		abort();
	if ((compared && py_stats_add(stats, model, true, &err) != SNAP_OK) ||
	    py_stats_add(stats, model, false, &err) != SNAP_OK ||
	    py_stats_finish(stats, &err) != SNAP_OK) {
		if (!err.message[0])
			abort(); /* a refusal says why */
		py_stats_free(stats);
		return NULL;
	}
	out = open_memstream(&text, size);
	if (!out)
		abort();
	for (size_t i = 0; i < stats->row_count; i++) {
		if (compared && (stats->rows[i].size_diff || stats->rows[i].count_diff))
			abort();
		py_stats_print(stats, &stats->rows[i], out);
	}
	fclose(out);
	py_stats_free(stats);
	return text;
}

static void group_in_every_way(const struct model *model)
{
	static const struct py_filter filters[] = {
		{.pattern = "*[!a-c]?.py*", .inclusive = true},
		{.pattern = "b*", .has_line = true, .line = 1},
	};

	for (int way = 0; way < 12; way++) {
		struct py_options options = {
			.key = (enum py_key)(way % 3),
			.cumulative = way % 3 != PY_TRACEBACK && way % 2,
			.filters = filters,
			.filter_count = way >= 6 ? 2 : 0,
			.all_frames = way >= 9,
		};
		size_t size;

		free(grouped(model, &options, false, &size));
		free(grouped(model, &options, true, &size));
	}
}

static void newest_frames_are_enough(const struct model *whole, const struct model *newest)
{
	const struct py_options by_line = {.key = PY_LINENO};
	size_t whole_size = 0, newest_size = 0;
	char *a = grouped(whole, &by_line, false, &whole_size);
	char *b = grouped(newest, &by_line, false, &newest_size);

	if (!a != !b || whole_size != newest_size || (a && memcmp(a, b, whole_size) != 0))
		abort();
	free(a);
	free(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct input_options newest_only = {.newest_frame_only = true};
	const struct input_options without_own = {.leave_out_own = true};
	struct model *whole = NULL, *newest = NULL;
	struct snap_error err = {0};

	if (!pickle_recognises(data, size))
		return 0; /* other formats have fuzzers of their own */
	if (input_read_memory(&whole, data, size, "fuzz", NULL, &err) != SNAP_OK) {
		if (whole || !err.message[0])
			abort();
		return 0;
	}
	group_in_every_way(whole);
	if (input_read_memory(&newest, data, size, "fuzz", &newest_only, &err) == SNAP_OK)
		newest_frames_are_enough(whole, newest);
	model_free(whole);
	model_free(newest);
	if (input_read_memory(&whole, data, size, "fuzz", &without_own, &err) == SNAP_OK)
		model_free(whole);
	return 0;
}
