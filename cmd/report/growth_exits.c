/*
 * growth_exits.c - which snapshots do not belong to a series: exit snapshots, kept peaks and safety
 * snapshots.
 */
#include "report/growth_exits.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/fail.h"

enum { LEAST_OTHERS = 3 };
static const double fell = 0.9;     /* of what the snapshot before it held, at most */
static const double shortly = 0.05; /* of the time between snapshots, or this many ns, because a */
static const double exit_ns = 5e7;  /* busy machine takes its time; but never more than */
static const double longest = 0.5;  /* of the time between snapshots */

struct member {
	int64_t run;
	uint64_t seq, time_ns, live_bytes;
	bool at_exit, is_peak, is_safety, left_out;
	char *path; /* owned */
};

struct looking {
	const int64_t *ids;
	size_t count;
	struct member *members; /* one per id */
};

static bool is_special(const struct member *member)
{
	return member->at_exit || member->is_peak || member->is_safety;
}

static enum snap_status take_snapshot(void *user, const struct store_snapshot *row)
{
	struct looking *looking = user;

	for (size_t i = 0; i < looking->count; i++) {
		struct member *member = &looking->members[i];

		if (looking->ids[i] != row->id)
			continue;
		member->run = row->run_id;
		member->seq = row->seq;
		member->time_ns = row->time_ns;
		member->live_bytes = row->live_bytes;
		member->at_exit = row->trigger && strcmp(row->trigger, "exit") == 0;
		member->is_peak = row->trigger && strcmp(row->trigger, "peak") == 0;
		member->is_safety = row->trigger && strcmp(row->trigger, "safety") == 0;
		member->path = strdup(row->path);
		if (!member->path)
			return SNAP_ENOMEM;
	}
	return SNAP_OK;
}

/* The peak that a process keeps has no number of its own.  It is chosen by its size, not by
 * time. */
static bool is_kept_peak(const struct member *members, size_t at)
{
	const struct member *member = &members[at], *before = at > 0 ? member - 1 : NULL;

	return member->is_peak && (member->seq == 0 || (before && before->run == member->run &&
							before->seq == member->seq));
}

static bool is_outside(const struct member *members, size_t at)
{
	return members[at].at_exit || members[at].is_safety || is_kept_peak(members, at);
}

static bool has_others(const struct looking *looking, size_t at)
{
	size_t others = 0;

	for (size_t i = 0; i < looking->count && others < LEAST_OTHERS; i++)
		others += looking->members[i].run == looking->members[at].run &&
			  !is_outside(looking->members, i);
	return others == LEAST_OTHERS;
}

static double between(const struct member *earlier, const struct member *later)
{
	return (double)later->time_ns - (double)earlier->time_ns;
}

static bool is_shortly(double ns, double interval)
{
	return ns < shortly * interval || (ns < exit_ns && ns < longest * interval);
}

/*
 * A snapshot shortly before the exit may show a program that is already freeing its memory.  Until
 * its exit, the program may allocate a little, for its last words, but takes back nothing of that.
 */
static bool was_ending(const struct looking *looking, size_t at)
{
	const struct member *members = looking->members, *m = &members[at];
	double least;

	if (at < LEAST_OTHERS || at + 1 >= looking->count || is_outside(members, at) ||
	    !members[at + 1].at_exit || members[at + 1].run != m->run ||
	    members[at - LEAST_OTHERS].run != m->run || is_special(&members[at - 1]) ||
	    m->live_bytes == SNAP_UNKNOWN || m[-1].live_bytes == SNAP_UNKNOWN || !m->time_ns)
		return false;
	least = fell * (double)m[-1].live_bytes;
	return (double)m->live_bytes < least && (double)m[1].live_bytes < least &&
	       is_shortly(between(m, m + 1), between(m - 1, m));
}

/* The exit snapshot of the process of the last remaining snapshot. */
static int64_t exit_of_last(const struct looking *looking)
{
	const struct member *members = looking->members;
	size_t last = looking->count;

	while (last > 0 && members[last - 1].left_out)
		last--;
	for (size_t i = looking->count; last && i-- > 0;)
		if (members[i].left_out && members[i].at_exit &&
		    members[i].run == members[last - 1].run)
			return looking->ids[i];
	return 0;
}

static void say_left_out(struct notices *notices, size_t exits, size_t others)
{
	if (exits)
		notices_add(notices,
			    &(struct notice){.kind = NOTICE_SERIES_EXITS, .figures = {exits}});
	if (others)
		notices_add(notices,
			    &(struct notice){.kind = NOTICE_SERIES_OUTSIDE, .figures = {others}});
}

/* The list takes over the path. */
static bool keep_path(struct growth_left_out *list, struct member *member)
{
	if (!array_reserve(&list->paths, &list->capacity, list->count, sizeof(*list->paths)))
		return false;
	list->paths[list->count++] = member->path;
	member->path = NULL;
	return true;
}

static bool leave_out(struct looking *looking, int64_t *ids, size_t *count,
		      struct growth_left_out *left_out, struct notices *notices)
{
	size_t left = 0, exits = 0;

	*count = 0;
	for (size_t i = 0; i < looking->count; i++) {
		struct member *member = &looking->members[i];

		bool ending = was_ending(looking, i);

		member->left_out =
			ending || (is_outside(looking->members, i) && has_others(looking, i));
		exits += member->left_out && (member->at_exit || ending);
		left += member->left_out;
		if (!member->left_out)
			ids[(*count)++] = ids[i];
		else if (!keep_path(left_out, member))
			return false;
	}
	say_left_out(notices, exits, left - exits);
	return true;
}

static void release(struct looking *looking)
{
	for (size_t i = 0; looking->members && i < looking->count; i++)
		free(looking->members[i].path);
	free(looking->members);
}

enum snap_status growth_leave_out_exits(struct store *store, int64_t *ids, size_t *count,
					int64_t *at_exit, struct growth_left_out *left_out,
					struct notices *notices, struct snap_error *err)
{
	struct looking looking = {.count = *count};
	int64_t *all = calloc(*count + 1, sizeof(*all));
	enum snap_status st = SNAP_ENOMEM;

	looking.members = calloc(*count + 1, sizeof(*looking.members));
	if (all && looking.members) {
		memcpy(all, ids, *count * sizeof(*all));
		looking.ids = all;
		st = store_each_snapshot(store, take_snapshot, &looking, err);
		if (st == SNAP_OK && !leave_out(&looking, ids, count, left_out, notices))
			st = SNAP_ENOMEM;
	}
	if (st == SNAP_ENOMEM)
		st = fail_memory(err, "reading the series");
	if (st == SNAP_OK)
		*at_exit = exit_of_last(&looking);
	release(&looking);
	free(all);
	return st;
}

void growth_left_out_cut(struct growth_left_out *left_out, size_t count)
{
	while (left_out->count > count)
		free(left_out->paths[--left_out->count]);
}

void growth_left_out_release(struct growth_left_out *left_out)
{
	growth_left_out_cut(left_out, 0);
	free(left_out->paths);
	*left_out = (struct growth_left_out){0};
}
