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
#include "report/growth_cohorts.h"
#include "report/growth_exits.h"
#include "report/growth_graph.h"
#include "report/growth_held.h"
#include "report/subject.h"
#include "snapshots/without_census.h"

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
	 .choices = snapshots_order_names},
	{.name = "explain",
	 .type = OPTION_TEXT,
	 .offset = FIELD(explain),
	 .value_name = "REGEX",
	 .help = "all that is known of the sites that match: reasons, series, call stack"},
	{.name = "expand",
	 .type = OPTION_FLAG,
	 .offset = FIELD(expand),
	 .help = "a row for each site, also of those that leak together"},
	{.name = "chart",
	 .type = OPTION_FLAG,
	 .offset = FIELD(chart),
	 .help = "tables: draw the process and the first row over time"},
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
	if (options->metric == FIGURE_LIVE_BYTES || options->metric == FIGURE_LIVE_BLOCKS)
		return SNAP_OK;
	return fail(err, SNAP_EUSAGE,
		    "--metric %s only ever grows; growth judges what is live: use live or blocks",
		    figure_names[options->metric]);
}

/* ---- the series, one part of the report each ------------------------------------------------- */

struct parts {
	struct growth_part *items;
	size_t count;
	struct notices said; /* warnings about the snapshots */
	struct growth_left_out left_out;
	size_t idle;
};

static void parts_release(struct parts *parts)
{
	for (size_t i = 0; i < parts->count; i++) {
		growth_graph_free(parts->items[i].graph);
		growth_held_free(parts->items[i].held);
		free(parts->items[i].caches);
		growth_table_release(&parts->items[i].table);
		growth_axis_release(&parts->items[i].axis);
	}
	free(parts->items);
	notices_release(&parts->said);
	growth_left_out_release(&parts->left_out);
	*parts = (struct parts){0};
}

/* Open the series that `names` are; subject->ids becomes those of all of them. */
static enum snap_status open_series(struct subject *subject, struct snapshots_series_list *list,
				    const struct report_options *options, const char *const *names,
				    size_t count, bool remembers, struct snap_error *err)
{
	enum snap_status st = subject_guess(options, count ? names[0] : NULL, err);

	if (st != SNAP_OK)
		return st;
	if (subject->snapshots)
		subject_again(subject);
	else
		st = subject_open(subject, options, true, err);
	if (st == SNAP_OK && remembers)
		subject_remember(subject);
	if (st == SNAP_OK)
		st = snapshots_series(subject->snapshots, names, count, list, err);
	if (st == SNAP_OK && list->count == 0)
		st = fail(err, SNAP_ENOTFOUND, "there are no snapshots to judge");
	for (size_t i = 0; st == SNAP_OK && i < list->count; i++)
		for (size_t k = 0; st == SNAP_OK && k < list->series[i].count; k++)
			st = subject_add_id(subject, list->series[i].ids[k], err);
	return st;
}

/* Add the warnings about one part; with its name if there are several parts. */
static enum snap_status pass_on(struct notices *to, const struct notices *said,
				const struct growth_part *part, bool several,
				struct snap_error *err)
{
	char *name = several ? growth_part_name(part) : NULL;

	if (said->incomplete || (several && !name))
		return fail_memory(err, "reading the series");
	for (size_t i = 0; i < said->count; i++) {
		if (several)
			notices_join(to, &said->items[i], name);
		else
			notices_add(to, &said->items[i]);
	}
	free(name);
	return SNAP_OK;
}

/* Runs of a program of which each has a single snapshot, among others that are series. */
static bool is_no_series(const struct growth_axis *axis, bool several)
{
	return several && !axis->by_iteration && axis->run_count == axis->count;
}

/* Add the facts about a part's snapshots. */
static enum snap_status fill_part(struct parts *parts, struct store *store,
				  const struct snapshots_series *series, int64_t at_exit,
				  const struct growth_command *options, struct snap_error *err)
{
	struct growth_part *part = &parts->items[parts->count - 1];
	enum snap_status st =
		growth_table_read(&part->table, store, series->ids, at_exit,
				  GROWTH_SIDES * (uint32_t)(parts->count - 1), &part->axis,
				  &options->shared, options->by_design, err);

	if (st == SNAP_OK)
		st = growth_graph_read(&part->graph, store, series->ids, series->count,
				       &part->table, err);
	if (st == SNAP_OK)
		st = growth_held_read(&part->held, &part->caches, store, series->ids, series->count,
				      &part->table, err);
	parts->idle += part->axis.idle;
	return st;
}

static enum snap_status read_part(struct parts *parts, struct store *store,
				  const struct snapshots_series_list *list, size_t index,
				  const struct growth_command *options, struct snap_error *err)
{
	struct snapshots_series *series = &list->series[index];
	struct growth_part *part = &parts->items[parts->count];
	size_t left_out = parts->left_out.count;
	struct notices said = {0};
	int64_t at_exit = 0;
	enum snap_status st = growth_leave_out_exits(store, series->ids, &series->count, &at_exit,
						     &parts->left_out, &said, err);

	*part = (struct growth_part){.program = series->program,
				     .pid = series->pid,
				     .processes = series->processes,
				     .pool = series->pool};
	if (st == SNAP_OK)
		st = growth_axis_read(&part->axis, store, series->ids, series->count, options->per,
				      &said, err);
	if (st == SNAP_OK && is_no_series(&part->axis, list->count > 1)) {
		growth_axis_release(&part->axis);
		growth_left_out_cut(&parts->left_out, left_out);
		series->count = 0;
	} else {
		parts->count++;
		if (st == SNAP_OK)
			st = fill_part(parts, store, series, at_exit, options, err);
		if (st == SNAP_OK)
			st = pass_on(&parts->said, &said, part, list->count > 1, err);
	}
	notices_release(&said);
	return st;
}

static void keep_notice(void *user, const struct notice *notice)
{
	notices_add(user, notice);
}

/* Read all series; subject->ids becomes those that are judged. */
static enum snap_status read_parts(struct parts *parts, struct subject *subject,
				   struct snapshots_series_list *list,
				   const struct growth_command *options, struct snap_error *err)
{
	size_t alone = list->alone;
	enum snap_status st = SNAP_OK;

	parts->items = calloc(list->count + 1, sizeof(*parts->items));
	if (!parts->items)
		return fail_memory(err, "reading the series");
	for (size_t i = 0; st == SNAP_OK && i < list->count; i++)
		st = read_part(parts, snapshots_store(subject->snapshots), list, i, options, err);
	subject->count = 0;
	for (size_t i = 0, p = 0; st == SNAP_OK && i < list->count; i++) {
		if (list->series[i].count == 0) {
			alone += list->series[i].processes;
			continue;
		}
		parts->items[p++].first_input = subject->count;
		for (size_t k = 0; st == SNAP_OK && k < list->series[i].count; k++)
			st = subject_add_id(subject, list->series[i].ids[k], err);
	}
	if (alone)
		notices_add(&parts->said,
			    &(struct notice){.kind = NOTICE_NO_SERIES, .figures = {alone}});
	without_census_tell(&list->without_census, NULL, keep_notice, &parts->said);
	if (st == SNAP_OK && parts->count == 0)
		st = fail(err, SNAP_ENOSERIES,
			  "no process has a second snapshot: there is no series");
	return st;
}

static enum snap_status read_control(struct growth_control **control,
				     const struct growth_command *options, size_t warmup,
				     struct snap_error *err)
{
	struct snapshots_series_list list = {0};
	struct subject subject = {0};
	struct parts parts = {0};
	enum snap_status st = open_series(&subject, &list, &options->shared, options->control.items,
					  options->control.count, false, err);

	if (st == SNAP_OK)
		st = read_parts(&parts, &subject, &list, options, err);
	if (st == SNAP_OK)
		st = growth_control_new(control, parts.items, parts.count, warmup, err);
	parts_release(&parts);
	snapshots_series_free(&list);
	subject_close(&subject);
	return st;
}

/* ---- the report ------------------------------------------------------------------------------ */

static void take_over(struct report *report, const struct parts *parts)
{
	struct value left_out = value_list(report, parts->left_out.count);

	for (size_t i = 0; i < parts->left_out.count; i++)
		left_out.list.items[i] = value_text(report, parts->left_out.paths[i]);
	value_field(report, &report->head, "left_out", left_out);
	value_field(report, &report->head, "idle_intervals", value_u64(parts->idle));
	report_notices(report, &parts->said);
}

/* Where objects are asked for: what has no census. */
static void describe_without_census(struct report *report,
				    const struct snapshots_without_census *without)
{
	struct value object = value_object();

	value_field(report, &object, "processes", value_u64(without->processes));
	value_field(report, &object, "snapshots", value_u64(without->snapshots));
	value_field(report, &report->head, "without_census", object);
}

static bool any_sampled(const struct parts *parts)
{
	for (size_t i = 0; i < parts->count; i++)
		if (parts->items[i].axis.sampled)
			return true;
	return false;
}

/* Refuse options that SQL cannot express. */
static enum snap_status check_sql(const struct snapshots_series_list *list,
				  const struct growth_command *options, struct snap_error *err)
{
	if (!options->shared.sql)
		return SNAP_OK;
	if (list->count > 1)
		return fail(err, SNAP_EUSAGE,
			    "--sql works for one process, and %zu processes have a series here: "
			    "choose one with --pid or --program",
			    list->count);
	if (options->exit_code)
		return fail(err, SNAP_EUSAGE,
			    "--sql prints statements and gives no verdict: leave --exit-code or "
			    "--sql out");
	return SNAP_OK;
}

/* The axes have to be read before the report is known to be sampled. */
static enum snap_status make_report(struct report **out, struct subject *subject,
				    struct snapshots_series_list *list,
				    const struct growth_command *options,
				    const struct growth_request *request, struct snap_error *err)
{
	struct parts parts = {0};
	struct report *report = NULL;
	enum snap_status st = print_sql_begin(subject, &options->shared, err);

	if (st == SNAP_OK)
		st = read_parts(&parts, subject, list, options, err);
	if (st == SNAP_OK) {
		report = growth_report_new(any_sampled(&parts));
		st = subject_describe(subject, report, err);
	}
	if (st == SNAP_OK) {
		take_over(report, &parts);
		if (options->shared.group == GROUP_TYPE)
			describe_without_census(report, &list->without_census);
		st = growth_fill(report, parts.items, parts.count, request, err);
	}
	if (st == SNAP_OK && options->with_cohorts)
		st = growth_cohorts_add(report, parts.items, parts.count,
					snapshots_store(subject->snapshots), subject->ids, err);
	if (st == SNAP_OK && options->shared.sql)
		st = print_sql(subject, report, &options->shared, err);
	parts_release(&parts);
	if (st != SNAP_OK || options->shared.sql) {
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
					 .limit_bytes = options->limit_bytes,
					 .explain = options->explain,
					 .fold = options->fold};
	struct growth_control *control = NULL;
	struct snapshots_series_list list = {0};
	struct subject own = {0}, *subject = options->kept ? options->kept : &own;
	enum snap_status st = parse_warmup(options->warmup, &request.warmup, err);

	*out = NULL;
	if (st == SNAP_OK)
		st = check_metric(&options->shared, err);
	if (st == SNAP_OK)
		st = open_series(subject, &list, &options->shared, names, count,
				 options->kept != NULL, err);
	if (st == SNAP_OK && options->control.count)
		st = read_control(&control, options, request.warmup, err);
	request.control = control;
	if (st == SNAP_OK)
		st = check_sql(&list, options, err);
	if (st == SNAP_OK)
		st = make_report(out, subject, &list, options, &request, err);
	growth_control_free(control);
	snapshots_series_free(&list);
	subject_close(&own);
	return st;
}

/* Machine formats show every row of a finding. */
static bool is_for_people(int format)
{
	return strcmp(gate_formats[format], "table") == 0 ||
	       strcmp(gate_formats[format], "markdown") == 0;
}

struct growth_command growth_as_printed(const struct growth_command *options)
{
	struct growth_command command = *options;

	command.fold = !options->expand && is_for_people(options->shared.format);
	command.by_design = options->shared.all;
	return command;
}

enum snap_status growth_print(const struct growth_command *options, const char *const *names,
			      size_t count, bool *finding, struct snap_error *err)
{
	const struct growth_command command = growth_as_printed(options);
	struct report *report;
	enum snap_status st = growth_make(&report, &command, names, count, err);

	*finding = report && report->finding;
	if (report)
		report->charts = options->chart;
	if (report)
		st = output_report(report, &options->shared, err);
	report_free(report);
	return st;
}
