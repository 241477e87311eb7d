/*
 * report/growth_rows.h - the rows of a series, each with its verdict: what the parts of the
 * growth report share.
 */
#ifndef REPORT_GROWTH_ROWS_H
#define REPORT_GROWTH_ROWS_H

#include "analysis/growth/growth_confidence.h"
#include "cli/report_options.h"
#include "report/growth_part.h"
#include "report/report.h"

struct growth_control;

struct growth_row {
	const struct growth_part *part;
	uint32_t row; /* of its table */
	const struct select_row *words;
	double first, last;
	const double *bytes, *blocks; /* one per snapshot of the part; blocks NULL unknown */
	struct growth_judgement judgement;
	struct growth_row *next; /* the same row in another worker of the pool, which is summed up
				    in the first */
	size_t workers;
	uint32_t finding; /* number of the finding that it belongs to, from 1; 0: none */
	bool leads;       /* the first row of its finding */
	bool beside;      /* it belongs to the finding, but must not name it */
	bool fills; /* it is a cache that fills up to its limit: the first reason says which */
};

struct growth_finding;

struct growth_list {
	struct growth_row *rows;
	struct growth_row *members; /* rows of workers that others sum up; NULL: there is no pool */
	size_t count;
	size_t most_snapshots;           /* of any row */
	double rise;                     /* in bytes, of all rows that hold more at the end */
	struct growth_finding *findings; /* see growth_finding.h */
	size_t finding_count;
	/* Of repeated runs: blocks of the last one that were still reachable at its exit. */
	uint64_t reachable_blocks, reachable_bytes;
};

/** Judge all rows of the parts that hold something in any snapshot.  SNAP_ENOMEM; release the list
 * also after a failure. */
enum snap_status growth_list_judge(struct growth_list *list, const struct growth_part *parts,
				   size_t count, size_t warmup,
				   const struct growth_control *control, struct snap_error *err);
void growth_list_release(struct growth_list *list);

/** Sum the workers of each pool by row; rows that were added to another row are removed. */
enum snap_status growth_list_join_workers(struct growth_list *list, struct report *report,
					  struct snap_error *err);

/** Take out the rows that are below `min_bytes` at both ends. */
void growth_list_drop_small(struct growth_list *list, uint64_t min_bytes);

/** Order the rows by what they claim, the strongest claim first. */
void growth_list_order_by_claim(struct growth_list *list, const struct report_options *options);
/** Order the rows as --sort says, if it does; `asked` says whether it does.  SNAP_EUSAGE. */
enum snap_status growth_list_sort(struct growth_list *list, const struct report_options *options,
				  bool *asked, struct snap_error *err);
/** The order of two rows by what they claim. */
int growth_row_compare(const struct growth_row *a, const struct growth_row *b, bool by_blocks);

bool growth_is_growth(const struct growth_judgement *judgement);
/** Is the growth sure enough for the exit status? */
bool growth_is_finding(const struct growth_judgement *judgement);

/**
 * Does the row say little beside the others?  A helper that lived for a few snapshots proves
 * nothing: its rows would come before those of the program itself.
 */
bool growth_is_minor(const struct growth_list *list, const struct growth_row *row);

/** The snapshots of a row: the most that any of its workers has. */
size_t growth_row_snapshots(const struct growth_row *row);

/* ---- rows in words --------------------------------------------------------------------------- */

/** Columns that have nothing to say in this report are taken out; call it before the first row. */
void growth_choose_columns(struct report *report, const struct report_options *options,
			   const struct growth_part *parts, size_t count);
/** `why` is its line of reasons, or NULL.  The values may be changed until the next row. */
struct value *growth_add_row(struct report *report, const struct report_options *options,
			     const struct growth_row *row, const char *why);
/** Make the row of a finding's leader, just added, that of the whole finding.  All its rows have
 * one series. */
void growth_fold_row(struct report *report, const struct growth_list *list,
		     const struct growth_row *leader, struct value *values);
/** Short names that are equal are told apart; columns without a value go.  When all rows are
 * there. */
void growth_finish_rows(struct report *report);
/** The command to copy that shows more of a row. */
const char *growth_next_command(struct report *report, const struct report_options *options,
				const struct growth_row *row);

#endif
