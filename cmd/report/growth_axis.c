/*
 * growth_axis.c - a series of snapshots as an axis.
 */
#include "report/growth_axis.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/growth/growth.h"
#include "analysis/growth/growth_idle.h"
#include "base/fail.h"
#include "dataset/facts.h"

struct reading {
	struct growth_axis *axis;
	const int64_t *ids;
	int64_t *runs; /* of the store */
	uint64_t *times_ns;
	size_t exits;      /* snapshots taken at a program's exit */
	size_t at;         /* snapshot whose labels or metrics are read */
	const char *label; /* wanted */
	double *label_values;
};

static bool is_python(const char *program)
{
	return strncmp(program, "python", 6) == 0 || strncmp(program, "uwsgi", 5) == 0 ||
	       strncmp(program, "gunicorn", 8) == 0;
}

static enum snap_status take_snapshot(void *user, const struct store_snapshot *row)
{
	struct reading *reading = user;
	struct growth_axis *axis = reading->axis;

	for (size_t i = 0; i < axis->count; i++) {
		if (reading->ids[i] != row->id)
			continue;
		axis->seq[i] = row->seq;
		axis->sampled |= row->sample_period > 0;
		axis->is_python |= is_python(row->program);
		reading->exits += row->trigger && strcmp(row->trigger, "exit") == 0;
		reading->runs[i] = row->run_id;
		reading->times_ns[i] = row->time_ns;
		if (row->live_bytes != SNAP_UNKNOWN)
			axis->metrics[GROWTH_RECORDED][i] = (double)row->live_bytes;
		axis->work[i] = row->allocated_blocks == SNAP_UNKNOWN
					? (double)NAN
					: (double)row->allocated_blocks;
	}
	return SNAP_OK;
}

static bool parse_number(const char *text, double *value)
{
	char *end;

	*value = strtod(text, &end);
	return end != text && *end == '\0' && isfinite(*value);
}

static enum snap_status take_label(void *user, const char *key, const char *value)
{
	struct reading *reading = user;
	double number;

	if (strcmp(key, reading->label) == 0 && parse_number(value, &number))
		reading->label_values[reading->at] = number;
	return SNAP_OK;
}

/* The free memory of two allocators is one figure. */
static void add_metric(double *metric, double value)
{
	*metric = isnan(*metric) ? value : *metric + value;
}

static enum snap_status take_metric(void *user, const char *name, const char *text)
{
	static const struct {
		const char *name;
		enum growth_metric metric;
	} names[] = {
		{"rss", GROWTH_RSS},
		{"allocator.free", GROWTH_SLACK},
		{"pymalloc.free", GROWTH_SLACK},
		{"cgroup.current", GROWTH_CGROUP},
		{"recorder.memory", GROWTH_RECORDER},
		{"resident.files", GROWTH_FILES},
		{"resident.modules", GROWTH_MODULES},
		{"resident.stacks", GROWTH_STACKS},
	};
	struct reading *reading = user;
	double value;

	if (!parse_number(text, &value))
		return SNAP_OK;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(name, names[i].name) == 0)
			add_metric(&reading->axis->metrics[names[i].metric][reading->at], value);
	if (strcmp(name, "process.cpu_ns") == 0)
		reading->axis->cpu[reading->at] = value / 1e9;
	if (strcmp(name, "cgroup.limit") == 0 && reading->at + 1 == reading->axis->count)
		reading->axis->cgroup_limit = value;
	return SNAP_OK;
}

/* ---- memory ---------------------------------------------------------------------------------- */

static bool allocate(struct growth_axis *axis, size_t count)
{
	double *next;

	*axis = (struct growth_axis){
		.count = count, .per = "snapshot", .cgroup_limit = (double)NAN};
	axis->memory = calloc((7 + GROWTH_METRICS) * count + 1, sizeof(double));
	axis->seq = calloc(count + 1, sizeof(*axis->seq));
	axis->run = calloc(count + 1, sizeof(*axis->run));
	if (!axis->memory || !axis->seq || !axis->run)
		return false;
	next = axis->memory;
	axis->x = next;
	axis->unit_x = next += count;
	axis->seconds = next += count;
	axis->positions = next += count;
	axis->work = next += count;
	axis->unrecorded = next += count;
	axis->cpu = next += count;
	for (size_t i = 0; i < count; i++)
		axis->cpu[i] = (double)NAN;
	for (int m = 0; m < GROWTH_METRICS; m++) {
		axis->metrics[m] = next += count;
		for (size_t i = 0; i < count; i++)
			axis->metrics[m][i] = (double)NAN;
	}
	return true;
}

void growth_axis_release(struct growth_axis *axis)
{
	free(axis->memory);
	free(axis->seq);
	free(axis->run);
	free(axis->is_idle);
	*axis = (struct growth_axis){0};
}

/* ---- what x is ------------------------------------------------------------------------------- */

static void number_runs(struct growth_axis *axis, const int64_t *runs)
{
	for (size_t i = 0; i < axis->count; i++) {
		if (i > 0)
			axis->run[i] = axis->run[i - 1] + (runs[i] != runs[i - 1]);
		axis->run_count = axis->run[i] + 1;
	}
}

/* Do the values rise from snapshot to snapshot, at least within each process? */
static bool rises(const struct growth_axis *axis, const double *values, bool across_runs)
{
	for (size_t i = 1; i < axis->count; i++)
		if ((across_runs || axis->run[i] == axis->run[i - 1]) &&
		    !(values[i] > values[i - 1]))
			return false;
	return axis->count > 0 && !isnan(values[0]);
}

static enum snap_status read_label(struct reading *reading, struct store *store, const char *label,
				   struct snap_error *err)
{
	enum snap_status st = SNAP_OK;

	reading->label = label;
	for (size_t i = 0; i < reading->axis->count; i++)
		reading->label_values[i] = (double)NAN;
	for (size_t i = 0; st == SNAP_OK && i < reading->axis->count; i++) {
		reading->at = i;
		st = store_each_label(store, reading->ids[i], take_label, reading, err);
	}
	return st;
}

static void use_seq(struct growth_axis *axis)
{
	for (size_t i = 0; i < axis->count; i++)
		axis->positions[i] = (double)axis->seq[i];
	axis->seq_rises = rises(axis, axis->positions, false);
	for (size_t i = 0; !axis->seq_rises && i < axis->count; i++)
		axis->positions[i] = (double)i + 1;
	memcpy(axis->x, axis->positions, axis->count * sizeof(*axis->x));
}

/* One snapshot per process, numbered by iteration: the user repeats a program and asks across its
 * runs. */
static void join_iterations(struct growth_axis *axis, const double *iterations, size_t exits)
{
	if (axis->run_count != axis->count || !rises(axis, iterations, true))
		return;
	memset(axis->run, 0, axis->count * sizeof(*axis->run));
	axis->run_count = 1;
	axis->seq_rises = false;
	axis->work = axis->cpu = NULL; /* each counts its own */
	axis->repeated = axis->count > 1 && exits == axis->count;
}

static void use_iterations(struct growth_axis *axis, const double *iterations, size_t exits)
{
	if (!rises(axis, iterations, false))
		return;
	join_iterations(axis, iterations, exits);
	memcpy(axis->x, iterations, axis->count * sizeof(*iterations));
	axis->per = "iteration";
	axis->by_iteration = true;
}

static enum snap_status choose_unit(struct reading *reading, struct store *store, const char *per,
				    struct snap_error *err)
{
	struct growth_axis *axis = reading->axis;
	const double *unit = axis->x;
	enum snap_status st = SNAP_OK;

	axis->per = per ? per : axis->per;
	if (per && strcmp(per, "snapshot") == 0) {
		unit = axis->positions;
	} else if (per && strcmp(per, "second") == 0) {
		unit = axis->seconds;
	} else if (per) {
		st = read_label(reading, store, per, err);
		unit = reading->label_values;
	}
	if (st != SNAP_OK)
		return st;
	for (size_t i = 0; i < axis->count; i++)
		if (isnan(unit[i]))
			return fail(err, SNAP_EUSAGE,
				    "--per %s: snapshot %zu of the series has no label '%s' with a "
				    "number",
				    per, i + 1, per);
	if (axis->count > 1 && !rises(axis, unit, false))
		return fail(err, SNAP_EUSAGE,
			    "--per %s: it does not rise from snapshot to snapshot", per);
	memcpy(axis->unit_x, unit, axis->count * sizeof(*unit));
	return SNAP_OK;
}

/* ---- where the program was idle -------------------------------------------------------------- */

static double *if_all_known(double *values, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (isnan(values[i]))
			return NULL;
	return values;
}

static enum snap_status find_idle(struct growth_axis *axis, struct snap_error *err)
{
	struct growth_series series = {
		.count = axis->count,
		.x = axis->x,
		.run = axis->run,
		.seconds = axis->seconds_rise ? axis->seconds : NULL,
	};

	axis->work = if_all_known(axis->work, axis->count);
	axis->cpu = if_all_known(axis->cpu, axis->count);
	series.work = axis->work;
	series.cpu = axis->cpu;
	if (!axis->work)
		return SNAP_OK;
	axis->is_idle = calloc(axis->count + 1, sizeof(*axis->is_idle));
	if (!axis->is_idle)
		return fail_memory(err, "reading the series");
	axis->idle = growth_idle_mark(&series, axis->is_idle);
	return SNAP_OK;
}

static void note_idle(const struct growth_axis *axis, struct notices *notices)
{
	if (axis->idle)
		notices_add(notices, &(struct notice){.kind = NOTICE_SERIES_IDLE,
						      .figures = {axis->idle,
								  axis->count - axis->run_count}});
}

/* ---- what is odd about the series ------------------------------------------------------------ */

static void warn(struct notices *notices, enum notice_kind kind, size_t figure)
{
	notices_add(notices, &(struct notice){.kind = kind, .figures = {figure}});
}

static void warn_of_order(const struct growth_axis *axis, const struct reading *reading,
			  struct notices *notices)
{
	size_t missing = 0, repeated = 0, back = 0;

	for (size_t i = 1; i < axis->count; i++) {
		if (axis->run[i] != axis->run[i - 1])
			continue;
		if (axis->seq[i] > axis->seq[i - 1] + 1)
			missing += axis->seq[i] - axis->seq[i - 1] - 1;
		repeated += axis->seq[i] <= axis->seq[i - 1] && axis->seq[i] != 0;
		back += reading->times_ns[i] != 0 &&
			reading->times_ns[i] < reading->times_ns[i - 1];
	}
	if (missing && !axis->by_iteration)
		warn(notices, NOTICE_SERIES_GAPS, missing);
	if (repeated && !axis->by_iteration)
		warn(notices, NOTICE_SERIES_REPEATS, repeated);
	if (back)
		warn(notices, NOTICE_SERIES_CLOCK, back);
	if (axis->run_count > 1)
		warn(notices, NOTICE_SERIES_PROCESSES, axis->run_count);
}

static void measure_time(struct growth_axis *axis, const uint64_t *times_ns)
{
	for (size_t i = 0; i < axis->count; i++)
		axis->seconds[i] = ((double)times_ns[i] - (double)times_ns[0]) / 1e9;
}

/* If a figure was asked for only sometimes, because that is slow, its last answer is used.
 * False if it is unknown. */
static bool fill_gaps(struct growth_axis *axis, enum growth_metric metric)
{
	double *values = axis->metrics[metric];
	size_t known = 0;

	for (size_t i = 0; i < axis->count; i++)
		known += !isnan(values[i]);
	if (2 * known < axis->count)
		return false;
	for (size_t i = 1; i < axis->count; i++)
		if (isnan(values[i]) && axis->run[i] == axis->run[i - 1])
			values[i] = values[i - 1];
	for (size_t i = axis->count - 1; i-- > 0;)
		if (isnan(values[i]) && axis->run[i] == axis->run[i + 1])
			values[i] = values[i + 1];
	return true;
}

static void measure_unseen(struct growth_axis *axis)
{
	static const enum growth_metric parts[] = {GROWTH_RECORDED, GROWTH_SLACK, GROWTH_RECORDER,
						   GROWTH_FILES, GROWTH_STACKS};
	bool has_modules;

	fill_gaps(axis, GROWTH_SLACK);
	fill_gaps(axis, GROWTH_STACKS);
	has_modules = fill_gaps(axis, GROWTH_MODULES);
	for (size_t i = 0; i < axis->count; i++) {
		double unseen = axis->metrics[GROWTH_RSS][i];

		if (has_modules)
			axis->metrics[GROWTH_FILES][i] += axis->metrics[GROWTH_MODULES][i];
		for (size_t p = 0; p < sizeof(parts) / sizeof(*parts); p++)
			if (p == 0 || !isnan(axis->metrics[parts[p]][i]))
				unseen -= axis->metrics[parts[p]][i];
		axis->metrics[GROWTH_UNSEEN][i] = unseen < 0 ? 0 : unseen;
	}
}

/* Estimates of samples are too rough for this. */
static void measure_unrecorded(struct growth_axis *axis)
{
	bool known = !axis->sampled;

	for (size_t i = 0; i < axis->count; i++) {
		double recorder = axis->metrics[GROWTH_RECORDER][i];
		double files = axis->metrics[GROWTH_FILES][i];

		axis->unrecorded[i] = axis->metrics[GROWTH_RSS][i] -
				      axis->metrics[GROWTH_RECORDED][i] -
				      (isnan(recorder) ? 0 : recorder) - (isnan(files) ? 0 : files);
		known &= !isnan(axis->unrecorded[i]);
	}
	if (!known)
		axis->unrecorded = NULL;
}

static enum snap_status read_python(struct growth_python *python, struct store *store, int64_t id,
				    struct snap_error *err)
{
	struct facts facts = {0};
	enum snap_status st = facts_read(&facts, store, id, err);

	snprintf(python->version, sizeof(python->version), "%s",
		 facts_text(&facts, "python.version"));
	snprintf(python->problem, sizeof(python->problem), "%s",
		 facts_text(&facts, "python.problem"));
	snprintf(python->recorded, sizeof(python->recorded), "%s",
		 facts_text(&facts, "python.recorded"));
	snprintf(python->before_start, sizeof(python->before_start), "%s",
		 facts_text(&facts, "python.before_start"));
	facts_release(&facts);
	return st;
}

static enum snap_status read_axis(struct reading *reading, struct store *store, const char *per,
				  struct notices *notices, struct snap_error *err)
{
	struct growth_axis *axis = reading->axis;
	enum snap_status st = store_each_snapshot(store, take_snapshot, reading, err);

	for (size_t i = 0; st == SNAP_OK && i < axis->count; i++) {
		reading->at = i;
		st = store_each_metric(store, reading->ids[i], take_metric, reading, err);
	}
	if (st == SNAP_OK && axis->count)
		st = read_python(&axis->python, store, reading->ids[axis->count - 1], err);
	if (st == SNAP_OK)
		st = read_label(reading, store, "iteration", err);
	if (st != SNAP_OK)
		return st;
	number_runs(axis, reading->runs);
	measure_time(axis, reading->times_ns);
	measure_unseen(axis);
	measure_unrecorded(axis);
	use_seq(axis);
	axis->seconds_rise = rises(axis, axis->seconds, false);
	st = find_idle(axis, err);
	if (st != SNAP_OK)
		return st;
	note_idle(axis, notices);
	use_iterations(axis, reading->label_values, reading->exits);
	warn_of_order(axis, reading, notices);
	return choose_unit(reading, store, per, err);
}

enum snap_status growth_axis_read(struct growth_axis *axis, struct store *store, const int64_t *ids,
				  size_t count, const char *per, struct notices *notices,
				  struct snap_error *err)
{
	struct reading reading = {.axis = axis, .ids = ids};
	enum snap_status st;

	reading.runs = calloc(count + 1, sizeof(*reading.runs));
	reading.times_ns = calloc(count + 1, sizeof(*reading.times_ns));
	reading.label_values = calloc(count + 1, sizeof(*reading.label_values));
	if (allocate(axis, count) && reading.runs && reading.times_ns && reading.label_values)
		st = read_axis(&reading, store, per, notices, err);
	else
		st = fail_memory(err, "reading the series");
	free(reading.runs);
	free(reading.times_ns);
	free(reading.label_values);
	return st;
}
