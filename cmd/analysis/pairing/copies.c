/*
 * copies.c - call stacks that a compiler made several of: those of one line key.
 */
#include "analysis/pairing/copies.h"

#include <stdlib.h>
#include <string.h>

#include "base/keyed.h"
#include "base/search.h"

/* Where the lines of a function are unknown, all its calls have one key; 0 then. */
static uint64_t copy_key(const struct dataset *dataset, uint32_t site)
{
	const struct dataset_site *row = &dataset->sites[site];

	if (row->identity.named >= row->depth ||
	    !dataset_frame_at(dataset, site, row->identity.named)->line)
		return 0;
	return row->identity.line;
}

static uint64_t blocks_of(const struct dataset_cell *cell)
{
	uint64_t blocks = cell->figures.value[FIGURE_LIVE_BLOCKS];

	return blocks == SNAP_UNKNOWN ? 0 : blocks;
}

/* The keys of the side's stacks that are paired, in order. */
static bool list_paired(const struct pairing *pairing, const struct dataset *dataset, bool new,
			struct keyed_row *paired)
{
	for (size_t i = 0; i < pairing->count; i++) {
		const struct pair *pair = &pairing->pairs[i];

		paired[i] = (struct keyed_row){copy_key(dataset, new ? pair->new : pair->old),
					       (uint32_t)i};
	}
	return keyed_sort(paired, pairing->count);
}

/* All of the group have one key.  Keep the largest, which gets the sum of all. */
static void sum_up(struct copies *copies, struct dataset_cell *sum, const uint32_t *sites,
		   const struct keyed_row *group, size_t count)
{
	size_t kept = 0;

	for (size_t i = 1; i < count; i++)
		if (blocks_of(copies->cells[sites[group[i].row]]) >
		    blocks_of(copies->cells[sites[group[kept].row]]))
			kept = i;
	*sum = *copies->cells[sites[group[kept].row]];
	for (size_t i = 0; i < count; i++) {
		copies->is_copy[group[i].row] = i != kept;
		if (i != kept)
			figures_add(&sum->figures, &copies->cells[sites[group[i].row]]->figures);
	}
	copies->cells[sites[group[kept].row]] = sum;
}

static void find_groups(struct copies *copies, const uint32_t *sites, const struct keyed_row *rows,
			size_t count, const struct keyed_row *paired, size_t paired_count)
{
	size_t sums = 0, at;

	for (size_t from = 0, to; from < count; from = to) {
		uint64_t key = rows[from].key;

		for (to = from + 1; to < count && rows[to].key == key;)
			to++;
		SEARCH(at, 0, paired_count, paired[at].key < key);
		if (key && at < paired_count && paired[at].key == key)
			for (size_t i = from; i < to; i++)
				copies->is_copy[rows[i].row] = true;
		else if (key && to - from > 1)
			sum_up(copies, &copies->sums[sums++], sites, rows + from, to - from);
	}
}

bool copies_find(struct copies *copies, const struct pairing *pairing,
		 const struct dataset *dataset, const struct pair_sides *sides, bool new,
		 const uint32_t *sites, size_t count)
{
	const struct dataset_cell *const *cells = new ? sides->new : sides->old;
	struct keyed_row *paired = malloc((pairing->count + 1) * sizeof(*paired));
	struct keyed_row *rows = malloc((count + 1) * sizeof(*rows));
	bool ok;

	*copies = (struct copies){
		.is_copy = calloc(count + 1, sizeof(*copies->is_copy)),
		.cells = malloc((dataset->site_count + 1) * sizeof(*copies->cells)),
		.sums = malloc((count / 2 + 1) * sizeof(*copies->sums)),
	};
	ok = paired && rows && copies->is_copy && copies->cells && copies->sums &&
	     list_paired(pairing, dataset, new, paired);
	for (size_t i = 0; ok && i < count; i++)
		rows[i] = (struct keyed_row){copy_key(dataset, sites[i]), (uint32_t)i};
	ok = ok && keyed_sort(rows, count);
	if (ok) {
		memcpy(copies->cells, cells, dataset->site_count * sizeof(*cells));
		find_groups(copies, sites, rows, count, paired, pairing->count);
	}
	free(paired);
	free(rows);
	return ok;
}

void copies_release(struct copies *copies)
{
	free(copies->is_copy);
	free(copies->cells);
	free(copies->sums);
	*copies = (struct copies){0};
}
