/*
 * leaks_command.c - from the options of `leaks` to its report.
 */
#include "leaks_command.h"

#include "base/fail.h"
#include "dataset/fetch.h"
#include "print_sql.h"
#include "render/output.h"
#include "report/leaks.h"
#include "report/subject.h"
#include "suppression_file.h"

/* What a report is made of. */
struct leaks_answer {
	const struct leaks_command *options;
	struct subject subject;
	struct dataset *dataset;
	struct graph graphs[2];
	struct suppressions suppressions;
	struct report *report;
};

static enum snap_status check_options(const struct leaks_command *options, struct snap_error *err)
{
	if (options->shared.sql && options->exit_code)
		return fail(err, SNAP_EUSAGE,
			    "--sql prints statements and gives no verdict: leave --exit-code or "
			    "--sql out");
	if (options->shared.metric != FIGURE_LIVE_BYTES)
		return fail(err, SNAP_EUSAGE, "leaks shows live memory only: leave --metric out");
	return SNAP_OK;
}

static enum snap_status fetch_graphs(struct leaks_answer *answer, struct snap_error *err)
{
	struct store *store = snapshots_store(answer->subject.snapshots);
	enum snap_status st = SNAP_OK;

	for (size_t i = 0; st == SNAP_OK && i < answer->subject.count; i++) {
		int64_t id = answer->subject.ids[i];

		st = graph_fetch(&answer->graphs[i], store, answer->dataset, id, true, err);
		if (st == SNAP_OK)
			st = leaks_need_graph(answer->report, i, &answer->graphs[i], true, store,
					      id, err);
		if (st == SNAP_OK)
			st = leaks_warn(answer->report, i, store, id, err);
	}
	return st;
}

static enum snap_status make_report(struct leaks_answer *answer, struct snap_error *err)
{
	const struct leaks_command *options = answer->options;
	struct subject *subject = &answer->subject;
	struct leaks_request request = {
		.graph = &answer->graphs[0],
		.confirm = options->confirm != NULL,
		.options = &options->shared,
		.suppressions = options->suppressions.count ? &answer->suppressions : NULL,
		.today = suppression_today(),
	};
	enum snap_status st = SNAP_OK;

	st = print_sql_begin(subject, &options->shared, err);
	if (st == SNAP_OK && request.suppressions)
		st = suppression_files_read(&answer->suppressions, options->suppressions.items,
					    options->suppressions.count, err);
	if (st == SNAP_OK)
		st = fetch_sites(&answer->dataset, snapshots_store(subject->snapshots),
				 subject->ids, subject->count, err);
	if (st != SNAP_OK)
		return st;
	request.dataset = answer->dataset;
	answer->report = leaks_report_new();
	st = subject_describe(subject, answer->report, err);
	if (st == SNAP_OK)
		st = fetch_graphs(answer, err);
	if (st == SNAP_OK)
		st = leaks_fill(answer->report, &request, err);
	if (st == SNAP_OK && options->shared.sql)
		st = print_sql(subject, answer->report, &options->shared, err);
	return st;
}

static void release(struct leaks_answer *answer)
{
	report_free(answer->report);
	graph_release(&answer->graphs[0]);
	graph_release(&answer->graphs[1]);
	dataset_free(answer->dataset);
	suppressions_release(&answer->suppressions);
	subject_close(&answer->subject);
}

enum snap_status leaks_make(struct report **out, const struct leaks_command *options,
			    const char *name, struct snap_error *err)
{
	struct leaks_answer answer = {.options = options};
	enum snap_status st = check_options(options, err);

	*out = NULL;
	if (st == SNAP_OK)
		st = subject_open(&answer.subject, &options->shared, false, err);
	if (st == SNAP_OK)
		st = subject_add(&answer.subject, name, err);
	if (st == SNAP_OK && options->confirm)
		st = subject_add(&answer.subject, options->confirm, err);
	if (st == SNAP_OK)
		st = make_report(&answer, err);
	if (st == SNAP_OK && !options->shared.sql) {
		*out = answer.report;
		answer.report = NULL;
	} else if (st != SNAP_OK && answer.report) {
		output_warnings(answer.report, &options->shared); /* its warnings may say why */
	}
	release(&answer);
	return st;
}
