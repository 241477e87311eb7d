/*
 * print_sql.h - the answer to --sql, for every report on snapshots.
 */
#ifndef CMD_PRINT_SQL_H
#define CMD_PRINT_SQL_H

#include "report/subject.h"

/** Print the SQL of the report `name` ("top", ...) on the subject's snapshots where the report
 * itself would go. */
enum snap_status print_sql(const struct subject *subject, const char *name,
			   const struct report_options *options, struct snap_error *err);

#endif
