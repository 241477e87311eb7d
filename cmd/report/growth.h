/*
 * report/growth.h - what keeps growing: the rows of a series with their verdicts, as a report.
 */
#ifndef REPORT_GROWTH_H
#define REPORT_GROWTH_H

#include "report/growth_part.h"
#include "cli/report_options.h"
#include "report/report.h"

/** Slopes of a known-good run, by row key. */
struct growth_control;

struct growth_request {
	const struct report_options *shared;
	size_t warmup;        /* snapshots to set aside, or GROWTH_WARMUP_AUTO */
	uint64_t limit_bytes; /* when is this reached?  0: the control group's limit, if it has one
			       */
	const struct growth_control *control; /* NULL: none */
	const char *explain; /* expression: show only rows that match, with all details */
	bool fold;           /* show a finding as one line; else show each of its rows */
};

struct report *growth_report_new(bool sampled);

/** Judge the rows of all parts and put them into a report that has its inputs already.
 * SNAP_EUSAGE, SNAP_ENOMEM. */
enum snap_status growth_fill(struct report *report, const struct growth_part *parts, size_t count,
			     const struct growth_request *request, struct snap_error *err);

/** The slopes of `parts`, to be subtracted from another's.  Release with growth_control_free(). */
enum snap_status growth_control_new(struct growth_control **out, const struct growth_part *parts,
				    size_t count, size_t warmup, struct snap_error *err);
void growth_control_free(struct growth_control *control);

/** "worker (pid 42)", for titles and rows; malloc'ed, NULL without memory. */
char *growth_part_name(const struct growth_part *part);
/** The same; it lives as long as the report. */
const char *growth_part_text(struct report *report, const struct growth_part *part);

/** Are the objects of the process's Python in no row, and so their growth in no verdict? */
bool growth_python_is_unseen(const struct growth_axis *axis);

/** By how many bytes the resident memory of a process grew, steadily, that no hook saw; of several
 * processes the most; 0 if there is no such growth. */
double growth_unrecorded(struct report *report, const struct growth_part *parts, size_t count,
			 size_t warmup);

/** Put the figures of the processes as a whole into the report: its title, `process` of the one
 * that holds most, `processes`, `limit`, notes. */
void growth_describe_processes(struct report *report, const struct growth_part *parts, size_t count,
			       size_t warmup, uint64_t limit_bytes);

#endif
