/*
 * report/check.h - a gate's verdict: the rows of compare and growth held against a policy.
 */
#ifndef REPORT_CHECK_H
#define REPORT_CHECK_H

#include "analysis/policy/policy.h"
#include "analysis/policy/suppress.h"
#include "report/report.h"

/** The least and the most of the runs of one side, in bytes; NAN: not known. */
struct check_range {
	double low, high;
	double doubt; /* an increase begins this much above `high` */
};

/** Figures of the process as a whole. */
struct check_facts {
	struct check_range old_total, new_total; /* known for several runs only */
	struct check_range old_peak, new_peak, old_rss, new_rss;
	double new_live;      /* most that is live in any snapshot of the new side */
	double never_freed;   /* most that is live in an exit snapshot; NAN: there is none */
	size_t new_snapshots; /* on the new side of the comparison */
	/* Blocks that were allocated: the most by any process of a side, and the most of the new
	 * side between two snapshots of one process; NAN: not known. */
	double old_work, new_work, step_work;
	const char *program;   /* each exit of it is a run; NULL: no repeated command */
	bool others;           /* these runs have other programs, too */
	bool is_pool;          /* a run has several processes of `program` */
	const char *no_growth; /* why the series could not be judged; NULL: it was, or is none */
};

struct check_request {
	const struct policy *policy;
	struct suppressions *suppressions; /* how often each was used is counted; NULL: none */
	const char *policy_file;           /* has more limits; NULL: options only */
	int today;                         /* yyyymmdd */
	const struct report *compare;      /* a complete report (--all), NULL: no baseline */
	const struct report *growth;       /* of a series, complete; NULL: none is judged */
	const struct report *leaks;        /* the report on unreachable blocks; NULL: not known */
	const struct notices *damage;      /* of the files whose facts follow */
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
