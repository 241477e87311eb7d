/*
 * report/growth_stacks.h - the call stacks of the rows of a growth report: of each row that of its
 * heaviest site.
 */
#ifndef REPORT_GROWTH_STACKS_H
#define REPORT_GROWTH_STACKS_H

#include "report/growth_rows.h"

/** NULL where it is not known. */
const struct dataset_site *growth_stack_of(const struct growth_row *row);
/** A frame of that stack; the newest is 0. */
const struct dataset_frame *growth_frame_of(const struct growth_row *row, uint32_t position);

bool growth_is_same_function(const struct dataset_frame *a, const struct dataset_frame *b);
/** Every event of the program passes through it, so it says nothing about a single one. */
bool growth_is_entry(const char *function);
/** Does the function that names `caller` call what the other row allocates, or is it the same? */
bool growth_row_calls(const struct growth_row *caller, const struct growth_row *row);
/** How many of the outermost frames the stacks share, up to the innermost of own code; 0 where
 * that is the entry of the program only. */
uint32_t growth_rows_meet(const struct growth_row *a, const struct growth_row *b);

#endif
