/*
 * check_gather.c - peaks, resident memory and memory left at exit, for the two sides of a gate.
 */
#include "check_gather.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/fail.h"
#include "dataset/facts.h"
#include "model/names.h"
#include "read_symbolised.h"
#include "snapshots/snapshots.h"

struct gathering {
	struct check_gathered *out;
	struct check_side *side;
	struct snapshots *snapshots;
	const int64_t *ids;
	size_t count;
	bool is_new;
	struct snap_error *err;
};

static enum snap_status take_metric(void *user, const char *name, const char *value)
{
	struct check_snapshot *item = user;
	double *most = strcmp(name, "heap.peak_bytes") == 0   ? &item->peak
		       : strcmp(name, "rss") == 0             ? &item->rss
		       : strcmp(name, "runs.live_bytes") == 0 ? &item->live
		       : strcmp(name, "runs.live_apart") == 0 ? &item->live_apart
		       : strcmp(name, "runs.peak_apart") == 0 ? &item->peak_apart
		       : strcmp(name, "runs.rss_apart") == 0  ? &item->rss_apart
							      : NULL;
	double number = most ? strtod(value, NULL) : 0;

	if (most && (isnan(*most) || number > *most))
		*most = number;
	return SNAP_OK;
}

/* Keep the snapshot in which most is unreachable. */
static enum snap_status look_at_holders(struct gathering *gathering,
					const struct store_snapshot *row)
{
	struct check_gathered *out = gathering->out;
	struct facts facts = {0};
	const char *bytes;
	double unreachable;
	char *path;
	bool says_it;
	enum snap_status st;

	st = facts_read(&facts, snapshots_store(gathering->snapshots), row->id, gathering->err);
	bytes = facts_find(&facts, "holders.unreachable_bytes");
	says_it = bytes != NULL;
	unreachable = says_it ? strtod(bytes, NULL) : 0;
	facts_release(&facts);
	if (st != SNAP_OK || !says_it || (out->most_unreachable && unreachable <= out->unreachable))
		return st;
	path = strdup(row->path);
	if (!path)
		return fail_memory(gathering->err, "reading the snapshots");
	free(out->most_unreachable);
	out->most_unreachable = path;
	out->unreachable = unreachable;
	return SNAP_OK;
}

static bool is_asked_for(const struct gathering *gathering, int64_t id)
{
	for (size_t i = 0; i < gathering->count; i++)
		if (gathering->ids[i] == id)
			return true;
	return false;
}

static enum snap_status take_snapshot(void *user, const struct store_snapshot *row)
{
	struct gathering *gathering = user;
	struct check_side *side = gathering->side;
	double live = row->live_bytes == SNAP_UNKNOWN ? (double)NAN : (double)row->live_bytes;
	struct check_snapshot *item;

	if (!is_asked_for(gathering, row->id))
		return SNAP_OK;
	if (!array_reserve(&side->items, &side->capacity, side->count, sizeof(*side->items)))
		return fail_memory(gathering->err, "reading the snapshots");
	item = &side->items[side->count++];
	*item = (struct check_snapshot){
		.path = strdup(row->path),
		.program = strdup(row->program),
		.id = row->id,
		.run_id = row->run_id,
		.live = live,
		.peak = live,
		.rss = (double)NAN,
		.work = row->allocated_blocks == SNAP_UNKNOWN ? (double)NAN
							      : (double)row->allocated_blocks,
		.at_exit = row->trigger && strcmp(row->trigger, "exit") == 0,
	};
	if (!item->path || !item->program)
		return fail_memory(gathering->err, "reading the snapshots");
	return gathering->is_new ? look_at_holders(gathering, row) : SNAP_OK;
}

static enum snap_status take_label(void *user, const char *name, const char *value)
{
	struct check_snapshot *item = user;

	if (strcmp(name, "iteration") != 0 || item->iteration)
		return SNAP_OK;
	item->iteration = strdup(value);
	return item->iteration ? SNAP_OK : SNAP_ENOMEM;
}

static enum snap_status take_details(struct gathering *gathering, struct snap_error *err)
{
	struct store *store = snapshots_store(gathering->snapshots);
	struct check_side *side = gathering->side;
	enum snap_status st = SNAP_OK;

	for (size_t i = 0; st == SNAP_OK && i < side->count; i++) {
		st = store_each_metric(store, side->items[i].id, take_metric, &side->items[i], err);
		if (st == SNAP_OK)
			st = store_each_label(store, side->items[i].id, take_label, &side->items[i],
					      err);
	}
	return st;
}

/* A file may be read well later on, so the other readers of the same names need not tell. */
static void keep_damage(void *user, const struct notice *notice)
{
	struct gathering *gathering = user;

	if (notice_is_of_damage(notice))
		notices_add(&gathering->side->damage, notice);
}

static enum snap_status gather_side(struct gathering *gathering,
				    const struct report_options *options, const char *const *names,
				    size_t count, struct snap_error *err)
{
	const struct snapshots_options snapshots = {.db = options->db,
						    .pid = options->pid,
						    .program = options->program,
						    .quiet = true,
						    .notice = keep_damage,
						    .user = gathering,
						    .facts_only = true};
	int64_t *ids = NULL;
	enum snap_status st = snapshots_open(&gathering->snapshots, &snapshots, err);

	gathering->err = err;
	if (st == SNAP_OK)
		st = snapshots_list(gathering->snapshots, names, count, &ids, &gathering->count,
				    err);
	gathering->ids = ids;
	if (st == SNAP_OK)
		st = store_each_snapshot(snapshots_store(gathering->snapshots), take_snapshot,
					 gathering, err);
	if (st == SNAP_OK)
		st = take_details(gathering, err);
	if (st == SNAP_OK)
		gathering->side->damaged = snapshots_damaged(gathering->snapshots);
	free(ids);
	snapshots_close(gathering->snapshots);
	return st;
}

/* ---- the runs of a repeated command ---------------------------------------------------------- */

static bool are_directories(const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!snapshots_is_directory(names[i]))
			return false;
	return true;
}

/* The exit of a repeated command's run. */
static bool is_exit_of_run(const struct check_snapshot *item)
{
	return item->at_exit && item->iteration;
}

/* The program that left most at one of its exits. */
static const char *fullest_program(const struct check_side *side)
{
	const struct check_snapshot *most = NULL;

	for (size_t i = 0; i < side->count; i++)
		if (is_exit_of_run(&side->items[i]) &&
		    (!most || !(side->items[i].live <= most->live)))
			most = &side->items[i];
	return most ? most->program : NULL;
}

static bool are_of_one_run(const struct check_snapshot *a, const struct check_snapshot *b)
{
	size_t directory = (size_t)(name_base(a->path) - a->path);

	return strcmp(a->program, b->program) == 0 && strcmp(a->iteration, b->iteration) == 0 &&
	       directory == (size_t)(name_base(b->path) - b->path) &&
	       strncmp(a->path, b->path, directory) == 0;
}

/* Is it the fullest of the program's exits in its run?  Of equals, the first. */
static bool stands_for_run(const struct check_side *side, size_t at, const char *program)
{
	const struct check_snapshot *item = &side->items[at];

	if (!is_exit_of_run(item) || strcmp(item->program, program) != 0)
		return false;
	for (size_t i = 0; i < side->count; i++) {
		const struct check_snapshot *other = &side->items[i];

		if (i == at || !is_exit_of_run(other) || !are_of_one_run(item, other))
			continue;
		if (other->live > item->live || (other->live == item->live && i < at))
			return false;
	}
	return true;
}

static bool is_pool(const struct check_side *side, const char *program)
{
	size_t exits = 0;

	for (size_t i = 0; i < side->count; i++) {
		if (strcmp(side->items[i].program, program) != 0)
			continue;
		if (!is_exit_of_run(&side->items[i]))
			return false;
		exits++;
	}
	return exits > side->run_count;
}

static enum snap_status find_runs(struct check_side *side, const char *program,
				  struct snap_error *err)
{
	side->runs = malloc((side->count + 1) * sizeof(*side->runs));
	if (!side->runs)
		return fail_memory(err, "reading the snapshots");
	for (size_t i = 0; i < side->count; i++) {
		side->items[i].is_repeat = stands_for_run(side, i, program);
		if (side->items[i].is_repeat)
			side->runs[side->run_count++] = side->items[i].path;
	}
	side->is_pool = is_pool(side, program);
	return SNAP_OK;
}

/* Files that were named one by one are repeats, too. */
static void note_repeats(struct check_side *side, const char *const *names, size_t count)
{
	bool files = count == side->count;

	for (size_t i = 0; i < count; i++)
		files &= !snapshots_is_directory(names[i]);
	for (size_t i = 0; files && i < side->count; i++)
		side->items[i].is_repeat = true;
}

static enum snap_status choose_runs(struct check_gathered *out, bool old_too,
				    struct snap_error *err)
{
	const char *program = fullest_program(&out->new_);
	enum snap_status st;

	if (!program)
		return SNAP_OK;
	for (size_t i = 0; i < out->new_.count; i++)
		out->facts.others |= strcmp(out->new_.items[i].program, program) != 0;
	out->facts.program = program;
	st = find_runs(&out->new_, program, err);
	out->facts.is_pool = out->new_.is_pool;
	if (st == SNAP_OK && old_too)
		st = find_runs(&out->old, program, err);
	return st;
}

/* ---- figures of whole processes -------------------------------------------------------------- */

enum figure_of_whole { WHOLE_LIVE, WHOLE_PEAK, WHOLE_RSS };

static double figure_of(const struct check_snapshot *item, enum figure_of_whole figure)
{
	return figure == WHOLE_LIVE ? item->live : figure == WHOLE_PEAK ? item->peak : item->rss;
}

/* The most in any snapshot of the process. */
static double most_of_process(const struct check_side *side, const struct check_snapshot *of,
			      enum figure_of_whole figure)
{
	double most = figure_of(of, figure);

	for (size_t i = 0; figure != WHOLE_LIVE && i < side->count; i++)
		if (side->items[i].run_id == of->run_id &&
		    !(figure_of(&side->items[i], figure) <= most))
			most = figure_of(&side->items[i], figure);
	return most;
}

/* A file of several runs has the most of them.  The next run may exceed it by twice as much as the
 * runs differ. */
static double doubt_of(const struct check_side *side, enum figure_of_whole figure)
{
	double apart = 0;

	for (size_t i = 0; i < side->count; i++)
		apart = fmax(apart, figure == WHOLE_PEAK  ? side->items[i].peak_apart
				    : figure == WHOLE_RSS ? side->items[i].rss_apart
							  : side->items[i].live_apart);
	return 2 * apart;
}

/* Over the repeats of a side; of a side without repeats, the most. */
static struct check_range range_of(const struct check_side *side, enum figure_of_whole figure)
{
	struct check_range range = {(double)NAN, (double)NAN, doubt_of(side, figure)}, all = range;

	for (size_t i = 0; i < side->count; i++) {
		const struct check_snapshot *item = &side->items[i];
		double most = most_of_process(side, item, figure);

		if (isnan(all.high) || most > all.high)
			all.low = all.high = most;
		if (!item->is_repeat)
			continue;
		if (isnan(range.low) || most < range.low)
			range.low = most;
		if (isnan(range.high) || most > range.high)
			range.high = most;
	}
	return isnan(range.low) && figure != WHOLE_LIVE ? all : range;
}

/* The largest number of blocks that any process of the side allocated. */
static double most_work(const struct check_side *side)
{
	double most = (double)NAN;

	for (size_t i = 0; i < side->count; i++)
		most = fmax(most, side->items[i].work);
	return most;
}

/* The largest number of blocks that were allocated between a snapshot and the one before it. A
 * process that only frees at its exit does no work. */
static double most_step(const struct check_side *side)
{
	double most = (double)NAN;

	for (size_t i = 1; i < side->count; i++)
		if (side->items[i].run_id == side->items[i - 1].run_id && !side->items[i].at_exit)
			most = fmax(most, side->items[i].work - side->items[i - 1].work);
	return most;
}

static void gather_facts(struct check_gathered *out)
{
	struct check_facts *facts = &out->facts;

	facts->old_work = most_work(&out->old);
	facts->new_work = most_work(&out->new_);
	facts->step_work = most_step(&out->new_);

	facts->old_total = range_of(&out->old, WHOLE_LIVE);
	facts->new_total = range_of(&out->new_, WHOLE_LIVE);
	facts->old_peak = range_of(&out->old, WHOLE_PEAK);
	facts->new_peak = range_of(&out->new_, WHOLE_PEAK);
	facts->old_rss = range_of(&out->old, WHOLE_RSS);
	facts->new_rss = range_of(&out->new_, WHOLE_RSS);
	facts->never_freed = facts->new_live = (double)NAN;
	for (size_t i = 0; i < out->new_.count; i++) {
		const struct check_snapshot *item = &out->new_.items[i];

		facts->new_live = fmax(facts->new_live, item->live);
		if (item->at_exit)
			facts->never_freed = fmax(facts->never_freed, item->live);
	}
}

/* ---- both sides ------------------------------------------------------------------------------ */

enum snap_status check_gather(struct check_gathered *out, const struct report_options *options,
			      const struct text_list *baseline, const char *const *names,
			      size_t count, struct snap_error *err)
{
	struct gathering old = {.out = out, .side = &out->old};
	struct gathering new_ = {.out = out, .side = &out->new_, .is_new = true};
	enum snap_status st = SNAP_OK;

	*out = (struct check_gathered){0};
	if (baseline->count)
		st = gather_side(&old, options, baseline->items, baseline->count, err);
	if (st == SNAP_OK)
		st = gather_side(&new_, options, names, count, err);
	if (st == SNAP_OK && are_directories(names, count))
		st = choose_runs(out, are_directories(baseline->items, baseline->count), err);
	note_repeats(&out->old, baseline->items, baseline->count);
	note_repeats(&out->new_, names, count);
	gather_facts(out);
	return st;
}

static void release_side(struct check_side *side)
{
	for (size_t i = 0; i < side->count; i++) {
		free(side->items[i].path);
		free(side->items[i].program);
		free(side->items[i].iteration);
	}
	free(side->items);
	free(side->runs);
	notices_release(&side->damage);
}

void check_gathered_release(struct check_gathered *gathered)
{
	release_side(&gathered->old);
	release_side(&gathered->new_);
	free(gathered->most_unreachable);
	*gathered = (struct check_gathered){0};
}

/* ---- what a baseline is written from --------------------------------------------------------- */

static enum snap_status add_path(struct check_paths *paths, char *path, struct snap_error *err)
{
	if (path &&
	    array_reserve(&paths->items, &paths->capacity, paths->count, sizeof(*paths->items))) {
		paths->items[paths->count++] = path;
		return SNAP_OK;
	}
	free(path);
	return fail_memory(err, "naming a snapshot");
}

/* The runs of a repeated command, or the snapshot that compare takes. */
static enum snap_status add_directory(struct check_paths *paths,
				      const struct report_options *options, const char *name,
				      struct snap_error *err)
{
	static const struct text_list none;
	const struct snapshots_options which = {
		.pid = options->pid, .program = options->program, .quiet = true};
	struct check_gathered gathered = {0};
	enum snap_status st = check_gather(&gathered, options, &none, &name, 1, err);
	char *path = NULL;

	for (size_t i = 0; st == SNAP_OK && i < gathered.new_.run_count; i++)
		st = add_path(paths, strdup(gathered.new_.runs[i]), err);
	if (st == SNAP_OK && gathered.new_.run_count == 0) {
		st = find_snapshot_file(&path, NULL, name, &which, err);
		if (st == SNAP_OK)
			st = add_path(paths, path, err);
		else
			free(path);
	}
	check_gathered_release(&gathered);
	return st;
}

enum snap_status check_baseline_sources(struct check_paths *paths,
					const struct report_options *options,
					const char *const *names, size_t count,
					struct snap_error *err)
{
	enum snap_status st = SNAP_OK;

	*paths = (struct check_paths){0};
	for (size_t i = 0; st == SNAP_OK && i < count; i++)
		st = snapshots_is_directory(names[i]) ? add_directory(paths, options, names[i], err)
						      : add_path(paths, strdup(names[i]), err);
	return st;
}

void check_paths_release(struct check_paths *paths)
{
	for (size_t i = 0; i < paths->count; i++)
		free(paths->items[i]);
	free(paths->items);
	*paths = (struct check_paths){0};
}
