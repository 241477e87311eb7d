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
#include "snapshots/session.h"

struct gathering {
	struct check_gathered *out;
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

static enum snap_status take_snapshot(void *user, const struct store_snapshot *row)
{
	struct gathering *gathering = user;
	struct check_gathered *out = gathering->out;
	double live = row->live_bytes == SNAP_UNKNOWN ? (double)NAN : (double)row->live_bytes;
	enum snap_status st;

	if (!is_asked_for(gathering, row->id))
		return SNAP_OK;
	if (!isnan(live) && (isnan(gathering->peak) || live > gathering->peak))
		gathering->peak = live;
	if (!gathering->is_new)
		return SNAP_OK;
	st = look_at_holders(gathering, row);
	if (st != SNAP_OK || !row->trigger || strcmp(row->trigger, "exit") != 0)
		return st;
	if (isnan(out->facts.never_freed) || live > out->facts.never_freed)
		out->facts.never_freed = live;
	if (!array_reserve(&out->exits, &out->exit_capacity, out->exit_count,
			   sizeof(*out->exits)) ||
	    !(out->exits[out->exit_count] = strdup(row->path)))
		return fail_memory(gathering->err, "reading the snapshots");
	out->exit_count++;
	return SNAP_OK;
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
	free(ids);
	session_close(gathering->session);
	return st;
}

enum snap_status check_gather(struct check_gathered *out, const struct report_options *options,
			      const struct text_list *baseline, const char *const *names,
			      size_t count, struct snap_error *err)
{
	struct gathering old = {.out = out}, new_ = {.out = out, .is_new = true};
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
	out->snapshots = new_.count;
	return st;
}

void check_gathered_release(struct check_gathered *gathered)
{
	for (size_t i = 0; i < gathered->exit_count; i++)
		free(gathered->exits[i]);
	free(gathered->exits);
	free(gathered->most_unreachable);
	*gathered = (struct check_gathered){0};
}
