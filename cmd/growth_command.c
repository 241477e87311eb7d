/*
 * growth_command.c - from the options of `growth` to a printed report.
 */
#include "growth_command.h"

#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "print_sql.h"
#include "render/output.h"
#include "report/growth.h"
#include "report/growth_exits.h"
#include "report/subject.h"

#define FIELD(member) offsetof(struct growth_command, member)

const struct option growth_option_table[] = {
	{.name = "warmup",
	 .type = OPTION_TEXT,
	 .offset = FIELD(warmup),
	 .value_name = "K",
	 .help = "set aside the first K snapshots; auto (default): the first quarter"},
	{.name = "per",
	 .type = OPTION_TEXT,
	 .offset = FIELD(per),
	 .value_name = "UNIT",
	 .help = "growth per snapshot (default), second, or a label that counts"},
	{.name = "control",
	 .type = OPTION_LIST,
	 .offset = FIELD(control),
	 .value_name = "SNAP",
	 .help = "subtract the growth of this known-good run; may be repeated"},
	{.name = "limit",
	 .type = OPTION_SIZE,
	 .offset = FIELD(limit_bytes),
	 .value_name = "SIZE",
	 .help = "say when memory will reach SIZE (default: the control group's limit)"},
	{.name = "order",
	 .type = OPTION_CHOICE,
	 .offset = FIELD(shared.order),
	 .value_name = "BY",
	 .help = "files without a place in their series: by time (default), name or as given",
	 .choices = session_order_names},
	{.name = "exit-code",
	 .type = OPTION_FLAG,
	 .offset = FIELD(exit_code),
	 .help = "exit with 1 when any row leaks, with medium or high confidence"},
	{.name = NULL},
};

static enum snap_status parse_warmup(const char *text, size_t *warmup, struct snap_error *err)
{
	char *end;

	*warmup = GROWTH_WARMUP_AUTO;
	if (!text || strcmp(text, "auto") == 0)
		return SNAP_OK;
	*warmup = (size_t)strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end != '\0' || *warmup > 1000000)
		return fail(err, SNAP_EUSAGE,
			    "--warmup takes auto or a number of snapshots, not '%s'", text);
	return SNAP_OK;
}

static enum snap_status check_metric(const struct report_options *options, struct snap_error *err)
{
	if (options->metric == METRIC_LIVE || options->metric == METRIC_BLOCKS)
		return SNAP_OK;
	return fail(err, SNAP_EUSAGE,
		    "--metric %s only ever grows; growth judges what is live: use live or blocks",
		    report_metrics[options->metric]);
}

/* Open the series that `names` are. */
static enum snap_status open_series(struct subject *subject, const struct report_options *options,
				    const char *const *names, size_t count, struct snap_error *err)
{
	enum snap_status st = subject_open(subject, options, true, err);

	if (st == SNAP_OK)
		st = session_series(subject->session, names, count, &subject->ids, &subject->count,
				    err);
	subject->capacity = subject->count;
	if (st == SNAP_OK && subject->count == 0)
		st = fail(err, SNAP_ENOTFOUND, "there are no snapshots to judge");
	return st;
}

static enum snap_status read_control(struct growth_control **control,
				     const struct growth_command *options, size_t warmup,
				     struct snap_error *err)
{
	struct report *scratch =
		growth_report_new(false); /* takes the control run's own warnings */
	struct subject subject = {0};
	struct growth_axis axis = {0};
	struct growth_table table = {0};
	int64_t at_exit;
	enum snap_status st = open_series(&subject, &options->shared, options->control.items,
					  options->control.count, err);

	if (st == SNAP_OK)
		st = growth_leave_out_exits(scratch, session_store(subject.session), subject.ids,
					    &subject.count, &at_exit, err);
	if (st == SNAP_OK)
		st = growth_axis_read(&axis, session_store(subject.session), subject.ids,
				      subject.count, options->per, scratch, err);
	if (st == SNAP_OK)
		st = growth_table_read(&table, session_store(subject.session), subject.ids, 0,
				       &axis, &options->shared, err);
	if (st == SNAP_OK)
		st = growth_control_new(control, &table, warmup, err);
	growth_table_release(&table);
	growth_axis_release(&axis);
	subject_close(&subject);
	report_free(scratch);
	return st;
}

/* The axis has to be read before the report is known to be sampled; what is odd about the series
 * waits in `early` until then.
 */
static void take_over(struct report *report, struct report *early)
{
	value_field(report, &report->head, "left_out", *value_get(&early->head, "left_out"));
	value_field(report, &report->head, "idle_intervals",
		    *value_get(&early->head, "idle_intervals"));
	for (size_t i = 0; i < early->note_count; i++)
		report_note(report, "%s", early->notes[i]);
	for (size_t i = 0; i < early->warning_count; i++)
		report_warn(report, "%s", early->warnings[i]);
	report_adopt(report, early);
}

static enum snap_status make_report(struct report **out, struct subject *subject,
				    const struct growth_command *options,
				    const struct growth_request *request, struct snap_error *err)
{
	struct store *store = session_store(subject->session);
	struct report *early = growth_report_new(false), *report = NULL;
	struct growth_axis axis = {0};
	struct growth_table table = {0};
	int64_t at_exit = 0;
	enum snap_status st =
		growth_leave_out_exits(early, store, subject->ids, &subject->count, &at_exit, err);

	if (st == SNAP_OK)
		st = growth_axis_read(&axis, store, subject->ids, subject->count, options->per,
				      early, err);
	if (st == SNAP_OK)
		st = growth_table_read(&table, store, subject->ids, at_exit, &axis,
				       &options->shared, err);
	if (st == SNAP_OK) {
		report = growth_report_new(axis.sampled);
		st = subject_describe(subject, report, err);
	}
	if (st == SNAP_OK) {
		take_over(report, early);
		early = NULL;
		st = growth_fill(report, &table, request, err);
	}
	growth_table_release(&table);
	growth_axis_release(&axis);
	report_free(early);
	if (st != SNAP_OK) {
		report_free(report);
		report = NULL;
	}
	*out = report;
	return st;
}

enum snap_status growth_make(struct report **out, const struct growth_command *options,
			     const char *const *names, size_t count, struct snap_error *err)
{
	struct growth_request request = {.shared = &options->shared,
					 .limit_bytes = options->limit_bytes};
	struct growth_control *control = NULL;
	struct subject subject = {0};
	enum snap_status st = parse_warmup(options->warmup, &request.warmup, err);

	*out = NULL;
	if (st == SNAP_OK)
		st = check_metric(&options->shared, err);
	if (st == SNAP_OK)
		st = open_series(&subject, &options->shared, names, count, err);
	if (st == SNAP_OK && options->control.count)
		st = read_control(&control, options, request.warmup, err);
	request.control = control;
	if (st == SNAP_OK)
		st = options->shared.sql ? print_sql(&subject, "growth", &options->shared, err)
					 : make_report(out, &subject, options, &request, err);
	growth_control_free(control);
	subject_close(&subject);
	return st;
}

enum snap_status growth_print(const struct growth_command *options, const char *const *names,
			      size_t count, bool *finding, struct snap_error *err)
{
	struct report *report;
	enum snap_status st = growth_make(&report, options, names, count, err);

	*finding = report && report->finding;
	if (report)
		st = output_report(report, &options->shared, err);
	report_free(report);
	return st;
}
