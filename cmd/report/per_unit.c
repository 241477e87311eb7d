/*
 * per_unit.c - the length of a run, from its snapshot.
 */
#include "report/per_unit.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "report/sites.h"

enum { NAME_SIZE = 256, TEXT_SIZE = 64 };

/* Facts of one snapshot. */
struct length {
	int64_t id;
	char name[NAME_SIZE];
	uint64_t start_ns, time_ns; /* 0 unknown */
	const char *label;          /* whose value is looked for */
	char text[TEXT_SIZE];       /* its value */
	bool has_label;
};

static enum snap_status take_snapshot(void *user, const struct store_snapshot *row)
{
	struct length *length = user;

	if (row->id != length->id)
		return SNAP_OK;
	if (row->path[0])
		snprintf(length->name, NAME_SIZE, "%s", row->path);
	else
		snprintf(length->name, NAME_SIZE, "snapshot %" PRId64, row->id);
	length->start_ns = row->start_ns;
	length->time_ns = row->time_ns;
	return SNAP_OK;
}

static enum snap_status take_label(void *user, const char *key, const char *value)
{
	struct length *length = user;

	if (strcmp(key, length->label) != 0)
		return SNAP_OK;
	length->has_label = true;
	snprintf(length->text, TEXT_SIZE, "%s", value);
	return SNAP_OK;
}

static enum snap_status count_seconds(const struct length *length, double *units,
				      struct snap_error *err)
{
	if (length->start_ns == 0 || length->time_ns <= length->start_ns)
		return fail(err, SNAP_EUSAGE,
			    "--normalize seconds: %s does not say how long its process had run",
			    length->name);
	*units = (double)(length->time_ns - length->start_ns) / 1e9;
	return SNAP_OK;
}

static enum snap_status count_allocations(const struct length *length, uint64_t allocations,
					  double *units, struct snap_error *err)
{
	if (allocations == SNAP_UNKNOWN || allocations == 0)
		return fail(err, SNAP_EUSAGE, "--normalize allocations: %s %s", length->name,
			    allocations ? "does not say how many allocations there were"
					: "has no allocations");
	*units = (double)allocations;
	return SNAP_OK;
}

static enum snap_status read_label(const struct length *length, double *units,
				   struct snap_error *err)
{
	char *end;

	if (!length->has_label)
		return fail(err, SNAP_EUSAGE,
			    "--normalize %s: %s has no label of this name; record one with "
			    "run --label %s=NUMBER or snap_set_label(), or normalize by "
			    "allocations or seconds",
			    length->label, length->name, length->label);
	*units = strtod(length->text, &end);
	if (end == length->text || *end || !isfinite(*units) || *units <= 0)
		return fail(err, SNAP_EUSAGE,
			    "--normalize %s: the label of %s says '%s', which is no number above 0",
			    length->label, length->name, length->text);
	return SNAP_OK;
}

static enum snap_status measure(const struct subject *subject, size_t index,
				const struct dataset *dataset, const char *by, double *units,
				struct snap_error *err)
{
	struct length length = {.id = subject->ids[index], .label = by};
	struct store *store = snapshots_store(subject->snapshots);
	enum snap_status st = store_each_snapshot(store, take_snapshot, &length, err);

	if (st == SNAP_OK)
		st = store_each_label(store, length.id, take_label, &length, err);
	if (st != SNAP_OK)
		return st;
	if (strcmp(by, "seconds") == 0)
		return count_seconds(&length, units, err);
	if (strcmp(by, "allocations") == 0)
		return count_allocations(
			&length, dataset->snapshots[index].totals.value[FIGURE_ALLOCATED_BLOCKS],
			units, err);
	return read_label(&length, units, err);
}

/* "requests" -> "request"; a name that is no plural stays. */
static void name_one(const char *many, char *one, size_t size)
{
	size_t length = strlen(many);
	bool is_plural = length > 2 && many[length - 1] == 's' && many[length - 2] != 's';

	snprintf(one, size, "%.*s", (int)(length - is_plural), many);
}

enum snap_status per_unit_find(struct per_unit *per, const struct subject *subject,
			       const struct dataset *dataset, const char *by,
			       struct snap_error *err)
{
	enum snap_status st;

	per->by = by;
	name_one(by, per->unit, sizeof(per->unit));
	st = measure(subject, 0, dataset, by, &per->units.old, err);
	if (st == SNAP_OK)
		st = measure(subject, 1, dataset, by, &per->units.new, err);
	return st;
}

const char *per_unit_text(double amount, bool is_bytes, char buffer[32])
{
	if (!is_bytes)
		snprintf(buffer, 32, "%.3g", amount);
	else if (amount < 1)
		snprintf(buffer, 32, "%.2g B", amount);
	else if (amount < 1024)
		snprintf(buffer, 32, "%.1f B", amount);
	else
		sites_bytes((uint64_t)amount, buffer);
	return buffer;
}
