/*
 * report/propose_census.h - propose the command that records what a recording of Python lacks.
 */
#ifndef REPORT_PROPOSE_CENSUS_H
#define REPORT_PROPOSE_CENSUS_H

#include "dataset/dataset.h"
#include "report/report.h"

/** If the first snapshot is of Python whose lines were recorded, and has no census: add a note that
 *  says how to record one.  If the newest one's census failed, the note says why. */
void propose_census(struct report *report, const struct dataset *dataset);

#endif
