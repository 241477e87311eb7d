/*
 * report/check_part.h - what the parts of a gate's verdict share.
 */
#ifndef REPORT_CHECK_PART_H
#define REPORT_CHECK_PART_H

#include "report/check.h"

struct checking {
	const struct check_request *request;
	struct report *report;
	struct value rules, suppressed, floor, inconclusive; /* growing lists */
	/* Rows that leak together are one finding of growth; every other row is one of its own. */
	size_t failed, rows, findings, suppressed_count, floor_count;
};

/** A rule while it is applied. */
struct rule {
	const char *name, *limit;
	const char *status; /* NULL: that of the row */
	const char *whole;  /* the subject of a finding without a row; NULL: the process */
	bool is_level;      /* `measured` is a level, not an increase */
	double measured;    /* NAN: unknown */
	bool passed;
	int64_t finding; /* number of the last row's, as growth has it; 0: none */
	struct value rows;
};

/* check_finding.c */

/** An empty report of check. */
struct report *check_report_new(void);

struct value check_empty_list(struct report *report);

double check_number(const struct value *value, double otherwise);

const char *check_text(const struct value *value);

/** A value of another report, in the memory of this one. */
struct value check_copy_value(struct report *report, const struct value *value);

/** Lines of one function that its callers reach alike: services take equal fingerprints for one
 * finding, so the second line and those behind it get a number. */
void check_number_fingerprints(struct report *report);

void check_judge_row(struct checking *checking, struct rule *rule, const struct report *from,
		     size_t row, double measured, const char *message);

struct rule check_rule_begin(struct checking *checking, const char *name, const char *limit);

void check_rule_end(struct checking *checking, const struct rule *rule);

void check_not_judged(struct checking *checking, const char *why);

/** A finding about the process as a whole has no row. */
void check_add_whole_finding(struct checking *checking, struct rule *rule, const char *status,
			     const char *message);

/** --require-confirm asks for more repeats than there are: no increase counts. */
bool check_is_unconfirmed(const struct checking *checking);

struct check_range check_range_of(double value);

/**
 * A figure of the whole process.  Of several runs, the increase is the part by which all of them
 * exceed all runs of the baseline; a level is compared with every run.  Unknown: NAN.
 */
void check_whole(struct checking *checking, const char *name, const char *what,
		 const struct policy_limit *limit, struct check_range old_range,
		 struct check_range new_range, double sampling);

/* check_compare.c */

/** All rows together are within the limit, so there are no findings. */
void check_take_back(struct checking *checking, struct rule *rule, size_t rows_before);

void check_compare(struct checking *checking);

void check_without_baseline(struct checking *checking);

/* check_growth.c */

/** Snapshots at the exits of repeated runs: each shows what one run leaves. */
bool check_is_of_runs(const struct report *growth);

/** From the first snapshot to the last; of runs, what each of them adds. */
double check_bytes_grown(const struct report *growth, size_t row);

/** One snapshot does not say what grows. */
bool check_is_single(const struct report *growth);

void check_growth(struct checking *checking);

/** All rows together are held against the limit; each of them is a finding if they exceed it. */
void check_unreachable(struct checking *checking);

#endif
