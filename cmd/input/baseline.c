/*
 * baseline.c - reduce a snapshot to the facts that are worth keeping in a repository.
 *
 * What differs from run to run or from checkout to checkout is left out: addresses, build ids,
 * times, directories, ages and cumulative figures.  Rows are sorted, so that the difference of two
 * baselines shows what changed and nothing else.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "input/input.h"

struct row {
	char *key; /* domain and stack in words: order and identity */
	uint32_t node, domain;
	uint64_t bytes, blocks;
};

struct reducing {
	const struct model *from;
	struct model *to;
	struct row *rows;
	size_t count;
};

/* What a baseline says of the process: enough for --max-peak and --max-rss. */
static const char *const kept_meta[] = {"program", "sample_period", "metrics.heap.peak_bytes",
					"metrics.rss"};

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

/* "libfoo.so+0x1234" is another address in the next build. */
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

static bool add_row(struct reducing *reducing, const struct snap_site *site)
{
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
	row->bytes = site->live_bytes;
	row->blocks = site->live_blocks;
	return fclose(key) == 0 && fine;
}

static int compare_rows(const void *left, const void *right)
{
	const struct row *a = left, *b = right;

	return strcmp(a->key, b->key);
}

/* Rows in order; those of the same words become one. */
static bool add_sites(struct reducing *reducing)
{
	if (reducing->count)
		qsort(reducing->rows, reducing->count, sizeof(*reducing->rows), compare_rows);
	for (size_t i = 0, next; i < reducing->count; i = next) {
		struct snap_site site = {.node = reducing->rows[i].node,
					 .domain = reducing->rows[i].domain,
					 .allocated_bytes = SNAP_UNKNOWN,
					 .allocated_blocks = SNAP_UNKNOWN};

		for (next = i; next < reducing->count &&
			       strcmp(reducing->rows[next].key, reducing->rows[i].key) == 0;
		     next++) {
			site.live_bytes += reducing->rows[next].bytes;
			if (reducing->rows[next].blocks == SNAP_UNKNOWN)
				site.live_blocks = SNAP_UNKNOWN;
			else if (site.live_blocks != SNAP_UNKNOWN)
				site.live_blocks += reducing->rows[next].blocks;
		}
		if (model_site_add(reducing->to, &site, NULL, NULL) == SNAP_NONE)
			return false;
	}
	return true;
}

/* Resident memory differs from run to run: up to the next MiB it is stable. */
static bool keep_meta(struct reducing *reducing, const char *name, const char *value)
{
	enum { MIB = 1 << 20 };
	uint64_t bytes = strtoull(value, NULL, 10);
	char rounded[24];

	if (strcmp(name, "metrics.rss") != 0 || bytes > UINT64_MAX - MIB)
		return model_meta_set(reducing->to, name, value);
	snprintf(rounded, sizeof(rounded), "%" PRIu64, (bytes + MIB - 1) / MIB * MIB);
	return model_meta_set(reducing->to, name, rounded);
}

static bool reduce(struct reducing *reducing)
{
	const struct model *from = reducing->from;

	for (size_t i = 0; i < sizeof(kept_meta) / sizeof(*kept_meta); i++) {
		const char *value = model_meta(from, kept_meta[i]);

		if (value && !keep_meta(reducing, kept_meta[i], value))
			return false;
	}
	for (uint32_t i = 0; i < from->site_count; i++)
		if (!add_row(reducing, &from->sites[i].row))
			return false;
	return add_sites(reducing);
}

enum snap_status input_write_baseline(const struct model *model, FILE *out, struct snap_error *err)
{
	struct reducing reducing = {.from = model, .to = model_new()};
	enum snap_status st = SNAP_OK;

	reducing.rows = calloc((size_t)model->site_count + 1, sizeof(*reducing.rows));
	if (!reducing.to || !reducing.rows || !reduce(&reducing))
		st = fail_memory(err, "writing a baseline");
	if (st == SNAP_OK)
		st = input_write_text(reducing.to, out, err);
	for (size_t i = 0; i < reducing.count; i++)
		free(reducing.rows[i].key);
	free(reducing.rows);
	model_free(reducing.to);
	return st;
}
