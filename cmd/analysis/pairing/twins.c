/*
 * twins.c - old stacks without a partner that belong to a row of the new snapshot nonetheless.
 */
#include "analysis/pairing/twins.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/keyed.h"
#include "base/search.h"

/* Stacks of one key belong together; 0: to none. */
typedef uint64_t key_of_site(const struct dataset *dataset, uint32_t site);

static uint64_t line_key(const struct dataset *dataset, uint32_t site)
{
	return dataset->sites[site].identity.line;
}

/* Of the frame that names the site. */
static uint64_t place_key(const struct dataset *dataset, uint32_t site)
{
	const struct dataset_site *row = &dataset->sites[site];
	const struct dataset_frame *frame;
	uint64_t key;

	if (row->asked >= row->depth)
		return 0;
	frame = dataset_frame_at(dataset, site, row->asked);
	if (!frame->file || !frame->line)
		return 0;
	key = hash_fold(row->domain, frame->function);
	key = hash_fold(key, frame->module);
	return hash_fold(hash_fold(key, frame->file), frame->line);
}

static uint64_t blocks_of(const struct pair_sides *sides, uint32_t old)
{
	uint64_t blocks = sides->old[old]->figures.value[FIGURE_LIVE_BLOCKS];

	return blocks == SNAP_UNKNOWN ? 0 : blocks;
}

/* Keep one row of each key: that of the largest stack.  Returns how many are kept. */
static size_t keep_largest(const struct pairing *pairing, const struct pair_sides *sides,
			   struct keyed_row *paired, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		const struct pair *pairs = pairing->pairs;

		if (kept == 0 || paired[kept - 1].key != paired[i].key)
			paired[kept++] = paired[i];
		else if (blocks_of(sides, pairs[paired[i].row].old) >
			 blocks_of(sides, pairs[paired[kept - 1].row].old))
			paired[kept - 1] = paired[i];
	}
	return kept;
}

/* The old stacks with a partner in another build, by their keys: the largest of each key. */
static bool list_paired(const struct pairing *pairing, const struct dataset *dataset,
			const struct pair_sides *sides, key_of_site *key_of,
			struct keyed_row *paired, size_t *count)
{
	*count = 0;
	for (size_t i = 0; i < pairing->count; i++) {
		const struct pair *pair = &pairing->pairs[i];

		if (pair->level > PAIR_EXACT && pair->level != PAIR_NONE)
			paired[(*count)++] =
				(struct keyed_row){key_of(dataset, pair->old), (uint32_t)i};
	}
	if (!keyed_sort(paired, *count))
		return false;
	*count = keep_largest(pairing, sides, paired, *count);
	return true;
}

static bool join(struct pairing *pairing, const struct dataset *dataset,
		 const struct pair_sides *sides, key_of_site *key_of)
{
	struct keyed_row *paired = malloc((pairing->count + 1) * sizeof(*paired));
	size_t count = 0, at;
	bool ok = paired && list_paired(pairing, dataset, sides, key_of, paired, &count);

	for (size_t i = 0; ok && i < pairing->count; i++) {
		struct pair *pair = &pairing->pairs[i];
		uint64_t key;

		if (pair->new != SNAP_NONE || pair->has_twin)
			continue;
		key = key_of(dataset, pair->old);
		SEARCH(at, 0, count, paired[at].key < key);
		pair->has_twin = key && at < count && paired[at].key == key;
		if (pair->has_twin)
			pair->twin = pairing->pairs[paired[at].row].new;
	}
	free(paired);
	return ok;
}

bool twins_join_lines(struct pairing *pairing, const struct dataset *dataset,
		      const struct pair_sides *sides)
{
	return join(pairing, dataset, sides, line_key);
}

bool twins_join_sites(struct pairing *pairing, const struct dataset *dataset,
		      const struct pair_sides *sides)
{
	return join(pairing, dataset, sides, place_key);
}
