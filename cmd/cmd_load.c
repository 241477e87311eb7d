/*
 * cmd_load.c - `snapdiff load`: load snapshots into a permanent database.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "report/own_code.h"
#include "snapshots/snapshots.h"

struct load_options {
	const char *db;
	struct text_list labels;
	int order; /* enum snapshots_order */
	uint64_t keep_ns;
	bool replace;
	bool quiet;
};

static const struct option load_table[] = {
	{.name = "db",
	 .type = OPTION_TEXT,
	 .offset = offsetof(struct load_options, db),
	 .value_name = "FILE",
	 .help = "the database; made if there is none"},
	{.name = "label",
	 .type = OPTION_LIST,
	 .offset = offsetof(struct load_options, labels),
	 .value_name = "K=V",
	 .help = "add a label to every snapshot named; may be repeated"},
	{.name = "order",
	 .type = OPTION_CHOICE,
	 .offset = offsetof(struct load_options, order),
	 .value_name = "BY",
	 .help = "files without a place in their series: by time (default), name or as given",
	 .choices = snapshots_order_names},
	{.name = "keep",
	 .type = OPTION_DURATION,
	 .offset = offsetof(struct load_options, keep_ns),
	 .value_name = "AGE",
	 .help = "then delete the snapshots that were taken longer ago: 90d, 12h"},
	{.name = "replace",
	 .type = OPTION_FLAG,
	 .offset = offsetof(struct load_options, replace),
	 .help = "delete what was loaded before from a file of the same path"},
	{.name = "quiet",
	 .letter = 'q',
	 .type = OPTION_FLAG,
	 .offset = offsetof(struct load_options, quiet),
	 .help = "no progress, warnings or closing line"},
	{.name = NULL},
};

static const struct option *const load_tables[] = {load_table, cli_memory_table, cli_symbols_table,
						   NULL};

static void refuse(const char *sentence)
{
	cli_message("%s", sentence);
}

/* Labels taken apart; the keys are copies. */
struct labels {
	char **keys;
	const char **values;
	size_t count;
};

static void labels_free(struct labels *labels)
{
	for (size_t i = 0; i < labels->count; i++)
		free(labels->keys[i]);
	free(labels->keys);
	free(labels->values);
}

static enum snap_status labels_add(struct labels *labels, const char *label, struct snap_error *err)
{
	const char *equals = strchr(label, '=');
	char *key;

	if (!equals || equals == label)
		return fail(err, SNAP_EUSAGE, "--label %s: a label is KEY=VALUE", label);
	key = strndup(label, (size_t)(equals - label));
	if (!key)
		return fail_memory(err, "reading labels");
	labels->keys[labels->count] = key;
	labels->values[labels->count++] = equals + 1;
	return SNAP_OK;
}

static enum snap_status labels_split(struct labels *labels, const struct text_list *list,
				     struct snap_error *err)
{
	enum snap_status st = SNAP_OK;

	labels->keys = calloc(list->count + 1, sizeof(*labels->keys));
	labels->values = calloc(list->count + 1, sizeof(*labels->values));
	if (!labels->keys || !labels->values)
		return fail_memory(err, "reading labels");
	for (size_t i = 0; st == SNAP_OK && i < list->count; i++)
		st = labels_add(labels, list->items[i], err);
	return st;
}

static void say_what_was_done(const char *db, const struct snapshots_loaded *done)
{
	fprintf(stderr, "%s: %zu snapshot%s loaded", db, done->loaded,
		done->loaded == 1 ? "" : "s");
	if (done->already)
		fprintf(stderr, ", %zu already there", done->already);
	if (done->refused)
		fprintf(stderr, ", %zu could not be read", done->refused);
	if (done->dropped)
		fprintf(stderr, ", %zu deleted", done->dropped);
	fputc('\n', stderr);
}

/* The time that was this long ago. */
static uint64_t time_before(uint64_t age_ns)
{
	struct timespec now;
	uint64_t now_ns;

	clock_gettime(CLOCK_REALTIME, &now);
	now_ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	return age_ns && age_ns < now_ns ? now_ns - age_ns : 0;
}

static enum snap_status load_named(const struct invocation *call, const struct labels *labels,
				   struct snapshots_loaded *done, struct snap_error *err)
{
	const struct load_options *options = call->options;
	const struct snapshots_options how = {
		.db = options->db,
		.write = true,
		.quiet = options->quiet,
		.order = (enum snapshots_order)options->order,
		.notice = cli_print_warning,
	};
	const struct store_labels extra = {(const char *const *)labels->keys, labels->values,
					   labels->count};
	const struct snapshots_leaving leaving = {time_before(options->keep_ns), options->replace};
	struct snapshots *snapshots = NULL;
	enum snap_status st = own_code_apply(NULL, NULL, false, err);

	if (st == SNAP_OK)
		st = snapshots_open(&snapshots, &how, err);
	if (st == SNAP_OK)
		st = snapshots_load(snapshots, (const char *const *)call->argv, (size_t)call->argc,
				    &extra, &leaving, refuse, done, err);
	snapshots_close(snapshots);
	return st;
}

static enum snap_status load_run(const struct invocation *call, int *exit_code,
				 struct snap_error *err)
{
	const struct load_options *options = call->options;
	struct snapshots_loaded done = {0};
	struct labels labels = {0};
	enum snap_status st;

	if (!options->db)
		return fail(err, SNAP_EUSAGE,
			    "say which database: snapdiff load SNAP... --db FILE");
	if (call->argc == 0 && !options->keep_ns)
		return fail(err, SNAP_EUSAGE,
			    "name the snapshots to load, or the age of those to keep: --keep 90d");
	if (call->argc == 0 && access(options->db, F_OK) != 0)
		return fail(err, SNAP_ENOTFOUND, "%s: %s", options->db, strerror(errno));
	st = labels_split(&labels, &options->labels, err);
	if (st == SNAP_OK)
		st = load_named(call, &labels, &done, err);
	if (!options->quiet && (st == SNAP_OK || done.loaded))
		say_what_was_done(options->db, &done);
	if (st == SNAP_OK && done.refused)
		*exit_code = EXIT_INPUT;
	labels_free(&labels);
	return st;
}

const struct command cmd_load = {
	.name = "load",
	.summary = "Load snapshots into an SQLite database",
	.usage = "[options] SNAP... --db FILE | --keep AGE --db FILE",
	.group = "store",
	.details =
		"Each snapshot is one transaction: a failure leaves the database as it was before "
		"it,\n"
		"and a file that cannot be read does not keep the others out.  The same content "
		"is\n"
		"loaded once, whatever its file is called.  Any SQLite tool reads the database;\n"
		"'snapdiff schema' describes its views.",
	.options = load_tables,
	.options_size = sizeof(struct load_options),
	.operands_min = 0,
	.operands_max = -1,
	.run = load_run,
};
