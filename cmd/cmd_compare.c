/*
 * cmd_compare.c - `snapdiff compare`: what changed between two snapshots.
 */
#include <string.h>

#include "tracemalloc/py_version.h"
#include "cli/cli.h"
#include "tracemalloc/compat.h"
#include "base/fail.h"
#include "print_sql.h"
#include "render/output.h"
#include "report/comparable.h"
#include "report/compare.h"
#include "dataset/fetch.h"
#include "report/subject.h"

enum { VERSION_SIZE = 32 }; /* of a python_version */

struct compare_options {
	struct report_options shared;
	struct compat_options compat;
	const char *normalize; /* "allocations", "seconds", a label's name; NULL: as recorded */
	bool exit_code;
};

static const struct option compare_table[] = {
	{.name = "exit-code",
	 .type = OPTION_FLAG,
	 .offset = offsetof(struct compare_options, exit_code),
	 .help = "exit with 1 when any row is new or grew"},
	{.name = "normalize",
	 .type = OPTION_TEXT,
	 .value_name = "UNIT",
	 .offset = offsetof(struct compare_options, normalize),
	 .help = "judge rows per unit of each run: allocations, seconds, or a label that says a "
		 "number"},
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
static enum snap_status warn_of_versions(const struct subject *subject, size_t old_count,
					 struct report *report, struct snap_error *err)
{
	char versions[2][VERSION_SIZE] = {"", ""}, sentence[256];
	enum snap_status st = SNAP_OK;

	for (size_t i = 0; st == SNAP_OK && i < 2; i++)
		st = store_each_meta(session_store(subject->session),
				     subject->ids[i ? old_count : 0], keep_version, versions[i],
				     err);
	if (st == SNAP_OK &&
	    py_version_warning("OLD", versions[0], "NEW", versions[1], sentence, sizeof(sentence)))
		report_warn(report, "%s", sentence);
	return st;
}

/* Which operands are the old side: the first, or all before "--". */
static enum snap_status count_old(const struct invocation *call, size_t *old_count,
				  struct snap_error *err)
{
	size_t separators = 0;

	*old_count = 1;
	for (int i = 0; i < call->argc; i++)
		if (strcmp(call->argv[i], "--") == 0) {
			*old_count = (size_t)i;
			separators++;
		}
	if (separators == 0 && call->argc == 2)
		return SNAP_OK;
	if (separators == 1 && *old_count > 0 && *old_count + 1 < (size_t)call->argc)
		return SNAP_OK;
	return fail(
		err, SNAP_EUSAGE,
		"name two snapshots, or several on either side of --: compare OLD... -- NEW...");
}

static enum snap_status add_operands(struct subject *subject, const struct invocation *call,
				     struct snap_error *err)
{
	enum snap_status st = SNAP_OK;

	session_expect(subject->session, (const char *const *)call->argv, (size_t)call->argc);
	for (int i = 0; st == SNAP_OK && i < call->argc; i++)
		if (strcmp(call->argv[i], "--") != 0)
			st = subject_add(subject, call->argv[i], err);
	return st;
}

static enum snap_status fill_report(struct report *report, const struct subject *subject,
				    struct dataset *dataset, size_t old_count,
				    const struct compare_options *options, struct snap_error *err)
{
	struct repeats repeats = {0};
	struct per_unit per;
	struct compare_request request = {.is_gate = options->exit_code};
	enum snap_status st = SNAP_OK;

	if (subject->count > 2) {
		request.repeats = &repeats;
		if (!repeats_collapse(&repeats, dataset, old_count))
			st = fail_memory(err, "taking medians");
	}
	if (options->normalize) {
		request.per = &per;
		st = per_unit_find(&per, subject, dataset, options->normalize, err);
	}
	if (st == SNAP_OK)
		st = compare_fill(report, dataset, &request, &options->shared, err);
	repeats_release(&repeats);
	return st;
}

static enum snap_status print_report(const struct subject *subject, size_t old_count,
				     const struct compare_options *options, bool *finding,
				     struct snap_error *err)
{
	struct dataset *dataset = NULL;
	struct report *report = compare_report_new();
	enum snap_status st = fetch_dataset(&dataset, session_store(subject->session), subject->ids,
					    subject->count, err);

	if (st == SNAP_OK)
		st = subject_describe(subject, report, err);
	if (st == SNAP_OK)
		st = warn_of_versions(subject, old_count, report, err);
	if (st == SNAP_OK)
		st = comparable_warn(report, subject, dataset, old_count, err);
	if (st == SNAP_OK)
		st = fill_report(report, subject, dataset, old_count, options, err);
	if (st == SNAP_OK) {
		*finding = report->finding;
		st = output_report(report, &options->shared, err);
	}
	report_free(report);
	dataset_free(dataset);
	return st;
}

static enum snap_status show(const struct subject *subject, size_t old_count,
			     const struct compare_options *options, bool *finding,
			     struct snap_error *err)
{
	if (options->normalize && subject->count > 2)
		return fail(err, SNAP_EUSAGE,
			    "--normalize compares two runs; name one snapshot on either side");
	if (!options->shared.sql)
		return print_report(subject, old_count, options, finding, err);
	if (subject->count > 2)
		return fail(err, SNAP_EUSAGE,
			    "--sql shows the comparison of two snapshots; name one on either side");
	return print_sql(subject, "compare", &options->shared, err);
}

static enum snap_status compare_with_compat(const struct invocation *call,
					    const struct compare_options *options,
					    struct snap_error *err)
{
	if (call->argc != 2)
		return fail(err, SNAP_EUSAGE,
			    "--compat compares two dumps: name one on either side");
	if (options->normalize)
		return fail(err, SNAP_EUSAGE,
			    "--compat knows no --normalize; leave one of them out");
	return compat_run(&options->compat, &options->shared, call->argv[1], call->argv[0], err);
}

static enum snap_status compare_run(const struct invocation *call, int *exit_code,
				    struct snap_error *err)
{
	const struct compare_options *options = call->options;
	struct subject subject = {0};
	bool finding = false;
	size_t old_count;
	enum snap_status st = compat_check(&options->compat, &options->shared, err);

	if (st == SNAP_OK)
		st = count_old(call, &old_count, err);
	if (st != SNAP_OK)
		return st;
	if (options->compat.with != COMPAT_NONE)
		return compare_with_compat(call, options, err);
	st = subject_open(&subject, &options->shared, err);
	if (st == SNAP_OK)
		st = add_operands(&subject, call, err);
	if (st == SNAP_OK)
		st = show(&subject, old_count, options, &finding, err);
	if (st == SNAP_OK && options->exit_code && finding)
		*exit_code = EXIT_FINDING;
	subject_close(&subject);
	return st;
}

const struct command cmd_compare = {
	.name = "compare",
	.alias = "diff",
	.summary = "Show what changed between two snapshots",
	.usage = "[options] OLD NEW | OLD... -- NEW...",
	.group = "reports",
	.details = "Call stacks are paired first, at the first level that fits and --match "
		   "permits; rows are\n"
		   "grouped afterwards and named by the new side.  Rows that are the same appear "
		   "with --all.\n"
		   "--sort takes change (the size of the change; default), key, or any figure of "
		   "the rows,\n"
		   "such as new_bytes or delta_blocks.\n"
		   "With several snapshots on a side their medians are compared, stack by stack, "
		   "and a\n"
		   "difference counts only where the runs of the two sides do not overlap.",
	.options = compare_options,
	.options_size = sizeof(struct compare_options),
	.defaults = &compare_defaults,
	.operands_min = 2,
	.operands_max = -1,
	.keeps_separator = true,
	.run = compare_run,
};
