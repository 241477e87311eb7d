/*
 * report/growth_part.h - one series of a growth report.
 */
#ifndef REPORT_GROWTH_PART_H
#define REPORT_GROWTH_PART_H

#include "report/growth_table.h"

struct growth_graph;
struct growth_held;
struct growth_caches;

/** One series of the report: a process, or runs of one program that followed each other. */
struct growth_part {
	struct growth_axis axis;
	struct growth_table table; /* of that axis */
	const char *program;
	uint64_t pid;                 /* of its last process; 0 unknown */
	size_t processes;             /* that followed each other */
	size_t pool;                  /* parts of one pool are summed by row */
	struct growth_graph *graph;   /* who holds what at its end; NULL unknown */
	struct growth_held *held;     /* by what objects are held at its end; NULL unknown */
	struct growth_caches *caches; /* which rows are caches that fill; NULL: none is known */
	size_t first_input;           /* of its snapshots among those of the report */
};

#endif
