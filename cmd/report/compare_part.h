/*
 * report/compare_part.h - what the parts of a comparison share.
 */
#ifndef REPORT_COMPARE_PART_H
#define REPORT_COMPARE_PART_H

#include "analysis/change.h"
#include "analysis/pairing/pair.h"
#include "report/compare.h"

struct compare_row {
	const struct change_row *change;
	uint32_t row;
	double rate;   /* what rows are ordered by, the largest first: with --normalize this, */
	int64_t order; /* then this; equal ones by key */
};

struct compare {
	struct report *report;
	const struct dataset *dataset;
	const struct report_options *options;
	enum figure metric;
	struct pair_sides sides;
	struct pairing pairing;
	struct selection *selection;
	struct changes changes;
	const struct repeats *repeats; /* NULL: one snapshot on either side */
	const struct per_unit *per;    /* NULL: figures are judged as they are */
	bool is_gate;
	struct spread *spread; /* of each row, with repeats */
	struct compare_row *rows;
	size_t count, shown_count; /* rows that pass, ordered; the first of them are shown */
	size_t small_count;        /* rows that changed by less than --min */
	size_t same_count;         /* rows that are the same and not wanted */
	size_t unknown_count;      /* rows of which it is unknown whether they changed */
	size_t row_count;          /* all rows, also those that filters leave out */
	struct row_sum *sums[2];   /* of all rows, by side; NULL with repeats */
	struct figures old_total, new_total, old_shown, new_shown, old_selected, new_selected;
	struct compare_graph *graph; /* NULL: a side does not say who holds what */
	bool sampled;
	bool callers; /* rows say who called */
};

/* compare_rows.c */

/** "7.8 KiB -> 15.6 KiB" */
const char *compare_rates_text(const struct compare *compare, double old, double new);

const struct select_row *compare_words_of(const struct compare *compare,
					  const struct compare_row *row);

/* compare_order.c */

/** What the rows are ordered by. */
enum snap_status compare_sort_column(const struct report_options *options, int *column,
				     struct snap_error *err);

int64_t compare_magnitude(int64_t delta);

int compare_two_rows(const void *left, const void *right, void *context);

double compare_delta_stderr(const struct change_row *row, enum figure figure);

bool compare_is_within_noise(const struct compare *compare, const struct change_row *row);

/**
 * Does a gate count the row?  A row that moved and grew is a leak under another name.  For a
 * sampled row, only growth beyond its error counts.
 */
bool compare_is_finding(const struct compare *compare, const struct change_row *row);

/** Drop the rows that are not to be shown, and order the others.  Returns whether there is a
   finding. */
void compare_arrange(struct compare *compare, int column);

/* compare_sums.c */

enum snap_status compare_sum_up(struct compare *compare, struct snap_error *err);

/* compare_words.c */

void compare_add_title(struct compare *compare);

/** The answer first: what grew, the worst row, and its caller. */
void compare_add_finding(struct compare *compare);

void compare_add_notes(struct compare *compare);

#endif
