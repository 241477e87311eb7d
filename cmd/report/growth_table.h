/*
 * report/growth_table.h - the rows of a growth report as arrays: one series per row, streamed from
 * the store, with the cohorts of the few snapshots that the rule asks for.
 */
#ifndef REPORT_GROWTH_TABLE_H
#define REPORT_GROWTH_TABLE_H

#include "analysis/growth/growth.h"
#include "analysis/select.h"
#include "dataset/sums.h"
#include "report/growth_axis.h"
#include "cli/report_options.h"

struct growth_cohort_row;

struct growth_table {
	const struct growth_axis *axis;
	struct dataset *dataset; /* frames and sites, no cells */
	struct selection *selection;
	size_t row_count;       /* the selection's */
	double *bytes, *blocks; /* row r, snapshot i: [r * axis->count + i] */
	float *bytes_variance;  /* the same; NULL in exact mode */
	bool skips_by_design;   /* of repeated runs: what every process leaves is in no row */
	bool *present;          /* rows that any snapshot credits something to */
	bool *bytes_unknown, *blocks_unknown;
	bool shows_progress; /* the progress line for long work */
	uint32_t side; /* of the relation in the store: the table's own, and the one after it */
	bool overlaps; /* with --cumulative a call stack counts towards several rows */
	bool has_graph_side;                      /* the one after it is there */
	double by_design_bytes, by_design_blocks; /* left out: see model/by_design.h; at the end */
	double first_total, last_total;           /* bytes of all sites, filtered out or not */
	uint32_t *heaviest; /* per row, if it is shown: the site that holds most at the end */
	uint32_t *joined; /* per site: the site whose rows it is credited to: itself, or its pair in
			       a later run */
	struct growth_exit
		*at_exit; /* per row: what the exit snapshot shows; NULL: there is none */
	size_t wanted[GROWTH_BIRTHS]; /* snapshots whose cohorts were read */
	size_t wanted_count;
	struct growth_cohort_row *cohorts; /* ordered by row, snapshot, birth */
	size_t cohort_count, cohort_room;
};

enum { GROWTH_SIDES = 2 };

/** Read all rows; `at_exit` is the exit snapshot of the last process, or 0.  With `by_design`
 * repeated runs are judged by what every process leaves, too.  `side` numbers the tables of a
 * report, in steps of GROWTH_SIDES.  Release with growth_table_release(), also after a failure. */
enum snap_status growth_table_read(struct growth_table *table, struct store *store,
				   const int64_t *ids, int64_t at_exit, uint32_t side,
				   const struct growth_axis *axis,
				   const struct report_options *options, bool by_design,
				   struct snap_error *err);
void growth_table_release(struct growth_table *table);

/** How the store is asked for sums of a snapshot by the table's rows. */
struct store_sums growth_table_sums(const struct growth_table *table, int64_t snapshot_id);

/** The side of a relation by which each call stack counts towards one row: the first of its rows,
 * which it was allocated in. */
enum snap_status growth_table_graph_side(struct growth_table *table, uint32_t *side,
					 struct snap_error *err);

/**
 * Tell the store which rows are shown: it says which site of each is the heaviest.  `first` and
 * `last` become the bytes of their sites at both ends, each site once.
 */
enum snap_status growth_table_show(const struct growth_table *table,
				   const struct store_shown *shown, size_t count, double *first,
				   double *last, struct snap_error *err);

/**
 * The series of a row.  Fills `births` (room for GROWTH_BIRTHS), and their cohorts in
 * `cohorts` (growth_table_cohort_room() of them).  `scratch` holds axis->count standard
 * errors.
 */
size_t growth_table_cohort_room(const struct growth_table *table);
struct growth_series growth_table_series(const struct growth_table *table, size_t row,
					 struct growth_births *births,
					 struct growth_cohort *cohorts, double *scratch);

#endif
