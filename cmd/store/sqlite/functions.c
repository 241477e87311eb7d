/*
 * functions.c - the functions that snapdiff adds to SQL.
 *
 * human(bytes), stack_text(site_id), own_frame(site_id), regexp (for `x REGEXP pattern`), and
 * aggregates over a series that the program supplies.  All are innocuous: views and hostile schemas
 * may call them.
 */
#include "store/sqlite/database.h"

#include <math.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

enum { PATTERN_MAX = 1000, COPIES_MAX = 1000 };

#define PURE (SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS)

static void sql_human(sqlite3_context *context, int count, sqlite3_value **values)
{
	static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	double bytes = sqlite3_value_double(values[0]);
	char text[48];
	size_t unit = 0;

	(void)count;
	if (sqlite3_value_type(values[0]) == SQLITE_NULL)
		return;
	if (fabs(bytes) < 1024) {
		snprintf(text, sizeof(text), "%.0f B", bytes);
	} else {
		for (bytes /= 1024; fabs(bytes) >= 1024 && unit < 5; unit++)
			bytes /= 1024;
		snprintf(text, sizeof(text), "%.1f %s", bytes, units[unit]);
	}
	sqlite3_result_text(context, text, -1, SQLITE_TRANSIENT);
}

/* The lines that a statement gives for a site.  It is prepared anew each time, since a query may
 * nest calls. */
static void give_lines(sqlite3_context *context, sqlite3_value *site, enum statement which)
{
	struct store *store = sqlite3_user_data(context);
	sqlite3_stmt *statement = NULL;
	sqlite3_str *text;

	if (sqlite3_value_type(site) == SQLITE_NULL)
		return;
	if (sqlite3_prepare_v2(store->db, database_sql(which), -1, &statement, NULL) != SQLITE_OK) {
		sqlite3_result_error(context, sqlite3_errmsg(store->db), -1);
		return;
	}
	sqlite3_bind_value(statement, 1, site);
	text = sqlite3_str_new(store->db);
	while (sqlite3_step(statement) == SQLITE_ROW)
		sqlite3_str_appendf(text, "%s%s", sqlite3_str_length(text) ? "\n" : "",
				    database_text(statement, 0));
	sqlite3_finalize(statement);
	if (sqlite3_str_length(text))
		sqlite3_result_text(context, sqlite3_str_finish(text), -1, sqlite3_free);
	else
		sqlite3_free(sqlite3_str_finish(text));
}

/* One line per frame. */
static void sql_stack_text(sqlite3_context *context, int count, sqlite3_value **values)
{
	(void)count;
	give_lines(context, values[0], STATEMENT_stack_text);
}

/* The frame of the user's own code that names the site; NULL where there is none. */
static void sql_own_frame(sqlite3_context *context, int count, sqlite3_value **values)
{
	(void)count;
	give_lines(context, values[0], STATEMENT_own_frame);
}

/* The id that a site with this content hash has. */
static void sql_site_key(sqlite3_context *context, int count, sqlite3_value **values)
{
	struct hash128 hash;

	(void)count;
	if (sqlite3_value_bytes(values[0]) != sizeof(hash)) {
		sqlite3_result_error(context, "not a content hash", -1);
		return;
	}
	memcpy(&hash, sqlite3_value_blob(values[0]), sizeof(hash));
	sqlite3_result_int64(context, site_key(&hash));
}

static void free_regex(void *regex)
{
	regfree(regex);
	free(regex);
}

/* The largest number between this brace and its end; at least 1. */
static double largest_number(const char *brace)
{
	double largest = 1, number;
	char *end;

	for (brace++; *brace && *brace != '}'; brace = end + (*end == ',')) {
		number = (double)strtoul(brace, &end, 10);
		largest = number > largest ? number : largest;
		if (end == brace)
			break;
	}
	return largest;
}

/*
 * A pattern may come from a database that somebody else prepared.  libc copies repeated parts, and
 * tries all ways to match a back-reference: both may take all memory, or never end.
 */
static const char *refuse_pattern(const char *pattern)
{
	double copies = 1;

	if (strlen(pattern) > PATTERN_MAX)
		return "the pattern is too long";
	for (const char *at = pattern; *at; at++) {
		if (*at == '\\' && at[1] >= '1' && at[1] <= '9')
			return "a pattern cannot refer back to what it matched";
		if (*at == '\\' && at[1])
			at++;
		else if (*at == '{')
			copies *= largest_number(at);
		if (copies > COPIES_MAX)
			return "the pattern repeats too much";
	}
	return NULL;
}

static regex_t *compile_regex(sqlite3_context *context, const char *pattern)
{
	regex_t *regex = malloc(sizeof(*regex));
	const char *refused = refuse_pattern(pattern);
	char why[128];
	int code;

	if (refused) {
		sqlite3_result_error(context, refused, -1);
		free(regex);
		return NULL;
	}
	if (!regex) {
		sqlite3_result_error_nomem(context);
		return NULL;
	}
	code = regcomp(regex, pattern, REG_EXTENDED | REG_NOSUB);
	if (code == 0)
		return regex;
	if (code == REG_ESPACE) {
		sqlite3_result_error_nomem(context);
		free(regex);
		return NULL;
	}
	regerror(code, regex, why, sizeof(why));
	sqlite3_result_error(context, why, -1);
	free(regex);
	return NULL;
}

/* SQLite calls regexp(pattern, text) for `text REGEXP pattern`.  A constant pattern is compiled
 * once. */
static void sql_regexp(sqlite3_context *context, int count, sqlite3_value **values)
{
	const char *pattern = (const char *)sqlite3_value_text(values[0]);
	const char *text = (const char *)sqlite3_value_text(values[1]);
	regex_t *regex = sqlite3_get_auxdata(context, 0);
	bool compiled = false;
	int code;

	(void)count;
	if (!pattern || !text)
		return;
	if (!regex) {
		regex = compile_regex(context, pattern);
		compiled = true;
	}
	if (!regex)
		return;
	code = regexec(regex, text, 0, NULL, 0);
	if (code == REG_ESPACE)
		sqlite3_result_error_nomem(context);
	else
		sqlite3_result_int(context, code == 0);
	if (compiled)
		sqlite3_set_auxdata(context, 0, regex, free_regex);
}

/* ---- aggregates over a series ---- */

struct series {
	double *x, *y;
	size_t count, capacity;
	bool failed;
};

static bool series_grow(struct series *series)
{
	size_t capacity = series->capacity;

	return array_reserve(&series->x, &capacity, series->count, sizeof(*series->x)) &&
	       array_reserve(&series->y, &series->capacity, series->count, sizeof(*series->y));
}

static void series_step(sqlite3_context *context, int count, sqlite3_value **values)
{
	struct series *series = sqlite3_aggregate_context(context, sizeof(*series));

	if (!series || series->failed)
		return;
	for (int i = 0; i < count; i++)
		if (sqlite3_value_type(values[i]) == SQLITE_NULL)
			return;
	if (series->count == series->capacity && !series_grow(series)) {
		series->failed = true;
		return;
	}
	series->x[series->count] =
		count == 2 ? sqlite3_value_double(values[0]) : (double)series->count;
	series->y[series->count] = sqlite3_value_double(values[count - 1]);
	series->count++;
}

static void series_final(sqlite3_context *context)
{
	store_series_fn **fn = sqlite3_user_data(context);
	struct series *series = sqlite3_aggregate_context(context, 0);
	double result;

	if (!series)
		return;
	if (series->failed) {
		sqlite3_result_error_nomem(context);
	} else {
		result = (*fn)(series->x, series->y, series->count);
		if (isfinite(result))
			sqlite3_result_double(context, result);
	}
	free(series->x);
	free(series->y);
}

enum snap_status store_add_series_function(struct store *store, const char *name, int arguments,
					   store_series_fn *fn, struct snap_error *err)
{
	/* A function pointer does not fit a void pointer in ISO C, so it travels in a box. */
	store_series_fn **box = malloc(sizeof(*box));

	if (!box)
		return fail_memory(err, "adding an SQL function");
	*box = fn;
	if (sqlite3_create_function_v2(store->db, name, arguments, PURE, box, NULL, series_step,
				       series_final, free) != SQLITE_OK)
		return database_fail(store, err, "an SQL function cannot be added");
	return SNAP_OK;
}

enum snap_status functions_register(struct store *store, struct snap_error *err)
{
	const int reading = SQLITE_UTF8 | SQLITE_INNOCUOUS;

	if (sqlite3_create_function(store->db, "human", 1, PURE, store, sql_human, NULL, NULL) !=
		    SQLITE_OK ||
	    sqlite3_create_function(store->db, "site_key", 1, PURE, store, sql_site_key, NULL,
				    NULL) != SQLITE_OK ||
	    sqlite3_create_function(store->db, "regexp", 2, PURE, store, sql_regexp, NULL, NULL) !=
		    SQLITE_OK ||
	    sqlite3_create_function(store->db, "own_frame", 1, reading, store, sql_own_frame, NULL,
				    NULL) != SQLITE_OK ||
	    sqlite3_create_function(store->db, "stack_text", 1, reading, store, sql_stack_text,
				    NULL, NULL) != SQLITE_OK)
		return database_fail(store, err, "an SQL function cannot be added");
	return SNAP_OK;
}
