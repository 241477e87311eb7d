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

/* The old stacks with a partner in another build, by their keys. */
static bool list_paired(const struct pairing *pairing, const struct dataset *dataset,
			key_of_site *key_of, struct keyed_row *paired, size_t *count)
{
	*count = 0;
	for (size_t i = 0; i < pairing->count; i++) {
		const struct pair *pair = &pairing->pairs[i];

		if (pair->level > PAIR_EXACT && pair->level != PAIR_NONE)
			paired[(*count)++] =
				(struct keyed_row){key_of(dataset, pair->old), (uint32_t)i};
	}
	return keyed_sort(paired, *count);
}

static uint64_t blocks_of(const struct pair_sides *sides, uint32_t old)
{
	uint64_t blocks = sides->old[old]->figures.value[FIGURE_LIVE_BLOCKS];

	return blocks == SNAP_UNKNOWN ? 0 : blocks;
}

/* The partner of the largest stack with that key; SNAP_NONE: there is none. */
static uint32_t partner_of(const struct pairing *pairing, const struct pair_sides *sides,
			   const struct keyed_row *paired, size_t count, uint64_t key)
{
	const struct pair *best = NULL;
	size_t at;

	SEARCH(at, 0, count, paired[at].key < key);
	for (; at < count && paired[at].key == key; at++) {
		const struct pair *pair = &pairing->pairs[paired[at].row];

		if (!best || blocks_of(sides, pair->old) > blocks_of(sides, best->old))
			best = pair;
	}
	return best ? best->new : SNAP_NONE;
}

static bool join(struct pairing *pairing, const struct dataset *dataset,
		 const struct pair_sides *sides, key_of_site *key_of)
{
	struct keyed_row *paired = malloc((pairing->count + 1) * sizeof(*paired));
	size_t count = 0;
	bool ok = paired && list_paired(pairing, dataset, key_of, paired, &count);

	for (size_t i = 0; ok && i < pairing->count; i++) {
		struct pair *pair = &pairing->pairs[i];
		uint64_t key;

		if (pair->new != SNAP_NONE || pair->has_twin)
			continue;
		key = key_of(dataset, pair->old);
		pair->twin = key ? partner_of(pairing, sides, paired, count, key) : SNAP_NONE;
		pair->has_twin = pair->twin != SNAP_NONE;
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
