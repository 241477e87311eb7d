/*
 * model.c - one snapshot in memory: arrays of rows, and hash tables that find equal ones.
 *
 * Rows live in plain arrays.  A hash table holds ids and half a hash, and reads the rows to compare
 * them.  Tables are filled on the first intern of their kind, so that a file whose rows are known
 * to be distinct pays nothing for them.
 */
#include "model/model.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "format/checksum.h"
#include "base/fail.h"

enum {
	TEXT_BLOCK = 64 * 1024,
	TABLE_JUMP = 1 << 22, /* slots up to which tables grow fourfold */
};

/** Bytes of strings; blocks are never moved, so that texts stay where they are. */
struct text_block {
	struct text_block *next;
	char bytes[];
};

/**
 * Open addressing over ids.  A slot holds the low half of the hash above id + 1, or 0 if free.  So
 * most unequal rows are recognised without reading the rows, and a table can grow without reading
 * them.  It is not that of base/hash_table.h, whose slots take twice the room: millions of nodes go
 * through this one.
 */
struct id_table {
	uint64_t *slots;
	size_t mask; /* slots - 1; 0 while there are none */
	size_t used;
	uint32_t known; /* rows [0, known) have been entered */
};

struct model_index {
	struct text_block *texts;
	char *text_next;
	size_t text_left;

	struct id_table strings, modules, nodes;
	uint32_t *first_child; /* of each known node: id + 1, or 0; only its other children, and
				  roots, are in `nodes` */
	size_t child_room;
	struct id_table symbolic; /* locations that are one frame without address */

	size_t string_room, meta_room, module_room, location_room, frame_room;
	size_t node_room, site_room, cohort_room, variance_room;
};

/* Arrays. */

#define RESERVE(model, array, count, room, more)                                                   \
	array_id_room(&(model)->array, &(model)->index->room, (model)->count, (more),              \
		      sizeof(*(model)->array))

/* Hashing. */

static uint64_t mix(uint64_t hash, uint64_t value)
{
	hash = (hash ^ value) * UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ hash >> 32;
}

static uint64_t hash_module(const struct snap_module *module)
{
	return mix(mix(mix(mix(1, module->path), module->build_id), module->base), module->size);
}

static uint64_t hash_symbolic(uint32_t module, const struct snap_frame *frame)
{
	uint64_t hash = mix(mix(mix(2, module), frame->function), frame->file);

	return mix(mix(hash, frame->line), frame->flags);
}

static uint64_t hash_node(uint32_t parent, uint32_t location)
{
	return mix(3, (uint64_t)parent << 32 | location);
}

static uint64_t slot_of(uint64_t hash, uint32_t id)
{
	return hash << 32 | ((uint64_t)id + 1);
}

static void table_put(struct id_table *table, uint64_t hash, uint32_t id)
{
	size_t slot = (uint32_t)hash & table->mask;

	while (table->slots[slot])
		slot = (slot + 1) & table->mask;
	table->slots[slot] = slot_of(hash, id);
	table->used++;
}

/** Make room for `more` ids at a load of at most 3/4. */
static bool table_reserve(struct id_table *table, size_t more)
{
	struct id_table grown = {.known = table->known};
	size_t need = table->used + more;
	size_t slots = 64;

	if (table->slots && need <= table->mask / 4 * 3)
		return true;
	while (slots / 4 * 3 <= need)
		slots *= 2;
	if (table->slots && slots <= TABLE_JUMP)
		slots *= 2; /* while the table is small, moving everything costs more than some
			       unused room */
	grown.slots = calloc(slots, sizeof(*grown.slots));
	if (!grown.slots)
		return false;
	grown.mask = slots - 1;
	for (size_t i = 0; table->slots && i <= table->mask; i++)
		if (table->slots[i])
			table_put(&grown, table->slots[i] >> 32, (uint32_t)table->slots[i] - 1);
	free(table->slots);
	*table = grown;
	return true;
}

/** Steps through the ids whose hash is like `hash`: the next one at or after *slot, or SNAP_NONE.
 */
static uint32_t table_next(const struct id_table *table, uint64_t hash, size_t *slot)
{
	for (; table->slots[*slot & table->mask]; ++*slot) {
		uint64_t entry = table->slots[*slot & table->mask];

		if (entry >> 32 == (uint32_t)hash) {
			++*slot;
			return (uint32_t)entry - 1;
		}
	}
	return SNAP_NONE;
}

static uint64_t symbolic_row_hash(const struct model *model, uint32_t id)
{
	const struct model_location *location = &model->locations[id];

	return hash_symbolic(location->module, &model->frames[location->first_frame]);
}

static bool is_symbolic(const struct model_location *location)
{
	return location->flags == 0 && location->address == 0 && location->frame_count == 1;
}

/* Life. */

struct model *model_new(void)
{
	struct model *model = calloc(1, sizeof(*model));

	if (!model)
		return NULL;
	model->index = calloc(1, sizeof(*model->index));
	if (!model->index || model_string(model, "", 0) != 0) {
		model_free(model);
		return NULL;
	}
	return model;
}

static void index_free(struct model_index *index)
{
	struct text_block *block, *next;

	if (!index)
		return;
	for (block = index->texts; block; block = next) {
		next = block->next;
		free(block);
	}
	free(index->strings.slots);
	free(index->modules.slots);
	free(index->nodes.slots);
	free(index->first_child);
	free(index->symbolic.slots);
	free(index);
}

void model_free(struct model *model)
{
	if (!model)
		return;
	index_free(model->index);
	free(model->strings);
	free(model->meta);
	free(model->modules);
	free(model->locations);
	free(model->frames);
	free(model->nodes);
	free(model->sites);
	free(model->cohorts);
	free(model->variances);
	holders_free(&model->holders);
	free(model->source);
	free(model->torn);
	free(model->remark);
	free(model);
}

static void table_drop(struct id_table *table)
{
	free(table->slots);
	*table = (struct id_table){0};
}

void model_end_interning(struct model *model)
{
	table_drop(&model->index->nodes);
	free(model->index->first_child);
	model->index->first_child = NULL;
	model->index->child_room = 0;
	table_drop(&model->index->symbolic);
}

/* Strings. */

/** A NUL-terminated copy of the bytes, owned by the model. */
static char *text_copy(struct model_index *index, const char *data, size_t size)
{
	char *copy;

	if (size >= index->text_left) {
		size_t room = size < TEXT_BLOCK / 4 ? TEXT_BLOCK : size + 1;
		struct text_block *block;

		if (size > SIZE_MAX / 2)
			return NULL;
		block = malloc(sizeof(*block) + room);
		if (!block)
			return NULL;
		block->next = index->texts;
		index->texts = block;
		if (room > size + 1) {
			index->text_next = block->bytes;
			index->text_left = room;
		} else {
			memcpy(block->bytes, data, size);
			block->bytes[size] = '\0';
			return block->bytes;
		}
	}
	copy = index->text_next;
	if (size)
		memcpy(copy, data, size);
	copy[size] = '\0';
	index->text_next += size + 1;
	index->text_left -= size + 1;
	return copy;
}

static bool string_equal(const struct snap_text *text, const char *data, size_t size)
{
	return text->size == size && (!size || memcmp(text->data, data, size) == 0);
}

uint32_t model_string(struct model *model, const char *data, size_t size)
{
	struct model_index *index = model->index;
	uint64_t hash = snap__xxh64(data, size, 0);
	size_t slot = (uint32_t)hash;
	uint32_t id;
	char *copy;

	if (!table_reserve(&index->strings, 1))
		return SNAP_NONE;
	while ((id = table_next(&index->strings, hash, &slot)) != SNAP_NONE)
		if (string_equal(&model->strings[id], data, size))
			return id;
	if (!RESERVE(model, strings, string_count, string_room, 1))
		return SNAP_NONE;
	copy = text_copy(index, data, size);
	if (!copy)
		return SNAP_NONE;
	id = model->string_count++;
	model->strings[id] = (struct snap_text){.data = copy, .size = size};
	table_put(&index->strings, hash, id);
	return id;
}

uint32_t model_cstring(struct model *model, const char *text)
{
	return model_string(model, text, strlen(text));
}

const char *model_text(const struct model *model, uint32_t string)
{
	return string < model->string_count ? model->strings[string].data : "";
}

/* Meta. */

uint32_t model_meta_add(struct model *model, uint32_t key, uint32_t value)
{
	if (!RESERVE(model, meta, meta_count, meta_room, 1))
		return SNAP_NONE;
	model->meta[model->meta_count].key = key;
	model->meta[model->meta_count].value = value;
	return model->meta_count++;
}

/** Position of the last entry with `key`, or SNAP_NONE. */
static uint32_t meta_find(const struct model *model, const char *key)
{
	size_t size = strlen(key);

	for (uint32_t i = model->meta_count; i-- > 0;) {
		const struct snap_text *text = &model->strings[model->meta[i].key];

		if (text->size == size && memcmp(text->data, key, size) == 0)
			return i;
	}
	return SNAP_NONE;
}

const char *model_meta(const struct model *model, const char *key)
{
	uint32_t entry = meta_find(model, key);

	return entry == SNAP_NONE ? NULL : model_text(model, model->meta[entry].value);
}

uint64_t model_meta_u64(const struct model *model, const char *key, uint64_t otherwise)
{
	const char *text = model_meta(model, key);
	unsigned long long value;
	char *end;

	if (!text || *text < '0' || *text > '9')
		return otherwise;
	errno = 0;
	value = strtoull(text, &end, 10);
	return *end || errno ? otherwise : value;
}

bool model_meta_set(struct model *model, const char *key, const char *value)
{
	uint32_t entry = meta_find(model, key);
	uint32_t value_id = model_cstring(model, value);
	uint32_t key_id;

	if (value_id == SNAP_NONE)
		return false;
	if (entry != SNAP_NONE) {
		model->meta[entry].value = value_id;
		return true;
	}
	key_id = model_cstring(model, key);
	return key_id != SNAP_NONE && model_meta_add(model, key_id, value_id) != SNAP_NONE;
}

/* Modules. */

static bool module_equal(const struct snap_module *a, const struct snap_module *b)
{
	return a->path == b->path && a->build_id == b->build_id && a->base == b->base &&
	       a->size == b->size;
}

uint32_t model_module_intern(struct model *model, const struct snap_module *module)
{
	struct id_table *table = &model->index->modules;
	uint64_t hash = hash_module(module);
	size_t slot = (uint32_t)hash;
	uint32_t id;

	if (!table_reserve(table, 1))
		return SNAP_NONE;
	while ((id = table_next(table, hash, &slot)) != SNAP_NONE)
		if (module_equal(&model->modules[id], module))
			return id;
	if (!RESERVE(model, modules, module_count, module_room, 1))
		return SNAP_NONE;
	id = model->module_count++;
	model->modules[id] = *module;
	table_put(table, hash, id);
	return id;
}

/* Locations and their frames. */

/** Append frames; SNAP_NONE when there is no room, else the position of the first. */
static uint32_t frames_append(struct model *model, const struct snap_frame *frames, uint32_t count)
{
	uint32_t first = model->frame_count;

	if (!RESERVE(model, frames, frame_count, frame_room, count))
		return SNAP_NONE;
	if (count)
		memcpy(model->frames + first, frames, count * sizeof(*frames));
	model->frame_count += count;
	return first;
}

uint32_t model_location_add(struct model *model, const struct snap_location *location,
			    const struct snap_frame *frames)
{
	uint32_t first;

	if (!RESERVE(model, locations, location_count, location_room, 1))
		return SNAP_NONE;
	first = frames_append(model, frames, location->frame_count);
	if (first == SNAP_NONE)
		return SNAP_NONE;
	model->locations[model->location_count] = (struct model_location){
		.module = location->module,
		.flags = location->flags,
		.address = location->address,
		.first_frame = first,
		.frame_count = location->frame_count,
	};
	return model->location_count++;
}

bool model_location_symbolise(struct model *model, uint32_t location,
			      const struct snap_frame *frames, uint32_t frame_count)
{
	uint32_t first = frames_append(model, frames, frame_count);

	if (first == SNAP_NONE)
		return false;
	model->locations[location].first_frame = first;
	model->locations[location].frame_count = frame_count;
	return true;
}

/** Enter the symbolic locations that were added without interning. */
static bool symbolic_catch_up(struct model *model)
{
	struct id_table *table = &model->index->symbolic;

	if (!table_reserve(table, (size_t)model->location_count - table->known + 1))
		return false;
	for (; table->known < model->location_count; table->known++)
		if (is_symbolic(&model->locations[table->known]))
			table_put(table, symbolic_row_hash(model, table->known), table->known);
	return true;
}

static bool symbolic_equal(const struct model *model, uint32_t id, uint32_t module,
			   const struct snap_frame *frame)
{
	const struct model_location *location = &model->locations[id];
	const struct snap_frame *own = &model->frames[location->first_frame];

	return location->module == module && own->function == frame->function &&
	       own->file == frame->file && own->line == frame->line && own->flags == frame->flags;
}

uint32_t model_symbolic_location(struct model *model, uint32_t module,
				 const struct snap_frame *frame)
{
	struct snap_location location = {.module = module, .frame_count = 1};
	struct id_table *table = &model->index->symbolic;
	uint64_t hash = hash_symbolic(module, frame);
	size_t slot = (uint32_t)hash;
	uint32_t id;

	if (!symbolic_catch_up(model))
		return SNAP_NONE;
	while ((id = table_next(table, hash, &slot)) != SNAP_NONE)
		if (symbolic_equal(model, id, module, frame))
			return id;
	id = model_location_add(model, &location, frame);
	if (id != SNAP_NONE) {
		table_put(table, hash, id);
		table->known = id + 1;
	}
	return id;
}

/* Nodes. */

uint32_t model_node_add(struct model *model, uint32_t parent, uint32_t location)
{
	if (!RESERVE(model, nodes, node_count, node_room, 1))
		return SNAP_NONE;
	model->nodes[model->node_count] =
		(struct snap_node){.parent = parent, .location = location};
	return model->node_count++;
}

/** Make node `table->known` one that can be found. */
static bool node_enter(struct model *model)
{
	struct model_index *index = model->index;
	uint32_t id = index->nodes.known;
	const struct snap_node *node = &model->nodes[id];

	if (!array_id_room(&index->first_child, &index->child_room, id, 1,
			   sizeof(*index->first_child)))
		return false;
	index->first_child[id] = 0;
	if (node->parent != SNAP_NONE && !index->first_child[node->parent]) {
		index->first_child[node->parent] = id + 1;
	} else {
		if (!table_reserve(&index->nodes, 1))
			return false;
		table_put(&index->nodes, hash_node(node->parent, node->location), id);
	}
	index->nodes.known++;
	return true;
}

/** Enter the nodes that were added without interning. */
static bool nodes_catch_up(struct model *model)
{
	bool ok = true;

	while (ok && model->index->nodes.known < model->node_count)
		ok = node_enter(model);
	return ok;
}

static bool node_equal(const struct model *model, uint32_t id, uint32_t parent, uint32_t location)
{
	return model->nodes[id].parent == parent && model->nodes[id].location == location;
}

/** Most nodes have one child, and new ones none: those are found, or not, without the table. */
static uint32_t node_find(const struct model *model, uint32_t parent, uint32_t location)
{
	const struct id_table *table = &model->index->nodes;
	uint64_t hash = hash_node(parent, location);
	size_t slot = (uint32_t)hash;
	uint32_t id;

	if (parent != SNAP_NONE) {
		uint32_t child = model->index->first_child[parent];

		if (!child)
			return SNAP_NONE;
		if (node_equal(model, child - 1, parent, location))
			return child - 1;
	}
	if (!table->slots)
		return SNAP_NONE;
	while ((id = table_next(table, hash, &slot)) != SNAP_NONE)
		if (node_equal(model, id, parent, location))
			return id;
	return SNAP_NONE;
}

uint32_t model_node_intern(struct model *model, uint32_t parent, uint32_t location)
{
	uint32_t id;

	if (!nodes_catch_up(model))
		return SNAP_NONE;
	id = node_find(model, parent, location);
	if (id == SNAP_NONE)
		id = model_node_add(model, parent, location);
	return id;
}

/* Sites. */

/** Keep the sites' variances: all have one, or none has. */
static bool variance_append(struct model *model, const struct snap_variance *variance)
{
	size_t *room = &model->index->variance_room;
	size_t old_room = *room;

	if (!variance && !model->variances)
		return true;
	if (!array_id_room(&model->variances, room, model->site_count, 1,
			   sizeof(*model->variances)))
		return false;
	if (!old_room) /* the first variance: earlier sites have none */
		memset(model->variances, 0, model->site_count * sizeof(*model->variances));
	model->variances[model->site_count] = variance ? *variance : (struct snap_variance){0};
	return true;
}

uint32_t model_site_add(struct model *model, const struct snap_site *site,
			const struct snap_cohort *cohorts, const struct snap_variance *variance)
{
	uint32_t first = model->cohort_count;
	uint32_t count = site->cohort_count;

	if (!RESERVE(model, sites, site_count, site_room, 1) ||
	    !RESERVE(model, cohorts, cohort_count, cohort_room, count) ||
	    !variance_append(model, variance))
		return SNAP_NONE;
	if (count)
		memcpy(model->cohorts + first, cohorts, count * sizeof(*cohorts));
	model->cohort_count += count;
	model->sites[model->site_count] = (struct model_site){.row = *site, .first_cohort = first};
	return model->site_count++;
}

/** *sum += value, where SNAP_UNKNOWN on either side makes it unknown; false on overflow. */
static bool add_figure(uint64_t *sum, uint64_t value)
{
	if (*sum == SNAP_UNKNOWN || value == SNAP_UNKNOWN) {
		*sum = SNAP_UNKNOWN;
		return true;
	}
	return !__builtin_add_overflow(*sum, value, sum) && *sum != SNAP_UNKNOWN;
}

enum snap_status model_totals(const struct model *model, struct model_totals *totals,
			      struct snap_error *err)
{
	*totals = (struct model_totals){0};
	for (uint32_t i = 0; i < model->site_count; i++) {
		const struct snap_site *row = &model->sites[i].row;

		if (!add_figure(&totals->live_bytes, row->live_bytes) ||
		    !add_figure(&totals->live_blocks, row->live_blocks) ||
		    !add_figure(&totals->allocated_bytes, row->allocated_bytes) ||
		    !add_figure(&totals->allocated_blocks, row->allocated_blocks))
			return fail(
				err, SNAP_ECORRUPT,
				"%s: the figures of its call stacks add up to more than 64 bits",
				model->source ? model->source : "snapshot");
	}
	return SNAP_OK;
}

/* Digest. */

static uint64_t digest_text(const struct model *model, uint64_t hash, uint32_t string)
{
	const struct snap_text *text = &model->strings[string];

	return snap__xxh64(text->data, text->size, mix(hash, text->size));
}

static uint64_t digest_locations(const struct model *model, uint64_t hash)
{
	for (uint32_t i = 0; i < model->location_count; i++) {
		const struct model_location *location = &model->locations[i];

		hash = mix(mix(hash, location->module), location->flags);
		hash = mix(mix(hash, location->address), location->frame_count);
		for (uint32_t j = 0; j < location->frame_count; j++) {
			const struct snap_frame *frame = &model->frames[location->first_frame + j];

			hash = mix(mix(hash, frame->function), frame->file);
			hash = mix(mix(hash, frame->line), frame->flags);
		}
	}
	return hash;
}

static uint64_t digest_variance(uint64_t hash, const struct snap_variance *variance)
{
	return snap__xxh64(variance, sizeof(*variance), hash);
}

static uint64_t digest_sites(const struct model *model, uint64_t hash)
{
	for (uint32_t i = 0; i < model->site_count; i++) {
		const struct snap_site *row = &model->sites[i].row;

		hash = mix(mix(hash, row->node), row->domain);
		hash = mix(mix(hash, row->live_bytes), row->live_blocks);
		hash = mix(mix(hash, row->allocated_bytes), row->allocated_blocks);
		hash = mix(hash, row->cohort_count);
		if (model->variances)
			hash = digest_variance(hash, &model->variances[i]);
	}
	for (uint32_t i = 0; i < model->cohort_count; i++) {
		const struct snap_cohort *cohort = &model->cohorts[i];

		hash = mix(mix(mix(hash, cohort->birth_seq), cohort->blocks), cohort->bytes);
	}
	return hash;
}

uint64_t model_digest(const struct model *model)
{
	uint64_t hash = mix(model->string_count, model->meta_count);

	hash = mix(mix(hash, model->module_count), model->location_count);
	hash = mix(mix(hash, model->node_count), model->site_count);
	for (uint32_t i = 0; i < model->string_count; i++)
		hash = digest_text(model, hash, i);
	for (uint32_t i = 0; i < model->meta_count; i++)
		hash = mix(mix(hash, model->meta[i].key), model->meta[i].value);
	for (uint32_t i = 0; i < model->module_count; i++)
		hash = mix(hash, hash_module(&model->modules[i]));
	hash = digest_locations(model, hash);
	for (uint32_t i = 0; i < model->node_count; i++)
		hash = mix(mix(hash, model->nodes[i].parent), model->nodes[i].location);
	return holders_digest(&model->holders, digest_sites(model, hash));
}
