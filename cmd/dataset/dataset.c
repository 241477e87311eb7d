/*
 * dataset.c - rows in arrays, strings found by hash.
 */
#include "dataset/dataset.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/search.h"

struct dataset *dataset_new(size_t snapshot_count)
{
	struct dataset *dataset = calloc(1, sizeof(*dataset));

	if (!dataset)
		return NULL;
	dataset->snapshots =
		calloc(snapshot_count ? snapshot_count : 1, sizeof(*dataset->snapshots));
	dataset->snapshot_count = snapshot_count;
	/* The stack array exists even if every stack is empty, because pointers into it are
	 * computed.
	 */
	if (!dataset->snapshots || dataset_string(dataset, "") != 0 ||
	    !array_reserve(&dataset->stack, &dataset->stack_capacity, 0, sizeof(*dataset->stack))) {
		dataset_free(dataset);
		return NULL;
	}
	return dataset;
}

void dataset_free(struct dataset *dataset)
{
	if (!dataset)
		return;
	for (size_t i = 0; i < dataset->string_count; i++)
		free(dataset->strings[i]);
	for (size_t i = 0; dataset->snapshots && i < dataset->snapshot_count; i++)
		free(dataset->snapshots[i].cells);
	free(dataset->strings);
	hash_table_release(&dataset->string_index);
	free(dataset->frames);
	free(dataset->stack);
	free(dataset->sites);
	free(dataset->snapshots);
	free(dataset);
}

static bool string_equals(const void *dataset, const void *wanted, uint32_t id)
{
	return strcmp(((const struct dataset *)dataset)->strings[id], wanted) == 0;
}

uint32_t dataset_string(struct dataset *dataset, const char *text)
{
	uint64_t hash = hash_of_bytes(text, strlen(text));
	uint32_t id = hash_table_find(&dataset->string_index, hash, string_equals, dataset, text);
	char *copy;

	if (id != SNAP_NONE)
		return id;
	if (dataset->string_count >= SNAP_NONE ||
	    !array_reserve(&dataset->strings, &dataset->string_capacity, dataset->string_count,
			   sizeof(*dataset->strings)))
		return SNAP_NONE;
	id = (uint32_t)dataset->string_count;
	copy = strdup(text);
	if (!copy || !hash_table_add(&dataset->string_index, hash, id)) {
		free(copy);
		return SNAP_NONE;
	}
	dataset->strings[dataset->string_count++] = copy;
	return id;
}

uint32_t dataset_frame_add(struct dataset *dataset, const struct dataset_frame *frame)
{
	if (dataset->frame_count >= SNAP_NONE ||
	    !array_reserve(&dataset->frames, &dataset->frame_capacity, dataset->frame_count,
			   sizeof(*frame)))
		return SNAP_NONE;
	dataset->frames[dataset->frame_count] = *frame;
	dataset->frames[dataset->frame_count].kind =
		own_classify(own_rules(), dataset_text(dataset, frame->function),
			     dataset_text(dataset, frame->file),
			     dataset_text(dataset, frame->module_path), NULL);
	return (uint32_t)dataset->frame_count++;
}

static bool is_script(const struct dataset *dataset, uint32_t frame)
{
	return own_is_script(dataset_text(dataset, dataset->frames[frame].file));
}

static void name_site(const struct dataset *dataset, struct dataset_site *site,
		      const uint32_t *frames)
{
	struct own_walk walk = OWN_WALK_START;

	for (uint32_t i = 0; i < site->depth && own_step(&walk, dataset->frames[frames[i]].kind);)
		i++;
	site->identity.named = walk.names.named;
	site->asked = walk.names.asked;
	if (own_rules()->native && walk.names.named < site->depth &&
	    is_script(dataset, frames[walk.names.named]) &&
	    !is_script(dataset, frames[walk.names.asked]))
		site->identity.named = walk.names.asked;
}

/* Nearly all sites have the domain of the one before. */
static uint32_t domain_string(struct dataset *dataset, const char *domain)
{
	if (dataset->site_count) {
		uint32_t last = dataset->sites[dataset->site_count - 1].domain;

		if (strcmp(dataset->strings[last], domain) == 0)
			return last;
	}
	return dataset_string(dataset, domain);
}

uint32_t dataset_site_add(struct dataset *dataset, const char *domain, const uint32_t *frames,
			  uint32_t depth, const struct site_identity *identity)
{
	struct dataset_site site = {
		.first = dataset->stack_count, .depth = depth, .identity = *identity};

	site.domain = domain_string(dataset, domain);
	if (site.domain == SNAP_NONE || dataset->site_count >= SNAP_NONE ||
	    !array_reserve(&dataset->sites, &dataset->site_capacity, dataset->site_count,
			   sizeof(site)))
		return SNAP_NONE;
	if (!array_room(&dataset->stack, &dataset->stack_capacity, dataset->stack_count + depth,
			sizeof(*dataset->stack)))
		return SNAP_NONE;
	if (depth)
		memcpy(dataset->stack + dataset->stack_count, frames, depth * sizeof(*frames));
	dataset->stack_count += depth;
	name_site(dataset, &site, frames);
	dataset->sites[dataset->site_count] = site;
	return (uint32_t)dataset->site_count++;
}

uint32_t dataset_site_of(const struct dataset *dataset, int64_t id)
{
	size_t at;

	SEARCH(at, 0, dataset->site_count, dataset->sites[at].id < id);
	return at < dataset->site_count && dataset->sites[at].id == id ? (uint32_t)at : SNAP_NONE;
}

bool dataset_cell_add(struct dataset *dataset, size_t snapshot, uint32_t site,
		      const struct figures *figures)
{
	struct dataset_snapshot *to = &dataset->snapshots[snapshot];

	if (!array_reserve(&to->cells, &to->capacity, to->count, sizeof(*to->cells)))
		return false;
	to->cells[to->count++] = (struct dataset_cell){site, *figures};
	figures_add(&to->totals, figures);
	return true;
}

const char *dataset_text(const struct dataset *dataset, uint32_t string)
{
	return dataset->strings[string];
}

const struct dataset_frame *dataset_frame_at(const struct dataset *dataset, uint32_t site,
					     uint32_t position)
{
	return &dataset->frames[dataset->stack[dataset->sites[site].first + position]];
}

const struct dataset_cell **dataset_cells_by_site(const struct dataset *dataset, size_t snapshot)
{
	const struct dataset_cell **by_site = calloc(dataset->site_count + 1, sizeof(*by_site));
	const struct dataset_snapshot *from = &dataset->snapshots[snapshot];

	for (size_t i = 0; by_site && i < from->count; i++)
		by_site[from->cells[i].site] = &from->cells[i];
	return by_site;
}
