/*
 * twins.c - old stacks without a partner that belong to a row of the new snapshot nonetheless.
 */
#include "analysis/pairing/twins.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/keyed.h"
#include "base/search.h"
#include "model/names.h"

/* Stacks of one key belong together; 0: to none. */
typedef uint64_t key_of_site(const struct dataset *dataset, uint32_t site);

static uint64_t line_key(const struct dataset *dataset, uint32_t site)
{
	return dataset->sites[site].identity.line;
}

/* Of the row that has the site's name. */
static uint64_t row_key(const struct dataset *dataset, uint32_t site)
{
	const struct dataset_site *row = &dataset->sites[site];
	const struct dataset_frame *frame;
	uint64_t key;

	if (row->identity.named >= row->depth)
		return 0;
	frame = dataset_frame_at(dataset, site, row->identity.named);
	key = hash_fold(row->domain, frame->function);
	key = hash_fold(key, frame->module);
	return hash_fold(hash_fold(key, frame->file), frame->line);
}

/* The same, where it means a call or a function.  Without debug information a function is all that is known. */
static uint64_t place_key(const struct dataset *dataset, uint32_t site)
{
	const struct dataset_site *row = &dataset->sites[site];
	const struct dataset_frame *frame;

	if (row->identity.named >= row->depth)
		return 0;
	frame = dataset_frame_at(dataset, site, row->identity.named);
	if (!frame->file && name_is_address(dataset_text(dataset, frame->function)))
		return 0;
	return !frame->file != !frame->line ? 0 : row_key(dataset, site);
}

/* The same, and the function that called it: where a program's own malloc names the sites, that wanted
 * the memory. */
static uint64_t caller_key(const struct dataset *dataset, uint32_t site)
{
	const struct dataset_site *row = &dataset->sites[site];
	uint64_t key = place_key(dataset, site);

	if (!key || row->identity.named + 1 >= row->depth)
		return 0;
	return hash_fold(key, dataset_frame_at(dataset, site, row->identity.named + 1)->function);
}

/* Are both stacks named by the same function? */
static bool is_same_function(const struct dataset *dataset, uint32_t a, uint32_t b)
{
	uint32_t left = dataset->sites[a].identity.named, right = dataset->sites[b].identity.named;

	return left < dataset->sites[a].depth && right < dataset->sites[b].depth &&
	       dataset_frame_at(dataset, a, left)->function ==
		       dataset_frame_at(dataset, b, right)->function;
}

static uint64_t known(const struct figures *figures, enum figure figure)
{
	uint64_t value = figures->value[figure];

	return value == SNAP_UNKNOWN ? 0 : value;
}

static uint64_t blocks_of(const struct pair_sides *sides, uint32_t old)
{
	return known(&sides->old[old]->figures, FIGURE_LIVE_BLOCKS);
}

/* ---- what rows have gained ------------------------------------------------------------------- */

/* What the new stacks of a row hold beyond the old ones that count towards it. */
struct gain {
	uint64_t key;
	int64_t bytes, blocks;
};

struct gains {
	struct gain *rows; /* by rising keys */
	size_t count;
};

static int compare_gains(const void *left, const void *right)
{
	const struct gain *a = left, *b = right;

	return a->key < b->key ? -1 : a->key > b->key;
}

static void add_stack(struct gain *gain, const struct dataset_cell *cell, enum figure bytes,
		      int sign)
{
	gain->bytes += sign * (int64_t)known(&cell->figures, bytes);
	gain->blocks += sign * (int64_t)known(&cell->figures, bytes ^ 1);
}

/* Stacks that have no partner yet and no row of a partner do not count.  False when memory is out. */
static bool compute_gains(struct gains *gains, const struct pairing *pairing,
			  const struct dataset *dataset, const struct pair_sides *sides,
			  enum figure bytes)
{
	size_t count = 0;

	gains->rows = malloc((pairing->count + 1) * sizeof(*gains->rows));
	if (!gains->rows)
		return false;
	for (size_t i = 0; i < pairing->count; i++) {
		const struct pair *pair = &pairing->pairs[i];
		uint32_t row = pair->has_twin ? pair->twin : pair->new;
		struct gain gain = {0};

		if (row == SNAP_NONE)
			continue;
		gain.key = row_key(dataset, row);
		if (pair->new != SNAP_NONE)
			add_stack(&gain, sides->new[pair->new], bytes, 1);
		if (pair->old != SNAP_NONE)
			add_stack(&gain, sides->old[pair->old], bytes, -1);
		gains->rows[count++] = gain;
	}
	qsort(gains->rows, count, sizeof(*gains->rows), compare_gains);
	for (size_t i = 0; i < count; i++) {
		struct gain *last = gains->count ? &gains->rows[gains->count - 1] : NULL;

		if (last && last->key == gains->rows[i].key) {
			last->bytes += gains->rows[i].bytes;
			last->blocks += gains->rows[i].blocks;
		} else {
			gains->rows[gains->count++] = gains->rows[i];
		}
	}
	return true;
}

/* May the old stack count towards the row of `new`?  Not if that hides what the row gained: then
 * more than it gained is gone.  What may is taken off the row's gain. */
static bool take_gain(struct gains *gains, const struct dataset *dataset,
		      const struct dataset_cell *old, uint32_t new, enum figure bytes)
{
	uint64_t key = row_key(dataset, new);
	struct gain left, *gain;
	size_t at;

	SEARCH(at, 0, gains->count, gains->rows[at].key < key);
	if (at == gains->count || gains->rows[at].key != key)
		return true;
	gain = &gains->rows[at];
	left = *gain;
	add_stack(&left, old, bytes, -1);
	if ((gain->bytes > 0 || gain->blocks > 0) && (left.bytes < 0 || left.blocks < 0))
		return false;
	*gain = left;
	return true;
}

/* ---- twins ----------------------------------------------------------------------------------- */

/* How twins are found. */
struct rule {
	key_of_site *key_of;
	enum pair_level surest; /* pairs that are surer than this do not count */
	bool moves;             /* the partner must have another key */
	enum figure bytes;      /* live or allocated: by which rows are compared */
};

/* By its lines, a stack is the same call in the same place. */
static bool is_better(const struct pair_sides *sides, const struct pair *pair,
		      const struct pair *than)
{
	bool stays = pair->level <= PAIR_LINE;

	if (stays != (than->level <= PAIR_LINE))
		return stays;
	return blocks_of(sides, pair->old) > blocks_of(sides, than->old);
}

/* Keep one row of each key: that of the largest pair by lines, or of the largest.  Returns how many are
 * kept. */
static size_t keep_best(const struct pairing *pairing, const struct pair_sides *sides,
			struct keyed_row *paired, size_t count)
{
	const struct pair *pairs = pairing->pairs;
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		if (kept == 0 || paired[kept - 1].key != paired[i].key)
			paired[kept++] = paired[i];
		else if (is_better(sides, &pairs[paired[i].row], &pairs[paired[kept - 1].row]))
			paired[kept - 1] = paired[i];
	}
	return kept;
}

/* The old stacks with a partner, by their keys: the best of each key. */
static bool list_paired(const struct pairing *pairing, const struct dataset *dataset,
			const struct pair_sides *sides, const struct rule *rule,
			struct keyed_row *paired, size_t *count)
{
	*count = 0;
	for (size_t i = 0; i < pairing->count; i++) {
		const struct pair *pair = &pairing->pairs[i];

		if (pair->level >= rule->surest && pair->level != PAIR_NONE)
			paired[(*count)++] =
				(struct keyed_row){rule->key_of(dataset, pair->old), (uint32_t)i};
	}
	if (!keyed_sort(paired, *count))
		return false;
	*count = keep_best(pairing, sides, paired, *count);
	return true;
}

/* Is the line known from which the stack's function asked for memory? */
static bool has_line(const struct dataset *dataset, uint32_t site)
{
	return dataset_frame_at(dataset, site, dataset->sites[site].identity.named)->line != 0;
}

/* The old stack `lone` has the key of `pair`: does it belong to the row of the new one?  A call in a
 * function of another name may be like it by chance: it takes no larger stacks along, and none if
 * the key is not one call but a whole function. */
static bool takes_along(const struct dataset *dataset, const struct pair_sides *sides,
			const struct rule *rule, const struct pair *pair, uint32_t lone)
{
	if (!rule->moves)
		return true;
	if (place_key(dataset, pair->new) == place_key(dataset, lone))
		return false;
	return is_same_function(dataset, pair->old, pair->new) ||
	       (has_line(dataset, lone) && blocks_of(sides, lone) <= blocks_of(sides, pair->old));
}

/* Where one side has no lines, a function stands for all its calls: is it known which one it is? */
static bool is_one_call(const struct dataset *dataset, uint32_t old, uint32_t new)
{
	return has_line(dataset, old) && has_line(dataset, new);
}

static bool join(struct pairing *pairing, const struct dataset *dataset,
		 const struct pair_sides *sides, const struct rule *rule)
{
	struct keyed_row *paired = malloc((pairing->count + 1) * sizeof(*paired));
	struct gains gains = {0};
	size_t count = 0, at;
	bool ok = paired && list_paired(pairing, dataset, sides, rule, paired, &count) &&
		  (!rule->moves || compute_gains(&gains, pairing, dataset, sides, rule->bytes));

	for (size_t i = 0; ok && i < pairing->count; i++) {
		struct pair *pair = &pairing->pairs[i];
		const struct pair *best;
		uint64_t key;

		if (pair->new != SNAP_NONE || pair->has_twin)
			continue;
		key = rule->key_of(dataset, pair->old);
		SEARCH(at, 0, count, paired[at].key < key);
		if (!key || at == count || paired[at].key != key)
			continue;
		best = &pairing->pairs[paired[at].row];
		pair->has_twin =
			takes_along(dataset, sides, rule, best, pair->old) &&
			(!rule->moves || is_one_call(dataset, pair->old, best->new) ||
			 take_gain(&gains, dataset, sides->old[pair->old], best->new, rule->bytes));
		if (pair->has_twin)
			pair->twin = best->new;
		pair->is_copy = pair->has_twin && !rule->moves;
	}
	free(gains.rows);
	free(paired);
	return ok;
}

/* A copy in the new program is in the row of the original anyway. */
static bool mark_new_copies(struct pairing *pairing, const struct dataset *dataset)
{
	struct keyed_row *paired = malloc((pairing->count + 1) * sizeof(*paired));
	size_t count = 0, at;
	bool ok = paired != NULL;

	for (size_t i = 0; ok && i < pairing->count; i++) {
		const struct pair *pair = &pairing->pairs[i];

		if (pair->level >= PAIR_LINE && pair->level != PAIR_NONE)
			paired[count++] =
				(struct keyed_row){line_key(dataset, pair->new), (uint32_t)i};
	}
	ok = ok && keyed_sort(paired, count);
	for (size_t i = 0; ok && i < pairing->count; i++) {
		struct pair *pair = &pairing->pairs[i];
		uint64_t key = pair->old == SNAP_NONE ? line_key(dataset, pair->new) : 0;

		SEARCH(at, 0, count, paired[at].key < key);
		if (key && at < count && paired[at].key == key)
			pair->is_copy = true;
	}
	free(paired);
	return ok;
}

bool twins_join_lines(struct pairing *pairing, const struct dataset *dataset,
		      const struct pair_sides *sides)
{
	/* A pair of one build says nothing of another one. */
	const struct rule rule = {line_key, PAIR_LINE, false, FIGURE_LIVE_BYTES};

	return join(pairing, dataset, sides, &rule) && mark_new_copies(pairing, dataset);
}

bool twins_join_sites(struct pairing *pairing, const struct dataset *dataset,
		      const struct pair_sides *sides, enum figure metric)
{
	const enum figure bytes =
		metric < FIGURE_ALLOCATED_BYTES ? FIGURE_LIVE_BYTES : FIGURE_ALLOCATED_BYTES;
	const struct rule by_caller = {caller_key, PAIR_EXACT, true, bytes};
	const struct rule rule = {place_key, PAIR_EXACT, true, bytes};

	return join(pairing, dataset, sides, &by_caller) && join(pairing, dataset, sides, &rule);
}
