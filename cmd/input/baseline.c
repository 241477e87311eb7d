/*
 * baseline.c - reduce the runs of a program to the facts that are worth keeping in a repository.
 *
 * What differs from run to run or from checkout to checkout is left out: addresses, build ids,
 * times, directories, ages and cumulative figures.  Rows are sorted, so that the difference of two
 * baselines shows what changed and nothing else.
 *
 * Of several runs a row holds the median, and as its error half the distance from the least to the
 * most: a gate counts what is more than a few errors above the median.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "input/input.h"

struct row {
	char *key; /* domain and stack in words: order and identity */
	uint32_t node, domain, run;
	uint64_t bytes, blocks;
	double variance; /* of sampling */
};

struct reducing {
	const struct model *from;
	struct model *to;
	struct row *rows;
	size_t count;
	uint32_t run, run_count;
	uint64_t *bytes, *blocks; /* of one row, by run */
};

/* What a baseline says of the process: enough for --max-total, --max-peak and --max-rss. */
static const char *const kept_meta[] = {"program", "sample_period"};
enum { LIVE_BYTES }; /* its place */
static const struct {
	const char *name, *apart; /* spread: the difference between the least and the most run */
	uint64_t step;            /* rounded up to: resident memory differs from run to run */
} kept_metrics[] = {
	{"metrics.runs.live_bytes", "metrics.runs.live_apart", 1},
	{"metrics.heap.peak_bytes", "metrics.runs.peak_apart", 1},
	{"metrics.rss", "metrics.runs.rss_apart", 1 << 20},
};

/* The end of a path that is the same in every checkout: its last two components. */
static const char *path_tail(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash || slash == path)
		return path;
	do
		slash--;
	while (slash > path && *slash != '/');
	return *slash == '/' ? slash + 1 : slash;
}

/* "libfoo.so+0x1234" has another address in the next build. */
static uint32_t function_name(struct reducing *reducing, uint32_t string)
{
	const char *name = model_text(reducing->from, string);
	const char *plus = strstr(name, "+0x");

	if (strncmp(name, "0x", 2) == 0)
		return 0;
	return plus && plus[strspn(plus + 3, "0123456789abcdef") + 3] == '\0'
		       ? model_string(reducing->to, name, (size_t)(plus - name))
		       : model_cstring(reducing->to, name);
}

static uint32_t reduce_module(struct reducing *reducing, uint32_t module)
{
	struct snap_module reduced = {0};
	const char *path, *slash;

	if (module == SNAP_NONE)
		return SNAP_NONE;
	path = model_text(reducing->from, reducing->from->modules[module].path);
	slash = strrchr(path, '/');
	reduced.path = model_cstring(reducing->to, slash ? slash + 1 : path);
	return model_module_intern(reducing->to, &reduced);
}

static uint32_t add_frame(struct reducing *reducing, uint32_t parent, uint32_t module,
			  const struct snap_frame *frame, FILE *key)
{
	struct snap_frame reduced = {
		.function = function_name(reducing, frame->function),
		.file = model_cstring(reducing->to,
				      path_tail(model_text(reducing->from, frame->file))),
		.line = frame->line,
		.flags = frame->flags,
	};
	uint32_t location = model_symbolic_location(reducing->to, module, &reduced);

	fprintf(key, "%s\t%s\t%u\n", model_text(reducing->to, reduced.function),
		model_text(reducing->to, reduced.file), reduced.line);
	return location == SNAP_NONE ? SNAP_NONE
				     : model_node_intern(reducing->to, parent, location);
}

/* The frames of one location, the outermost first. */
static uint32_t add_location(struct reducing *reducing, uint32_t parent, uint32_t id, FILE *key)
{
	const struct model_location *location = &reducing->from->locations[id];
	uint32_t module = reduce_module(reducing, location->module);
	static const struct snap_frame nothing;

	if (location->frame_count == 0)
		return add_frame(reducing, parent, module, &nothing, key);
	for (uint32_t i = location->frame_count; i > 0; i--)
		parent = add_frame(reducing, parent, module,
				   &reducing->from->frames[location->first_frame + i - 1], key);
	return parent;
}

/* The reduced stack of `node`; its words go to `key`, outermost frame first. */
static bool add_stack(struct reducing *reducing, uint32_t node, uint32_t *reduced, FILE *key)
{
	uint32_t depth = 0, *path;

	*reduced = SNAP_NONE;
	for (uint32_t n = node; n != SNAP_NONE; n = reducing->from->nodes[n].parent)
		depth++;
	path = malloc((depth + 1) * sizeof(*path));
	if (!path)
		return false;
	for (uint32_t n = node, i = 0; n != SNAP_NONE; n = reducing->from->nodes[n].parent)
		path[i++] = reducing->from->nodes[n].location;
	for (uint32_t i = depth; i > 0; i--) {
		*reduced = add_location(reducing, *reduced, path[i - 1], key);
		if (*reduced == SNAP_NONE) {
			free(path);
			return false;
		}
	}
	free(path);
	return true;
}

static bool add_row(struct reducing *reducing, uint32_t at)
{
	const struct snap_site *site = &reducing->from->sites[at].row;
	struct row *row = &reducing->rows[reducing->count];
	const char *domain = model_text(reducing->from, site->domain);
	size_t size;
	bool fine;
	FILE *key;

	if (site->live_bytes == SNAP_UNKNOWN || (site->live_bytes == 0 && site->live_blocks == 0))
		return true;
	key = open_memstream(&row->key, &size);
	if (!key)
		return false;
	reducing->count++;
	fprintf(key, "%s\n", domain);
	fine = add_stack(reducing, site->node, &row->node, key);
	row->domain = model_cstring(reducing->to, domain);
	row->run = reducing->run;
	row->bytes = site->live_bytes;
	row->blocks = site->live_blocks;
	if (reducing->from->variances)
		row->variance = reducing->from->variances[at].live_bytes;
	return fclose(key) == 0 && row->key && fine;
}

static int compare_rows(const void *left, const void *right)
{
	const struct row *a = left, *b = right;

	return strcmp(a->key, b->key);
}

static int compare_values(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return (a > b) - (a < b);
}

/* In order; the middle one.  What is unknown in any run is unknown. */
static uint64_t median(uint64_t *values, uint32_t count)
{
	qsort(values, count, sizeof(*values), compare_values);
	return values[count - 1] == SNAP_UNKNOWN ? SNAP_UNKNOWN : values[(count - 1) / 2];
}

static void add_known(uint64_t *sum, uint64_t more)
{
	*sum = *sum == SNAP_UNKNOWN || more == SNAP_UNKNOWN ? SNAP_UNKNOWN : *sum + more;
}

/* Up to two digits: the rest differs each time a baseline is written. */
static double round_up(double error)
{
	double step = 1;

	while (error > 99 * step)
		step *= 10;
	return ceil(error / step) * step;
}

/* One site of the rows of the same words.  A run that lacks it holds 0 there. */
static bool add_site(struct reducing *reducing, const struct row *rows, size_t count)
{
	struct snap_site site = {.node = rows->node,
				 .domain = rows->domain,
				 .allocated_bytes = SNAP_UNKNOWN,
				 .allocated_blocks = SNAP_UNKNOWN};
	struct snap_variance variance = {0};
	double sampling = 0, apart, error;

	memset(reducing->bytes, 0, reducing->run_count * sizeof(*reducing->bytes));
	memset(reducing->blocks, 0, reducing->run_count * sizeof(*reducing->blocks));
	for (size_t i = 0; i < count; i++) {
		add_known(&reducing->bytes[rows[i].run], rows[i].bytes);
		add_known(&reducing->blocks[rows[i].run], rows[i].blocks);
		sampling += rows[i].variance;
	}
	site.live_bytes = median(reducing->bytes, reducing->run_count);
	site.live_blocks = median(reducing->blocks, reducing->run_count);
	apart = (double)(reducing->bytes[reducing->run_count - 1] - reducing->bytes[0]);
	error = round_up(fmax(apart / 2, sqrt(sampling / reducing->run_count)));
	variance.live_bytes = error * error;
	return model_site_add(reducing->to, &site, NULL, error > 0 ? &variance : NULL) != SNAP_NONE;
}

/* Rows in order; those of the same words become one. */
static bool add_sites(struct reducing *reducing)
{
	if (reducing->count)
		qsort(reducing->rows, reducing->count, sizeof(*reducing->rows), compare_rows);
	for (size_t i = 0, next; i < reducing->count; i = next) {
		for (next = i + 1; next < reducing->count &&
				   strcmp(reducing->rows[next].key, reducing->rows[i].key) == 0;)
			next++;
		if (!add_site(reducing, &reducing->rows[i], next - i))
			return false;
	}
	return true;
}

static bool set_number(struct reducing *reducing, const char *name, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	return model_meta_set(reducing->to, name, text);
}

static uint64_t round_to(uint64_t value, uint64_t step)
{
	/* NOLINTNEXTLINE(clang-analyzer-core.DivideZero): no step of kept_metrics is 0 */
	return value > UINT64_MAX - step ? value : (value + step - 1) / step * step;
}

static uint64_t live_bytes(const struct model *model)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < model->site_count; i++)
		if (model->sites[i].row.live_bytes != SNAP_UNKNOWN)
			sum += model->sites[i].row.live_bytes;
	return sum;
}

static bool figure_of_run(const struct model *run, size_t which, uint64_t *figure)
{
	const char *value = model_meta(run, kept_metrics[which].name);

	*figure = which == LIVE_BYTES ? live_bytes(run) : value ? strtoull(value, NULL, 10) : 0;
	return value || which == LIVE_BYTES;
}

/* The most of any run, and how far they are apart. */
static bool keep_metric(struct reducing *reducing, const struct model *const *runs, size_t which)
{
	uint64_t most = 0, least = UINT64_MAX, step = kept_metrics[which].step;

	for (uint32_t i = 0; i < reducing->run_count; i++) {
		uint64_t number;

		if (!figure_of_run(runs[i], which, &number))
			continue;
		if (number > most)
			most = number;
		if (number < least)
			least = number;
	}
	if (least > most || (which == LIVE_BYTES && reducing->run_count == 1)) /* no error to
									          write */
		return true;
	if (!set_number(reducing, kept_metrics[which].name, round_to(most, step)))
		return false;
	if (reducing->run_count == 1 || (most == least && step == 1))
		return true;
	return set_number(reducing, kept_metrics[which].apart,
			  round_to((uint64_t)round_up((double)(most - least)) + (step > 1), step));
}

static bool keep_meta(struct reducing *reducing, const struct model *const *runs)
{
	bool fine = true;

	for (size_t i = 0; i < sizeof(kept_meta) / sizeof(*kept_meta); i++) {
		const char *value = model_meta(runs[0], kept_meta[i]);

		fine &= !value || model_meta_set(reducing->to, kept_meta[i], value);
	}
	if (reducing->run_count > 1)
		fine &= set_number(reducing, "runs", reducing->run_count);
	for (size_t i = 0; i < sizeof(kept_metrics) / sizeof(*kept_metrics); i++)
		fine &= keep_metric(reducing, runs, i);
	return fine;
}

static bool reduce(struct reducing *reducing, const struct model *const *runs)
{
	if (!keep_meta(reducing, runs))
		return false;
	for (reducing->run = 0; reducing->run < reducing->run_count; reducing->run++) {
		reducing->from = runs[reducing->run];
		for (uint32_t i = 0; i < reducing->from->site_count; i++)
			if (!add_row(reducing, i))
				return false;
	}
	return add_sites(reducing);
}

enum snap_status input_write_baseline(const struct model *const *runs, size_t count, FILE *out,
				      struct snap_error *err)
{
	struct reducing reducing = {.to = model_new(), .run_count = (uint32_t)count};
	enum snap_status st = SNAP_OK;
	size_t sites = 0;

	for (size_t i = 0; i < count; i++)
		sites += runs[i]->site_count;
	reducing.rows = calloc(sites + 1, sizeof(*reducing.rows));
	reducing.bytes = calloc(count + 1, sizeof(*reducing.bytes));
	reducing.blocks = calloc(count + 1, sizeof(*reducing.blocks));
	if (!reducing.to || !reducing.rows || !reducing.bytes || !reducing.blocks ||
	    !reduce(&reducing, runs))
		st = fail_memory(err, "writing a baseline");
	if (st == SNAP_OK)
		st = input_write_text_with_errors(reducing.to, out, err);
	for (size_t i = 0; i < reducing.count; i++)
		free(reducing.rows[i].key);
	free(reducing.rows);
	free(reducing.bytes);
	free(reducing.blocks);
	model_free(reducing.to);
	return st;
}
