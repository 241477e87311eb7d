/*
 * census.c - snapshots of a database as their censuses count: read back into models, whose objects
 * go to a private database of their own.
 *
 * What is read back has no addresses, as snapshots in the text form have none.
 */
#include "snapshots/census.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/fail.h"
#include "model/census.h"
#include "snapshots/state.h"
#include "store/holders.h"

/* From an id of the database to a place in the model, by rising id. */
struct place {
	int64_t id;
	uint32_t place;
};

struct places {
	struct place *items;
	size_t count, capacity;
};

struct reading {
	struct store *store;
	int64_t id; /* of the snapshot */
	struct model *model;
	struct places frames, sites; /* locations and nodes */
	const char *prefix;          /* of the keys that are read now */
};

/* ---- places ---------------------------------------------------------------------------------- */

static bool add_place(struct places *places, int64_t id, uint32_t place)
{
	if (place == SNAP_NONE || !array_reserve(&places->items, &places->capacity, places->count,
						 sizeof(*places->items)))
		return false;
	places->items[places->count++] = (struct place){id, place};
	return true;
}

static int compare_places(const void *a, const void *b)
{
	const struct place *left = a, *right = b;

	return (left->id > right->id) - (left->id < right->id);
}

static uint32_t place_of(const struct places *places, int64_t id)
{
	const struct place wanted = {.id = id};
	const struct place *found = places->count ? bsearch(&wanted, places->items, places->count,
							    sizeof(wanted), compare_places)
						  : NULL;

	return found ? found->place : SNAP_NONE;
}

/* ---- the snapshot and its facts -------------------------------------------------------------- */

static enum snap_status done_if(bool done)
{
	return done ? SNAP_OK : SNAP_ENOMEM;
}

static bool set_number(struct model *model, const char *key, uint64_t value)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	return value == SNAP_UNKNOWN || model_meta_set(model, key, text);
}

static bool set_text(struct model *model, const char *key, const char *value)
{
	return !value || !*value || model_meta_set(model, key, value);
}

static enum snap_status take_snapshot(void *user, const struct store_snapshot *row)
{
	struct reading *reading = user;
	struct model *model = reading->model;

	if (row->id != reading->id)
		return SNAP_OK;
	if (row->path && *row->path && !(model->source = strdup(row->path)))
		return SNAP_ENOMEM;
	return done_if(
		set_number(model, "seq", row->seq) && set_number(model, "pid", row->pid) &&
		set_number(model, "time_ns", row->time_ns) &&
		set_number(model, "mono_ns", row->mono_ns) &&
		set_number(model, "start_time_ns", row->start_ns) &&
		set_number(model, "sample_period", row->sample_period) &&
		set_text(model, "label", row->label) && set_text(model, "command", row->command) &&
		set_text(model, "program", row->program) &&
		set_text(model, "trigger", row->trigger) && set_text(model, "host", row->host));
}

static enum snap_status take_fact(void *user, const char *key, const char *value)
{
	struct reading *reading = user;
	char *whole;
	bool set;

	if (asprintf(&whole, "%s%s", reading->prefix, key) < 0)
		return SNAP_ENOMEM;
	set = model_meta_set(reading->model, whole, value);
	free(whole);
	return done_if(set);
}

typedef enum snap_status each_fact_fn(struct store *store, int64_t id, store_pair_fn *fn,
				      void *user, struct snap_error *err);

static enum snap_status read_facts(struct reading *reading, struct snap_error *err)
{
	static const struct {
		const char *prefix;
		each_fact_fn *each;
	} kinds[] = {{"labels.", store_each_label},
		     {"metrics.", store_each_metric},
		     {"losses.", store_each_loss},
		     {"", store_each_meta}};
	enum snap_status st = store_each_snapshot(reading->store, take_snapshot, reading, err);

	for (size_t i = 0; st == SNAP_OK && i < sizeof(kinds) / sizeof(*kinds); i++) {
		reading->prefix = kinds[i].prefix;
		st = kinds[i].each(reading->store, reading->id, take_fact, reading, err);
	}
	return st;
}

/* ---- call stacks ----------------------------------------------------------------------------- */

/* SNAP_NONE: it has none, or memory ran out. */
static uint32_t module_of(struct model *model, const char *path)
{
	struct snap_module module = {0};

	if (!path || !*path)
		return SNAP_NONE;
	module.path = model_cstring(model, path);
	return module.path == SNAP_NONE ? SNAP_NONE : model_module_intern(model, &module);
}

static enum snap_status take_frame(void *user, const struct store_frame *row)
{
	struct reading *reading = user;
	struct model *model = reading->model;
	const struct snap_frame frame = {
		.function = model_cstring(model, row->function),
		.file = model_cstring(model, row->file),
		.line = row->line,
	};

	if (frame.function == SNAP_NONE || frame.file == SNAP_NONE)
		return SNAP_ENOMEM;
	return done_if(
		add_place(&reading->frames, row->id,
			  model_symbolic_location(model, module_of(model, row->module), &frame)));
}

static enum snap_status take_site(void *user, const struct store_site *row)
{
	struct reading *reading = user;
	uint32_t node = SNAP_NONE;

	for (uint32_t i = row->depth; i-- > 0;) {
		uint32_t location = place_of(&reading->frames, row->frames[i]);

		if (location == SNAP_NONE)
			continue; /* a hostile database */
		node = model_node_intern(reading->model, node, location);
		if (node == SNAP_NONE)
			return SNAP_ENOMEM;
	}
	return node == SNAP_NONE ? SNAP_OK : done_if(add_place(&reading->sites, row->id, node));
}

static enum snap_status read_stacks(struct reading *reading, struct snap_error *err)
{
	enum snap_status st =
		store_each_frame(reading->store, &reading->id, 1, take_frame, reading, err);

	if (reading->frames.count)
		qsort(reading->frames.items, reading->frames.count, sizeof(struct place),
		      compare_places);
	if (st == SNAP_OK)
		st = store_each_site(reading->store, &reading->id, 1, take_site, reading, err);
	if (reading->sites.count)
		qsort(reading->sites.items, reading->sites.count, sizeof(struct place),
		      compare_places);
	return st;
}

/* ---- who holds what -------------------------------------------------------------------------- */

static enum snap_status take_group(void *user, const struct store_group *row)
{
	struct reading *reading = user;
	const struct snap_group group = {
		.kind = row->kind,
		.label = model_cstring(reading->model, row->label),
		.node = row->site_id ? place_of(&reading->sites, row->site_id) : SNAP_NONE,
		.blocks = row->blocks,
		.bytes = row->bytes,
		.direct_blocks = row->direct_blocks,
		.direct_bytes = row->direct_bytes,
		.indirect_blocks = row->indirect_blocks,
		.indirect_bytes = row->indirect_bytes,
		.ring_blocks = row->ring_blocks,
		.retained_bytes = row->retained_bytes,
	};

	return done_if(group.label != SNAP_NONE &&
		       holders_add_group(&reading->model->holders, &group));
}

static enum snap_status take_root(void *user, const struct store_root *row)
{
	struct reading *reading = user;
	const struct snap_root root = {
		.kind = row->kind,
		.label = model_cstring(reading->model, row->label),
		.module = module_of(reading->model, row->module),
		.thread = row->thread,
		.address = row->address,
		.size = row->size,
		.symbol = model_cstring(reading->model, row->symbol),
		.offset = row->offset,
		.retained_bytes = row->retained_bytes,
	};

	return done_if(root.label != SNAP_NONE && root.symbol != SNAP_NONE &&
		       holders_add_root(&reading->model->holders, &root));
}

static enum snap_status take_edge(void *user, const struct snap_edge *row)
{
	struct reading *reading = user;

	return done_if(holders_add_edge(&reading->model->holders, row));
}

static enum snap_status take_path(void *user, const struct snap_path *row,
				  const struct snap_step *steps)
{
	struct reading *reading = user;

	return done_if(holders_add_path(&reading->model->holders, row, steps));
}

static enum snap_status read_holders(struct reading *reading, struct snap_error *err)
{
	enum snap_status st =
		store_each_group(reading->store, reading->id, take_group, reading, err);

	if (st == SNAP_OK)
		st = store_each_root(reading->store, reading->id, take_root, reading, err);
	if (st == SNAP_OK)
		st = store_each_edge(reading->store, reading->id, take_edge, reading, err);
	if (st == SNAP_OK)
		st = store_each_path(reading->store, reading->id, take_path, reading, err);
	return st;
}

/* ---- the whole ------------------------------------------------------------------------------- */

static enum snap_status read_model(struct reading *reading, struct snap_error *err)
{
	enum snap_status st = read_facts(reading, err);

	if (st == SNAP_OK)
		st = read_stacks(reading, err);
	if (st == SNAP_OK)
		st = read_holders(reading, err);
	if (st == SNAP_ENOMEM)
		return fail_memory(err, "reading a census");
	if (st != SNAP_OK)
		return st;
	/* Equal snapshots of a database are two. */
	reading->model->digest = model_digest(reading->model) ^ (uint64_t)reading->id << 32;
	return model_use_census(reading->model, err);
}

enum snap_status snapshots_census_of(struct snapshots *snapshots, int64_t *id,
				     struct snap_error *err)
{
	struct reading reading = {.store = snapshots->store, .id = *id, .model = model_new()};
	enum snap_status st = SNAP_OK;
	bool already;

	if (!reading.model)
		return fail_memory(err, "reading a census");
	if (!snapshots->objects)
		st = store_open(&snapshots->objects, NULL, STORE_CREATE, err);
	if (st == SNAP_OK)
		st = read_model(&reading, err);
	if (st == SNAP_OK)
		st = store_load(snapshots->objects, reading.model, NULL,
				snapshots->options.without_ages ? STORE_WITHOUT_AGES : STORE_ALL,
				NULL, id, &already, err);
	free(reading.frames.items);
	free(reading.sites.items);
	model_free(reading.model);
	return st;
}
