/*
 * report/comparable.h - warn when two snapshots may not be comparable.
 */
#ifndef REPORT_COMPARABLE_H
#define REPORT_COMPARABLE_H

#include "analysis/pairing/pairs.h"
#include "dataset/dataset.h"
#include "report/subject.h"

/**
 * Add notices on what makes the subject's two snapshots hard to compare.  The first is the old one;
 * `new` is the other one.
 * - They are one and the same, or seem to be swapped.
 * - They are of different programs or architectures, or one is of Python and one is native.
 * - Only one was sampled, or only one has debug information.
 * - A module without names is another build.
 * - Both are of exits, and one program held far more before its exit.
 * A frame of such a module without a name has no address that means the same on both sides: in
 * `dataset` all of them become one frame, "module+?".  `*are_runs`: the two are of different runs.
 */
enum snap_status comparable_warn(struct notices *notices, const struct subject *subject,
				 struct dataset *dataset, size_t new, bool *are_runs,
				 struct snap_error *err);

/** Add a warning to `report` if the two runs did not do the same amount of work at the call stacks
 * that both have. */
void comparable_warn_of_work(struct report *report, const struct pairing *pairing,
			     const struct pair_sides *sides);

#endif
