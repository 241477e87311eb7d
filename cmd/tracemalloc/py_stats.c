/*
 * py_stats.c - what Python's tracemalloc computes: Snapshot.statistics() and compare_to().
 */
#include "tracemalloc/py_stats.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "tracemalloc/py_glob.h"
#include "base/fail.h"
#include "base/hash.h"
#include "base/seed.h"

__extension__ typedef unsigned __int128 wide;

/* Tables that are needed only while traces are added. Until the end a file's id is the order in
 * which it was met. */
struct py_groups {
	const struct py_options *options;
	struct py_glob **globs; /* one per filter */
	signed char *
		*matches; /* per filter: file -> 1 yes, 0 no, -1 not asked yet; file_room long */
	uint32_t *file_table; /* hash of a name -> file + 1 */
	uint32_t file_mask, file_room;
	struct py_frame *scratch;
	size_t scratch_room;
	uint64_t seed;   /* of the hashes of frames: nobody can know it beforehand and make them
			    collide */
	uint32_t *table; /* hash of frames -> row + 1 */
	uint32_t table_mask;
	uint64_t *hashes; /* of each row's frames */
	size_t row_room, frame_count, frame_room;
};

/* One call of py_stats_add(). */
struct adding {
	struct py_stats *stats;
	struct py_groups *groups;
	const struct model *model;
	uint32_t *files; /* string id -> file, NO_FILE not yet */
	bool old;
	struct snap_error *err;
};

static const uint32_t no_file = UINT32_MAX;

static enum snap_status no_memory(struct adding *a)
{
	return fail_memory(a->err, "grouping traces");
}

static const char *model_name(const struct adding *a)
{
	return a->model->source ? a->model->source : "dump";
}

/* ---- file names: one list for both snapshots ---- */

static int compare_names(struct snap_text a, struct snap_text b)
{
	int order = memcmp(a.data, b.data, a.size < b.size ? a.size : b.size);

	if (order)
		return order;
	return a.size < b.size ? -1 : a.size > b.size;
}

/* `text` with the first fitting prefix rewritten; malloc'ed. */
static char *mapped(const struct py_options *options, struct snap_text text, size_t *size)
{
	const char *to = "";
	size_t cut = 0;
	char *out;

	for (size_t i = 0; i < options->map_count; i++) {
		const struct py_map *map = &options->maps[i];
		size_t length = strlen(map->from);

		if (length > text.size || memcmp(text.data, map->from, length) != 0)
			continue;
		cut = length;
		to = map->to;
		break;
	}
	*size = strlen(to) + text.size - cut;
	out = malloc(*size + 1);
	if (!out)
		return NULL;
	memcpy(out, to, strlen(to));
	memcpy(out + strlen(to), text.data + cut, text.size - cut);
	out[*size] = '\0';
	return out;
}

static uint32_t hash_name(struct snap_text name)
{
	uint64_t hash = hash_fnv(name.data, name.size);

	return (uint32_t)(hash ^ hash >> 32);
}

/* Slot of a name, or of the place where it belongs. */
static uint32_t find_file(const struct py_stats *stats, struct snap_text name)
{
	const struct py_groups *g = stats->groups;
	uint32_t slot = hash_name(name) & g->file_mask;

	while (g->file_table[slot] &&
	       compare_names(stats->files[g->file_table[slot] - 1], name) != 0)
		slot = (slot + 1) & g->file_mask;
	return slot;
}

/* Double the room for files; a filter's answers grow along. */
static bool grow_files(struct py_stats *stats)
{
	struct py_groups *g = stats->groups;
	uint32_t room = g->file_room ? g->file_room * 2 : 256;
	struct snap_text *files = realloc(stats->files, room * sizeof(*files));
	uint32_t *table = calloc((size_t)room * 2, sizeof(*table));

	if (files)
		stats->files = files;
	if (!files || !table) {
		free(table);
		return false;
	}
	free(g->file_table);
	g->file_table = table;
	g->file_mask = room * 2 - 1;
	for (uint32_t i = 0; i < stats->file_count; i++)
		g->file_table[find_file(stats, files[i])] = i + 1;
	for (size_t i = 0; i < g->options->filter_count; i++) {
		signed char *matches = realloc(g->matches[i], room);

		if (!matches)
			return false;
		memset(matches + g->file_room, -1, room - g->file_room);
		g->matches[i] = matches;
	}
	g->file_room = room;
	return true;
}

/* The file of a string of the model; NO_FILE when memory is out. */
static uint32_t file_of(struct adding *a, uint32_t string)
{
	struct py_stats *stats = a->stats;
	struct snap_text name;
	uint32_t slot;
	char *text;

	if (a->files[string] != no_file)
		return a->files[string];
	text = mapped(a->groups->options, a->model->strings[string], &name.size);
	if (!text || (stats->file_count == a->groups->file_room && !grow_files(stats))) {
		free(text);
		return no_file;
	}
	name.data = text;
	slot = find_file(stats, name);
	if (a->groups->file_table[slot]) {
		free(text);
	} else {
		stats->files[stats->file_count] = name;
		a->groups->file_table[slot] = ++stats->file_count;
	}
	a->files[string] = a->groups->file_table[slot] - 1;
	return a->files[string];
}

/* ---- filters ---- */

/* Python normalises both the pattern and the name: "x.pyc" means "x.py". */
static size_t without_pyc(const char *text, size_t size)
{
	return size >= 4 && memcmp(text + size - 4, ".pyc", 4) == 0 ? size - 1 : size;
}

static bool compile_filters(struct py_groups *g)
{
	size_t count = g->options->filter_count;

	g->globs = calloc(count + 1, sizeof(struct py_glob *));
	g->matches = calloc(count + 1, sizeof(*g->matches));
	if (!g->globs || !g->matches)
		return false;
	for (size_t i = 0; i < count; i++) {
		const char *pattern = g->options->filters[i].pattern;
		char *normal = strndup(pattern, without_pyc(pattern, strlen(pattern)));

		if (normal)
			g->globs[i] = py_glob_new(normal);
		free(normal);
		if (!g->globs[i])
			return false;
	}
	return true;
}

static bool frame_matches(const struct adding *a, size_t filter, struct py_frame frame)
{
	const struct py_filter *f = &a->groups->options->filters[filter];
	const struct snap_text *file = &a->stats->files[frame.file];
	signed char *known = &a->groups->matches[filter][frame.file];

	if (*known < 0)
		*known = py_glob_matches(a->groups->globs[filter], file->data,
					 without_pyc(file->data, file->size))
				 ? 1
				 : 0;
	return *known && (!f->has_line || f->line == frame.line);
}

static bool trace_matches(const struct adding *a, size_t filter, const struct py_frame *frames,
			  size_t count)
{
	size_t looked_at = a->groups->options->all_frames || count == 0 ? count : 1;

	for (size_t i = 0; i < looked_at; i++)
		if (frame_matches(a, filter, frames[i]))
			return true;
	return false;
}

/* Any inclusive filter must match, when there are any, and no exclusive one may. */
static bool trace_is_kept(const struct adding *a, const struct py_frame *frames, size_t count)
{
	const struct py_options *options = a->groups->options;
	bool wanted = true, included = false;

	for (size_t i = 0; i < options->filter_count; i++) {
		bool matches = trace_matches(a, i, frames, count);

		if (!options->filters[i].inclusive && matches)
			return false;
		if (options->filters[i].inclusive) {
			wanted = false;
			included = included || matches;
		}
	}
	return wanted || included;
}

/* "python" is domain 0, "python:N" domain N. */
static bool domain_is_kept(const struct py_options *options, const char *domain)
{
	if (!options->has_domain)
		return true;
	if (strcmp(domain, "python") == 0)
		return options->domain == 0;
	return strncmp(domain, "python:", 7) == 0 &&
	       strtoull(domain + 7, NULL, 10) == options->domain;
}

/* ---- groups ---- */

static uint64_t hash_frames(uint64_t seed, const struct py_frame *frames, size_t count)
{
	uint64_t hash = seed + count;

	for (size_t i = 0; i < count; i++) {
		hash = (hash ^ ((uint64_t)frames[i].file << 32 | frames[i].line)) *
		       UINT64_C(0xbf58476d1ce4e5b9);
		hash ^= hash >> 31;
	}
	return hash;
}

static bool grow_table(struct py_stats *stats)
{
	struct py_groups *g = stats->groups;
	uint32_t size = g->table_mask ? (g->table_mask + 1) * 2 : 4096;
	uint32_t *table = calloc(size, sizeof(*table));

	if (!table)
		return false;
	free(g->table);
	g->table = table;
	g->table_mask = size - 1;
	for (size_t i = 0; i < stats->row_count; i++) {
		uint32_t slot = (uint32_t)g->hashes[i] & g->table_mask;

		while (table[slot])
			slot = (slot + 1) & g->table_mask;
		table[slot] = (uint32_t)i + 1;
	}
	return true;
}

static bool reserve_row(struct py_stats *stats, size_t frames)
{
	struct py_groups *g = stats->groups;

	size_t room = g->row_room;

	return array_reserve(&stats->rows, &room, stats->row_count, sizeof(*stats->rows)) &&
	       array_reserve(&g->hashes, &g->row_room, stats->row_count, sizeof(*g->hashes)) &&
	       array_room(&stats->frames, &g->frame_room, g->frame_count + frames,
			  sizeof(*stats->frames));
}

/* The row of these frames, made if there is none; NULL when memory is out. */
static struct py_row *find_row(struct py_stats *stats, const struct py_frame *frames, size_t count)
{
	struct py_groups *g = stats->groups;
	uint64_t hash = hash_frames(g->seed, frames, count);
	struct py_row *row;
	uint32_t slot;

	if (stats->row_count >= g->table_mask / 2 && !grow_table(stats))
		return NULL;
	for (slot = (uint32_t)hash & g->table_mask; g->table[slot];
	     slot = (slot + 1) & g->table_mask) {
		row = &stats->rows[g->table[slot] - 1];
		if (g->hashes[g->table[slot] - 1] == hash && row->frame_count == count &&
		    (count == 0 || memcmp(stats->frames + row->first_frame, frames,
					  count * sizeof(*frames)) == 0))
			return row;
	}
	if (!reserve_row(stats, count))
		return NULL;
	row = &stats->rows[stats->row_count];
	*row = (struct py_row){.first_frame = g->frame_count, .frame_count = (uint32_t)count};
	if (count)
		memcpy(stats->frames + g->frame_count, frames, count * sizeof(*frames));
	g->frame_count += count;
	g->hashes[stats->row_count] = hash;
	g->table[slot] = (uint32_t)++stats->row_count;
	return row;
}

/* The bytes and blocks of all traces of one stack. */
struct holding {
	int64_t size, count;
};

static enum snap_status too_large(struct adding *a)
{
	return fail(a->err, SNAP_ECORRUPT, "%s: the sizes add up to more than 2^63 - 1 bytes",
		    model_name(a));
}

/* size and count hold the new side; the _diff fields the old side until py_stats_finish(). */
static enum snap_status credit(struct adding *a, const struct py_frame *frames, size_t count,
			       const struct holding *held)
{
	struct py_row *row = find_row(a->stats, frames, count);
	int64_t *size, *blocks;

	if (!row)
		return no_memory(a);
	size = a->old ? &row->size_diff : &row->size;
	blocks = a->old ? &row->count_diff : &row->count;
	if (__builtin_add_overflow(*size, held->size, size) ||
	    __builtin_add_overflow(*blocks, held->count, blocks))
		return too_large(a);
	return SNAP_OK;
}

static enum snap_status credit_stack(struct adding *a, const struct py_frame *frames, size_t count,
				     const struct holding *held)
{
	const struct py_options *options = a->groups->options;
	enum snap_status st = SNAP_OK;

	if (options->cumulative) {
		for (size_t i = 0; i < count && st == SNAP_OK; i++) {
			struct py_frame one = frames[i];

			if (options->key == PY_FILENAME)
				one.line = 0;
			st = credit(a, &one, 1, held);
		}
		return st;
	}
	if (options->key == PY_TRACEBACK)
		return credit(a, frames, count, held);
	if (options->key == PY_FILENAME) {
		struct py_frame one;

		if (count == 0)
			return fail(
				a->err, SNAP_ECORRUPT,
				"%s: a trace has no frames: it cannot be grouped by file (Python: "
				"tuple index out of range)",
				model_name(a));
		one = (struct py_frame){frames[0].file, 0};
		return credit(a, &one, 1, held);
	}
	return credit(a, frames, count ? 1 : 0, held);
}

/* Frames of a node's stack, newest first, in scratch; false when memory is out. */
static bool unfold(struct adding *a, uint32_t node, size_t *count)
{
	struct py_groups *g = a->groups;
	const struct model *model = a->model;

	*count = 0;
	for (; node != SNAP_NONE; node = model->nodes[node].parent) {
		const struct model_location *location =
			&model->locations[model->nodes[node].location];

		if (!array_room(&g->scratch, &g->scratch_room, *count + location->frame_count,
				sizeof(*g->scratch)))
			return false;
		for (uint32_t i = 0; i < location->frame_count; i++) {
			const struct snap_frame *frame = &model->frames[location->first_frame + i];

			uint32_t file = file_of(a, frame->file);

			if (file == no_file)
				return false;
			g->scratch[(*count)++] = (struct py_frame){file, frame->line};
		}
	}
	return true;
}

/* Add a site to what its stack holds; false if that is too large. */
static bool hold(const struct adding *a, const struct snap_site *site, struct holding *held)
{
	if (site->live_bytes == SNAP_UNKNOWN || site->live_blocks == SNAP_UNKNOWN ||
	    !domain_is_kept(a->groups->options, model_text(a->model, site->domain)))
		return true;
	return site->live_bytes <= INT64_MAX && site->live_blocks <= INT64_MAX &&
	       !__builtin_add_overflow(held->size, (int64_t)site->live_bytes, &held->size) &&
	       !__builtin_add_overflow(held->count, (int64_t)site->live_blocks, &held->count);
}

/* Sites that follow each other and differ by their domain only cost one look at their stack. */
static enum snap_status group(struct adding *a)
{
	const struct model_site *sites = a->model->sites;
	const uint32_t site_count = a->model->site_count;
	enum snap_status st = SNAP_OK;

	for (uint32_t i = 0; i < site_count && st == SNAP_OK;) {
		uint32_t node = sites[i].row.node;
		struct holding held = {0, 0};
		size_t count;

		for (; i < site_count && sites[i].row.node == node; i++)
			if (!hold(a, &sites[i].row, &held))
				return too_large(a);
		if (held.count == 0)
			continue;
		if (!unfold(a, node, &count))
			return no_memory(a);
		if (trace_is_kept(a, a->groups->scratch, count))
			st = credit_stack(a, a->groups->scratch, count, &held);
	}
	return st;
}

/* ---- order ---- */

static const struct py_stats *sorting; /* qsort has no argument for it; one sort at a time */

static int compare_numbers(int64_t a, int64_t b)
{
	return a < b ? -1 : a > b;
}

/* Tracebacks compare from their oldest frame on; a shorter one that fits is less. */
static int compare_tracebacks(const struct py_row *a, const struct py_row *b)
{
	const struct py_frame *x = sorting->frames + a->first_frame + a->frame_count;
	const struct py_frame *y = sorting->frames + b->first_frame + b->frame_count;
	uint32_t common = a->frame_count < b->frame_count ? a->frame_count : b->frame_count;

	for (uint32_t i = 0; i < common; i++) {
		x--;
		y--;
		if (x->file != y->file)
			return x->file < y->file ? -1 : 1;
		if (x->line != y->line)
			return x->line < y->line ? -1 : 1;
	}
	return compare_numbers(a->frame_count, b->frame_count);
}

static int compare_rows(const void *a, const void *b)
{
	const struct py_row *x = b, *y = a; /* descending */
	int order = 0;

	if (sorting->compared)
		order = compare_numbers(llabs(x->size_diff), llabs(y->size_diff));
	if (order == 0)
		order = compare_numbers(x->size, y->size);
	if (order == 0 && sorting->compared)
		order = compare_numbers(llabs(x->count_diff), llabs(y->count_diff));
	if (order == 0)
		order = compare_numbers(x->count, y->count);
	return order ? order : compare_tracebacks(x, y);
}

/* A file in the order that it was met, to be put in code point order. */
struct ranked {
	struct snap_text name;
	uint32_t met;
};

static int compare_ranked(const void *a, const void *b)
{
	return compare_names(((const struct ranked *)a)->name, ((const struct ranked *)b)->name);
}

/* UTF-8 (surrogates as three bytes) sorts by bytes as by code points; frames then compare by
 * number. */
static bool rank_files(struct py_stats *stats)
{
	struct ranked *ranked = calloc((size_t)stats->file_count + 1, sizeof(*ranked));
	uint32_t *ranks = calloc((size_t)stats->file_count + 1, sizeof(*ranks));

	if (ranked && ranks) {
		for (uint32_t i = 0; i < stats->file_count; i++)
			ranked[i] = (struct ranked){stats->files[i], i};
		qsort(ranked, stats->file_count, sizeof(*ranked), compare_ranked);
		for (uint32_t i = 0; i < stats->file_count; i++) {
			stats->files[i] = ranked[i].name;
			ranks[ranked[i].met] = i;
		}
		for (size_t i = 0; i < stats->groups->frame_count; i++)
			stats->frames[i].file = ranks[stats->frames[i].file];
	}
	free(ranked);
	free(ranks);
	return ranked && ranks;
}

static void groups_free(struct py_groups *g)
{
	if (!g)
		return;
	for (size_t i = 0; i < g->options->filter_count; i++) {
		if (g->globs)
			py_glob_free(g->globs[i]);
		if (g->matches)
			free(g->matches[i]);
	}
	free(g->globs);
	free(g->matches);
	free(g->file_table);
	free(g->scratch);
	free(g->table);
	free(g->hashes);
	free(g);
}

/* ---- the whole ---- */

struct py_stats *py_stats_new(const struct py_options *options, bool compared)
{
	struct py_stats *stats = calloc(1, sizeof(*stats));

	if (!stats)
		return NULL;
	stats->compared = compared;
	stats->groups = calloc(1, sizeof(*stats->groups));
	if (stats->groups) {
		stats->groups->options = options;
		stats->groups->seed = hash_seed();
		if (compile_filters(stats->groups))
			return stats;
	}
	py_stats_free(stats);
	return NULL;
}

bool py_stats_needs_stacks(const struct py_options *options)
{
	return options->key == PY_TRACEBACK || options->cumulative ||
	       (options->all_frames && options->filter_count > 0);
}

enum snap_status py_stats_add(struct py_stats *stats, const struct model *model, bool old,
			      struct snap_error *err)
{
	struct adding a = {
		.stats = stats, .groups = stats->groups, .model = model, .old = old, .err = err};
	enum snap_status st;

	a.files = malloc(((size_t)model->string_count + 1) * sizeof(*a.files));
	if (!a.files)
		return no_memory(&a);
	memset(a.files, 0xff, model->string_count * sizeof(*a.files));
	st = group(&a);
	free(a.files);
	return st;
}

enum snap_status py_stats_finish(struct py_stats *stats, struct snap_error *err)
{
	if (!rank_files(stats))
		return fail_memory(err, "grouping traces");
	for (size_t i = 0; i < stats->row_count && stats->compared; i++) {
		struct py_row *row = &stats->rows[i];

		row->size_diff = row->size - row->size_diff;
		row->count_diff = row->count - row->count_diff;
	}
	sorting = stats;
	if (stats->row_count)
		qsort(stats->rows, stats->row_count, sizeof(*stats->rows), compare_rows);
	sorting = NULL;
	groups_free(stats->groups);
	stats->groups = NULL;
	return SNAP_OK;
}

void py_stats_free(struct py_stats *stats)
{
	if (!stats)
		return;
	groups_free(stats->groups);
	for (uint32_t i = 0; i < stats->file_count; i++)
		free((void *)(uintptr_t)stats->files[i].data);
	free(stats->files);
	free(stats->frames);
	free(stats->rows);
	free(stats);
}

/* ---- text ---- */

void py_format_size(double size, bool sign, char buffer[64])
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};

	for (int unit = 0; unit < 5; unit++) {
		bool last = unit == 4;

		if (fabs(size) < 100 && unit > 0) {
			snprintf(buffer, 64, sign ? "%+.1f %s" : "%.1f %s", size, units[unit]);
			return;
		}
		if (fabs(size) < 10 * 1024 || last) {
			snprintf(buffer, 64, sign ? "%+.0f %s" : "%.0f %s", size, units[unit]);
			return;
		}
		size /= 1024;
	}
}

/* a / b rounded once, as Python divides integers: 55 bits of quotient, and the rest made sticky. */
static double divide(int64_t a, int64_t b)
{
	wide dividend = (wide)a;
	int shift = 0;

	if (a == 0)
		return 0;
	while (dividend / (wide)b < (wide)1 << 55) {
		dividend <<= 1;
		shift++;
	}
	return ldexp((double)((uint64_t)(dividend / (wide)b) | (dividend % (wide)b != 0)), -shift);
}

/* The next byte of a name as it was: a lone surrogate U+DC80..U+DCFF is a byte that was not UTF-8.
 */
static unsigned char next_byte(struct snap_text name, size_t *at)
{
	const unsigned char *s = (const unsigned char *)name.data + *at;

	if (s[0] != 0xed || *at + 2 >= name.size || (s[1] != 0xb2 && s[1] != 0xb3)) {
		*at += 1;
		return s[0];
	}
	*at += 3;
	return (unsigned char)((s[1] == 0xb2 ? 0x80 : 0xc0) | (s[2] & 0x3f));
}

static void print_name(struct snap_text name, FILE *out)
{
	for (size_t i = 0; i < name.size;)
		putc(next_byte(name, &i), out);
}

char *py_stats_file_name(const struct py_stats *stats, uint32_t file)
{
	struct snap_text name = stats->files[file];
	char *copy = calloc(name.size + 1, 1), *end = copy;

	if (copy && !memchr(name.data, '\0', name.size))
		for (size_t i = 0; i < name.size;)
			*end++ = (char)next_byte(name, &i);
	return copy;
}

const struct py_frame *py_stats_place(const struct py_stats *stats, const struct py_row *row)
{
	return row->frame_count ? &stats->frames[row->first_frame + row->frame_count - 1] : NULL;
}

void py_stats_print(const struct py_stats *stats, const struct py_row *row, FILE *out)
{
	const struct py_frame *place = py_stats_place(stats, row);
	char size[64], diff[64];

	if (place) {
		print_name(stats->files[place->file], out);
		fprintf(out, ":%" PRIu32, place->line);
	} else {
		fputs("<no frames>", out);
	}
	py_format_size((double)row->size, false, size);
	fprintf(out, ": size=%s", size);
	if (stats->compared) {
		py_format_size((double)row->size_diff, true, diff);
		fprintf(out, " (%s)", diff);
	}
	fprintf(out, ", count=%" PRId64, row->count);
	if (stats->compared)
		fprintf(out, " (%+" PRId64 ")", row->count_diff);
	if (row->count) {
		py_format_size(divide(row->size, row->count), false, size);
		fprintf(out, ", average=%s", size);
	}
	putc('\n', out);
}
