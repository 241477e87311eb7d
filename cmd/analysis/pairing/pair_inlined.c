/*
 * pair_inlined.c - stacks keyed without the inlined frames that the other snapshot cannot have.
 *
 * An inlined frame has no counterpart if the other snapshot knows the function that it was inlined
 * into, but no line of it.  Several allocations of one function, or of functions inlined into it,
 * are then equal stacks on that side.  They have no lines to tell them apart, but addresses: the
 * compiler emits the same code with and without debug information, so their order is the same.
 */
#include "analysis/pairing/pair_inlined.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/search.h"

enum { MOST_SKIPPED = 64 }; /* stacks that are passed over to find one of the same size */

/* A stack that has no partner yet. */
struct leftover {
	uint64_t key;
	uint32_t site;
	const struct dataset *dataset; /* qsort() has no context */
};

struct inlined_side {
	const uint32_t *sites;
	size_t count;
	unsigned bit;
	struct leftover *leftovers;
	size_t leftover_count;
	uint64_t *functions; /* keys of `sites`, sorted */
};

struct inlining {
	const struct dataset *dataset;
	const struct pair_sides *sides;
	const struct tokens *tokens;
	unsigned char *lineless; /* per token: enum token_side where no frame of it has a file */
	struct inlined_side old, new;
};

/* ---- what each side knows -------------------------------------------------------------------- */

static void note_files(struct inlining *in, uint32_t site, unsigned sides)
{
	const struct dataset_site *row = &in->dataset->sites[site];

	for (uint32_t f = 0; f < row->depth; f++) {
		uint32_t frame = in->dataset->stack[row->first + f];

		if (in->dataset->frames[frame].file)
			in->lineless[in->tokens->of_frame[frame]] &= (unsigned char)~sides;
	}
}

/* False when memory is out. */
static bool find_lineless(struct inlining *in)
{
	in->lineless = malloc(in->tokens->count + 1);
	if (!in->lineless)
		return false;
	for (size_t i = 0; i < in->tokens->count; i++)
		in->lineless[i] = (unsigned char)in->tokens->items[i].sides;
	for (uint32_t i = 0; i < in->dataset->site_count; i++)
		note_files(in, i,
			   (in->sides->old[i] ? TOKEN_OLD : 0) |
				   (in->sides->new[i] ? TOKEN_NEW : 0));
	return true;
}

/* Does one snapshot know lines of the function, and the other know the function alone? */
static bool is_half_lineless(const struct inlining *in, size_t token)
{
	return in->tokens->items[token].sides == (TOKEN_OLD | TOKEN_NEW) &&
	       (in->lineless[token] == TOKEN_OLD || in->lineless[token] == TOKEN_NEW);
}

static bool is_any_half_lineless(const struct inlining *in)
{
	for (size_t i = 0; i < in->tokens->count; i++)
		if (is_half_lineless(in, i))
			return true;
	return false;
}

/* ---- keys ------------------------------------------------------------------------------------ */

static int compare_keys(const void *left, const void *right)
{
	const uint64_t *a = left, *b = right;

	return *a < *b ? -1 : *a > *b;
}

static bool list_functions(const struct inlining *in, struct inlined_side *side)
{
	side->functions = malloc((side->count + 1) * sizeof(*side->functions));
	if (!side->functions)
		return false;
	for (size_t i = 0; i < side->count; i++)
		side->functions[i] = in->dataset->sites[side->sites[i]].identity.function;
	qsort(side->functions, side->count, sizeof(*side->functions), compare_keys);
	return true;
}

static bool has_functions(const struct inlined_side *side, uint64_t key)
{
	size_t at;

	SEARCH(at, 0, side->count, side->functions[at] < key);
	return at < side->count && side->functions[at] == key;
}

/* Does `other` lack lines of the function that the frame at `position` is inlined into? */
static bool cannot_be_seen(const struct inlining *in, const uint32_t *frames, uint32_t position,
			   uint32_t depth, const struct inlined_side *other)
{
	uint32_t into = position;

	while (into < depth && in->dataset->frames[frames[into]].inlined)
		into++;
	return into > position && into < depth &&
	       (in->lineless[in->tokens->of_frame[frames[into]]] & other->bit);
}

/* Do both snapshots know lines of the function, and is there more than one call to tell apart? */
static bool has_telling_lines(const struct inlining *in, size_t token)
{
	const struct token *item = &in->tokens->items[token];

	return item->sides == (TOKEN_OLD | TOKEN_NEW) && in->lineless[token] == 0 &&
	       (item->first_line[0] != item->last_line[0] ||
		item->first_line[1] != item->last_line[1]);
}

/*
 * 0 if addresses need not tell the stack apart: no function of it lost its lines, or the other side
 * has all of its functions, and lines of some tell stacks apart.  A program may keep its lines where
 * a library loses its own.  Its lines say more than the order, which a call in front of the others
 * shifts.
 */
static uint64_t key_of(const struct inlining *in, uint32_t site, const struct inlined_side *other)
{
	const struct dataset_site *row = &in->dataset->sites[site];
	const uint32_t *frames = in->dataset->stack + row->first;
	bool whole = has_functions(other, row->identity.function);
	bool concerned = false, telling = false;
	uint64_t key = hash_fold(1, row->domain);

	for (uint32_t f = 0; f < row->depth; f++) {
		uint32_t token = in->tokens->of_frame[frames[f]];

		concerned |= is_half_lineless(in, token);
		telling |= has_telling_lines(in, token);
		if (whole || !cannot_be_seen(in, frames, f, row->depth, other))
			key = hash_fold(key, token);
	}
	return concerned && !(whole && telling) ? key : 0;
}

static int compare_leftovers(const void *left, const void *right)
{
	const struct leftover *a = left, *b = right;
	uint32_t depth_a = a->dataset->sites[a->site].depth;
	uint32_t depth_b = b->dataset->sites[b->site].depth;

	if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	/* From the oldest frame on, which both have. */
	for (uint32_t i = 1; i <= depth_a && i <= depth_b; i++) {
		uint64_t x = dataset_frame_at(a->dataset, a->site, depth_a - i)->address;
		uint64_t y = dataset_frame_at(b->dataset, b->site, depth_b - i)->address;

		if (x != y)
			return x < y ? -1 : 1;
	}
	if (depth_a != depth_b)
		return depth_a < depth_b ? -1 : 1;
	return (a->site > b->site) - (a->site < b->site);
}

static bool list_leftovers(const struct inlining *in, struct inlined_side *side,
			   const struct inlined_side *other)
{
	side->leftovers = malloc((side->count + 1) * sizeof(*side->leftovers));
	if (!side->leftovers)
		return false;
	for (size_t i = 0; i < side->count; i++) {
		uint64_t key = key_of(in, side->sites[i], other);

		if (key)
			side->leftovers[side->leftover_count++] =
				(struct leftover){key, side->sites[i], in->dataset};
	}
	qsort(side->leftovers, side->leftover_count, sizeof(*side->leftovers), compare_leftovers);
	return true;
}

/* ---- pairs ----------------------------------------------------------------------------------- */

static size_t group_end(const struct inlined_side *side, size_t from)
{
	size_t end = from;

	while (end < side->leftover_count && side->leftovers[end].key == side->leftovers[from].key)
		end++;
	return end;
}

static bool same_size(const struct inlining *in, uint32_t old, uint32_t new)
{
	const struct figures *a = &in->sides->old[old]->figures, *b = &in->sides->new[new]->figures;

	return a->value[FIGURE_ALLOCATED_BYTES] == b->value[FIGURE_ALLOCATED_BYTES] &&
	       a->value[FIGURE_ALLOCATED_BLOCKS] == b->value[FIGURE_ALLOCATED_BLOCKS];
}

static uint32_t site_at(const struct inlined_side *side, size_t at)
{
	return side->leftovers[at].site;
}

/* How many stacks of the side that has more are passed over, so that sizes agree; 0 if none does.
 */
static size_t to_skip(const struct inlining *in, size_t old, size_t new, bool old_has_more,
		      size_t surplus)
{
	for (size_t skip = 0; skip <= surplus && skip <= MOST_SKIPPED; skip++)
		if (same_size(in, site_at(&in->old, old + (old_has_more ? skip : 0)),
			      site_at(&in->new, new + (old_has_more ? 0 : skip))))
			return skip;
	return 0;
}

static void pair_group(const struct inlining *in, size_t old, size_t old_end, size_t new,
		       size_t new_end, struct pair *pairs, size_t *count)
{
	while (old < old_end && new < new_end) {
		bool old_has_more = old_end - old > new_end - new;
		size_t surplus = old_has_more ? old_end - old - (new_end - new)
					      : new_end - new - (old_end - old);
		size_t skip = to_skip(in, old, new, old_has_more, surplus);

		*(old_has_more ? &old : &new) += skip;
		pairs[(*count)++] = (struct pair){.old = site_at(&in->old, old++),
						  .new = site_at(&in->new, new ++),
						  .level = PAIR_FUNCTION,
						  .similarity = 1};
	}
}

static void pair_leftovers(const struct inlining *in, struct pair *pairs, size_t *count)
{
	size_t old = 0, new = 0;

	while (old < in->old.leftover_count && new < in->new.leftover_count) {
		uint64_t a = in->old.leftovers[old].key, b = in->new.leftovers[new].key;
		size_t old_end = group_end(&in->old, old), new_end = group_end(&in->new, new);

		if (a == b)
			pair_group(in, old, old_end, new, new_end, pairs, count);
		old = a <= b ? old_end : old;
		new = b <= a ? new_end : new;
	}
}

static void side_release(struct inlined_side *side)
{
	free(side->leftovers);
	free(side->functions);
}

bool pair_inlined(const struct dataset *dataset, const struct pair_sides *sides,
		  const struct tokens *tokens, const uint32_t *old, size_t old_count,
		  const uint32_t *new, size_t new_count, struct pair *pairs, size_t *pair_count)
{
	struct inlining in = {
		.dataset = dataset,
		.sides = sides,
		.tokens = tokens,
		.old = {.sites = old, .count = old_count, .bit = TOKEN_OLD},
		.new = {.sites = new, .count = new_count, .bit = TOKEN_NEW},
	};
	bool ok = find_lineless(&in);

	*pair_count = 0;
	if (ok && is_any_half_lineless(&in)) {
		ok = list_functions(&in, &in.old) && list_functions(&in, &in.new) &&
		     list_leftovers(&in, &in.old, &in.new) && list_leftovers(&in, &in.new, &in.old);
		if (ok)
			pair_leftovers(&in, pairs, pair_count);
	}
	side_release(&in.old);
	side_release(&in.new);
	free(in.lineless);
	return ok;
}
