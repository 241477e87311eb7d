/*
 * report/per_unit.h - how long a run was.  Figures are divided by it, so that runs of different
 * length can be compared.
 */
#ifndef REPORT_PER_UNIT_H
#define REPORT_PER_UNIT_H

#include "analysis/change.h"
#include "report/subject.h"

struct per_unit {
	const char *by; /* as --normalize says it: "allocations", "seconds", a label's name */
	char unit[64];  /* one of them: "allocation", "second", "request" */
	struct change_units units;
};

/**
 * Measure the subject's two snapshots, which are those of `dataset`:
 * "allocations"  allocations of the whole snapshot since the start, freed ones too
 * "seconds"      from the start of the process to the snapshot
 * anything else  the number that the label of this name says, such as requests=5000
 * `by` must outlive `*per`.  SNAP_EUSAGE: a snapshot does not know it, or it is not above 0.
 */
enum snap_status per_unit_find(struct per_unit *per, const struct subject *subject,
			       const struct dataset *dataset, const char *by,
			       struct snap_error *err);

/** "431.5 B" or, for figures that are no bytes, "0.25": `amount` per unit, into `buffer`. */
const char *per_unit_text(double amount, bool is_bytes, char buffer[32]);

#endif
