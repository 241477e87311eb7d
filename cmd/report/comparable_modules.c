/*
 * comparable_modules.c - modules with debug information on one side only, and other builds.
 */
#include "report/comparable_sides.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/fail.h"
#include "model/names.h"

/* Distinct frames of a module in one snapshot. */
struct knowledge {
	size_t all, named, filed;
};

/* The module's file on one side. */
struct build {
	char *path, *build_id;
};

struct builds {
	struct build *items;
	size_t count, capacity;
	struct snap_error *err;
};

struct modules {
	struct notices *notices;
	struct dataset *dataset;
	const struct comparable_side *sides;
	struct knowledge *known[2]; /* of either side, by slot */
	struct builds builds[2];
};

enum { PROGRAM_SLOT = 0, OLD = 0, NEW = 1 };

/* ---- what is known of each module ------------------------------------------------------------ */

/* The program is the same module under any name; other modules are identified by their names. */
static uint32_t module_slot(const struct dataset *dataset, const struct dataset_frame *frame,
			    const struct comparable_side *side)
{
	bool is_program = strcmp(dataset_text(dataset, frame->module), side->program) == 0;

	return is_program ? PROGRAM_SLOT : frame->module;
}

/* Is it a function that the symboliser found, or a text form named? */
static bool is_named(const struct dataset *dataset, const struct dataset_frame *frame)
{
	return frame->function &&
	       !(frame->has_address && name_is_address(dataset_text(dataset, frame->function)));
}

/* By slot, of one snapshot; malloc'ed, NULL when memory is out. */
static struct knowledge *know_modules(const struct dataset *dataset, size_t snapshot,
				      const struct comparable_side *side)
{
	const struct dataset_snapshot *from = &dataset->snapshots[snapshot];
	struct knowledge *modules = calloc(dataset->string_count + 1, sizeof(*modules));
	bool *seen = calloc(dataset->frame_count + 1, sizeof(*seen));

	for (size_t i = 0; seen && i < from->count; i++) {
		const struct dataset_site *site = &dataset->sites[from->cells[i].site];

		for (uint32_t f = 0; f < site->depth; f++)
			seen[dataset->stack[site->first + f]] = true;
	}
	for (size_t i = 0; seen && modules && i < dataset->frame_count; i++) {
		const struct dataset_frame *frame = &dataset->frames[i];
		struct knowledge *module = &modules[module_slot(dataset, frame, side)];

		module->all += seen[i];
		module->named += seen[i] && is_named(dataset, frame);
		module->filed += seen[i] && frame->file;
	}
	if (!seen) {
		free(modules);
		modules = NULL;
	}
	free(seen);
	return modules;
}

/* The file name of a slot's module on one side. */
static const char *slot_name(const struct modules *modules, uint32_t slot, size_t side)
{
	return slot != PROGRAM_SLOT ? dataset_text(modules->dataset, slot)
				    : modules->sides[side].program;
}

/* ---- builds ---------------------------------------------------------------------------------- */

static enum snap_status take_module(void *user, const struct store_module *row)
{
	struct builds *builds = user;
	struct build build = {strdup(row->path), strdup(row->build_id)};

	if (!build.path || !build.build_id ||
	    !array_reserve(&builds->items, &builds->capacity, builds->count, sizeof(build))) {
		free(build.path);
		free(build.build_id);
		return fail_memory(builds->err, "comparing modules");
	}
	builds->items[builds->count++] = build;
	return SNAP_OK;
}

static void builds_release(struct builds *builds)
{
	for (size_t i = 0; i < builds->count; i++) {
		free(builds->items[i].path);
		free(builds->items[i].build_id);
	}
	free(builds->items);
}

/* The build-id of the module of this file name; "" when there is none. */
static const char *build_of(const struct builds *builds, const char *name)
{
	for (size_t i = 0; i < builds->count; i++)
		if (strcmp(name_base(builds->items[i].path), name) == 0)
			return builds->items[i].build_id;
	return "";
}

enum sameness { SAME_BUILD, OTHER_BUILD, NOBODY_KNOWS };

static enum sameness compare_builds(const struct modules *modules, uint32_t slot)
{
	const char *old = build_of(&modules->builds[OLD], slot_name(modules, slot, OLD));
	const char *new = build_of(&modules->builds[NEW], slot_name(modules, slot, NEW));

	if (!*old || !*new)
		return NOBODY_KNOWS;
	return strcmp(old, new) == 0 ? SAME_BUILD : OTHER_BUILD;
}

/* ---- what is said ---------------------------------------------------------------------------- */

static bool is_known(size_t part, const struct knowledge *module)
{
	const double some = 0.3;

	return (double)part > some * (double)module->all;
}

static bool is_hardly_known(size_t part, const struct knowledge *module)
{
	const double hardly_any = 0.05;

	return module->all && (double)part < hardly_any * (double)module->all;
}

static const char *spoken_name(const struct modules *modules, uint32_t slot, size_t side)
{
	const char *name = slot_name(modules, slot, side);

	if (!*name)
		return "the program";
	return name;
}

/* Stripped programs often keep a few names: _start, main. */
static void warn_of_stripping(const struct modules *modules, uint32_t slot, size_t poor_side)
{
	size_t rich_side = !poor_side;
	const struct knowledge *rich = &modules->known[rich_side][slot];
	const struct knowledge *poor = &modules->known[poor_side][slot];
	const char *poor_name = spoken_name(modules, slot, poor_side);
	const char *rich_name = spoken_name(modules, slot, rich_side);
	bool nameless = is_known(rich->named, rich) && !is_known(poor->named, poor) && poor->all;
	bool lineless = is_known(rich->filed, rich) && is_hardly_known(poor->filed, poor);
	const char *other = strcmp(poor_name, rich_name) != 0 ? rich_name : NULL;

	if (!nameless && !lineless)
		return;
	notices_add(modules->notices, &(struct notice){
					      .kind = compare_builds(modules, slot) == SAME_BUILD
							      ? NOTICE_STRIPPED_SAME_BUILD
							      : NOTICE_STRIPPED,
					      .who = poor_name,
					      .texts = {modules->sides[poor_side].name, other,
							modules->sides[rich_side].name},
					      .figures = {nameless},
				      });
}

/* Addresses differ between builds.  So all of the module's memory without names is one row: a
 * row per address would be wrong. */
static bool forget_addresses(const struct modules *modules, uint32_t slot)
{
	struct dataset *dataset = modules->dataset;
	char name[SIDE_NAME_SIZE + 8];
	uint32_t function;

	snprintf(name, sizeof(name), "%.*s+?", SIDE_NAME_SIZE, spoken_name(modules, slot, NEW));
	function = dataset_string(dataset, name);
	for (size_t i = 0; function != SNAP_NONE && i < dataset->frame_count; i++) {
		struct dataset_frame *frame = &dataset->frames[i];

		if (module_slot(dataset, frame, &modules->sides[NEW]) == slot &&
		    !is_named(dataset, frame) && !frame->file)
			frame->function = function;
	}
	return function != SNAP_NONE;
}

/* A module without names that is another build.  False when memory is out. */
static bool judge_builds(const struct modules *modules, uint32_t slot)
{
	const struct knowledge *old = &modules->known[OLD][slot];
	const struct knowledge *new = &modules->known[NEW][slot];

	if (old->named == old->all || new->named == new->all ||
	    compare_builds(modules, slot) != OTHER_BUILD ||
	    strcmp(slot_name(modules, slot, OLD), slot_name(modules, slot, NEW)) != 0)
		return true;
	notices_add(modules->notices, &(struct notice){.kind = NOTICE_OTHER_BUILD,
						       .who = spoken_name(modules, slot, NEW)});
	return forget_addresses(modules, slot);
}

static bool say_it(const struct modules *modules)
{
	size_t slots = modules->dataset->string_count; /* names are added on the way */
	bool ok = true;

	for (uint32_t slot = 0; ok && slot < slots; slot++) {
		warn_of_stripping(modules, slot, OLD);
		warn_of_stripping(modules, slot, NEW);
		ok = judge_builds(modules, slot);
	}
	return ok;
}

enum snap_status comparable_warn_of_modules(struct notices *notices, struct store *store,
					    struct dataset *dataset, size_t new,
					    const struct comparable_side sides[2],
					    struct snap_error *err)
{
	struct modules modules = {
		.notices = notices,
		.dataset = dataset,
		.sides = sides,
		.known = {know_modules(dataset, 0, &sides[OLD]),
			  know_modules(dataset, new, &sides[NEW])},
		.builds = {{.err = err}, {.err = err}},
	};
	enum snap_status st = SNAP_OK;

	if (!modules.known[OLD] || !modules.known[NEW])
		st = fail_memory(err, "comparing snapshots");
	for (size_t i = 0; st == SNAP_OK && i < 2; i++)
		st = store_each_module(store, sides[i].id, take_module, &modules.builds[i], err);
	if (st == SNAP_OK && !say_it(&modules))
		st = fail_memory(err, "comparing snapshots");
	for (size_t i = 0; i < 2; i++) {
		builds_release(&modules.builds[i]);
		free(modules.known[i]);
	}
	return st;
}
