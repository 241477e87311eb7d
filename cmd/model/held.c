/*
 * held.c - paths from roots of an interpreter, by type and by line.
 */
#include "model/held.h"

#include <stdlib.h>
#include <string.h>

#include "model/names.h"

enum { FRAMES = 8 }; /* the newest of a stack by which it is found */

struct held_frame {
	char *file;
	uint32_t line;
};

struct held {
	char *type, *words;
	uint64_t objects;
	struct held_frame frames[FRAMES];
	size_t frame_count;
};

struct held_list {
	struct held *items;
	size_t count;
	uint64_t pid, time_ns;
};

static void collect_frames(struct held *held, const struct model *model, uint32_t node)
{
	for (; node != SNAP_NONE && held->frame_count < FRAMES; node = model->nodes[node].parent) {
		const struct model_location *at = &model->locations[model->nodes[node].location];
		const struct snap_frame *frame = &model->frames[at->first_frame];

		if (at->frame_count == 0 || !frame->line)
			continue;
		held->frames[held->frame_count++] = (struct held_frame){
			.file = strdup(model_text(model, frame->file)), .line = frame->line};
	}
}

/* By root, how many objects it holds of the group that its path leads to: such a root has one edge. */
static uint64_t *objects_by_root(const struct model_holders *holders)
{
	uint64_t *objects = calloc((size_t)holders->root_count + 1, sizeof(*objects));

	for (uint32_t i = 0; objects && i < holders->edge_count; i++)
		if (holders->edges[i].from_root)
			objects[holders->edges[i].from] = holders->edges[i].blocks;
	return objects;
}

static void collect(struct held *held, const struct model *model, const struct snap_path *path,
		    const uint64_t *objects)
{
	const struct model_holders *holders = &model->holders;
	const struct snap_group *group = &holders->groups[path->group];

	held->type = strdup(model_text(model, group->label));
	held->words = strdup(model_text(model, holders->roots[path->root].label));
	held->objects = objects[path->root];
	collect_frames(held, model, group->node);
}

static bool is_of_interpreter(const struct model_holders *holders, const struct snap_path *path)
{
	return path->root != SNAP_NONE && holders->groups[path->group].kind == SNAP_GROUP_TYPE &&
	       holders->roots[path->root].kind == SNAP_ROOT_INTERPRETER;
}

struct held_list *held_collect(const struct model *model)
{
	const struct model_holders *holders = &model->holders;
	struct held_list *list;
	uint64_t *objects;

	if (holders->path_count == 0)
		return NULL;
	objects = objects_by_root(holders);
	list = calloc(1, sizeof(*list));
	if (list && objects)
		list->items = calloc(holders->path_count, sizeof(*list->items));
	if (!list || !list->items) {
		free(objects);
		free(list);
		return NULL;
	}
	list->pid = model_meta_u64(model, "pid", 0);
	list->time_ns = model_meta_u64(model, "time_ns", 0);
	for (uint32_t i = 0; i < holders->path_count; i++)
		if (is_of_interpreter(holders, &holders->paths[i].row))
			collect(&list->items[list->count++], model, &holders->paths[i].row,
				objects);
	free(objects);
	return list;
}

void held_free(struct held_list *list)
{
	if (!list)
		return;
	for (size_t i = 0; i < list->count; i++) {
		for (size_t f = 0; f < list->items[i].frame_count; f++)
			free(list->items[i].frames[f].file);
		free(list->items[i].type);
		free(list->items[i].words);
	}
	free(list->items);
	free(list);
}

uint64_t held_pid(const struct held_list *list)
{
	return list->pid;
}

uint64_t held_time(const struct held_list *list)
{
	return list->time_ns;
}

/* The list may be short of memory: then it knows less. */
static bool is_whole(const struct held *held)
{
	return held->type && held->words && held->words[0];
}

const char *held_type(const struct held_list *list, const char *type)
{
	const struct held *best = NULL;

	for (size_t i = 0; list && i < list->count; i++) {
		const struct held *held = &list->items[i];

		if (is_whole(held) && strcmp(held->type, type) == 0 &&
		    (!best || held->objects > best->objects))
			best = held;
	}
	return best ? best->words : NULL;
}

/* How far out the line is in the stack; FRAMES: it is not there. */
static size_t frame_of(const struct held *held, const char *file, uint32_t line)
{
	for (size_t i = 0; i < held->frame_count; i++)
		if (held->frames[i].file && held->frames[i].line == line &&
		    strcmp(name_base(held->frames[i].file), name_base(file)) == 0)
			return i;
	return FRAMES;
}

const char *held_line(const struct held_list *list, const char *file, uint32_t line)
{
	const struct held *best = NULL;
	size_t best_frame = FRAMES;

	for (size_t i = 0; list && i < list->count; i++) {
		const struct held *held = &list->items[i];
		size_t frame = frame_of(held, file, line);

		if (frame == FRAMES || !is_whole(held) || frame > best_frame ||
		    (frame == best_frame && held->objects <= best->objects))
			continue;
		best = held;
		best_frame = frame;
	}
	return best ? best->words : NULL;
}
