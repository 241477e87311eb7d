/*
 * cmd_compare.c - `snapdiff compare`: what changed between two snapshots.
 */
#include <string.h>

#include "analysis/py_version.h"
#include "cli/cli.h"
#include "compat.h"
#include "print_sql.h"
#include "render/output.h"
#include "report/compare.h"
#include "report/fetch.h"
#include "report/subject.h"

enum { VERSION_SIZE = 32 }; /* of a python_version */

struct compare_options {
	struct report_options shared;
	struct compat_options compat;
	bool exit_code;
};

static const struct option compare_table[] = {
	{.name = "exit-code",
	 .type = OPTION_FLAG,
	 .offset = offsetof(struct compare_options, exit_code),
	 .help = "exit with 1 when any row is new or grew"},
	COMPAT_OPTION_ROWS(offsetof(struct compare_options, compat)),
	{.name = NULL},
};

static const struct option *const compare_options[] = {compare_table, report_option_table,
						       match_option_table, NULL};

static const struct compare_options compare_defaults = {
	.shared = {.limit = REPORT_LIMIT_UNSET, .match = MATCH_FUNCTION}};

static enum snap_status keep_version(void *user, const char *key, const char *value)
{
	char *version = user;

	if (strcmp(key, "python_version") == 0)
		snprintf(version, VERSION_SIZE, "%s", value);
	return SNAP_OK;
}

/* Dumps of different Pythons show different file names and frames for the same program. */
static enum snap_status warn_of_versions(const struct subject *subject, struct report *report,
					 struct snap_error *err)
{
	char versions[2][VERSION_SIZE] = {"", ""}, sentence[256];
	enum snap_status st = SNAP_OK;

	for (size_t i = 0; st == SNAP_OK && i < 2; i++)
		st = store_each_meta(session_store(subject->session), subject->ids[i], keep_version,
				     versions[i], err);
	if (st == SNAP_OK && py_version_warning("OLD", versions[0], "NEW", versions[1], sentence,
						sizeof(sentence)))
		report_warn(report, "%s", sentence);
	return st;
}

static enum snap_status print_report(const struct subject *subject,
				     const struct report_options *options, bool *finding,
				     struct snap_error *err)
{
	struct dataset *dataset = NULL;
	struct report *report = NULL;
	enum snap_status st = fetch_dataset(&dataset, session_store(subject->session), subject->ids,
					    subject->count, err);

	if (st == SNAP_OK) {
		report = compare_report_new(dataset->snapshots[0].sampled ||
					    dataset->snapshots[1].sampled);
		st = subject_describe(subject, report, err);
	}
	if (st == SNAP_OK)
		st = warn_of_versions(subject, report, err);
	if (st == SNAP_OK)
		st = compare_fill(report, dataset, options, err);
	if (st == SNAP_OK) {
		*finding = report->finding;
		st = output_report(report, options, err);
	}
	report_free(report);
	dataset_free(dataset);
	return st;
}

static enum snap_status compare_run(const struct invocation *call, int *exit_code,
				    struct snap_error *err)
{
	const struct compare_options *options = call->options;
	struct subject subject = {0};
	bool finding = false;
	enum snap_status st = compat_check(&options->compat, &options->shared, err);

	if (st != SNAP_OK)
		return st;
	if (options->compat.with != COMPAT_NONE)
		return compat_run(&options->compat, &options->shared, call->argv[1], call->argv[0],
				  err);
	st = subject_open(&subject, &options->shared, err);
	for (int i = 0; st == SNAP_OK && i < call->argc; i++)
		st = subject_add(&subject, call->argv[i], err);
	if (st == SNAP_OK)
		st = options->shared.sql ? print_sql(&subject, "compare", &options->shared, err)
					 : print_report(&subject, &options->shared, &finding, err);
	if (st == SNAP_OK && options->exit_code && finding)
		*exit_code = EXIT_FINDING;
	subject_close(&subject);
	return st;
}

const struct command cmd_compare = {
	.name = "compare",
	.alias = "diff",
	.summary = "Show what changed between two snapshots",
	.usage = "[options] OLD NEW",
	.group = "reports",
	.details = "Call stacks are paired first, at the first level that fits and --match "
		   "permits; rows are\n"
		   "grouped afterwards and named by the new side.  Rows that are the same appear "
		   "with --all.\n"
		   "--sort takes change (the size of the change; default), key, or any figure of "
		   "the rows,\n"
		   "such as new_bytes or delta_blocks.",
	.options = compare_options,
	.options_size = sizeof(struct compare_options),
	.defaults = &compare_defaults,
	.operands_min = 2,
	.operands_max = 2,
	.run = compare_run,
};
