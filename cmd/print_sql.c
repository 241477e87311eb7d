/*
 * print_sql.c - the answer to --sql: the statements that a report has run.
 */
#include "print_sql.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fail.h"
#include "render/output.h"
#include "report/sites.h"

enum snap_status print_sql_begin(const struct subject *subject,
				 const struct report_options *options, struct snap_error *err)
{
	if (!options->sql)
		return SNAP_OK;
	if (options->format != 0)
		return fail(err, SNAP_EUSAGE,
			    "--sql prints SQL: leave --format out, or give it to the program that "
			    "runs the SQL");
	return store_record(snapshots_store(subject->snapshots)) ? SNAP_OK
								 : fail_memory(err, "writing SQL");
}

/* A name in a comment, which ends with its line. */
static void print_name(FILE *out, const char *name)
{
	for (; *name; name++)
		fputc((unsigned char)*name < ' ' ? '?' : *name, out);
}

static void print_head(FILE *out, const struct subject *subject, const struct report *report)
{
	fputs("-- Runs in sqlite3 on a database that has these snapshots under these numbers.\n"
	      "-- To make one, load them in the order of the numbers: snapdiff load --order given\n"
	      "-- The INSERTs say what counts towards which row, as options and names decide "
	      "it.\n",
	      out);
	for (size_t i = 0; i < subject->count; i++) {
		fprintf(out, "-- Snapshot %" PRId64 ": ", subject->ids[i]);
		print_name(out, sites_input_name(report, i));
		fputc('\n', out);
	}
}

enum snap_status print_sql(const struct subject *subject, const struct report *report,
			   const struct report_options *options, struct snap_error *err)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	enum snap_status st;

	if (!out)
		return fail_memory(err, "writing SQL");
	print_head(out, subject, report);
	fputs(store_recorded(snapshots_store(subject->snapshots)), out);
	st = fclose(out) == 0 && text ? output_text(text, options, err)
				      : fail_memory(err, "writing SQL");
	free(text);
	return st;
}
