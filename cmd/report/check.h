/*
 * report/check.h - a gate's verdict: the rows of compare and growth held against a policy.
 */
#ifndef REPORT_CHECK_H
#define REPORT_CHECK_H

#include "analysis/policy/policy.h"
#include "analysis/policy/suppress.h"
#include "report/report.h"

/** Of the runs of one side the least and the most, in bytes; NAN where it is not known. */
struct check_range {
	double low, high;
	double doubt; /* so much more than `high` is no increase yet */
};

/** Figures of the process as a whole. */
struct check_facts {
	struct check_range old_total, new_total; /* of several runs only */
	struct check_range old_peak, new_peak, old_rss, new_rss;
	double new_live;      /* most that is live in any snapshot of the new side */
	double never_freed;   /* most that is live in an exit snapshot; NAN: there is none */
	size_t new_snapshots; /* on the new side of the comparison */
	/* Blocks that were allocated: the most by any process of a side, and the most of the new
	 * side between two snapshots of one process; NAN: not known. */
	double old_work, new_work, step_work;
	const char *program; /* whose exits stand for runs; NULL: no repeated command */
	bool others;         /* these runs have other programs, too */
};

struct check_request {
	const struct policy *policy;
	struct suppressions *suppressions; /* their counts are updated; NULL: none */
	const char *policy_file;           /* where limits come from besides options; NULL: none */
	int today;                         /* yyyymmdd */
	const struct report *compare;      /* a complete report (--all), NULL: no baseline */
	const struct report *growth;       /* the same of a series, NULL: none is judged */
	const struct report *leaks;        /* the same of what nothing reaches, NULL: not known */
	struct check_facts facts;
};

/**
 * Judge.  The report's head has `passed`, `inconclusive`, `rules` and `suppressed`; it has one row
 * for each finding.  Never NULL.  report->finding: a rule failed.  The rows' texts are copied.
 */
struct report *check_judge(const struct check_request *request);

/** True if nothing failed, but something could not be judged (see head.inconclusive). */
bool check_is_inconclusive(const struct report *report);

#endif
