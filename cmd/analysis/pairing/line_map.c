/*
 * line_map.c - alignment of the lines of each function.
 */
#include "analysis/pairing/line_map.h"

#include <stdlib.h>

/* A function with so many lines on either side is mapped by alignment; above, its lines stay
 * unmapped. */
enum { MOST_CELLS = 1 << 20 };

/*
 * The score of matching two lines.  An equal line number loses if the callee, the block size and
 * the distance between lines agree on another match: three allocations in a row that moved down by
 * one line.
 */
static const float same_callee = 2, other_callee = 0.25F, same_size = 3, same_number = 3.5F,
		   same_distance = 1;

struct line {
	uint32_t token;
	uint32_t file; /* string id */
	uint32_t line;
	uint32_t callee; /* smallest token that is called from here; SNAP_NONE: the newest frame */
	uint64_t bytes,
		blocks;  /* of the stacks that this line names: allocated where known, else live */
	uint32_t mapped; /* of old lines: the new line */
};

struct lines {
	struct line *items; /* by token, file and line; each once */
	size_t count;
};

struct cell {
	float matched; /* best total that ends with this match */
	float best;    /* best total of all up to here */
	bool adjacent; /* the best predecessor is the match just before */
};

/* Facts about a frame from the stacks of one side. */
struct sight {
	uint32_t callee;
	bool seen;
	uint64_t bytes, blocks;
};

static int compare_number(uint32_t a, uint32_t b)
{
	return a < b ? -1 : a > b;
}

static int compare_lines(const void *left, const void *right)
{
	const struct line *a = left, *b = right;
	int order = compare_number(a->token, b->token);

	if (order == 0)
		order = compare_number(a->file, b->file);
	return order ? order : compare_number(a->line, b->line);
}

/* What each line of a stack weighs. */
static struct sight weight_of(const struct figures *figures)
{
	bool allocated = figures->value[FIGURE_ALLOCATED_BYTES] != SNAP_UNKNOWN &&
			 figures->value[FIGURE_ALLOCATED_BLOCKS] != SNAP_UNKNOWN;
	enum figure bytes = allocated ? FIGURE_ALLOCATED_BYTES : FIGURE_LIVE_BYTES;

	if (figures->value[bytes] == SNAP_UNKNOWN || figures->value[bytes + 1] == SNAP_UNKNOWN)
		return (struct sight){0};
	return (struct sight){.bytes = figures->value[bytes], .blocks = figures->value[bytes + 1]};
}

static void look_at_stacks(const struct tokens *tokens, const struct dataset_cell *const *cells,
			   struct sight *sights)
{
	const struct dataset *dataset = tokens->dataset;

	for (size_t i = 0; i < dataset->site_count; i++) {
		const struct dataset_site *site = &dataset->sites[i];
		const uint32_t *stack = dataset->stack + site->first;
		uint32_t callee = SNAP_NONE;
		struct sight weight;

		if (!cells[i])
			continue;
		weight = weight_of(&cells[i]->figures);
		for (uint32_t f = 0; f < site->depth; f++) {
			struct sight *sight = &sights[stack[f]];

			if (!sight->seen || callee < sight->callee)
				sight->callee = callee;
			sight->seen = true;
			sight->bytes += weight.bytes;
			sight->blocks += weight.blocks;
			callee = tokens->of_frame[stack[f]];
		}
	}
}

/* Frames of one line (several calls, several addresses) become one line. */
static void unite(struct lines *lines)
{
	size_t kept = 0;

	qsort(lines->items, lines->count, sizeof(*lines->items), compare_lines);
	for (size_t i = 0; i < lines->count; i++) {
		struct line *last = kept ? &lines->items[kept - 1] : NULL;

		if (!last || compare_lines(last, &lines->items[i]) != 0) {
			lines->items[kept++] = lines->items[i];
			continue;
		}
		if (lines->items[i].callee < last->callee)
			last->callee = lines->items[i].callee;
		last->bytes += lines->items[i].bytes;
		last->blocks += lines->items[i].blocks;
	}
	lines->count = kept;
}

static bool collect(struct lines *lines, const struct tokens *tokens,
		    const struct dataset_cell *const *cells)
{
	const struct dataset *dataset = tokens->dataset;
	struct sight *sights = calloc(dataset->frame_count + 1, sizeof(*sights));

	lines->items = malloc((dataset->frame_count + 1) * sizeof(*lines->items));
	if (sights && lines->items) {
		look_at_stacks(tokens, cells, sights);
		for (size_t i = 0; i < dataset->frame_count; i++)
			if (sights[i].seen && dataset->frames[i].line)
				lines->items[lines->count++] = (struct line){
					.token = tokens->of_frame[i],
					.file = dataset->frames[i].file,
					.line = dataset->frames[i].line,
					.callee = sights[i].callee,
					.bytes = sights[i].bytes,
					.blocks = sights[i].blocks,
				};
		unite(lines);
	}
	free(sights);
	return sights && lines->items;
}

/* ---- one function's lines -------------------------------------------------------------------- */

static float worth_of(const struct line *a, const struct line *b)
{
	float worth = a->callee == b->callee ? same_callee : other_callee;

	if (a->blocks && b->blocks && a->bytes / a->blocks == b->bytes / b->blocks)
		worth += same_size;
	return a->line == b->line ? worth + same_number : worth;
}

static void fill(struct cell *cells, const struct line *a, size_t n, const struct line *b, size_t m)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < m; j++) {
			struct cell *cell = &cells[i * m + j];
			const struct cell *before = i && j ? cell - m - 1 : NULL;
			float worth = worth_of(&a[i], &b[j]);

			cell->matched = worth + (before ? before->best : 0);
			cell->adjacent = before &&
					 a[i].line - a[i - 1].line == b[j].line - b[j - 1].line &&
					 before->matched + worth + same_distance > cell->matched;
			if (cell->adjacent)
				cell->matched = before->matched + worth + same_distance;
			cell->best = cell->matched;
			if (i && cell[-(ptrdiff_t)m].best > cell->best)
				cell->best = cell[-(ptrdiff_t)m].best;
			if (j && cell[-1].best > cell->best)
				cell->best = cell[-1].best;
		}
}

/* Of equally good matches the first lines win: surplus lines are the last. */
static void trace(const struct cell *cells, struct line *a, size_t n, const struct line *b,
		  size_t m)
{
	size_t i = n, j = m;      /* lines that are not decided yet */
	bool is_adjacent = false; /* the match just found wants the one before it */

	while (i && j) {
		const struct cell *cell = &cells[(i - 1) * m + (j - 1)];

		if (!is_adjacent && j > 1 && cell[-1].best >= cell->best) {
			j--;
		} else if (!is_adjacent && i > 1 && cell[-(ptrdiff_t)m].best >= cell->best) {
			i--;
		} else {
			a[--i].mapped = b[--j].line;
			is_adjacent = cell->adjacent;
		}
	}
}

/* Too many lines to align: they stay where they are. */
static void keep_lines(struct line *a, size_t n)
{
	for (size_t i = 0; i < n; i++)
		a[i].mapped = a[i].line;
}

static bool map_lines(struct line *a, size_t n, const struct line *b, size_t m)
{
	struct cell *cells;

	if (n == 0 || m == 0)
		return true;
	if (n > MOST_CELLS / m) {
		keep_lines(a, n);
		return true;
	}
	cells = malloc(n * m * sizeof(*cells));
	if (!cells)
		return false;
	fill(cells, a, n, b, m);
	trace(cells, a, n, b, m);
	free(cells);
	return true;
}

/* ---- all functions --------------------------------------------------------------------------- */

/* Lines from `from` on that share its token and, if asked, its file. */
static size_t run_length(const struct lines *lines, size_t from, bool same_file)
{
	size_t end = from;

	while (end < lines->count && lines->items[end].token == lines->items[from].token &&
	       (!same_file || lines->items[end].file == lines->items[from].file))
		end++;
	return end - from;
}

static size_t skip_to(const struct lines *lines, size_t from, uint32_t token)
{
	while (from < lines->count && lines->items[from].token < token)
		from++;
	return from;
}

/* A function that occurs in several files (static, or a template) is mapped in each file
 * separately. */
static bool map_files(struct line *a, size_t n, const struct lines *new, size_t j, size_t m)
{
	const struct lines old = {a, n};

	for (size_t i = 0, size; i < n; i += size) {
		size_t k = j;

		size = run_length(&old, i, true);
		while (k < j + m && new->items[k].file != a[i].file)
			k++;
		if (k < j + m && !map_lines(a + i, size, new->items + k, run_length(new, k, true)))
			return false;
	}
	return true;
}

static bool map_functions(struct lines *old, const struct lines *new)
{
	size_t j = 0;

	for (size_t i = 0, n, m; i < old->count; i += n, j += m) {
		bool one_file;

		n = run_length(old, i, false);
		j = skip_to(new, j, old->items[i].token);
		m = 0;
		if (j < new->count && old->items[i].token == new->items[j].token)
			m = run_length(new, j, false);
		if (m == 0)
			continue;
		one_file = run_length(old, i, true) == n && run_length(new, j, true) == m;
		if (one_file ? !map_lines(old->items + i, n, new->items + j, m)
			     : !map_files(old->items + i, n, new, j, m))
			return false;
	}
	return true;
}

static uint32_t mapped_line(const struct lines *old, const struct line *wanted)
{
	const struct line *found =
		bsearch(wanted, old->items, old->count, sizeof(*old->items), compare_lines);

	return found ? found->mapped : 0;
}

uint32_t *line_map_compute(const struct tokens *tokens, const struct dataset_cell *const *old,
			   const struct dataset_cell *const *new)
{
	const struct dataset *dataset = tokens->dataset;
	struct lines old_lines = {0}, new_lines = {0};
	uint32_t *map = NULL;

	if (collect(&old_lines, tokens, old) && collect(&new_lines, tokens, new) &&
	    map_functions(&old_lines, &new_lines))
		map = calloc(dataset->frame_count + 1, sizeof(*map));
	for (size_t i = 0; map && i < dataset->frame_count; i++) {
		const struct line wanted = {.token = tokens->of_frame[i],
					    .file = dataset->frames[i].file,
					    .line = dataset->frames[i].line};

		map[i] = mapped_line(&old_lines, &wanted);
	}
	free(old_lines.items);
	free(new_lines.items);
	return map;
}
