/*
 * print_sql.h - the answer to --sql: the statements that a report has run.
 */
#ifndef PRINT_SQL_H
#define PRINT_SQL_H

#include "report/subject.h"

/** With --sql: keep what the report asks the store from now on.  SNAP_EUSAGE: an option that has no
 * meaning beside --sql. */
enum snap_status print_sql_begin(const struct subject *subject,
				 const struct report_options *options, struct snap_error *err);

/** With --sql: print what was kept, in place of the report. */
enum snap_status print_sql(const struct subject *subject, const struct report *report,
			   const struct report_options *options, struct snap_error *err);

#endif
