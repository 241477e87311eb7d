/*
 * prepare.c - hash the rows of a model.  The store distinguishes rows by these hashes.
 *
 * Strings are hashed once each; modules, frames, locations, nodes and sites get their hashes from
 * their parts, so that a stack of any depth costs one step beyond its caller's.  None of it needs
 * an engine, so that it may be done on another thread.
 */
#include "store/prepare.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/keyed.h"

/* Arrays that are needed only during the work. */
struct parts {
	struct hash128 *strings; /* the result's */
	struct hash128 *locations, *nodes;
};

static struct hash128 place_hash(const struct store_prepared *prepared,
				 const struct model_location *location)
{
	bool known = location->flags & SNAP_LOCATION_HAS_ADDRESS;
	struct hash128 hash = hash_mix_u64((struct hash128){0, 0}, known ? location->address : 0);

	hash = hash_mix_u64(hash, known);
	return location->module == SNAP_NONE ? hash
					     : hash_mix(hash, prepared->modules[location->module]);
}

static struct hash128 frame_hash(const struct parts *parts, struct hash128 place,
				 const struct snap_frame *frame)
{
	struct hash128 hash = hash_mix(place, parts->strings[frame->function]);

	hash = hash_mix(hash, parts->strings[frame->file]);
	return hash_mix_u64(hash, (uint64_t)frame->line << 1 | (frame->flags & SNAP_FRAME_INLINED));
}

static void hash_strings(struct parts *parts, const struct model *model)
{
	for (uint32_t i = 0; i < model->string_count; i++)
		parts->strings[i] = hash_bytes(model->strings[i].data, model->strings[i].size);
}

static void hash_modules(struct store_prepared *prepared, const struct parts *parts,
			 const struct model *model)
{
	for (uint32_t i = 0; i < model->module_count; i++)
		prepared->modules[i] = hash_mix(parts->strings[model->modules[i].path],
						parts->strings[model->modules[i].build_id]);
}

static void hash_locations(struct store_prepared *prepared, struct parts *parts,
			   const struct model *model)
{
	uint32_t used = 0;

	for (uint32_t i = 0; i < model->location_count; i++) {
		const struct model_location *location = &model->locations[i];
		struct hash128 place = place_hash(prepared, location);
		uint32_t count = prepared_frame_count(location);

		parts->locations[i] = place;
		for (uint32_t f = 0; f < count; f++, used++) {
			prepared->frames[used] =
				frame_hash(parts, place, prepared_frame(model, location, f));
			parts->locations[i] = hash_mix(parts->locations[i], prepared->frames[used]);
		}
	}
}

static void hash_nodes(struct parts *parts, const struct model *model)
{
	for (uint32_t i = 0; i < model->node_count; i++) {
		const struct snap_node *node = &model->nodes[i];
		struct hash128 caller = {0, 1};

		if (node->parent != SNAP_NONE)
			caller = parts->nodes[node->parent];
		parts->nodes[i] = hash_mix(caller, parts->locations[node->location]);
	}
}

static void hash_sites(struct store_prepared *prepared, const struct parts *parts,
		       const struct model *model)
{
	for (uint32_t i = 0; i < model->site_count; i++) {
		const struct snap_site *row = &model->sites[i].row;
		struct hash128 stack = {0, 2};

		if (row->node != SNAP_NONE)
			stack = parts->nodes[row->node];
		prepared->sites[i] = hash_mix(stack, parts->strings[row->domain]);
	}
}

static bool order_sites(struct store_prepared *prepared, const struct model *model)
{
	struct keyed_row *sites = array_zeroed(model->site_count, sizeof(*sites));
	bool ok;

	prepared->order = array_zeroed(model->site_count, sizeof(*prepared->order));
	for (uint32_t i = 0; sites && i < model->site_count; i++)
		sites[i] = (struct keyed_row){(uint64_t)site_key(&prepared->sites[i]), i};
	ok = sites && prepared->order && keyed_sort(sites, model->site_count);
	for (uint32_t i = 0; ok && i < model->site_count; i++)
		prepared->order[i] = sites[i].row;
	free(sites);
	return ok;
}

static size_t count_frames(const struct model *model)
{
	size_t count = 0;

	for (uint32_t i = 0; i < model->location_count; i++)
		count += prepared_frame_count(&model->locations[i]);
	return count;
}

/* All but the modules. */
static bool prepare_stacks(struct store_prepared *prepared, struct parts *parts,
			   const struct model *model)
{
	parts->locations = array_zeroed(model->location_count, sizeof(*parts->locations));
	parts->nodes = array_unset(model->node_count, sizeof(*parts->nodes));
	prepared->frames = array_zeroed(count_frames(model), sizeof(*prepared->frames));
	prepared->sites = array_zeroed(model->site_count, sizeof(*prepared->sites));
	if (!parts->locations || !parts->nodes || !prepared->frames || !prepared->sites)
		return false;
	hash_locations(prepared, parts, model);
	hash_nodes(parts, model);
	hash_sites(prepared, parts, model);
	free(parts->nodes);
	parts->nodes = NULL;
	return order_sites(prepared, model);
}

static struct store_prepared *prepare(const struct model *model, bool with_stacks)
{
	struct store_prepared *prepared = calloc(1, sizeof(*prepared));
	struct parts parts = {NULL, NULL, NULL};
	bool ok = prepared != NULL;

	if (ok) {
		prepared->strings = array_zeroed(model->string_count, sizeof(*prepared->strings));
		prepared->modules = array_zeroed(model->module_count, sizeof(*prepared->modules));
		parts.strings = prepared->strings;
		ok = prepared->modules && prepared->strings;
	}
	if (ok) {
		hash_strings(&parts, model);
		hash_modules(prepared, &parts, model);
		ok = !with_stacks || prepare_stacks(prepared, &parts, model);
	}
	free(parts.locations);
	free(parts.nodes);
	if (ok)
		return prepared;
	store_prepared_free(prepared);
	return NULL;
}

struct store_prepared *store_prepare(const struct model *model)
{
	return prepare(model, true);
}

struct store_prepared *prepare_facts(const struct model *model)
{
	return prepare(model, false);
}

void store_prepared_free(struct store_prepared *prepared)
{
	if (!prepared)
		return;
	free(prepared->strings);
	free(prepared->modules);
	free(prepared->frames);
	free(prepared->sites);
	free(prepared->order);
	free(prepared);
}
