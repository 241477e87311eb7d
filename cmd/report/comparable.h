/*
 * report/comparable.h - warn when two snapshots may not be comparable.
 */
#ifndef REPORT_COMPARABLE_H
#define REPORT_COMPARABLE_H

#include "analysis/pairing/pairs.h"
#include "dataset/dataset.h"
#include "report/subject.h"

/**
 * Add to `notices` where the subject's first snapshot (old) and its snapshot `new` are one and the
 * same, seem swapped, are of different programs or architectures or of Python and native, where
 * only one was sampled, where only one has debug information, and where a module without names is
 * another build, and where both are of exits before which one program held far more.
 * Frames of such a module that have no name have no address either that both sides
 * mean: in `dataset` they become one frame, "module+?".  `*are_runs`: the two are of different runs.
 */
enum snap_status comparable_warn(struct notices *notices, const struct subject *subject,
				 struct dataset *dataset, size_t new, bool *are_runs,
				 struct snap_error *err);

/** Warn into `report` where the two runs did not do as much at the call stacks that both have. */
void comparable_warn_of_work(struct report *report, const struct pairing *pairing,
			     const struct pair_sides *sides);

#endif
