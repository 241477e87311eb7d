/*
 * snap.c - snapshot files -> model, through snap/reader.h.
 *
 * Strings and modules are interned, so that equal ones have one id even if a file repeats them; the
 * other rows keep their positions.
 */
#include "input/formats.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/fail.h"
#include "snap/format.h"
#include "snap/reader.h"

/** File id -> model id. */
struct id_map {
	uint32_t *ids;
	size_t count, room;
};

struct snap_loader {
	struct model *model;
	struct id_map strings, modules;
	struct snap_frame *frames; /* of one location, translated */
	size_t frame_room;
	struct snap_error *err;
};

static enum snap_status load_memory(struct snap_loader *l)
{
	return fail(l->err, SNAP_ENOMEM, "%s: out of memory", l->model->source);
}

static bool map_add(struct id_map *map, uint32_t id)
{
	if (id == SNAP_NONE || !array_reserve(&map->ids, &map->room, map->count, sizeof(*map->ids)))
		return false;
	map->ids[map->count++] = id;
	return true;
}

/** The model's id for a file's id; ids that point nowhere (possible in a torn file) become
 * "none". */
static uint32_t map_get(const struct id_map *map, uint32_t id, uint32_t otherwise)
{
	return id < map->count ? map->ids[id] : otherwise;
}

static enum snap_status load_meta(void *user, const struct snap_meta *meta)
{
	struct snap_loader *l = user;
	uint32_t key = model_string(l->model, meta->key.data, meta->key.size);
	uint32_t value = model_string(l->model, meta->value.data, meta->value.size);

	if (key == SNAP_NONE || value == SNAP_NONE ||
	    model_meta_add(l->model, key, value) == SNAP_NONE)
		return load_memory(l);
	return SNAP_OK;
}

static enum snap_status load_string(void *user, uint32_t id, struct snap_text text)
{
	struct snap_loader *l = user;

	(void)id;
	return map_add(&l->strings, model_string(l->model, text.data, text.size)) ? SNAP_OK
										  : load_memory(l);
}

static enum snap_status load_module(void *user, uint32_t id, const struct snap_module *module)
{
	struct snap_loader *l = user;
	struct snap_module row = *module;

	(void)id;
	row.path = map_get(&l->strings, module->path, 0);
	row.build_id = map_get(&l->strings, module->build_id, 0);
	return map_add(&l->modules, model_module_intern(l->model, &row)) ? SNAP_OK : load_memory(l);
}

/** The frames of a location with the model's string ids, in l->frames. */
static bool translate_frames(struct snap_loader *l, const struct snap_frame *frames, uint32_t count)
{
	if (!array_room(&l->frames, &l->frame_room, count, sizeof(*l->frames)))
		return false;
	for (uint32_t i = 0; i < count; i++) {
		l->frames[i] = frames[i];
		l->frames[i].function = map_get(&l->strings, frames[i].function, 0);
		l->frames[i].file = map_get(&l->strings, frames[i].file, 0);
	}
	return true;
}

static enum snap_status load_location(void *user, uint32_t id, const struct snap_location *location,
				      const struct snap_frame *frames)
{
	struct snap_loader *l = user;
	struct snap_location row = *location;

	(void)id;
	row.module = map_get(&l->modules, location->module, SNAP_NONE);
	if (!translate_frames(l, frames, row.frame_count) ||
	    model_location_add(l->model, &row, l->frames) == SNAP_NONE)
		return load_memory(l);
	return SNAP_OK;
}

static enum snap_status load_node(void *user, uint32_t id, const struct snap_node *node)
{
	struct snap_loader *l = user;

	(void)id;
	return model_node_add(l->model, node->parent, node->location) == SNAP_NONE ? load_memory(l)
										   : SNAP_OK;
}

static enum snap_status load_site(void *user, uint32_t id, const struct snap_site *site,
				  const struct snap_cohort *cohorts,
				  const struct snap_variance *variance)
{
	struct snap_loader *l = user;
	struct snap_site row = *site;

	(void)id;
	row.domain = map_get(&l->strings, site->domain, 0);
	return model_site_add(l->model, &row, cohorts, variance) == SNAP_NONE ? load_memory(l)
									      : SNAP_OK;
}

static enum snap_status load_group(void *user, uint32_t id, const struct snap_group *group)
{
	struct snap_loader *l = user;
	struct snap_group row = *group;

	(void)id;
	row.label = map_get(&l->strings, group->label, 0);
	return holders_add_group(&l->model->holders, &row) ? SNAP_OK : load_memory(l);
}

static enum snap_status load_root(void *user, uint32_t id, const struct snap_root *root)
{
	struct snap_loader *l = user;
	struct snap_root row = *root;

	(void)id;
	row.label = map_get(&l->strings, root->label, 0);
	row.symbol = map_get(&l->strings, root->symbol, 0);
	row.module = map_get(&l->modules, root->module, SNAP_NONE);
	return holders_add_root(&l->model->holders, &row) ? SNAP_OK : load_memory(l);
}

static enum snap_status load_edge(void *user, const struct snap_edge *edge)
{
	struct snap_loader *l = user;

	return holders_add_edge(&l->model->holders, edge) ? SNAP_OK : load_memory(l);
}

static enum snap_status load_path(void *user, const struct snap_path *path,
				  const struct snap_step *steps)
{
	struct snap_loader *l = user;

	return holders_add_path(&l->model->holders, path, steps) ? SNAP_OK : load_memory(l);
}

static enum snap_status load_holders(struct snap_loader *l, struct snap_reader *reader)
{
	enum snap_status st = snap_reader_each_group(reader, load_group, l, l->err);

	if (st == SNAP_OK)
		st = snap_reader_each_root(reader, load_root, l, l->err);
	if (st == SNAP_OK)
		st = snap_reader_each_edge(reader, load_edge, l, l->err);
	if (st == SNAP_OK)
		st = snap_reader_each_path(reader, load_path, l, l->err);
	return st;
}

static enum snap_status load_all(struct snap_loader *l, struct snap_reader *reader)
{
	enum snap_status st = snap_reader_each_meta(reader, load_meta, l, l->err);

	if (st == SNAP_OK)
		st = snap_reader_each_string(reader, load_string, l, l->err);
	if (st == SNAP_OK)
		st = snap_reader_each_module(reader, load_module, l, l->err);
	if (st == SNAP_OK)
		st = snap_reader_each_location(reader, load_location, l, l->err);
	if (st == SNAP_OK)
		st = snap_reader_each_node(reader, load_node, l, l->err);
	if (st == SNAP_OK)
		st = snap_reader_each_site(reader, load_site, l, l->err);
	if (st == SNAP_OK)
		st = load_holders(l, reader);
	return st;
}

/** A plain file is left to the reader; anything else is first brought into memory. */
static enum snap_status open_reader(struct snap_reader **reader, struct stream *stream,
				    enum snap_reader_mode mode, struct snap_error *err)
{
	enum snap_status st;

	if (stream->path)
		return snap_reader_open(reader, stream->path, mode, err);
	st = stream_need_all(stream, err);
	if (st == SNAP_OK)
		st = snap_reader_open_memory(reader, stream->data, stream->size, stream->name, mode,
					     err);
	return st;
}

/** A file of a newer version is read as far as it is known, with a warning. */
static enum snap_status remark_version(struct snap_loader *l, const struct snap_reader *reader)
{
	unsigned minor = snap_reader_minor(reader);

	if (minor > SNAP_FORMAT_MINOR &&
	    asprintf(&l->model->remark,
		     "%s: format version %u.%u, newer than this program's %u.%u: what is new in it "
		     "is left out",
		     l->model->source, SNAP_FORMAT_MAJOR, minor, SNAP_FORMAT_MAJOR,
		     SNAP_FORMAT_MINOR) < 0) {
		l->model->remark = NULL;
		return load_memory(l);
	}
	return SNAP_OK;
}

static enum snap_status note_tear(struct snap_loader *l, const struct snap_reader *reader)
{
	const char *torn = snap_reader_torn(reader);

	if (torn)
		l->model->torn = strdup(torn);
	return torn && !l->model->torn ? load_memory(l) : SNAP_OK;
}

static enum snap_status snap_read(struct model *model, struct stream *stream,
				  const struct input_options *options, struct snap_error *err)
{
	struct snap_loader l = {.model = model, .err = err};
	struct snap_reader *reader = NULL;
	enum snap_status st;

	st = open_reader(&reader, stream, options->salvage ? SNAP_READ_SALVAGE : SNAP_READ_WHOLE,
			 err);
	if (st != SNAP_OK)
		return st;
	st = load_all(&l, reader);
	if (st == SNAP_OK)
		st = remark_version(&l, reader);
	if (st == SNAP_OK)
		st = note_tear(&l, reader);
	model->digest = snap_reader_digest(reader);
	snap_reader_close(reader);
	free(l.strings.ids);
	free(l.modules.ids);
	free(l.frames);
	return st;
}

static enum snap_status snap_read_meta(struct model *model, struct stream *stream,
				       struct snap_error *err)
{
	struct snap_loader l = {.model = model, .err = err};
	struct snap_reader *reader = NULL;
	enum snap_status st = open_reader(&reader, stream, SNAP_READ_SALVAGE, err);

	if (st == SNAP_OK)
		st = snap_reader_each_meta(reader, load_meta, &l, err);
	if (st == SNAP_OK)
		st = note_tear(&l, reader);
	snap_reader_close(reader);
	return st;
}

const struct format format_snap = {
	.name = "snap",
	.recognises = snap_reader_recognises,
	.read = snap_read,
	.read_meta = snap_read_meta,
};
