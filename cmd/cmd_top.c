/*
 * cmd_top.c - `snapdiff top`: the call sites that hold the most memory.
 */
#include <string.h>

#include "base/fail.h"
#include "cli/cli.h"
#include "tracemalloc/compat.h"
#include "print_sql.h"
#include "render/output.h"
#include "dataset/fetch.h"
#include "report/subject.h"
#include "report/top.h"

struct top_options {
	struct report_options shared;
	struct compat_options compat;
};

static const struct option compat_table[] = {
	COMPAT_OPTION_ROWS(offsetof(struct top_options, compat)),
	{.name = NULL},
};

static const struct option top_table[] = {
	{.name = "never-freed",
	 .type = OPTION_FLAG,
	 .offset = offsetof(struct top_options, shared.never_freed),
	 .help = "what was still there at the program's exit, without caches left by design"},
	{.name = NULL},
};

static const struct option *const top_options[] = {
	top_table,    moment_option_table, report_option_table,
	compat_table, cli_memory_table,    cli_symbols_table,
	NULL};

static const struct top_options top_defaults = {
	.shared = {.limit = REPORT_LIMIT_UNSET, .match = PAIR_FUZZY}};

static enum snap_status print_report(const struct subject *subject,
				     const struct report_options *options, struct snap_error *err)
{
	struct dataset *dataset = NULL;
	struct report *report = NULL;
	enum snap_status st = print_sql_begin(subject, options, err);

	if (st == SNAP_OK)
		st = fetch_sites(&dataset, snapshots_store(subject->snapshots), subject->ids,
				 subject->count, err);
	if (st == SNAP_OK) {
		report = top_report_new(dataset->snapshots[0].sampled);
		st = subject_describe(subject, report, err);
	}
	if (st == SNAP_OK)
		st = top_fill(report, dataset, options, err);
	if (st == SNAP_OK)
		st = options->sql ? print_sql(subject, report, options, err)
				  : output_report(report, options, err);
	report_free(report);
	dataset_free(dataset);
	return st;
}

static enum snap_status look_for_exit(void *user, const struct store_snapshot *row)
{
	int64_t *wanted = user;

	if (row->id == *wanted && row->trigger && strcmp(row->trigger, "exit") == 0)
		*wanted = 0;
	return SNAP_OK;
}

/* A running program may still free what it holds. */
static enum snap_status check_exit(const struct subject *subject, struct snap_error *err)
{
	int64_t wanted = subject->ids[0];
	enum snap_status st = store_each_snapshot(snapshots_store(subject->snapshots),
						  look_for_exit, &wanted, err);

	if (st == SNAP_OK && wanted)
		return fail(err, SNAP_EUSAGE,
			    "--never-freed needs the snapshot of a program's exit, and this one "
			    "was taken before it");
	return st;
}

/* For a directory, take the exit snapshot.  A file or a name in a database names one snapshot
   already. */
static int moment_of(const struct report_options *options, const char *name)
{
	const char *dir = name ? name : SNAPSHOTS_DEFAULT_DIRECTORY;

	if (!options->never_freed || options->at || options->db || !snapshots_is_directory(dir))
		return options->at;
	return MOMENT_EXIT;
}

static enum snap_status print_top(const struct report_options *given, const char *name,
				  struct snap_error *err)
{
	struct report_options chosen = *given, *options = &chosen;
	struct subject subject = {0};
	enum snap_status st;

	chosen.at = moment_of(given, name);
	st = subject_guess(options, name, err);
	if (st == SNAP_OK)
		st = subject_open(&subject, options, false, err);
	if (st == SNAP_OK)
		st = subject_add(&subject, name, err);
	if (st == SNAP_OK && options->never_freed)
		st = check_exit(&subject, err);
	if (st == SNAP_OK)
		st = print_report(&subject, options, err);
	subject_close(&subject);
	return st;
}

static enum snap_status top_run(const struct invocation *call, int *exit_code,
				struct snap_error *err)
{
	const struct top_options *options = call->options;
	struct report_options shared = options->shared;
	enum snap_status st = compat_check(&options->compat, &shared, err);

	(void)exit_code;
	if (st == SNAP_OK)
		st = report_fold(&shared, err);
	if (st != SNAP_OK)
		return st;
	if (options->compat.with == COMPAT_NONE)
		return print_top(&shared, call->argv[0], err);
	return compat_run(&options->compat, &shared, call->argv[0], NULL, err);
}

const struct command cmd_top = {
	.name = "top",
	.summary = "Show what holds the most memory",
	.usage = "[options] [SNAP]",
	.group = "reports",
	.details =
		"Without SNAP, the newest snapshot of --db, or of the directory 'snaps', is "
		"shown.\n"
		"--sort takes live_bytes, live_blocks, allocated_bytes, allocated_blocks or key.",
	.options = top_options,
	.options_size = sizeof(struct top_options),
	.defaults = &top_defaults,
	.operands_min = 0,
	.operands_max = 1,
	.run = top_run,
};
