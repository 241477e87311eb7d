/*
 * identity.c - which call stacks are the same call stack: one key per stack and level.
 *
 * A stack's key is folded from its outermost frame inwards, so that every node of the tree of
 * stacks is visited once, whatever the number of sites below it.  Only text and numbers of the
 * snapshot go in, never ids: keys are equal across files.
 */
#include "model/identity.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/hash.h"
#include "base/memory.h"
#include "model/names.h"
#include "model/own.h"

struct frame_key {
	uint64_t line, function;
	enum own_kind kind;
};

struct node_key {
	uint64_t exact, line, function;
};

struct identity_work {
	const struct model *model;
	uint64_t *raw;        /* per string: hash of its bytes */
	uint64_t *normalised; /* per string: hash of it as a normalised function name; 0 not yet */
	uint64_t *modules;    /* per module: hash of its normalised name */
	uint64_t *exact;      /* per location: see exact_key() */
	bool *node_used;      /* per node: a wanted site's stack goes through it */
	bool *location_used;  /* the same, per location */
	struct frame_key *frames;
	struct node_key *nodes;
};

/* The finaliser of MurmurHash3 (Appleby, public domain): every input bit moves every output bit. */
static uint64_t mix(uint64_t x)
{
	x ^= x >> 33;
	x *= 0xff51afd7ed558ccdULL;
	x ^= x >> 33;
	x *= 0xc4ceb9fe1a85ec53ULL;
	return x ^ (x >> 33);
}

static uint64_t fold(uint64_t key, uint64_t next)
{
	return mix(key * 0x9e3779b97f4a7c15ULL + next + 1);
}

/* Strings are interned, so this need not be fast. */
static uint64_t hash_bytes(const char *data, size_t size)
{
	return mix(hash_fnv(data, size));
}

static uint64_t hash_normalised(const char *name, size_t (*normalise)(const char *, char *, size_t))
{
	char buffer[1024], *text = buffer;
	size_t size = normalise(name, buffer, sizeof(buffer));
	uint64_t hash;

	if (size >= sizeof(buffer)) {
		text = memory_need(malloc(size + 1), "reading names");
		normalise(name, text, size + 1);
	}
	hash = hash_bytes(text, size);
	if (text != buffer)
		free(text);
	return hash ? hash : 1;
}

/* Two builds of one program are compared under whatever names their executables got. */
static bool is_program(const struct model *model, const char *path)
{
	const char *command = model_meta(model, "exe"), *name;
	size_t size;

	if (!command)
		command = model_meta(model, "command");
	if (!command)
		return false;
	size = strcspn(command, " ");
	name = name_base(path);
	while (size > 0 && memchr(command, '/', size)) {
		size -= (size_t)(strchr(command, '/') + 1 - command);
		command = strchr(command, '/') + 1;
	}
	return size > 0 && strlen(name) == size && memcmp(name, command, size) == 0;
}

static void hash_modules(struct identity_work *work)
{
	static const char program[] = "(program)";

	for (uint32_t i = 0; i < work->model->module_count; i++) {
		const char *path = model_text(work->model, work->model->modules[i].path);

		work->modules[i] = is_program(work->model, path)
					   ? hash_bytes(program, sizeof(program) - 1)
					   : hash_normalised(path, name_normalise_module);
	}
}

static uint64_t normalised_function(struct identity_work *work, uint32_t string)
{
	if (!work->normalised[string])
		work->normalised[string] =
			hash_normalised(model_text(work->model, string), name_normalise);
	return work->normalised[string];
}

/* An address in a module means the same in another snapshot only if the build is the same. */
static uint64_t hash_place(const struct identity_work *work, const struct model_location *location)
{
	const struct snap_module *module;

	if (location->module == SNAP_NONE)
		return fold(0, location->address);
	module = &work->model->modules[location->module];
	return fold(fold(work->modules[location->module], work->raw[module->build_id]),
		    location->address);
}

/* A frame without a name is identified by its file, and without that by its address. */
static void hash_frame(struct identity_work *work, const struct model_location *location,
		       const struct snap_frame *frame, struct frame_key *key)
{
	const struct model *model = work->model;
	bool placed = (location->flags & SNAP_LOCATION_HAS_ADDRESS) != 0;
	const char *name = model_text(model, frame->function);
	bool named = *name && !(placed && name_is_address(name));
	bool filed = model->strings[frame->file].size > 0;
	uint64_t where = location->module == SNAP_NONE ? 0 : work->modules[location->module];
	uint64_t function = named ? normalised_function(work, frame->function) : 0;

	if (!named && !filed && placed)
		function = hash_place(work, location);
	key->line = fold(fold(function, work->raw[frame->file]), frame->line);
	key->function = fold(where, named ? function : fold(function, work->raw[frame->file]));
	key->kind = own_classify(own_rules(), name, model_text(model, frame->file),
				 location->module == SNAP_NONE
					 ? ""
					 : model_text(model, model->modules[location->module].path),
				 NULL);
}

/* 0 when the location has no address that means the same in another process. */
static uint64_t exact_key(const struct identity_work *work, const struct model_location *location)
{
	const struct snap_module *module;

	if (location->module == SNAP_NONE || !(location->flags & SNAP_LOCATION_HAS_ADDRESS))
		return 0;
	module = &work->model->modules[location->module];
	if (work->model->strings[module->build_id].size == 0)
		return 0;
	return fold(work->raw[module->build_id], location->address);
}

static void hash_frames(struct identity_work *work)
{
	const struct model *model = work->model;

	for (uint32_t i = 0; i < model->location_count; i++) {
		const struct model_location *location = &model->locations[i];

		if (!work->location_used[i])
			continue;
		work->exact[i] = exact_key(work, location);
		for (uint32_t f = 0; f < location->frame_count; f++)
			hash_frame(work, location, &model->frames[location->first_frame + f],
				   &work->frames[location->first_frame + f]);
	}
}

static void hash_nodes(struct identity_work *work)
{
	static const struct node_key root = {1, 1, 1};
	const struct model *model = work->model;

	for (uint32_t i = 0; i < model->node_count; i++) {
		const struct model_location *location = &model->locations[model->nodes[i].location];
		const struct node_key *parent = model->nodes[i].parent == SNAP_NONE
							? &root
							: &work->nodes[model->nodes[i].parent];
		struct node_key key = *parent;
		uint64_t exact = work->exact[model->nodes[i].location];

		if (!work->node_used[i])
			continue;
		key.exact = exact && parent->exact ? fold(parent->exact, exact) : 0;
		for (uint32_t f = location->frame_count; f-- > 0;) {
			const struct frame_key *frame = &work->frames[location->first_frame + f];

			key.line = fold(key.line, frame->line);
			key.function = fold(key.function, frame->function);
		}
		work->nodes[i] = key;
	}
}

/* A parent precedes its children. */
static void find_used(struct identity_work *work, const bool *wanted)
{
	const struct model *model = work->model;

	for (uint32_t i = 0; i < model->site_count; i++)
		if ((!wanted || wanted[i]) && model->sites[i].row.node != SNAP_NONE)
			work->node_used[model->sites[i].row.node] = true;
	for (uint32_t i = model->node_count; i-- > 0;) {
		if (!work->node_used[i])
			continue;
		work->location_used[model->nodes[i].location] = true;
		if (model->nodes[i].parent != SNAP_NONE)
			work->node_used[model->nodes[i].parent] = true;
	}
}

/* Find the frame that names the stack that ends at `node`. */
static struct own_walk name_stack(const struct identity_work *work, uint32_t node)
{
	const struct model *model = work->model;
	struct own_walk walk = OWN_WALK_START;
	bool more = true;

	for (; more && node != SNAP_NONE; node = model->nodes[node].parent) {
		const struct model_location *location =
			&model->locations[model->nodes[node].location];
		const struct frame_key *frames = &work->frames[location->first_frame];

		for (uint32_t f = 0; more && f < location->frame_count; f++)
			more = own_step(&walk, frames[f].kind);
	}
	return walk;
}

static void identify_site(const struct identity_work *work, const struct snap_site *site,
			  struct site_identity *identity)
{
	static const struct node_key empty = {0, 1, 1};
	const struct node_key *key = site->node == SNAP_NONE ? &empty : &work->nodes[site->node];
	uint64_t domain = work->raw[site->domain];
	struct own_walk walk = name_stack(work, site->node);

	identity->exact = key->exact ? fold(key->exact, domain) : 0;
	identity->line = fold(key->line, domain);
	identity->function = fold(key->function, domain);
	identity->named = walk.names.named;
	identity->own = walk.found;
}

static bool reserve(struct identity_work *work)
{
	const struct model *model = work->model;

	work->raw = array_zeroed(model->string_count, sizeof(*work->raw));
	work->normalised = array_zeroed(model->string_count, sizeof(*work->normalised));
	work->modules = array_zeroed(model->module_count, sizeof(*work->modules));
	work->frames = array_zeroed(model->frame_count, sizeof(*work->frames));
	work->nodes = array_unset(model->node_count, sizeof(*work->nodes));
	work->exact = array_zeroed(model->location_count, sizeof(*work->exact));
	work->node_used = array_zeroed(model->node_count, sizeof(*work->node_used));
	work->location_used = array_zeroed(model->location_count, sizeof(*work->location_used));
	return work->raw && work->normalised && work->modules && work->exact && work->frames &&
	       work->nodes && work->node_used && work->location_used;
}

static void release(struct identity_work *work)
{
	free(work->raw);
	free(work->normalised);
	free(work->modules);
	free(work->frames);
	free(work->nodes);
	free(work->exact);
	free(work->node_used);
	free(work->location_used);
}

struct site_identity *identity_compute(const struct model *model)
{
	return identity_compute_of(model, NULL);
}

struct site_identity *identity_compute_of(const struct model *model, const bool *wanted)
{
	struct identity_work work = {.model = model};
	struct site_identity *identities = array_zeroed(model->site_count, sizeof(*identities));

	if (!reserve(&work) || !identities) {
		free(identities);
		identities = NULL;
		goto out;
	}
	for (uint32_t i = 0; i < model->string_count; i++)
		work.raw[i] = hash_bytes(model->strings[i].data, model->strings[i].size);
	hash_modules(&work);
	find_used(&work, wanted);
	hash_frames(&work);
	hash_nodes(&work);
	for (uint32_t i = 0; i < model->site_count; i++)
		if (!wanted || wanted[i])
			identify_site(&work, &model->sites[i].row, &identities[i]);
out:
	release(&work);
	return identities;
}
