/*
 * check_gather.c - peaks, resident memory and what was left at exit, of the two sides of a gate.
 */
#include "check_gather.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/lookup.h"
#include "model/names.h"
#include "snapshots/session.h"

struct gathering {
	struct check_gathered *out;
	struct check_side *side;
	struct session *session;
	const int64_t *ids;
	size_t count;
	double peak, rss, unreachable;
	bool is_new;
	struct snap_error *err;
};

static enum snap_status take_metric(void *user, const char *name, const char *value)
{
	struct gathering *gathering = user;
	double *most = strcmp(name, "heap.peak_bytes") == 0 ? &gathering->peak
		       : strcmp(name, "rss") == 0           ? &gathering->rss
							    : NULL;
	double number = most ? strtod(value, NULL) : 0;

	if (most && (isnan(*most) || number > *most))
		*most = number;
	return SNAP_OK;
}

static enum snap_status take_fact(void *user, const char *key, const char *value)
{
	struct gathering *gathering = user;

	if (strcmp(key, "holders.unreachable_bytes") == 0)
		gathering->unreachable = strtod(value, NULL);
	return SNAP_OK;
}

/* Keep the snapshot in which most is unreachable. */
static enum snap_status look_at_holders(struct gathering *gathering,
					const struct store_snapshot *row)
{
	struct check_gathered *out = gathering->out;
	char *path;
	enum snap_status st;

	gathering->unreachable = NAN;
	st = store_each_meta(session_store(gathering->session), row->id, take_fact, gathering,
			     gathering->err);
	if (st != SNAP_OK || isnan(gathering->unreachable) ||
	    (out->most_unreachable && gathering->unreachable <= out->unreachable))
		return st;
	path = strdup(row->path);
	if (!path)
		return fail_memory(gathering->err, "reading the snapshots");
	free(out->most_unreachable);
	out->most_unreachable = path;
	out->unreachable = gathering->unreachable;
	return SNAP_OK;
}

static bool is_asked_for(const struct gathering *gathering, int64_t id)
{
	for (size_t i = 0; i < gathering->count; i++)
		if (gathering->ids[i] == id)
			return true;
	return false;
}

static enum snap_status take_exit(struct gathering *gathering, const struct store_snapshot *row)
{
	struct check_side *side = gathering->side;
	struct check_exit *item;

	if (!array_reserve(&side->exits, &side->exit_capacity, side->exit_count,
			   sizeof(*side->exits)))
		return fail_memory(gathering->err, "reading the snapshots");
	item = &side->exits[side->exit_count++];
	*item = (struct check_exit){
		.path = strdup(row->path),
		.program = strdup(row->program),
		.id = row->id,
		.live_bytes = row->live_bytes == SNAP_UNKNOWN ? 0 : row->live_bytes,
	};
	return item->path && item->program ? SNAP_OK
					   : fail_memory(gathering->err, "reading the snapshots");
}

static enum snap_status take_snapshot(void *user, const struct store_snapshot *row)
{
	struct gathering *gathering = user;
	double live = row->live_bytes == SNAP_UNKNOWN ? (double)NAN : (double)row->live_bytes;
	double *never_freed = &gathering->out->facts.never_freed;
	enum snap_status st;

	if (!is_asked_for(gathering, row->id))
		return SNAP_OK;
	if (!isnan(live) && (isnan(gathering->peak) || live > gathering->peak))
		gathering->peak = live;
	st = gathering->is_new ? look_at_holders(gathering, row) : SNAP_OK;
	if (st != SNAP_OK || !row->trigger || strcmp(row->trigger, "exit") != 0)
		return st;
	if (gathering->is_new && (isnan(*never_freed) || live > *never_freed))
		*never_freed = live;
	return take_exit(gathering, row);
}

static enum snap_status take_label(void *user, const char *name, const char *value)
{
	struct check_exit *item = user;

	if (strcmp(name, "iteration") != 0 || item->iteration)
		return SNAP_OK;
	item->iteration = strdup(value);
	return item->iteration ? SNAP_OK : SNAP_ENOMEM;
}

static enum snap_status take_labels(struct gathering *gathering, struct snap_error *err)
{
	struct check_side *side = gathering->side;
	enum snap_status st = SNAP_OK;

	for (size_t i = 0; st == SNAP_OK && i < side->exit_count; i++)
		st = store_each_label(session_store(gathering->session), side->exits[i].id,
				      take_label, &side->exits[i], err);
	return st;
}

static enum snap_status gather_side(struct gathering *gathering,
				    const struct report_options *options, const char *const *names,
				    size_t count, struct snap_error *err)
{
	const struct session_options session = {.db = options->db,
						.pid = options->pid,
						.program = options->program,
						.quiet = true,
						.facts_only = true};
	int64_t *ids = NULL;
	enum snap_status st = session_open(&gathering->session, &session, err);

	gathering->peak = gathering->rss = NAN;
	gathering->err = err;
	if (st == SNAP_OK)
		st = session_list(gathering->session, names, count, &ids, &gathering->count, err);
	gathering->ids = ids;
	if (st == SNAP_OK)
		st = store_each_snapshot(session_store(gathering->session), take_snapshot,
					 gathering, err);
	for (size_t i = 0; st == SNAP_OK && i < gathering->count; i++)
		st = store_each_metric(session_store(gathering->session), ids[i], take_metric,
				       gathering, err);
	if (st == SNAP_OK)
		st = take_labels(gathering, err);
	gathering->side->snapshots = gathering->count;
	free(ids);
	session_close(gathering->session);
	return st;
}

/* ---- the runs of a repeated command ---- */

static bool are_directories(const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!session_is_directory(names[i]))
			return false;
	return true;
}

/* The program that left most at one of its exits. */
static const char *fullest_program(const struct check_side *side)
{
	const struct check_exit *most = NULL;

	for (size_t i = 0; i < side->exit_count; i++)
		if (side->exits[i].iteration &&
		    (!most || side->exits[i].live_bytes > most->live_bytes))
			most = &side->exits[i];
	return most ? most->program : NULL;
}

static bool are_of_one_run(const struct check_exit *a, const struct check_exit *b)
{
	size_t directory = (size_t)(name_base(a->path) - a->path);

	return strcmp(a->iteration, b->iteration) == 0 &&
	       directory == (size_t)(name_base(b->path) - b->path) &&
	       strncmp(a->path, b->path, directory) == 0;
}

/* Is it the fullest of the program's exits in its run?  Of equals, the first. */
static bool stands_for_run(const struct check_side *side, size_t at, const char *program)
{
	const struct check_exit *item = &side->exits[at];

	if (!item->iteration || strcmp(item->program, program) != 0)
		return false;
	for (size_t i = 0; i < side->exit_count; i++) {
		const struct check_exit *other = &side->exits[i];

		if (i == at || !other->iteration || strcmp(other->program, program) != 0 ||
		    !are_of_one_run(item, other))
			continue;
		if (other->live_bytes > item->live_bytes ||
		    (other->live_bytes == item->live_bytes && i < at))
			return false;
	}
	return true;
}

static enum snap_status find_runs(struct check_side *side, const char *program,
				  struct snap_error *err)
{
	side->runs = malloc((side->exit_count + 1) * sizeof(*side->runs));
	if (!side->runs)
		return fail_memory(err, "reading the snapshots");
	for (size_t i = 0; i < side->exit_count; i++)
		if (stands_for_run(side, i, program))
			side->runs[side->run_count++] = side->exits[i].path;
	return SNAP_OK;
}

static enum snap_status choose_runs(struct check_gathered *out, bool old_too,
				    struct snap_error *err)
{
	const char *program = fullest_program(&out->new_);
	enum snap_status st;

	if (!program)
		return SNAP_OK;
	for (size_t i = 0; i < out->new_.exit_count; i++)
		out->others |= strcmp(out->new_.exits[i].program, program) != 0;
	out->program = program;
	st = find_runs(&out->new_, program, err);
	if (st == SNAP_OK && old_too)
		st = find_runs(&out->old, program, err);
	return st;
}

static int by_live_bytes(const void *left, const void *right)
{
	const struct check_exit *const *a = left, *const *b = right;

	if ((*a)->live_bytes != (*b)->live_bytes)
		return (*a)->live_bytes < (*b)->live_bytes ? -1 : 1;
	return strcmp((*a)->path, (*b)->path);
}

/* NULL: no repeated command */
static const char *middle_run(const struct check_gathered *gathered)
{
	const struct check_side *side = &gathered->new_;
	const struct check_exit **sorted = calloc(side->exit_count + 1, sizeof(*sorted));
	const char *path = NULL;
	size_t count = 0;

	for (size_t i = 0; sorted && gathered->program && i < side->exit_count; i++)
		if (stands_for_run(side, i, gathered->program))
			sorted[count++] = &side->exits[i];
	if (count) {
		qsort(sorted, count, sizeof(*sorted), by_live_bytes);
		path = sorted[(count - 1) / 2]->path;
	}
	free(sorted);
	return path;
}

/* ---- both sides ---- */

enum snap_status check_gather(struct check_gathered *out, const struct report_options *options,
			      const struct text_list *baseline, const char *const *names,
			      size_t count, struct snap_error *err)
{
	struct gathering old = {.out = out, .side = &out->old};
	struct gathering new_ = {.out = out, .side = &out->new_, .is_new = true};
	enum snap_status st = SNAP_OK;

	*out = (struct check_gathered){.facts = {NAN, NAN, NAN, NAN, NAN, 0}};
	old.peak = old.rss = NAN;
	if (baseline->count)
		st = gather_side(&old, options, baseline->items, baseline->count, err);
	if (st == SNAP_OK)
		st = gather_side(&new_, options, names, count, err);
	out->facts.old_peak = old.peak;
	out->facts.old_rss = old.rss;
	out->facts.new_peak = new_.peak;
	out->facts.new_rss = new_.rss;
	if (st == SNAP_OK && are_directories(names, count))
		st = choose_runs(out, are_directories(baseline->items, baseline->count), err);
	return st;
}

static void release_side(struct check_side *side)
{
	for (size_t i = 0; i < side->exit_count; i++) {
		free(side->exits[i].path);
		free(side->exits[i].program);
		free(side->exits[i].iteration);
	}
	free(side->exits);
	free(side->runs);
}

void check_gathered_release(struct check_gathered *gathered)
{
	release_side(&gathered->old);
	release_side(&gathered->new_);
	free(gathered->most_unreachable);
	*gathered = (struct check_gathered){0};
}

/* ---- what a baseline is written from ---- */

struct path_sought {
	int64_t id;
	char **path;
};

static enum snap_status take_path(void *user, const struct store_snapshot *row)
{
	const struct path_sought *sought = user;

	if (row->id != sought->id || *sought->path)
		return SNAP_OK;
	*sought->path = strdup(row->path);
	return *sought->path ? SNAP_OK : SNAP_ENOMEM;
}

static enum snap_status path_of_one(char **path, const struct report_options *options,
				    const char *name, struct snap_error *err)
{
	const struct session_options session_options = {.pid = options->pid,
							.program = options->program,
							.quiet = true,
							.facts_only = true};
	struct path_sought sought = {.path = path};
	struct session *session = NULL;
	enum snap_status st = session_open(&session, &session_options, err);

	if (st == SNAP_OK)
		st = session_one(session, name, &sought.id, err);
	if (st == SNAP_OK)
		st = store_each_snapshot(session_store(session), take_path, &sought, err);
	session_close(session);
	return st;
}

enum snap_status check_baseline_source(char **path, const struct report_options *options,
				       const char *name, struct snap_error *err)
{
	static const struct text_list none;
	struct check_gathered gathered = {0};
	const char *run;
	enum snap_status st = SNAP_OK;

	*path = NULL;
	if (session_is_directory(name)) {
		st = check_gather(&gathered, options, &none, &name, 1, err);
		run = st == SNAP_OK ? middle_run(&gathered) : NULL;
		if (st == SNAP_OK && !run)
			st = path_of_one(path, options, name, err);
		else if (run)
			*path = strdup(run);
	} else {
		*path = strdup(name);
	}
	check_gathered_release(&gathered);
	return st == SNAP_OK && !*path ? fail_memory(err, "naming a snapshot") : st;
}
