/*
 * comparable.c - different programs, architectures, sampling, debug information.
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

/* The share of a snapshot's frames that have a file. */
static double known_share(const struct dataset *dataset, size_t snapshot, bool *seen)
{
	const struct dataset_snapshot *from = &dataset->snapshots[snapshot];
	size_t known = 0, all = 0;

	memset(seen, 0, dataset->frame_count * sizeof(*seen));
	for (size_t i = 0; i < from->count; i++) {
		const struct dataset_site *site = &dataset->sites[from->cells[i].site];

		for (uint32_t f = 0; f < site->depth; f++)
			seen[dataset->stack[site->first + f]] = true;
	}
	for (size_t i = 0; i < dataset->frame_count; i++) {
		all += seen[i];
		known += seen[i] && dataset->frames[i].file != 0;
	}
	return all ? (double)known / (double)all : 0;
}

static enum snap_status warn_of_debug_information(struct report *report,
						  const struct dataset *dataset, size_t new,
						  struct snap_error *err)
{
	const double some = 0.3, hardly_any = 0.05;
	bool *seen = malloc(dataset->frame_count + 1);
	double old_share, new_share;

	if (!seen)
		return fail_memory(err, "comparing snapshots");
	old_share = known_share(dataset, 0, seen);
	new_share = known_share(dataset, new, seen);
	free(seen);
	if (old_share > some && new_share < hardly_any)
		report_warn(report, "NEW has no lines (stripped?) and OLD has: stacks pair by "
				    "function names only");
	if (new_share > some && old_share < hardly_any)
		report_warn(report, "OLD has no lines (stripped?) and NEW has: stacks pair by "
				    "function names only");
	return SNAP_OK;
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
	struct store *store = session_store(subject->session);
	enum snap_status st = store_each_snapshot(store, take_snapshot, sides, err);

	for (size_t i = 0; st == SNAP_OK && i < 2; i++)
		st = store_each_meta(store, sides[i].id, take_arch, sides[i].arch, err);
	if (st != SNAP_OK)
		return st;
	warn_of_sides(report, &sides[0], &sides[1]);
	return warn_of_debug_information(report, dataset, new, err);
}
