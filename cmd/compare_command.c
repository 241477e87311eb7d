/*
 * compare_command.c - from the options of `compare` to its report.
 */
#include "compare_command.h"

#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "dataset/facts.h"
#include "dataset/fetch.h"
#include "print_sql.h"
#include "report/comparable.h"
#include "report/compare.h"
#include "report/subject.h"
#include "tracemalloc/py_version.h"

/* Dumps of different Pythons show different file names and frames for the same program. */
static enum snap_status warn_of_versions(const struct subject *subject, size_t old_count,
					 struct notices *notices, struct snap_error *err)
{
	static const char key[] = "python_version";
	struct store *store = snapshots_store(subject->snapshots);
	struct facts old = {0}, new = {0};
	struct notice notice;
	enum snap_status st = facts_read(&old, store, subject->ids[0], err);

	if (st == SNAP_OK)
		st = facts_read(&new, store, subject->ids[old_count], err);
	if (st == SNAP_OK &&
	    py_version_warning("OLD", facts_text(&old, key), "NEW", facts_text(&new, key), &notice))
		notices_add(notices, &notice);
	facts_release(&old);
	facts_release(&new);
	return st;
}

/* Which operands are the old side: the first, or all before "--". */
static enum snap_status count_old(const char *const *names, size_t count, size_t *old_count,
				  struct snap_error *err)
{
	size_t separators = 0;

	*old_count = 1;
	for (size_t i = 0; i < count; i++)
		if (strcmp(names[i], "--") == 0) {
			*old_count = i;
			separators++;
		}
	if (separators == 0 && count == 2)
		return SNAP_OK;
	if (separators == 1 && *old_count > 0 && *old_count + 1 < count)
		return SNAP_OK;
	return fail(
		err, SNAP_EUSAGE,
		"name two snapshots, or several on either side of --: compare OLD... -- NEW...");
}

static enum snap_status add_operands(struct subject *subject, const char *const *names,
				     size_t count, struct snap_error *err)
{
	enum snap_status st = SNAP_OK;

	snapshots_expect(subject->snapshots, names, count);
	for (size_t i = 0; st == SNAP_OK && i < count; i++)
		if (strcmp(names[i], "--") != 0)
			st = subject_add(subject, names[i], err);
	return st;
}

static enum snap_status fill_report(struct report *report, const struct subject *subject,
				    struct dataset *dataset, size_t old_count, bool are_runs,
				    const struct compare_command *options, struct snap_error *err)
{
	struct repeats repeats = {0};
	struct per_unit per;
	struct compare_request request = {.is_gate = options->exit_code,
					  .are_runs = are_runs,
					  .maps = options->map.items,
					  .map_count = options->map.count};
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

/* Add warnings about the two sides to the report. */
static enum snap_status warn_of_sides(struct report *report, const struct subject *subject,
				      struct dataset *dataset, size_t old_count, bool *are_runs,
				      struct snap_error *err)
{
	struct notices notices = {0};
	enum snap_status st = warn_of_versions(subject, old_count, &notices, err);

	if (st == SNAP_OK)
		st = comparable_warn(&notices, subject, dataset, old_count, are_runs, err);
	report_notices(report, &notices);
	notices_release(&notices);
	return st;
}

static enum snap_status make_report(struct report **out, const struct subject *subject,
				    size_t old_count, const struct compare_command *options,
				    struct snap_error *err)
{
	bool are_runs = false;
	struct dataset *dataset = NULL;
	struct report *report = compare_report_new();
	enum snap_status st = fetch_dataset(&dataset, snapshots_store(subject->snapshots),
					    subject->ids, subject->count, err);

	if (st == SNAP_OK)
		st = print_sql_begin(subject, &options->shared, err);
	if (st == SNAP_OK)
		st = subject_describe(subject, report, err);
	if (st == SNAP_OK)
		st = warn_of_sides(report, subject, dataset, old_count, &are_runs, err);
	if (st == SNAP_OK)
		st = fill_report(report, subject, dataset, old_count, are_runs, options, err);
	if (st == SNAP_OK && options->shared.sql)
		st = print_sql(subject, report, &options->shared, err);
	dataset_free(dataset);
	if (st != SNAP_OK || options->shared.sql) {
		report_free(report);
		report = NULL;
	}
	*out = report;
	return st;
}

/* Refuse options that SQL cannot express. */
static enum snap_status check_sql(const struct compare_command *options, size_t count,
				  struct snap_error *err)
{
	if (!options->shared.sql)
		return SNAP_OK;
	if (count > 2)
		return fail(err, SNAP_EUSAGE,
			    "--sql prints sums and cannot express the medians of several "
			    "snapshots: name one snapshot on each side");
	if (options->normalize)
		return fail(err, SNAP_EUSAGE,
			    "--sql prints sums and cannot express --normalize, which divides them: "
			    "leave one of them out");
	if (options->exit_code)
		return fail(err, SNAP_EUSAGE,
			    "--sql prints statements and gives no verdict: leave --exit-code or "
			    "--sql out");
	return SNAP_OK;
}

static enum snap_status answer(struct report **out, const struct subject *subject, size_t old_count,
			       const struct compare_command *options, struct snap_error *err)
{
	if (options->normalize && subject->count > 2)
		return fail(err, SNAP_EUSAGE,
			    "--normalize compares two runs; name one snapshot on either side");
	return make_report(out, subject, old_count, options, err);
}

enum snap_status compare_make(struct report **out, const struct compare_command *options,
			      const char *const *names, size_t count, struct snap_error *err)
{
	struct subject subject = {0};
	size_t old_count;
	enum snap_status st = count_old(names, count, &old_count, err);

	*out = NULL;
	if (st == SNAP_OK)
		st = check_sql(options, count, err);
	if (st != SNAP_OK)
		return st;
	st = subject_open(&subject, &options->shared, false, err);
	if (st == SNAP_OK)
		st = add_operands(&subject, names, count, err);
	if (st == SNAP_OK)
		st = answer(out, &subject, old_count, options, err);
	subject_close(&subject);
	return st;
}
