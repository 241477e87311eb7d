/*
 * comparable.c - different programs, architectures, sampling, debug information, builds.
 */
#include "report/comparable.h"

#include <stdlib.h>
#include <string.h>

#include "model/fail.h"
#include "model/names.h"

enum { NAME_SIZE = 128 };

struct side {
	int64_t id;
	char program[NAME_SIZE], arch[NAME_SIZE];
	uint64_t sample_period;
};

static enum snap_status take_snapshot(void *user, const struct store_snapshot *row)
{
	struct side *sides = user;

	for (size_t i = 0; i < 2; i++)
		if (sides[i].id == row->id) {
			snprintf(sides[i].program, NAME_SIZE, "%s", name_base(row->program));
			sides[i].sample_period = row->sample_period;
		}
	return SNAP_OK;
}

static enum snap_status take_arch(void *user, const char *key, const char *value)
{
	if (strcmp(key, "arch") == 0)
		snprintf(user, NAME_SIZE, "%s", value);
	return SNAP_OK;
}

/* ---- a module that was stripped on one side ---- */

/* Distinct frames of a module in one snapshot. */
struct knowledge {
	size_t all, named, filed;
};

/* The program is one module under whatever name; other modules go by theirs. */
static uint32_t module_slot(const struct dataset *dataset, const struct dataset_frame *frame,
			    const struct side *side)
{
	bool is_program = strcmp(dataset_text(dataset, frame->module), side->program) == 0;

	return is_program ? 0 : frame->module;
}

/* Is it a function that the symboliser found, or a text form named? */
static bool is_named(const struct dataset *dataset, const struct dataset_frame *frame)
{
	return frame->function &&
	       !(frame->has_address && name_is_address(dataset_text(dataset, frame->function)));
}

/* By slot, of one snapshot; malloc'ed, NULL when memory is out. */
static struct knowledge *know_modules(const struct dataset *dataset, size_t snapshot,
				      const struct side *side)
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

/* Often a program has a name or two left: _start, main. */
static void warn_of_stripping(struct report *report, const char *name, const char *rich_side,
			      const struct knowledge *rich, const char *poor_side,
			      const struct knowledge *poor)
{
	if (is_known(rich->named, rich) && !is_known(poor->named, poor) && poor->all)
		report_warn(report,
			    "%s has no names in %s (stripped?) and has in %s: its frames do not "
			    "pair",
			    name, poor_side, rich_side);
	else if (is_known(rich->filed, rich) && is_hardly_known(poor->filed, poor))
		report_warn(report,
			    "%s has no lines in %s (stripped?) and has in %s: its frames pair by "
			    "function names only",
			    name, poor_side, rich_side);
}

struct known_sides {
	const struct side *sides;
	struct knowledge *old, *new; /* by slot */
};

static const char *slot_name(const struct dataset *dataset, const struct known_sides *known,
			     uint32_t slot)
{
	return slot ? dataset_text(dataset, slot) : known->sides[1].program;
}

static void warn_of_debug_information(struct report *report, const struct dataset *dataset,
				      const struct known_sides *known)
{
	for (uint32_t i = 0; i < dataset->string_count; i++) {
		const char *name = slot_name(dataset, known, i);

		if (!*name)
			name = "the program";
		warn_of_stripping(report, name, "OLD", &known->old[i], "NEW", &known->new[i]);
		warn_of_stripping(report, name, "NEW", &known->new[i], "OLD", &known->old[i]);
	}
}

/* ---- another build of a module, and no names to go by ---- */

struct build {
	char *path, *build_id;
};

struct builds {
	struct build *items;
	size_t count, capacity;
	struct snap_error *err;
};

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

/* Has the module of this name frames without one, on both sides? */
static bool is_nameless(const struct dataset *dataset, const struct known_sides *known,
			const char *module)
{
	for (uint32_t i = 0; i < dataset->string_count; i++) {
		const struct knowledge *old = &known->old[i], *new = &known->new[i];

		if (strcmp(slot_name(dataset, known, i), module) == 0 && old->named < old->all &&
		    new->named < new->all)
			return true;
	}
	return false;
}

static bool is_other_build(const struct build *old, const struct build *new)
{
	return *old->build_id && *new->build_id &&strcmp(old->build_id, new->build_id) != 0 &&
	       strcmp(name_base(old->path), name_base(new->path)) == 0;
}

static void warn_of_builds(struct report *report, const struct dataset *dataset,
			   const struct known_sides *known, const struct builds *old,
			   const struct builds *new)
{
	for (size_t i = 0; i < old->count; i++)
		for (size_t j = 0; j < new->count; j++) {
			const char *name = name_base(old->items[i].path);

			if (is_other_build(&old->items[i], &new->items[j]) &&
			    is_nameless(dataset, known, name))
				report_warn(report,
					    "%s is another build in NEW than in OLD, and some of "
					    "its frames have no name: an address in one says "
					    "nothing of the other, so they do not pair",
					    name);
		}
}

static enum snap_status compare_builds(struct report *report, struct store *store,
				       const struct dataset *dataset,
				       const struct known_sides *known, struct snap_error *err)
{
	const struct side *sides = known->sides;
	struct builds old = {.err = err}, new = {.err = err};
	enum snap_status st = store_each_module(store, sides[0].id, take_module, &old, err);

	if (st == SNAP_OK)
		st = store_each_module(store, sides[1].id, take_module, &new, err);
	if (st == SNAP_OK)
		warn_of_builds(report, dataset, known, &old, &new);
	builds_release(&old);
	builds_release(&new);
	return st;
}

static void warn_of_sides(struct report *report, const struct side *old, const struct side *new)
{
	if (old->program[0] && new->program[0] && strcmp(old->program, new->program) != 0)
		report_warn(report,
			    "OLD is of program %s and NEW of %s: only what they have in common can "
			    "pair",
			    old->program, new->program);
	if (old->arch[0] && new->arch[0] && strcmp(old->arch, new->arch) != 0)
		report_warn(
			report,
			"OLD is of architecture %s and NEW of %s: sizes may differ for that alone",
			old->arch, new->arch);
	if ((old->sample_period > 0) != (new->sample_period > 0))
		report_warn(report,
			    "%s is sampled and %s is exact: each difference has the standard error "
			    "of %s",
			    old->sample_period ? "OLD" : "NEW", old->sample_period ? "NEW" : "OLD",
			    old->sample_period ? "OLD" : "NEW");
}

enum snap_status comparable_warn(struct report *report, const struct subject *subject,
				 const struct dataset *dataset, size_t new, struct snap_error *err)
{
	struct side sides[2] = {{.id = subject->ids[0]}, {.id = subject->ids[new]}};
	struct known_sides known = {.sides = sides};
	struct store *store = session_store(subject->session);
	enum snap_status st = store_each_snapshot(store, take_snapshot, sides, err);

	for (size_t i = 0; st == SNAP_OK && i < 2; i++)
		st = store_each_meta(store, sides[i].id, take_arch, sides[i].arch, err);
	if (st != SNAP_OK)
		return st;
	warn_of_sides(report, &sides[0], &sides[1]);
	known.old = know_modules(dataset, 0, &sides[0]);
	known.new = know_modules(dataset, new, &sides[1]);
	if (known.old && known.new) {
		warn_of_debug_information(report, dataset, &known);
		st = compare_builds(report, store, dataset, &known, err);
	} else {
		st = fail_memory(err, "comparing snapshots");
	}
	free(known.old);
	free(known.new);
	return st;
}
