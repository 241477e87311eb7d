/*
 * print_sql.c - the answer to --sql.
 */
#include "print_sql.h"

#include <stdlib.h>

#include "base/fail.h"
#include "render/output.h"

enum snap_status print_sql(const struct subject *subject, const char *name,
			   const struct report_options *options, struct snap_error *err)
{
	char *sql =
		store_sql_text(session_store(subject->session), name, subject->ids, subject->count);
	enum snap_status st =
		sql ? output_text(sql, options, err) : fail_memory(err, "writing SQL");

	free(sql);
	return st;
}
