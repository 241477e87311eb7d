/*
 * report/growth_step.h - do two rows leak by the same event?
 */
#ifndef REPORT_GROWTH_STEP_H
#define REPORT_GROWTH_STEP_H

#include "report/growth_rows.h"

/** Why two rows that leak are one finding; the stronger one is larger. */
enum growth_bond {
	BOND_NONE,
	BOND_ENTRY,  /* in step, but only the entry of the program calls both: one of the two is
		       allocated there, and says nothing about the fault */
	BOND_HOLDER, /* one container holds both */
	BOND_STEP,   /* in step below a common caller */
};

enum growth_bond growth_rows_bond(const struct growth_row *a, const struct growth_row *b);

/** The functions of neither are known, as in dumps of tracemalloc, and both are in one file. */
bool growth_are_in_one_file(const struct growth_row *a, const struct growth_row *b);

#endif
