/*
 * sql_text.c - the SQL of a report as text, to be run by any SQLite tool (--sql).
 */
#include "store/store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/sqlite/sql.h"

#define PARAMETER ":snapshots"

static const struct {
	const char *name, *sql;
} reports[] = {
	{"top", sql_report_top},       {"compare", sql_report_compare},
	{"growth", sql_report_growth}, {"peek", sql_report_peek},
	{"cells", sql_report_cells},   {"sites", sql_report_sites},
	{"frames", sql_report_frames}, {"cohorts", sql_report_cohorts},
};

static const char *find_report(const char *name)
{
	for (size_t i = 0; i < sizeof(reports) / sizeof(*reports); i++)
		if (strcmp(reports[i].name, name) == 0)
			return reports[i].sql;
	return NULL;
}

/* Copy `sql` to `out` with every parameter replaced by the ids, as a JSON array in quotes. */
static void substitute(FILE *out, const char *sql, const int64_t *ids, size_t count)
{
	const char *hit;

	for (; (hit = strstr(sql, PARAMETER)); sql = hit + strlen(PARAMETER)) {
		fwrite(sql, 1, (size_t)(hit - sql), out);
		fputs("'[", out);
		for (size_t i = 0; i < count; i++)
			fprintf(out, "%s%" PRId64, i ? "," : "", ids[i]);
		fputs("]'", out);
	}
	fputs(sql, out);
}

char *store_sql_text(struct store *store, const char *name, const int64_t *ids, size_t count)
{
	const char *sql = find_report(name);
	char *text = NULL;
	size_t size = 0;
	FILE *out = sql ? open_memstream(&text, &size) : NULL;

	(void)store;
	if (!out)
		return NULL;
	substitute(out, sql, ids, count);
	if (fclose(out) != 0) {
		free(text);
		return NULL;
	}
	return text;
}
