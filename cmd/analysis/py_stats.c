/*
 * py_stats.c - what Python's tracemalloc computes: Snapshot.statistics() and compare_to().
 */
#include "analysis/py_stats.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/py_glob.h"
#include "model/fail.h"

__extension__ typedef unsigned __int128 wide;

static const uint32_t not_ranked = UINT32_MAX;

/* A name of one model, under its final spelling. */
struct name {
	char *text; /* owned until it becomes one of the stats' files */
	size_t size;
	uint32_t model, string;
};

/* Everything that the work needs and the result does not. */
struct work {
	struct py_stats *stats;
	const struct py_options *options;
	const struct model *models[2]; /* new, old (or NULL) */
	uint32_t *ranks[2];            /* string id -> index into files */
	struct py_glob **globs;        /* one per filter */
	signed char **matches;         /* per filter: file -> 1 yes, 0 no, -1 not asked yet */
	struct py_frame *scratch;
	size_t scratch_room;
	uint32_t *table; /* hash -> row + 1 */
	uint32_t table_mask;
	uint64_t *hashes; /* of each row's frames */
	size_t hash_room;
	struct snap_error *err;
};

static enum snap_status no_memory(struct work *w)
{
	return fail_memory(w->err, "grouping traces");
}

/* ---- file names: one order for both snapshots ---- */

static int compare_bytes(const char *a, size_t a_size, const char *b, size_t b_size)
{
	int order = memcmp(a, b, a_size < b_size ? a_size : b_size);

	if (order)
		return order;
	return a_size < b_size ? -1 : a_size > b_size;
}

/* UTF-8 (surrogates as three bytes) sorts by bytes as by code points. */
static int compare_names(const void *a, const void *b)
{
	const struct name *x = a, *y = b;

	return compare_bytes(x->text, x->size, y->text, y->size);
}

/* `text` with the first fitting prefix rewritten; malloc'ed. */
static char *mapped(const struct work *w, struct snap_text text, size_t *size)
{
	const char *to = "";
	size_t cut = 0;
	char *out;

	for (size_t i = 0; i < w->options->map_count; i++) {
		const struct py_map *map = &w->options->maps[i];
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

static bool collect_names(struct work *w, uint32_t which, struct name *names, size_t *count)
{
	const struct model *model = w->models[which];
	uint32_t *ranks = w->ranks[which];

	for (uint32_t i = 0; i < model->frame_count; i++) {
		uint32_t string = model->frames[i].file;
		struct name *name = &names[*count];

		if (ranks[string] != not_ranked)
			continue;
		ranks[string] = 0;
		*name = (struct name){.model = which, .string = string};
		name->text = mapped(w, model->strings[string], &name->size);
		if (!name->text)
			return false;
		(*count)++;
	}
	return true;
}

/* Equal names get one rank; the first spelling is kept, the others are released. */
static bool rank_names(struct work *w, struct name *names, size_t count)
{
	struct py_stats *stats = w->stats;

	stats->files = calloc(count + 1, sizeof(*stats->files));
	if (!stats->files)
		return false;
	qsort(names, count, sizeof(*names), compare_names);
	for (size_t i = 0; i < count; i++) {
		if (i > 0 && compare_names(&names[i - 1], &names[i]) == 0) {
			/* The previous spelling stays comparable: it is the kept one's text. */
			free(names[i].text);
			names[i].text = names[i - 1].text;
		} else {
			stats->files[stats->file_count++] =
				(struct snap_text){names[i].text, names[i].size};
		}
		w->ranks[names[i].model][names[i].string] = stats->file_count - 1;
	}
	return true;
}

static bool rank_files(struct work *w)
{
	size_t most = 1, count = 0;
	struct name *names;
	bool fine = true;

	for (uint32_t m = 0; m < 2 && w->models[m]; m++) {
		most += w->models[m]->string_count;
		w->ranks[m] = malloc((w->models[m]->string_count + 1) * sizeof(uint32_t));
		if (!w->ranks[m])
			return false;
		memset(w->ranks[m], 0xff, w->models[m]->string_count * sizeof(uint32_t));
	}
	names = calloc(most, sizeof(*names));
	if (!names)
		return false;
	for (uint32_t m = 0; m < 2 && w->models[m] && fine; m++)
		fine = collect_names(w, m, names, &count);
	if (fine)
		fine = rank_names(w, names, count);
	if (!fine && !w->stats->files)
		for (size_t i = 0; i < count; i++)
			free(names[i].text);
	free(names);
	return fine;
}

/* ---- filters ---- */

/* Python normalises both the pattern and the name: "x.pyc" means "x.py". */
static size_t without_pyc(const char *text, size_t size)
{
	return size >= 4 && memcmp(text + size - 4, ".pyc", 4) == 0 ? size - 1 : size;
}

static bool compile_filters(struct work *w)
{
	size_t count = w->options->filter_count;

	w->globs = calloc(count + 1, sizeof(*w->globs));
	w->matches = calloc(count + 1, sizeof(*w->matches));
	if (!w->globs || !w->matches)
		return false;
	for (size_t i = 0; i < count; i++) {
		const char *pattern = w->options->filters[i].pattern;
		char *normal = strndup(pattern, without_pyc(pattern, strlen(pattern)));

		if (normal)
			w->globs[i] = py_glob_new(normal);
		free(normal);
		w->matches[i] = malloc(w->stats->file_count + 1);
		if (!w->globs[i] || !w->matches[i])
			return false;
		memset(w->matches[i], -1, w->stats->file_count + 1);
	}
	return true;
}

static bool frame_matches(const struct work *w, size_t filter, struct py_frame frame)
{
	const struct py_filter *f = &w->options->filters[filter];
	const struct snap_text *file = &w->stats->files[frame.file];
	signed char *known = &w->matches[filter][frame.file];

	if (*known < 0)
		*known = py_glob_matches(w->globs[filter], file->data,
					 without_pyc(file->data, file->size));
	return *known && (!f->has_line || f->line == frame.line);
}

static bool trace_matches(const struct work *w, size_t filter, const struct py_frame *frames,
			  size_t count)
{
	size_t looked_at = w->options->all_frames || count == 0 ? count : 1;

	for (size_t i = 0; i < looked_at; i++)
		if (frame_matches(w, filter, frames[i]))
			return true;
	return false;
}

/* Any inclusive filter must match, when there are any, and no exclusive one may. */
static bool trace_is_kept(const struct work *w, const struct py_frame *frames, size_t count)
{
	bool wanted = true, included = false;

	for (size_t i = 0; i < w->options->filter_count; i++) {
		bool matches = trace_matches(w, i, frames, count);

		if (!w->options->filters[i].inclusive && matches)
			return false;
		if (w->options->filters[i].inclusive) {
			wanted = false;
			included = included || matches;
		}
	}
	return wanted || included;
}

/* "python" is domain 0, "python:N" domain N. */
static bool domain_is_kept(const struct work *w, const char *domain)
{
	if (!w->options->has_domain)
		return true;
	if (strcmp(domain, "python") == 0)
		return w->options->domain == 0;
	return strncmp(domain, "python:", 7) == 0 &&
	       strtoull(domain + 7, NULL, 10) == w->options->domain;
}

/* ---- groups ---- */

static uint64_t hash_frames(const struct py_frame *frames, size_t count)
{
	uint64_t hash = UINT64_C(0x9e3779b97f4a7c15) + count;

	for (size_t i = 0; i < count; i++) {
		hash = (hash ^ ((uint64_t)frames[i].file << 32 | frames[i].line)) *
		       UINT64_C(0xbf58476d1ce4e5b9);
		hash ^= hash >> 31;
	}
	return hash;
}

static bool grow_table(struct work *w)
{
	uint32_t size = w->table_mask ? (w->table_mask + 1) * 2 : 4096;
	uint32_t *table = calloc(size, sizeof(*table));

	if (!table)
		return false;
	free(w->table);
	w->table = table;
	w->table_mask = size - 1;
	for (size_t i = 0; i < w->stats->row_count; i++) {
		uint32_t slot = (uint32_t)w->hashes[i] & w->table_mask;

		while (table[slot])
			slot = (slot + 1) & w->table_mask;
		table[slot] = (uint32_t)i + 1;
	}
	return true;
}

static bool reserve_row(struct work *w, size_t frames)
{
	struct py_stats *stats = w->stats;

	if (stats->row_count == stats->row_room) {
		size_t room = stats->row_room ? stats->row_room * 2 : 1024;
		struct py_row *rows = realloc(stats->rows, room * sizeof(*rows));
		uint64_t *hashes;

		if (!rows)
			return false;
		stats->rows = rows;
		hashes = realloc(w->hashes, room * sizeof(*hashes));
		if (!hashes)
			return false;
		w->hashes = hashes;
		stats->row_room = room;
	}
	if (stats->frame_room - stats->frame_count < frames) {
		size_t room = stats->frame_room * 2 + frames + 1024;
		struct py_frame *larger = realloc(stats->frames, room * sizeof(*larger));

		if (!larger)
			return false;
		stats->frames = larger;
		stats->frame_room = room;
	}
	return true;
}

/* The row of these frames, made if there is none; NULL when memory is out. */
static struct py_row *find_row(struct work *w, const struct py_frame *frames, size_t count)
{
	struct py_stats *stats = w->stats;
	uint64_t hash = hash_frames(frames, count);
	struct py_row *row;
	uint32_t slot;

	if (stats->row_count >= w->table_mask / 2 && !grow_table(w))
		return NULL;
	for (slot = (uint32_t)hash & w->table_mask; w->table[slot];
	     slot = (slot + 1) & w->table_mask) {
		row = &stats->rows[w->table[slot] - 1];
		if (w->hashes[w->table[slot] - 1] == hash && row->frame_count == count &&
		    (count == 0 || memcmp(stats->frames + row->first_frame, frames,
					  count * sizeof(*frames)) == 0))
			return row;
	}
	if (!reserve_row(w, count))
		return NULL;
	row = &stats->rows[stats->row_count];
	*row = (struct py_row){.first_frame = stats->frame_count, .frame_count = (uint32_t)count};
	if (count)
		memcpy(stats->frames + stats->frame_count, frames, count * sizeof(*frames));
	stats->frame_count += count;
	w->hashes[stats->row_count] = hash;
	w->table[slot] = (uint32_t)++stats->row_count;
	return row;
}

/* size and count hold the new side; the _diff fields the old side until finish_rows(). */
static enum snap_status credit(struct work *w, bool old, const struct py_frame *frames,
			       size_t count, const struct snap_site *site)
{
	struct py_row *row = find_row(w, frames, count);
	int64_t *size, *blocks;

	if (!row)
		return no_memory(w);
	size = old ? &row->size_diff : &row->size;
	blocks = old ? &row->count_diff : &row->count;
	if (__builtin_add_overflow(*size, (int64_t)site->live_bytes, size) ||
	    __builtin_add_overflow(*blocks, (int64_t)site->live_blocks, blocks))
		return fail(w->err, SNAP_ECORRUPT,
			    "%s: the sizes add up to more than 2^63 - 1 bytes",
			    w->models[old]->source ? w->models[old]->source : "dump");
	return SNAP_OK;
}

static enum snap_status credit_trace(struct work *w, bool old, const struct py_frame *frames,
				     size_t count, const struct snap_site *site)
{
	const struct py_options *options = w->options;
	enum snap_status st = SNAP_OK;

	if (options->cumulative) {
		for (size_t i = 0; i < count && st == SNAP_OK; i++) {
			struct py_frame one = frames[i];

			if (options->key == PY_FILENAME)
				one.line = 0;
			st = credit(w, old, &one, 1, site);
		}
		return st;
	}
	if (options->key == PY_TRACEBACK)
		return credit(w, old, frames, count, site);
	if (options->key == PY_FILENAME) {
		struct py_frame one;

		if (count == 0)
			return fail(
				w->err, SNAP_ECORRUPT,
				"%s: a trace has no frames: it cannot be grouped by file (Python: "
				"tuple index out of range)",
				w->models[old]->source ? w->models[old]->source : "dump");
		one = (struct py_frame){frames[0].file, 0};
		return credit(w, old, &one, 1, site);
	}
	return credit(w, old, frames, count ? 1 : 0, site);
}

/* Frames of a node's stack, newest first, in scratch; false when memory is out. */
static bool unfold(struct work *w, bool old, uint32_t node, size_t *count)
{
	const struct model *model = w->models[old];

	*count = 0;
	for (; node != SNAP_NONE; node = model->nodes[node].parent) {
		const struct model_location *location =
			&model->locations[model->nodes[node].location];

		if (w->scratch_room - *count < location->frame_count) {
			size_t room = w->scratch_room * 2 + location->frame_count + 64;
			struct py_frame *larger = realloc(w->scratch, room * sizeof(*larger));

			if (!larger)
				return false;
			w->scratch = larger;
			w->scratch_room = room;
		}
		for (uint32_t i = 0; i < location->frame_count; i++) {
			const struct snap_frame *frame = &model->frames[location->first_frame + i];

			w->scratch[(*count)++] =
				(struct py_frame){w->ranks[old][frame->file], frame->line};
		}
	}
	return true;
}

static enum snap_status group(struct work *w, bool old)
{
	const struct model *model = w->models[old];
	enum snap_status st = SNAP_OK;

	for (uint32_t i = 0; i < model->site_count && st == SNAP_OK; i++) {
		const struct snap_site *site = &model->sites[i].row;
		size_t count;

		if (site->live_bytes == SNAP_UNKNOWN || site->live_blocks == SNAP_UNKNOWN ||
		    site->live_blocks == 0 || !domain_is_kept(w, model_text(model, site->domain)))
			continue;
		if (!unfold(w, old, site->node, &count))
			return no_memory(w);
		if (trace_is_kept(w, w->scratch, count))
			st = credit_trace(w, old, w->scratch, count, site);
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

static void finish_rows(struct py_stats *stats)
{
	for (size_t i = 0; i < stats->row_count && stats->compared; i++) {
		struct py_row *row = &stats->rows[i];

		row->size_diff = row->size - row->size_diff;
		row->count_diff = row->count - row->count_diff;
	}
	sorting = stats;
	if (stats->row_count)
		qsort(stats->rows, stats->row_count, sizeof(*stats->rows), compare_rows);
	sorting = NULL;
}

static void work_release(struct work *w)
{
	for (size_t i = 0; i < w->options->filter_count; i++) {
		if (w->globs)
			py_glob_free(w->globs[i]);
		if (w->matches)
			free(w->matches[i]);
	}
	free(w->globs);
	free(w->matches);
	free(w->ranks[0]);
	free(w->ranks[1]);
	free(w->scratch);
	free(w->table);
	free(w->hashes);
}

enum snap_status py_stats_make(struct py_stats **out, const struct model *model,
			       const struct model *old, const struct py_options *options,
			       struct snap_error *err)
{
	struct work w = {.options = options, .models = {model, old}, .err = err};
	enum snap_status st = SNAP_OK;

	*out = NULL;
	w.stats = calloc(1, sizeof(*w.stats));
	if (!w.stats)
		return fail_memory(err, "grouping traces");
	w.stats->compared = old != NULL;
	if (!rank_files(&w) || !compile_filters(&w))
		st = no_memory(&w);
	if (st == SNAP_OK)
		st = group(&w, false);
	if (st == SNAP_OK && old)
		st = group(&w, true);
	work_release(&w);
	if (st != SNAP_OK) {
		py_stats_free(w.stats);
		return st;
	}
	finish_rows(w.stats);
	*out = w.stats;
	return SNAP_OK;
}

void py_stats_free(struct py_stats *stats)
{
	if (!stats)
		return;
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

/* A name as its bytes were: a lone surrogate U+DC80..U+DCFF is a byte that was not UTF-8. */
static void print_name(struct snap_text name, FILE *out)
{
	const unsigned char *s = (const unsigned char *)name.data;

	for (size_t i = 0; i < name.size; i++) {
		if (s[i] == 0xed && i + 2 < name.size && (s[i + 1] == 0xb2 || s[i + 1] == 0xb3)) {
			putc((s[i + 1] == 0xb2 ? 0x80 : 0xc0) | (s[i + 2] & 0x3f), out);
			i += 2;
		} else {
			putc(s[i], out);
		}
	}
}

void py_stats_print(const struct py_stats *stats, const struct py_row *row, FILE *out)
{
	const struct py_frame *oldest = stats->frames + row->first_frame + row->frame_count - 1;
	char size[64], diff[64];

	if (row->frame_count == 0) {
		fputs("<no frames>", out);
	} else {
		print_name(stats->files[oldest->file], out);
		fprintf(out, ":%" PRIu32, oldest->line);
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
