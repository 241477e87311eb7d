/*
 * analysis/growth/growth_series.h - a row over the snapshots, and its judgement.
 */
#ifndef ANALYSIS_GROWTH_SERIES_H
#define ANALYSIS_GROWTH_SERIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analysis/stats.h"
#include "base/verdicts.h"

enum growth_confidence { GROWTH_LOW, GROWTH_MEDIUM, GROWTH_HIGH };

/** Blocks (and their bytes) of one snapshot that were born after snapshot `birth_seq` and before
 * the next. */
struct growth_cohort {
	uint64_t birth_seq;
	double blocks, bytes;
};

/** All cohorts of a row at one snapshot, by rising birth_seq.  Old epochs may have been merged. */
struct growth_births {
	size_t snapshot; /* index into the series */
	const struct growth_cohort *cohorts;
	size_t count;
};

/** A row over the snapshots.  All arrays have `count` entries and belong to the caller. */
struct growth_series {
	size_t count;
	const double *x; /* position of each snapshot: its seq or iteration; rising within a run */
	const double
		*seconds; /* when each was taken; NULL unknown.  Intervals may differ in length */
	const double *unit_x; /* the unit of slopes (seconds, a label); NULL: x */
	const double *blocks; /* NULL when unknown */
	const double *bytes;
	const double *bytes_stderr; /* of estimates; NULL unless the snapshots are sampled */
	const uint32_t
		*run; /* number of the process of each snapshot, never falling; NULL: one run */
	const uint64_t *seq; /* of each snapshot, as birth_seq counts; NULL without cohorts */
	const struct growth_births *births; /* by rising snapshot; any subset of the snapshots */
	size_t births_count;
	const double *work; /* blocks that the whole process allocated since its start, at each
			       snapshot; NULL unknown */
	const double *cpu;  /* seconds of CPU time that the program used until each snapshot; NULL
			      unknown */
	const double *unrecorded; /* resident memory of the process that is neither recorded nor the
				     recorder's own; negative while recorded memory was not written to
				     yet; NULL unknown */
	const bool *idle;         /* what growth_idle_mark() marks; NULL: not asked yet */
	size_t idle_count;
	const struct growth_exit *at_exit; /* of the last run; NULL unknown */
};

/** Facts from the exit snapshot, which is taken after the destructors. */
struct growth_exit {
	double blocks, bytes; /* of the row: still there */
	bool frees_others;    /* the program frees at its exit most of what it holds */
};

#define GROWTH_WARMUP_AUTO SIZE_MAX

struct growth_options {
	size_t warmup; /* snapshots of each run to set aside, or GROWTH_WARMUP_AUTO: the first
			  quarter */
	double control_blocks, control_bytes; /* slopes of a known-good run, per unit_x; they are
	                                       * subtracted first, and ages are then not used */
};

enum { GROWTH_REASONS = 5, GROWTH_REASON_SIZE = 240 };

struct growth_judgement {
	enum growth_verdict verdict;
	enum growth_confidence confidence;
	struct stats_slope bytes_slope,
		blocks_slope;             /* per unit of unit_x, over the judged run's tail */
	bool exact;                       /* the same step again and again: */
	double exact_blocks, exact_bytes; /* its size per snapshot (median step of x) */
	size_t judged_from,
		judged_count; /* the run that was judged: its first snapshot, and how many */
	size_t idle; /* intervals that were left out, because the program did not work in them */
	size_t reason_count;
	char reasons[GROWTH_REASONS]
		    [GROWTH_REASON_SIZE]; /* sentences with numbers, most telling first */
};

enum {
	GROWTH_BIRTHS = 64,        /* the most that the rule wants to see */
	GROWTH_MANY_SNAPSHOTS = 64 /* of a series with more snapshots than this, it wants fewer */
};

#endif
