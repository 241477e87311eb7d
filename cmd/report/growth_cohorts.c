/*
 * growth_cohorts.c - when the blocks that a growing row holds were allocated, over the series.
 *
 * Only pictures need it, because it reads the ages in many snapshots.  Births are put into at most
 * BANDS bands, and at most MOST_SNAPSHOTS snapshots are looked at; the others say null.
 */
#include "report/growth_cohorts.h"

#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/verdicts.h"

enum { BANDS = 8, MOST_SITES = 12, MOST_SNAPSHOTS = 64 };

/* A row of the report that is drawn. */
struct drawn {
	size_t row;    /* of the report */
	uint32_t own;  /* of its part's table */
	double *bytes; /* [band * snapshots of the part + snapshot]; negative: not looked at */
};

struct drawing {
	const struct growth_part *part;
	size_t bands;
	struct drawn sites[MOST_SITES];
	size_t count;
	size_t snapshot; /* that is being read */
};

/* ---- which rows ------------------------------------------------------------------------------ */

static bool is_text(const struct value *value, const char *text)
{
	return value && value->kind == VALUE_TEXT && strcmp(value->text.data, text) == 0;
}

static bool row_grows(const struct report *report, size_t row)
{
	const struct value *cell = report_cell(report, row, "verdict");
	const struct verdict *verdict =
		cell && cell->kind == VALUE_TEXT ? verdict_find(cell->text.data) : NULL;

	return verdict && verdict->grows;
}

static bool row_is_of(const struct report *report, size_t row, const struct growth_part *part)
{
	const struct value *pid = report_cell(report, row, "pid");

	return is_text(report_cell(report, row, "program"), part->program) &&
	       (!pid || pid->kind != VALUE_INT || (uint64_t)pid->integer == part->pid);
}

/* SNAP_NONE: the key is no row of the table. */
static uint32_t table_row(const struct growth_table *table, const struct value *key)
{
	for (uint32_t row = 0; row < table->row_count; row++)
		if (table->present[row] && is_text(key, selection_row(table->selection, row)->key))
			return row;
	return SNAP_NONE;
}

/* False when memory is out. */
static bool choose_sites(struct drawing *drawing, const struct report *report, size_t *left)
{
	const struct growth_table *table = &drawing->part->table;
	size_t values = drawing->bands * table->axis->count;

	for (size_t row = 0; row<report->row_count && * left> 0; row++) {
		struct drawn *site = &drawing->sites[drawing->count];

		if (!row_grows(report, row) || !row_is_of(report, row, drawing->part))
			continue;
		*site = (struct drawn){.row = row,
				       .own = table_row(table, report_cell(report, row, "key"))};
		if (site->own == SNAP_NONE)
			continue;
		site->bytes = malloc((values + 1) * sizeof(*site->bytes));
		if (!site->bytes)
			return false;
		for (size_t i = 0; i < values; i++)
			site->bytes[i] = -1;
		drawing->count++;
		--*left;
	}
	return true;
}

/* ---- ages ------------------------------------------------------------------------------------ */

/* Blocks with this birth are not yet in the snapshots before the one that is returned. */
static size_t first_with(const struct growth_axis *axis, uint64_t birth_seq)
{
	size_t at = 0;

	while (at < axis->count && axis->seq[at] <= birth_seq)
		at++;
	return at;
}

static size_t band_of(const struct drawing *drawing, size_t first)
{
	size_t band = first * drawing->bands / drawing->part->axis.count;

	return band < drawing->bands ? band : drawing->bands - 1;
}

static enum snap_status take_ages(void *user, const struct store_cohort_sum *cohort)
{
	struct drawing *drawing = user;
	const struct growth_axis *axis = &drawing->part->axis;

	if (cohort->bytes == SNAP_UNKNOWN)
		return SNAP_OK;
	for (size_t i = 0; i < drawing->count; i++) {
		size_t band = band_of(drawing, first_with(axis, cohort->birth_seq));

		if (drawing->sites[i].own == cohort->row)
			drawing->sites[i].bytes[band * axis->count + drawing->snapshot] +=
				(double)cohort->bytes;
	}
	return SNAP_OK;
}

static void set_snapshot(struct drawing *drawing, const struct drawn *site, double value)
{
	for (size_t band = 0; band < drawing->bands; band++)
		site->bytes[band * drawing->part->axis.count + drawing->snapshot] = value;
}

/* Some formats have no ages, or not for all blocks: a total that does not add up is shown as
 * unknown. */
static void check_sum(struct drawing *drawing, const struct drawn *site)
{
	size_t count = drawing->part->axis.count;
	double sum = 0, wanted = drawing->part->table.bytes[site->own * count + drawing->snapshot];

	for (size_t band = 0; band < drawing->bands; band++)
		sum += site->bytes[band * count + drawing->snapshot];
	if (sum < 0.99 * wanted || sum > 1.01 * wanted)
		set_snapshot(drawing, site, -1);
}

static bool looks_at(size_t snapshot, size_t count)
{
	size_t step = (count + MOST_SNAPSHOTS - 1) / MOST_SNAPSHOTS;

	return snapshot % step == 0 || snapshot + 1 == count;
}

static enum snap_status read_ages(struct drawing *drawing, struct store *store, const int64_t *ids,
				  struct snap_error *err)
{
	size_t count = drawing->part->axis.count;
	enum snap_status st = SNAP_OK;

	for (size_t i = 0; st == SNAP_OK && i < count; i++) {
		const struct store_sums sums = growth_table_sums(&drawing->part->table, ids[i]);

		if (!looks_at(i, count))
			continue;
		drawing->snapshot = i;
		for (size_t s = 0; s < drawing->count; s++)
			set_snapshot(drawing, &drawing->sites[s], 0);
		st = store_each_cohort_sum(store, &sums, take_ages, drawing, err);
		for (size_t s = 0; s < drawing->count; s++)
			check_sum(drawing, &drawing->sites[s]);
	}
	return st;
}

/* ---- into the report ------------------------------------------------------------------------- */

static bool knows_ages(const struct drawing *drawing, const struct drawn *site)
{
	size_t values = drawing->bands * drawing->part->axis.count;

	for (size_t i = 0; i < values; i++)
		if (site->bytes[i] > 0)
			return true;
	return false;
}

/* The first snapshot, from 1, that blocks of the band can be in. */
static size_t band_start(const struct drawing *drawing, size_t band)
{
	size_t count = drawing->part->axis.count;

	return (band * count + drawing->bands - 1) / drawing->bands + 1;
}

static struct value band_value(const struct drawing *drawing, struct report *report,
			       const struct drawn *site, size_t band)
{
	size_t count = drawing->part->axis.count;
	struct value object = value_object(), bytes = value_list(report, count);

	for (size_t i = 0; i < count; i++) {
		double value = site->bytes[band * count + i];

		bytes.list.items[i] = value < 0 ? value_null() : value_whole(value);
	}
	value_field(report, &object, "first", value_u64(band_start(drawing, band)));
	value_field(
		report, &object, "last",
		value_u64(band + 1 < drawing->bands ? band_start(drawing, band + 1) - 1 : count));
	value_field(report, &object, "bytes", bytes);
	return object;
}

/* Rows belong to the report, which nothing else changes now. */
static void add_to_row(const struct drawing *drawing, struct report *report,
		       const struct drawn *site)
{
	struct value bands = value_list(report, drawing->bands);

	if (!knows_ages(drawing, site))
		return;
	for (size_t band = 0; band < drawing->bands; band++)
		bands.list.items[band] = band_value(drawing, report, site, band);
	for (size_t i = 0; i < report->column_count; i++)
		if (strcmp(report->columns[i].name, "series") == 0)
			value_field(report, &report->rows[site->row * report->column_count + i],
				    "cohorts", bands);
}

static enum snap_status add_part(struct report *report, const struct growth_part *part,
				 struct store *store, const int64_t *ids, size_t *left,
				 struct snap_error *err)
{
	struct drawing drawing = {.part = part};
	enum snap_status st = SNAP_OK;

	drawing.bands = part->axis.count < BANDS ? part->axis.count : BANDS;
	if (!choose_sites(&drawing, report, left))
		st = fail_memory(err, "reading cohorts");
	if (st == SNAP_OK && drawing.count)
		st = read_ages(&drawing, store, ids, err);
	for (size_t i = 0; i < drawing.count; i++) {
		if (st == SNAP_OK)
			add_to_row(&drawing, report, &drawing.sites[i]);
		free(drawing.sites[i].bytes);
	}
	return st;
}

/* Workers of a pool are summed up: their snapshots have no common numbers. */
static bool has_workers(const struct growth_part *parts, size_t count, size_t index)
{
	for (size_t i = 0; i < count; i++)
		if (i != index && parts[i].pool == parts[index].pool)
			return true;
	return false;
}

/* Ages are told by the numbers of snapshots: they must rise, within one process. */
static bool has_ages(const struct growth_axis *axis)
{
	return axis->count >= 2 && axis->seq_rises && axis->run_count == 1;
}

enum snap_status growth_cohorts_add(struct report *report, const struct growth_part *parts,
				    size_t count, struct store *store, const int64_t *ids,
				    struct snap_error *err)
{
	size_t left = MOST_SITES;
	enum snap_status st = SNAP_OK;

	for (size_t i = 0; st == SNAP_OK && i < count; i++)
		if (has_ages(&parts[i].axis) && !has_workers(parts, count, i))
			st = add_part(report, &parts[i], store, ids + parts[i].first_input, &left,
				      err);
	return st;
}
