/*
 * report/growth_axis.h - a series of snapshots as an axis: when each was taken, of which process,
 * and the figures of that process as a whole.
 */
#ifndef REPORT_GROWTH_AXIS_H
#define REPORT_GROWTH_AXIS_H

#include "base/notice.h"
#include "store/store.h"

enum growth_metric {
	GROWTH_RECORDED, /* live bytes of all sites */
	GROWTH_RSS,
	GROWTH_SLACK,    /* free inside the allocator */
	GROWTH_UNSEEN,   /* resident, but none of the other parts: seen by no hook */
	GROWTH_CGROUP,   /* memory of the control group */
	GROWTH_RECORDER, /* memory of the recorder itself */
	GROWTH_FILES,    /* pages of files, and of the modules */
	GROWTH_MODULES,  /* of these, what modules have besides their files: variables */
	GROWTH_STACKS,   /* of threads */
	GROWTH_METRICS
};

struct growth_axis {
	size_t count;
	double *x;         /* seq, or the iteration label where all have one, or the position */
	double *unit_x;    /* the unit of slopes: x, seconds, or a label */
	double *positions; /* seq, or where that does not rise, 1, 2, 3 ... */
	double *seconds;   /* since the first snapshot; all 0 when times are unknown */
	double *work;      /* blocks that the process allocated since its start; NULL unknown */
	double *cpu;       /* seconds of CPU time that it used since its start; NULL unknown */
	size_t idle;       /* intervals in which it did not work */
	bool *is_idle;     /* of each snapshot: does it end such an interval?  NULL unknown */
	uint64_t *seq;
	uint32_t *run;
	size_t run_count;
	bool seq_rises;    /* within each process: cohorts can be placed */
	bool by_iteration; /* x is the iteration label */
	bool repeated;     /* each snapshot is the end of another run of a repeated command */
	bool seconds_rise; /* within each process: times can be used */
	bool sampled;
	bool is_python;
	struct growth_python {
		char version[32];        /* of the interpreter that was found; "" none was */
		char problem[160];       /* why its lines are not recorded; "" they are */
		char recorded[256];      /* what is recorded, if not everything is; "" everything */
		char before_start[96];   /* what existed before recording began; "" unknown */
	} python;                        /* of the last snapshot */
	const char *per;                 /* "snapshot", "second", "iteration", or another label */
	double *metrics[GROWTH_METRICS]; /* NAN where unknown */
	double *unrecorded;  /* resident, but neither recorded nor the recorder's; NULL unknown */
	double cgroup_limit; /* of the last snapshot; NAN unknown or none */
	double *memory;      /* behind all of the above */
};

/**
 * Read the axis of the snapshots `ids`.  `per` is "snapshot" (or NULL), "second" or the name of a
 * label that every snapshot has with a number.  `notices` gets warnings: gaps, duplicates, clocks
 * that jump back.  Release with growth_axis_release(), also after a failure.  SNAP_EUSAGE,
 * SNAP_ENOMEM.
 */
enum snap_status growth_axis_read(struct growth_axis *axis, struct store *store, const int64_t *ids,
				  size_t count, const char *per, struct notices *notices,
				  struct snap_error *err);
void growth_axis_release(struct growth_axis *axis);

#endif
