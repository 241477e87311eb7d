/*
 * growth_process.c - the whole process over the series: recorded memory, resident memory, the
 * unexplained rest, and when a limit will be reached.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "report/growth.h"
#include "analysis/growth/growth.h"
#include "report/sites.h"

static const char *const metric_names[GROWTH_METRICS] = {
	[GROWTH_RECORDED] = "recorded",     [GROWTH_RSS] = "rss",
	[GROWTH_SLACK] = "allocator_slack", [GROWTH_UNSEEN] = "unseen",
	[GROWTH_CGROUP] = "cgroup",         [GROWTH_RECORDER] = "recorder",
	[GROWTH_FILES] = "files",           [GROWTH_MODULES] = "modules",
	[GROWTH_STACKS] = "stacks",
};

static bool is_known(const struct growth_axis *axis, enum growth_metric metric)
{
	for (size_t i = 0; i < axis->count; i++)
		if (isnan(axis->metrics[metric][i]))
			return false;
	return axis->count > 0;
}

static double first_of(const struct growth_axis *axis, enum growth_metric metric)
{
	return axis->metrics[metric][0];
}

static double last_of(const struct growth_axis *axis, enum growth_metric metric)
{
	return axis->metrics[metric][axis->count - 1];
}

static const char *size_text(struct report *report, double bytes)
{
	char buffer[32];

	return report_text(report, "%s",
			   sites_bytes(bytes < 0 ? 0 : (uint64_t)whole_number(bytes), buffer));
}

/* ---- what there is --------------------------------------------------------------------------- */

static struct value metric_list(struct report *report, const struct growth_axis *axis, int metric)
{
	struct value list = value_list(report, axis->count);

	for (size_t i = 0; i < axis->count; i++)
		if (!isnan(axis->metrics[metric][i]))
			list.list.items[i] = value_whole(axis->metrics[metric][i]);
	return list;
}

static struct value metrics_of(struct report *report, const struct growth_axis *axis)
{
	struct value process = value_object();

	for (int m = 0; m < GROWTH_METRICS; m++)
		value_field(report, &process, metric_names[m], metric_list(report, axis, m));
	return process;
}

static const double named_least = 256 << 10, named_share = 0.2;

/* The parts that the title and the charts name, in this order. */
static const struct {
	enum growth_metric metric;
	const char *words;
} named_parts[] = {
	{GROWTH_RECORDED, "recorded"},
	{GROWTH_RSS, "resident"},
	{GROWTH_SLACK, "allocator slack"},
	{GROWTH_UNSEEN, "seen by no hook"},
	{GROWTH_RECORDER, "the recorder's own"},
	{GROWTH_FILES, "files"},
	{GROWTH_STACKS, "stacks"},
};

static double moved(const struct growth_axis *axis, enum growth_metric metric)
{
	return fabs(last_of(axis, metric) - first_of(axis, metric));
}

/* Recorded and resident memory always.  Another part only if it explains a good deal of how
 * resident memory moved: a figure that does not change is not interesting. */
static bool is_worth_naming(const struct growth_axis *axis, enum growth_metric metric)
{
	double all = is_known(axis, GROWTH_RSS) ? moved(axis, GROWTH_RSS) : 0;

	if (metric == GROWTH_RECORDED || metric == GROWTH_RSS)
		return true;
	return moved(axis, metric) >= fmax(named_least, named_share * all);
}

static void add_title(struct report *report, const struct growth_axis *axis, const char *name)
{
	const char *title =
		report_text(report, "%zu snapshot%s%s%s", axis->count, axis->count == 1 ? "" : "s",
			    name ? " of " : "", name ? name : "");

	for (size_t i = 0; i < sizeof(named_parts) / sizeof(*named_parts); i++) {
		enum growth_metric m = named_parts[i].metric;

		if (!is_known(axis, m))
			continue;
		report_curve(report, named_parts[i].words, metric_list(report, axis, (int)m));
		if (is_worth_naming(axis, m))
			title = report_text(report, "%s%s %s %s -> %s", title, i == 0 ? ":" : ",",
					    named_parts[i].words,
					    size_text(report, first_of(axis, m)),
					    size_text(report, last_of(axis, m)));
	}
	if (strcmp(axis->per, "snapshot") != 0)
		title = report_text(report, "%s; growth is per %s", title, axis->per);
	report->title = title;
}

/* ---- several processes ----------------------------------------------------------------------- */

char *growth_part_name(const struct growth_part *part)
{
	const char *program = part->program && *part->program ? part->program : "?";
	char *name = NULL;
	int size;

	if (part->processes > 1)
		size = asprintf(&name, "%s (%zu runs)", program, part->processes);
	else if (part->pid)
		size = asprintf(&name, "%s (pid %" PRIu64 ")", program, part->pid);
	else
		size = asprintf(&name, "%s", program);
	return size < 0 ? NULL : name;
}

const char *growth_part_text(struct report *report, const struct growth_part *part)
{
	char *name = memory_need(growth_part_name(part), "building a report");
	const char *text = report_text(report, "%s", name);

	free(name);
	return text;
}

static struct value describe_part(struct report *report, const struct growth_part *part)
{
	const struct growth_axis *axis = &part->axis;
	struct value object = value_object();

	value_field(report, &object, "program", value_text(report, part->program));
	value_field(report, &object, "pid", part->pid ? value_u64(part->pid) : value_null());
	value_field(report, &object, "processes", value_u64(part->processes));
	value_field(report, &object, "snapshots", value_u64(axis->count));
	value_field(report, &object, "idle_intervals", value_u64(axis->idle));
	value_field(report, &object, "first_bytes", value_whole(part->table.first_total));
	value_field(report, &object, "last_bytes", value_whole(part->table.last_total));
	return object;
}

static size_t most_memory(const struct growth_part *parts, size_t count)
{
	size_t most = 0;

	for (size_t p = 1; p < count; p++)
		if (parts[p].table.last_total > parts[most].table.last_total)
			most = p;
	return most;
}

static void add_parts(struct report *report, const struct growth_part *parts, size_t count)
{
	struct value list = value_list(report, count);
	double first = 0, last = 0;

	for (size_t p = 0; p < count; p++) {
		list.list.items[p] = describe_part(report, &parts[p]);
		first += parts[p].table.first_total;
		last += parts[p].table.last_total;
	}
	value_field(report, &report->head, "processes", list);
	if (count > 1)
		report_note(report, "%zu processes are judged: together %s -> %s recorded.", count,
			    size_text(report, first), size_text(report, last));
}

/* ---- resident memory that grows although recorded memory does not ---------------------------- */

static const double least_worth_telling = 1 << 20, least_share = 0.1;
static const double python_least = 24 << 20; /* an interpreter alone has half as much */

static size_t last_run(const struct growth_axis *axis)
{
	size_t from = axis->count - 1;

	while (from > 0 && axis->run[from - 1] == axis->run[from])
		from--;
	return from;
}

/* The first snapshot after the warm-up of the last run. */
static size_t first_after_warmup(const struct growth_axis *axis, size_t warmup)
{
	size_t from = last_run(axis), count = axis->count - from;
	size_t aside = warmup != GROWTH_WARMUP_AUTO ? warmup : count / 4 > 1 ? count / 4 : 1;

	return from + (aside + 3 > count ? 0 : aside);
}

static bool rises_steadily(const struct growth_axis *axis, const double *values, size_t from)
{
	const struct growth_series series = {
		.count = axis->count - from, .x = axis->x + from, .bytes = values + from};
	const struct growth_options options = {0};
	struct growth_judgement judgement;

	growth_judge(&series, &options, &judgement);
	return judgement.verdict == GROWTH_LEAK && judgement.bytes_slope.low > 0;
}

/* Resident memory that is neither the recorder's nor recorded.  If more is recorded than is
 * resident, new resident memory is recorded memory that is being touched, so it is not unknown. */
static double *unrecorded(struct report *report, const struct growth_axis *axis)
{
	double *values = report_alloc(report, (axis->count + 1) * sizeof(*values));

	for (size_t i = 0; i < axis->count; i++) {
		double recorder = axis->metrics[GROWTH_RECORDER][i];

		values[i] = axis->metrics[GROWTH_RSS][i] - axis->metrics[GROWTH_RECORDED][i] -
			    (isnan(recorder) ? 0 : recorder);
		values[i] = values[i] < 0 ? 0 : values[i];
	}
	return values;
}

static const char *range_text(struct report *report, const struct growth_axis *axis,
			      enum growth_metric metric, size_t from)
{
	if (!is_known(axis, metric))
		return "unknown";
	return report_text(report, "%s -> %s", size_text(report, axis->metrics[metric][from]),
			   size_text(report, last_of(axis, metric)));
}

/* "did not (2 MiB -> 2 MiB)", "by 1 MiB only (2 MiB -> 3 MiB)" */
static const char *recorded_growth(struct report *report, const struct growth_axis *axis,
				   double resident, size_t from)
{
	double recorded = last_of(axis, GROWTH_RECORDED) - axis->metrics[GROWTH_RECORDED][from];
	const char *range = range_text(report, axis, GROWTH_RECORDED, from);

	if (recorded < resident / 20)
		return report_text(report, "recorded memory did not (%s)", range);
	return report_text(report, "recorded memory by %s only (%s)", size_text(report, recorded),
			   range);
}

/* Resident memory that no allocator has. */
static const char *other_parts(struct report *report, const struct growth_axis *axis, size_t from)
{
	if (!is_known(axis, GROWTH_FILES) || !is_known(axis, GROWTH_STACKS))
		return "";
	return report_text(report, "Files are %s of it, and stacks %s. ",
			   range_text(report, axis, GROWTH_FILES, from),
			   range_text(report, axis, GROWTH_STACKS, from));
}

/* What is said of growth that no hook saw. */
struct unrecorded_growth {
	size_t from;          /* the first snapshot after the warm-up */
	double bytes;         /* that no hook saw */
	double resident;      /* by how much resident memory grew in all */
	bool is_mostly_files; /* pages of mapped files are most of it */
};

static double growth_of(const struct growth_axis *axis, enum growth_metric metric, size_t from)
{
	return is_known(axis, metric) ? last_of(axis, metric) - axis->metrics[metric][from] : 0;
}

/* Reported only for a real difference: after the warm-up, steady, and large compared with
 * resident memory.  Else 0 bytes. */
static struct unrecorded_growth
find_unrecorded_growth(struct report *report, const struct growth_axis *axis, size_t warmup)
{
	struct unrecorded_growth is = {.from = axis->count ? first_after_warmup(axis, warmup) : 0};
	const double *values;
	double unexplained;

	if (!is_known(axis, GROWTH_RSS) || !is_known(axis, GROWTH_RECORDED))
		return is;
	values = unrecorded(report, axis);
	is.resident = growth_of(axis, GROWTH_RSS, is.from);
	unexplained = values[axis->count - 1] - values[is.from];
	if (unexplained < least_worth_telling ||
	    unexplained < least_share * last_of(axis, GROWTH_RSS) ||
	    unexplained < is.resident / 2 || !rises_steadily(axis, values, is.from))
		return is;
	is.bytes = unexplained;
	is.is_mostly_files = 2 * growth_of(axis, GROWTH_FILES, is.from) > unexplained;
	return is;
}

double growth_unrecorded(struct report *report, const struct growth_part *parts, size_t count,
			 size_t warmup)
{
	double most = 0;

	for (size_t p = 0; p < count; p++) {
		double bytes = find_unrecorded_growth(report, &parts[p].axis, warmup).bytes;

		most = bytes > most ? bytes : most;
	}
	return most;
}

static const char *likely_causes(struct report *report, const struct growth_axis *axis,
				 const struct unrecorded_growth *grown)
{
	if (grown->is_mostly_files)
		return "Most of it is pages of files: mappings that are never unmapped, or "
		       "files that the program reads through them";
	return report_text(report,
			   "Likely causes: fragmentation (free inside the allocator: %s), an "
			   "allocator of the program's own, or mmap (seen by no hook: %s)",
			   range_text(report, axis, GROWTH_SLACK, grown->from),
			   range_text(report, axis, GROWTH_UNSEEN, grown->from));
}

static bool note_unrecorded_growth(struct report *report, const struct growth_axis *axis,
				   const char *name, size_t warmup)
{
	const struct unrecorded_growth grown = find_unrecorded_growth(report, axis, warmup);

	if (grown.bytes <= 0)
		return false;
	report_fact(report,
		    "%s%sesident memory grew by %s after the warm-up (%s), %s. %s. %sThe "
		    "recorder's own memory (%s) is no part of this.",
		    name ? name : "", name ? ": r" : "R", size_text(report, grown.resident),
		    range_text(report, axis, GROWTH_RSS, grown.from),
		    recorded_growth(report, axis, grown.resident, grown.from),
		    likely_causes(report, axis, &grown), other_parts(report, axis, grown.from),
		    range_text(report, axis, GROWTH_RECORDER, grown.from));
	return true;
}

/* Say which program's lines the rows are, and what is missing. */
static void note_recorded_python(struct report *report, const struct growth_python *python,
				 const char *name)
{
	const char *who = report_text(report, "%s%sPython %s", name ? name : "", name ? ": " : "",
				      python->version);

	if (!python->recorded[0]) {
		report_note(report,
			    "%s: what its own allocators (pymalloc) hand out is recorded by lines "
			    "of Python; top -g domain has the sum.",
			    who);
		return;
	}
	report_note(report, "%s: recorded is %s%s%s%s.", who, python->recorded,
		    python->before_start[0] ? " (" : "", python->before_start,
		    python->before_start[0] ? ")" : "");
}

bool growth_python_is_unseen(const struct growth_axis *axis)
{
	return axis->python.problem[0] &&
	       (!is_known(axis, GROWTH_RSS) || !is_known(axis, GROWTH_RECORDED) ||
		3 * last_of(axis, GROWTH_RECORDED) <= last_of(axis, GROWTH_RSS));
}

/* The advice depends on the build: without a GIL, Python has only one allocator. */
static const char *how_to_see(const struct growth_axis *axis)
{
	return strstr(axis->python.problem, "free-threaded")
		       ? ""
		       : "with PYTHONMALLOC=malloc in its environment to record them, ";
}

/* Python keeps small objects in arenas of its own, which no hook on malloc sees. */
static void note_python(struct report *report, const struct growth_axis *axis, const char *name,
			bool grew_unseen)
{
	double resident, recorded;

	if (axis->python.version[0] && !axis->python.problem[0]) {
		note_recorded_python(report, &axis->python, name);
		return;
	}
	if (!axis->is_python || !is_known(axis, GROWTH_RSS) || !is_known(axis, GROWTH_RECORDED))
		return;
	resident = last_of(axis, GROWTH_RSS);
	recorded = last_of(axis, GROWTH_RECORDED);
	if (!grew_unseen && !growth_python_is_unseen(axis) &&
	    (resident < python_least || 3 * recorded > resident))
		return;
	report_note(
		report,
		"%s%sython keeps small objects in arenas of its own, which are not recorded "
		"(%s of %s resident are): run it %swith --mmap to see the arenas, or use dumps of "
		"tracemalloc.",
		name ? name : "", name ? ": P" : "P", size_text(report, recorded),
		size_text(report, resident), how_to_see(axis));
	if (axis->python.problem[0])
		report_note(report, "Lines of Python %s are not recorded: %s.",
			    axis->python.version, axis->python.problem);
}

/* ---- when is the limit reached? -------------------------------------------------------------- */

/* "45 s", "3 h 20 min", "2 d 5 h" */
static const char *duration_text(struct report *report, double seconds)
{
	double minutes = floor(seconds / 60), hours = floor(minutes / 60), days = floor(hours / 24);

	if (seconds < 120)
		return report_text(report, "%.0f s", seconds);
	if (hours < 1)
		return report_text(report, "%.0f min", minutes);
	if (days < 2)
		return report_text(report, "%.0f h %.0f min", hours, fmod(minutes, 60));
	if (days < 3650)
		return report_text(report, "%.0f d %.0f h", days, fmod(hours, 24));
	return "more than ten years";
}

/* The figure that is compared with the limit: the control group's own, resident memory, or
 * recorded memory. */
static enum growth_metric limited_metric(const struct growth_axis *axis, bool of_cgroup)
{
	if (of_cgroup && is_known(axis, GROWTH_CGROUP))
		return GROWTH_CGROUP;
	return is_known(axis, GROWTH_RSS) ? GROWTH_RSS : GROWTH_RECORDED;
}

static void note_limit(struct report *report, double limit, double left, const char *what,
		       const struct stats_slope *rate)
{
	const char *size = size_text(report, limit);

	if (left <= 0)
		report_note(report, "The limit of %s is reached already (%s memory).", size, what);
	else if (rate->value <= 0)
		report_note(report, "%s memory does not grow towards the limit of %s.", what, size);
	else if (rate->low <= 0)
		report_note(report,
			    "%s memory reaches %s in about %s at this rate, at the earliest in %s; "
			    "it may never",
			    what, size, duration_text(report, left / rate->value),
			    duration_text(report, left / rate->high));
	else
		report_note(report, "%s memory reaches %s in about %s at this rate, %s to %s.",
			    what, size, duration_text(report, left / rate->value),
			    duration_text(report, left / rate->high),
			    duration_text(report, left / rate->low));
}

static struct value seconds_value(double left, double rate)
{
	return rate > 0 ? value_real(left > 0 ? left / rate : 0) : value_null();
}

static void add_limit(struct report *report, const struct growth_axis *axis, uint64_t limit_bytes)
{
	static const char *const words[] = {"Recorded", "Resident", "", "", "The control group's"};
	double limit = limit_bytes ? (double)limit_bytes : axis->cgroup_limit, left;
	enum growth_metric metric = limited_metric(axis, limit_bytes == 0);
	size_t from = last_run(axis), count = axis->count - from;
	struct value object = value_object();
	struct stats_slope rate;

	if (isnan(limit) || count < 3 || !is_known(axis, metric) ||
	    !stats_theil_sen(axis->seconds + from, axis->metrics[metric] + from, count, &rate)) {
		value_field(report, &report->head, "limit", value_null());
		return;
	}
	left = limit - last_of(axis, metric);
	value_field(report, &object, "bytes", value_whole(limit));
	value_field(report, &object, "metric", value_text(report, metric_names[metric]));
	value_field(report, &object, "seconds", seconds_value(left, rate.value));
	value_field(report, &object, "low", seconds_value(left, rate.high));
	value_field(report, &object, "high", seconds_value(left, rate.low));
	value_field(report, &report->head, "limit", object);
	if (limit_bytes || rate.low > 0)
		note_limit(report, limit, left, words[metric], &rate);
}

void growth_describe_processes(struct report *report, const struct growth_part *parts, size_t count,
			       size_t warmup, uint64_t limit_bytes)
{
	const struct growth_part *main = &parts[most_memory(parts, count)];

	add_title(report, &main->axis, count > 1 ? growth_part_text(report, main) : NULL);
	value_field(report, &report->head, "process", metrics_of(report, &main->axis));
	add_parts(report, parts, count);
	add_limit(report, &main->axis, limit_bytes);
	for (size_t p = 0; p < count; p++) {
		const char *name = count > 1 ? growth_part_text(report, &parts[p]) : NULL;
		bool grew = note_unrecorded_growth(report, &parts[p].axis, name, warmup);

		note_python(report, &parts[p].axis, name, grew);
	}
}
