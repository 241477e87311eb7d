/*
 * cmd_query.c - `snapdiff query`: ad-hoc SQL on snapshots, read-only unless --write.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "analysis/stats.h"
#include "base/array.h"
#include "base/fill.h"
#include "base/memory.h"
#include "cli/cli.h"
#include "cookbook.h"
#include "query_editor.h"
#include "query_prompt.h"
#include "render/output.h"
#include "report/own_code.h"
#include "snapshots/snapshots.h"

struct query_options {
	struct report_options shared;
	const char *file;
	uint64_t timeout_ns, max_rows, max_memory;
	struct text_list params;
	bool write, examples;
};

/* Off a terminal nobody can press Ctrl-C. */
#define DEFAULT_TIMEOUT_NS 30000000000ull
#define UNSET_NS           UINT64_MAX

#define FIELD(member) offsetof(struct query_options, member)

static const struct option query_table[] = {
	{"file", 'F', OPTION_TEXT, FIELD(file), "FILE",
	 "run the statements of FILE ('-': standard input)", NULL},
	{"timeout", 0, OPTION_DURATION, FIELD(timeout_ns), "DUR",
	 "stop a query that takes longer (default: 30s off a terminal; 0: never)", NULL},
	{"param", 0, OPTION_LIST, FIELD(params), "NAME=VALUE",
	 "the value of :NAME in the SQL; may be repeated", NULL},
	{"max-memory", 0, OPTION_SIZE, FIELD(max_memory), "SIZE",
	 "stop a query that needs more memory", NULL},
	{"examples", 0, OPTION_FLAG, FIELD(examples), NULL,
	 "print questions with their SQL, and stop", NULL},
	{"max-rows", 0, OPTION_COUNT, FIELD(max_rows), "N", "show at most N rows of each result",
	 NULL},
	{"write", 0, OPTION_FLAG, FIELD(write), NULL, "allow statements that change the database",
	 NULL},
	{0},
};

static const struct option *const query_tables[] = {query_table, source_option_table,
						    output_option_table, cli_symbols_table, NULL};

/* ---- SQL functions that judge a series ------------------------------------------------------- */

static double theil_sen(const double *x, const double *y, size_t count)
{
	struct stats_slope slope;

	return stats_theil_sen(x, y, count, &slope) ? slope.value : (double)NAN;
}

/* The test's z: above 1.64, rising with 95 % confidence. */
static double mann_kendall(const double *x, const double *y, size_t count)
{
	(void)x;
	return count < 2 ? (double)NAN : stats_mann_kendall(y, count).z;
}

static enum snap_status add_functions(struct store *store, struct snap_error *err)
{
	enum snap_status st = store_add_series_function(store, "theil_sen", 2, theil_sen, err);

	return st == SNAP_OK
		       ? store_add_series_function(store, "mann_kendall", 1, mann_kendall, err)
		       : st;
}

/* ---- results -> reports ---------------------------------------------------------------------- */

struct result {
	struct report *report;
};

struct querying {
	const struct query_options *options;
	struct store *store;
	struct result *results; /* one per statement that has columns */
	size_t result_count;
	struct report_options shared; /* the options', as .mode and .output have changed them */
	char *output;                 /* of .output */
	struct store_param *params;
	char **param_names;
	struct query_editor *editor;
	bool timer;
	uint64_t held; /* bytes of the values in the results */
};

/* Set by Ctrl-C while the prompt is there. */
static volatile sig_atomic_t cancelled;

static bool begins_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool ends_with(const char *text, const char *suffix)
{
	size_t size = strlen(text), suffix_size = strlen(suffix);

	return size >= suffix_size && strcmp(text + size - suffix_size, suffix) == 0;
}

/* A column with the name of one of our columns is treated as that; of others, nothing is known. */
static enum column_kind kind_of(const char *name)
{
	bool delta = begins_with(name, "delta_");

	if (strcmp(name, "bytes") == 0 || ends_with(name, "_bytes"))
		return delta ? COLUMN_DELTA_BYTES : COLUMN_BYTES;
	if (strcmp(name, "blocks") == 0 || ends_with(name, "_blocks") ||
	    strcmp(name, "count") == 0 || begins_with(name, "count("))
		return delta ? COLUMN_DELTA_COUNT : COLUMN_COUNT;
	return COLUMN_NAME;
}

/* JSON objects need distinct keys: the second `n` becomes `n:2`. */
static const char *distinct_name(struct report *report, const char *const *names, size_t at)
{
	size_t earlier = 0;

	for (size_t i = 0; i < at; i++)
		earlier += strcmp(names[i], names[at]) == 0;
	return earlier ? report_text(report, "%s:%zu", names[at], earlier + 1)
		       : report_text(report, "%s", names[at]);
}

static enum snap_status begin_result(struct querying *querying, size_t count,
				     const char *const *names)
{
	struct result *results =
		realloc(querying->results, (querying->result_count + 1) * sizeof(*results));
	struct report *report;
	struct column *columns;

	if (!results)
		return SNAP_ENOMEM;
	querying->results = results;
	report = report_new("snapdiff.query/1", NULL, count);
	columns = report_alloc(report, count * sizeof(*columns));
	for (size_t i = 0; i < count; i++) {
		const char *name = distinct_name(report, names, i);

		columns[i] = (struct column){name, name, kind_of(names[i]), 0};
	}
	report->columns = columns;
	results[querying->result_count++].report = report;
	return SNAP_OK;
}

static struct value blob_value(struct report *report, const struct store_value *value)
{
	const unsigned char *bytes = (const unsigned char *)value->text;
	char *hex = report_alloc(report, value->size * 2 + 1);

	for (size_t i = 0; i < value->size; i++) {
		hex[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
		hex[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
	}
	return value_bytes(report, hex, value->size * 2);
}

static struct value value_of(struct report *report, const struct store_value *value)
{
	switch (value->type) {
	case STORE_INTEGER:
		return value_int(value->integer);
	case STORE_REAL:
		return value_real(value->real);
	case STORE_TEXT:
		return value_bytes(report, value->text, value->size);
	case STORE_BLOB:
		return blob_value(report, value);
	case STORE_NULL:
		break;
	}
	return value_null();
}

static size_t size_of(const struct store_value *value)
{
	return value->type == STORE_BLOB   ? 2 * value->size
	       : value->type == STORE_TEXT ? value->size
					   : 0;
}

static bool holds_too_much(const struct querying *querying)
{
	uint64_t most = querying->options->max_memory;

	return most && querying->held > most;
}

static enum snap_status take_row(void *user, size_t columns, const char *const *names,
				 const struct store_value *row)
{
	struct querying *querying = user;
	struct report *report;
	struct value *cells;

	if (!row)
		return begin_result(querying, columns, names);
	querying->held += columns * sizeof(*cells);
	for (size_t i = 0; i < columns; i++)
		querying->held += size_of(&row[i]);
	if (holds_too_much(querying))
		return SNAP_ENOMEM;
	report = querying->results[querying->result_count - 1].report;
	cells = report_row(report);
	for (size_t i = 0; i < columns; i++)
		cells[i] = value_of(report, &row[i]);
	return SNAP_OK;
}

static void end_result(const struct querying *querying, struct report *report, bool truncated)
{
	struct value shown = value_object();

	/* With several results, those that were cut short are those that are full. */
	truncated = truncated && report->row_count == querying->options->max_rows;
	value_field(report, &shown, "rows", value_int((int64_t)report->row_count));
	value_field(report, &report->tail, "shown", shown);
	value_field(report, &report->tail, "truncated", value_bool(truncated));
	if (truncated)
		report_note(report, "More rows were left out: --max-rows %llu",
			    (unsigned long long)querying->options->max_rows);
}

static void free_results(struct querying *querying)
{
	for (size_t i = 0; i < querying->result_count; i++)
		report_free(querying->results[i].report);
	free(querying->results);
	querying->results = NULL;
	querying->result_count = 0;
	querying->held = 0;
}

static enum snap_status print_results(const struct querying *querying, bool truncated,
				      struct snap_error *err)
{
	const struct report_options *options = &querying->shared;
	enum snap_status st = SNAP_OK;

	if (options->output && querying->result_count > 1)
		return fail(err, SNAP_EUSAGE,
			    "%zu statements have results, but %s can hold one; run them one by one",
			    querying->result_count, options->output);
	for (size_t i = 0; st == SNAP_OK && i < querying->result_count; i++) {
		end_result(querying, querying->results[i].report, truncated);
		st = output_report(querying->results[i].report, options, err);
	}
	return st;
}

static uint64_t timeout_of(const struct querying *querying)
{
	if (querying->options->timeout_ns != UNSET_NS)
		return querying->options->timeout_ns;
	return querying->editor || isatty(STDOUT_FILENO) ? 0 : DEFAULT_TIMEOUT_NS;
}

/* A single step of SQLite cannot be interrupted: so the process ends.  Nothing was written. */
static void stop_hard(int signal_number)
{
	static const char why[] =
		"snapdiff query: the query took longer than --timeout permits, in a "
		"function that cannot be interrupted\n";

	(void)signal_number;
	if (write(STDERR_FILENO, why, sizeof(why) - 1) >= 0)
		_exit(EXIT_SYSTEM);
	_exit(EXIT_SYSTEM);
}

/* Counted in CPU time, so that a slow reader of our output does not look like a slow query; 0:
 * no limit. */
static void set_hard_stop(uint64_t timeout_ns)
{
	enum { GRACE_S = 1 };
	const struct itimerval timer = {
		.it_value = {.tv_sec = timeout_ns ? (time_t)(timeout_ns / 1000000000u) + GRACE_S
						  : 0}};

	signal(SIGPROF, timeout_ns ? stop_hard : SIG_DFL);
	setitimer(ITIMER_PROF, &timer, NULL);
}

static enum snap_status run_sql(struct querying *querying, const char *sql, struct snap_error *err)
{
	const struct store_query_options how = {
		.write = querying->options->write,
		.timeout_ns = timeout_of(querying),
		.max_rows = querying->options->max_rows,
		.max_memory = querying->options->max_memory,
		.cancel = querying->editor ? &cancelled : NULL,
		.params = querying->params,
		.param_count = querying->options->params.count,
	};
	bool truncated = false;
	enum snap_status st;

	set_hard_stop(querying->editor ? 0 : how.timeout_ns);
	st = store_query(querying->store, sql, &how, take_row, querying, &truncated, err);
	set_hard_stop(0);
	if (st == SNAP_ENOMEM && holds_too_much(querying))
		st = fail(err, SNAP_ESYSTEM,
			  "the results need more memory than is allowed (--max-memory)");
	else if (st == SNAP_ENOMEM && !err->message[0])
		st = fail_memory(err, "running a query");
	if (st == SNAP_OK)
		st = print_results(querying, truncated, err);
	free_results(querying);
	return st;
}

/* ---- where the SQL comes from ---------------------------------------------------------------- */

enum { READ_SIZE = 64 * 1024, SQL_MAX = 16 << 20 };

static enum snap_status read_all(int fd, const char *name, char **text, size_t *size,
				 struct snap_error *err)
{
	size_t room = 0;
	ssize_t got;

	do {
		char *moved = room < SQL_MAX ? realloc(*text, 2 * room + READ_SIZE + 1) : NULL;

		if (room >= SQL_MAX)
			return fail(err, SNAP_EUSAGE, "%s: is too large to be SQL", name);
		if (!moved)
			return fail_memory(err, "reading SQL");
		*text = moved;
		room = 2 * room + READ_SIZE;
		got = fill(fd, *text + *size, room - *size);
		if (got < 0)
			return fail(err, fail_status_of_file(errno), "%s: %s", name,
				    strerror(errno));
		*size += (size_t)got;
	} while (*size == room);
	(*text)[*size] = '\0';
	return SNAP_OK;
}

static enum snap_status read_file(const char *path, char **text, struct snap_error *err)
{
	bool standard_input = strcmp(path, "-") == 0;
	const char *name = standard_input ? "standard input" : path;
	int fd = standard_input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	enum snap_status st;
	size_t size = 0;

	*text = NULL;
	if (fd < 0)
		return fail(err, fail_status_of_file(errno), "%s: %s", path, strerror(errno));
	st = read_all(fd, name, text, &size, err);
	if (!standard_input)
		close(fd);
	if (st == SNAP_OK && size == 0)
		return fail(err, SNAP_EUSAGE, "%s: is empty", name);
	if (st == SNAP_OK && memchr(*text, '\0', size))
		return fail(err, SNAP_EUSAGE, "%s: contains a NUL byte, so it is not SQL", name);
	return st;
}

/* ---- the prompt ------------------------------------------------------------------------------ */

static double seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* At the prompt, print the error and wait for the next statement. */
static void run_typed(void *user, const char *sql)
{
	struct querying *querying = user;
	struct snap_error err = {0};
	double begin = seconds_now();

	cancelled = 0;
	if (run_sql(querying, sql, &err) != SNAP_OK)
		cli_message("%s", err.message);
	if (querying->timer)
		printf("%.3f s\n", seconds_now() - begin);
}

static const char *typed_line(void *user, const char *prompt, bool *interrupted)
{
	struct querying *querying = user;

	return query_editor_line(querying->editor, prompt, interrupted);
}

static void remember_typed(void *user, const char *sql)
{
	struct querying *querying = user;

	query_editor_remember(querying->editor, sql);
}

static bool set_typed_mode(void *user, const char *format)
{
	struct querying *querying = user;

	for (int i = 0; report_formats[i]; i++)
		if (strcmp(report_formats[i], format) == 0) {
			querying->shared.format = i;
			return true;
		}
	return false;
}

static void set_typed_output(void *user, const char *path)
{
	struct querying *querying = user;

	free(querying->output);
	querying->output = path ? strdup(path) : NULL;
	if (path && !querying->output)
		cli_message("out of memory while reading a command: results go to the terminal");
	querying->shared.output = querying->output;
}

static void set_typed_timer(void *user, bool on)
{
	struct querying *querying = user;

	querying->timer = on;
}

static void read_typed(void *user, const char *path)
{
	struct snap_error err = {0};
	char *text;

	if (read_file(path, &text, &err) == SNAP_OK)
		run_typed(user, text);
	else
		cli_message("%s", err.message);
	free(text);
}

static void cancel(int signal)
{
	(void)signal;
	cancelled = 1;
}

/* What Tab knows. */
struct words {
	const char **items;
	size_t count, capacity;
};

static void add_word(void *user, const char *word)
{
	struct words *words = user;
	char *copy = strdup(word);

	if (copy &&
	    array_reserve(&words->items, &words->capacity, words->count + 1, sizeof(*words->items)))
		words->items[words->count++] = copy;
	else
		free(copy);
	if (words->items)
		words->items[words->count] = NULL;
}

static void add_words(struct words *words, struct store *store)
{
	static const char *const commands[] = {".views", ".schema", ".examples", ".mode", ".output",
					       ".timer", ".read",   ".help",     ".quit"};

	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		add_word(words, commands[i]);
	for (const struct store_view_doc *view = store_views(); view->name; view++) {
		add_word(words, view->name);
		for (const struct store_column_doc *c = view->columns; c->name; c++)
			add_word(words, c->name);
	}
	store_each_word(store, add_word, words);
}

static int compare_words(const void *a, const void *b)
{
	return strcasecmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorted, each once. */
static void sort_words(struct words *words)
{
	size_t kept = 0;

	if (!words->items)
		return;
	qsort(words->items, words->count, sizeof(*words->items), compare_words);
	for (size_t i = 0; i < words->count; i++) {
		if (kept && strcasecmp(words->items[kept - 1], words->items[i]) == 0)
			free((char *)(uintptr_t)words->items[i]);
		else
			words->items[kept++] = words->items[i];
	}
	words->count = kept;
	words->items[kept] = NULL;
}

static void free_words(struct words *words)
{
	for (size_t i = 0; words->items && i < words->count; i++)
		free((char *)(uintptr_t)words->items[i]);
	free(words->items);
}

static enum snap_status prompt(struct querying *querying, struct snap_error *err)
{
	const struct prompt_host host = {querying,        typed_line,     run_typed,
					 remember_typed,  set_typed_mode, set_typed_output,
					 set_typed_timer, read_typed};
	struct sigaction action = {.sa_handler = cancel}, before;
	static const char *const none[] = {NULL};
	struct words words = {0};

	add_words(&words, querying->store);
	sort_words(&words);
	querying->editor = query_editor_open(words.items ? words.items : none, &cancelled);
	if (!querying->editor) {
		free_words(&words);
		return fail(err, SNAP_ESYSTEM, "the terminal cannot be used for a prompt");
	}
	sigaction(SIGINT, &action, &before); /* without SA_RESTART: a line being typed ends */
	query_prompt(&host, stdout);
	sigaction(SIGINT, &before, NULL);
	query_editor_close(querying->editor);
	querying->editor = NULL;
	free_words(&words);
	return SNAP_OK;
}

/* ---- parameters ------------------------------------------------------------------------------ */

static enum snap_status make_params(struct querying *querying, struct snap_error *err)
{
	const struct text_list *given = &querying->options->params;

	querying->params = calloc(given->count + 1, sizeof(*querying->params));
	querying->param_names = calloc(given->count + 1, sizeof(*querying->param_names));
	if (!querying->params || !querying->param_names)
		return fail_memory(err, "reading parameters");
	for (size_t i = 0; i < given->count; i++) {
		const char *equals = strchr(given->items[i], '=');

		if (!equals || equals == given->items[i])
			return fail(err, SNAP_EUSAGE, "--param wants NAME=VALUE, not '%s'",
				    given->items[i]);
		querying->param_names[i] =
			strndup(given->items[i], (size_t)(equals - given->items[i]));
		if (!querying->param_names[i])
			return fail_memory(err, "reading parameters");
		querying->params[i] =
			(struct store_param){.name = querying->param_names[i], .value = equals + 1};
	}
	return SNAP_OK;
}

/* A value that no statement asked for is likely a mistyped name. */
static void warn_of_unused(const struct querying *querying)
{
	for (size_t i = 0; i < querying->options->params.count; i++)
		if (!querying->params[i].used)
			cli_warn("--param %s: no statement has a parameter :%s",
				 querying->params[i].name, querying->params[i].name);
}

static void free_params(struct querying *querying)
{
	for (size_t i = 0; querying->param_names && querying->param_names[i]; i++)
		free(querying->param_names[i]);
	free(querying->param_names);
	free(querying->params);
	free(querying->output);
}

static enum snap_status run_from(struct querying *querying, const char *sql, struct snap_error *err)
{
	const char *file = querying->options->file;
	char *text = NULL;
	enum snap_status st;

	if (!sql && !file && isatty(STDIN_FILENO))
		return prompt(querying, err);
	st = sql ? SNAP_OK : read_file(file ? file : "-", &text, err);
	if (st == SNAP_OK)
		st = run_sql(querying, sql ? sql : text, err);
	if (st == SNAP_OK)
		warn_of_unused(querying);
	free(text);
	return st;
}

/* ---- the command ----------------------------------------------------------------------------- */

/* Without --db the snapshots named after the SQL are loaded, as reports do. */
static enum snap_status load_named(struct snapshots *snapshots, char **names, size_t count,
				   struct snap_error *err)
{
	int64_t *ids = NULL;
	size_t id_count;
	enum snap_status st =
		snapshots_list(snapshots, (const char *const *)names, count, &ids, &id_count, err);

	free(ids);
	return st;
}

static enum snap_status query_snapshots(struct querying *querying, struct snapshots *snapshots,
					const char *sql, char **names, size_t count,
					struct snap_error *err)
{
	enum snap_status st = SNAP_OK;

	if (!querying->options->shared.db)
		st = load_named(snapshots, names, count, err);
	else if (count)
		st = fail(err, SNAP_EUSAGE,
			  "%s: with --db, the SQL itself says which snapshots (WHERE "
			  "snapshot_id = ...)",
			  names[0]);
	if (st != SNAP_OK)
		return st;
	querying->store = snapshots_store(snapshots);
	st = add_functions(querying->store, err);
	return st == SNAP_OK ? run_from(querying, sql, err) : st;
}

static enum snap_status query_run(const struct invocation *call, int *exit_code,
				  struct snap_error *err)
{
	const struct query_options *options = call->options;
	struct querying querying = {.options = options, .shared = options->shared};
	int operands = options->file || call->argc == 0 ? 0 : 1;
	const struct snapshots_options how = {
		.db = options->shared.db,
		.pid = options->shared.pid,
		.program = options->shared.program,
		.quiet = options->shared.quiet,
		.modify = options->write,
		.notice = cli_print_warning,
	};
	struct snapshots *snapshots = NULL;
	enum snap_status st = own_code_apply(NULL, NULL, false, err);

	if (options->examples) {
		cookbook_print_all(stdout);
		return SNAP_OK;
	}
	if (options->max_memory)
		store_count_memory();
	if (st == SNAP_OK)
		st = make_params(&querying, err);
	if (st == SNAP_OK)
		st = snapshots_open(&snapshots, &how, err);
	if (st == SNAP_OK)
		st = query_snapshots(&querying, snapshots, operands ? call->argv[0] : NULL,
				     call->argv + operands, (size_t)(call->argc - operands), err);
	if (st == SNAP_OK && snapshots_damaged(snapshots))
		*exit_code = EXIT_INPUT;
	snapshots_close(snapshots);
	free_params(&querying);
	return st;
}

static const struct query_options query_defaults = {.timeout_ns = UNSET_NS};

const struct command cmd_query = {
	.name = "query",
	.summary = "Ask the database in SQL",
	.usage = "[options] SQL [SNAP...] | -F FILE [SNAP...]",
	.group = "reports",
	.details = "Read-only unless --write.  'snapdiff schema' describes the views.  Without "
		   "--db, the\n"
		   "snapshots named after the SQL (by default those of the directory 'snaps') are "
		   "loaded\n"
		   "into a private database first.  With no SQL: a prompt on a terminal, else the "
		   "SQL is\n"
		   "read from standard input.  SQL also has human(bytes), stack_text(site_id), "
		   "own_frame(site_id),\n"
		   "REGEXP, and the aggregates theil_sen(x, y) (slope) and mann_kendall(y) (z; "
		   "rows in "
		   "order).",
	.options = query_tables,
	.options_size = sizeof(struct query_options),
	.defaults = &query_defaults,
	.operands_min = 0,
	.operands_max = -1,
	.run = query_run,
};
